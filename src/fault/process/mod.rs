//! Faults of whole processes and containers: frozen, killed, stopped, limited.

mod clock_skew;
mod cpu_limit;
mod cpu_use;
mod freeze;
mod kill;
mod memory_limit;
mod restart;
mod throttle;

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::nemesis::{Effect, Trouble};
use crate::stack::Part;

pub use clock_skew::ClockSkew;
pub use cpu_limit::CpuLimit;
pub use freeze::Freeze;
pub use kill::{Down, How};
pub use memory_limit::MemoryLimit;
pub use restart::Restart;

/// How long a question may go without an answer before the one who is asked counts as down.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// How long a part may take to answer as before.
const WHOLE_WITHIN: Duration = Duration::from_mins(1);

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Asks a part that should not answer.
async fn silence_of(part: &Part) -> Effect {
    match timeout(ANSWER_WITHIN, part.ask()).await {
        Err(_) => {
            let limit = ANSWER_WITHIN.as_millis();
            Effect::Seen(format!("{} gave no answer within {limit} ms", part.name()))
        }
        Ok(Err(problem)) => Effect::Seen(format!("{} does not answer: {problem}", part.name())),
        Ok(Ok(())) => Effect::NotSeen(format!("{} answers", part.name())),
    }
}

/// Waits until a part answers as before.
pub(super) async fn whole(part: &Part) -> Result<(), Trouble> {
    let give_up = Instant::now() + WHOLE_WITHIN;
    loop {
        let problem = match timeout(ANSWER_WITHIN, part.ask()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem,
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() >= give_up {
            let limit = WHOLE_WITHIN.as_secs();
            let name = part.name();
            return Err(Trouble::new(format!(
                "{name} does not answer after {limit} s: {problem}"
            )));
        }
        sleep(ASK_EVERY).await;
    }
}
