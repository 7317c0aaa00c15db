//! What outputs have come to, from their threads to the run's events.

use super::conductor::patiently;
use super::event::Event;
use super::interrupt::Interrupts;
use crate::output::{Account, Outputs, Progress};
use crate::report::OutputSummary;

/// Waits for all outputs, which go on beside what else comes after the load; the second request for
/// the end cuts them.
pub(super) struct Ending {
    accounts: tokio::task::JoinHandle<Vec<Account>>,
    cut: crate::output::Cut,
}

impl Ending {
    /// Everything was fed.
    pub(super) fn begin(outputs: Outputs) -> Self {
        let cut = outputs.cut();
        let accounts = tokio::task::spawn_blocking(move || outputs.finish());
        Self { accounts, cut }
    }

    /// What each has come to.
    pub(super) async fn events(
        mut self,
        interrupts: &Interrupts,
        progress: &Progress,
    ) -> Vec<Event> {
        self.cut.run_over();
        let told = "interrupted: outputs are still written; once more leaves them as they are";
        let ended = patiently(interrupts, progress, told, &mut self.accounts).await;
        let ended = if let Some(ended) = ended {
            ended
        } else {
            self.cut.ask();
            (&mut self.accounts).await
        };
        let accounts = ended.unwrap_or_default().into_iter();
        accounts
            .map(|account| Event::Output(summary(account)))
            .collect()
    }
}

/// Whoever does not wait for them any more does not want them to go on.
impl Drop for Ending {
    fn drop(&mut self) {
        self.cut.ask();
    }
}

fn summary(account: Account) -> OutputSummary {
    OutputSummary {
        name: account.name,
        points_written: account.points_written,
        points_dropped: account.points_dropped,
        points_spooled_left: account.points_spooled_left,
        retries: account.retries,
        last_error: account.last_error,
        resend: account.resend,
    }
}
