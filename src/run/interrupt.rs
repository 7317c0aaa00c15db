//! Signals that ask for the end: the first politely, the second at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often the user has asked for the end.
#[derive(Debug, Clone)]
pub(super) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Listens to SIGINT and SIGTERM from now on.
    pub(super) fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (count, seen) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = count.closed() => return,
                }
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(seen))
    }

    /// Whether the end was asked for at all.
    pub(super) fn any(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until the end was asked for so often.
    pub(super) async fn at_least(&mut self, times: u32) {
        if self.0.wait_for(|count| *count >= times).await.is_err() {
            // Nobody listens any more, so nobody will ask.
            std::future::pending::<()>().await;
        }
    }

    /// Runs the future unless the end was or is asked for so often.
    pub(super) async fn unless<T>(
        &mut self,
        times: u32,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            () = self.at_least(times) => None,
            output = future => Some(output),
        }
    }
}
