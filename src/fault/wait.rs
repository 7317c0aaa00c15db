//! Limits on waiting for a victim.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::nemesis::{Effect, Trouble};

/// How long a healed victim may take until it answers as before, and an undo until it is done.
pub(super) const WHOLE_WITHIN: Duration = Duration::from_secs(10);

/// How long one question to a victim that should answer may take.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A victim that is silent for so long, where it is asked for the effect, does not answer slowly.
pub(super) const SILENT_AFTER: Duration = Duration::from_millis(500);

/// All that is asked for the effect must fit into a second.
const QUESTION_WITHIN: Duration = Duration::from_millis(950);

const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Asks for the effect, and gives up in time.
pub(super) async fn question(asking: impl Future<Output = Effect>) -> Effect {
    let asked = timeout(QUESTION_WITHIN, asking).await;
    asked.unwrap_or_else(|_| {
        let limit = QUESTION_WITHIN.as_millis();
        Effect::NotSeen(format!("it could not be asked within {limit} ms"))
    })
}

/// Tries until it succeeds; after the limit, the trouble of the last try.
pub(super) async fn until<F, T, Tried>(limit: Duration, mut once: F) -> Result<T, Trouble>
where
    F: FnMut() -> Tried,
    Tried: Future<Output = Result<T, Trouble>>,
{
    let end = Instant::now() + limit;
    let mut last = None;
    loop {
        match timeout_at(end, once()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(trouble)) => last = Some(trouble),
            Err(_) => {}
        }
        if Instant::now() + AGAIN_AFTER >= end {
            let limit = format!("not within {} s", limit.as_secs());
            return Err(last.map_or_else(
                || Trouble::new(limit.clone()),
                |last| Trouble::new(format!("{last} ({limit})")),
            ));
        }
        sleep(AGAIN_AFTER).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn the_trouble_of_the_last_try_is_told() {
        let mut tries = 0;
        let tried = until(LIMIT, || {
            tries += 1;
            let words = format!("try {tries}");
            async { Err::<(), _>(Trouble::new(words)) }
        });
        let trouble = tried.await.unwrap_err();
        assert_eq!(
            trouble.to_string(),
            format!("try {tries} (not within 10 s)")
        );
        assert!(tries > 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_never_ends_ends_with_the_limit() {
        let tried = until(LIMIT, std::future::pending::<Result<(), Trouble>>);
        assert_eq!(tried.await.unwrap_err().to_string(), "not within 10 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_without_an_answer_has_seen_nothing() {
        let effect = question(std::future::pending()).await;
        assert!(matches!(effect, Effect::NotSeen(_)), "{effect:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_try_may_succeed() {
        let mut tries = 0;
        let tried = until(LIMIT, || {
            tries += 1;
            let done = if tries < 3 {
                Err(Trouble::new("no"))
            } else {
                Ok(tries)
            };
            async { done }
        });
        assert_eq!(tried.await, Ok(3));
    }
}
