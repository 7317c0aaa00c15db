//! A thread with one runtime for what an output does over the network.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::output::Cut;

/// How soon it is seen that somebody does not wish to wait any longer.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is wished of the one who works; it only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    /// Go on.
    Go,
    /// Come to an end.
    End,
    /// End at once.
    Stop,
}

/// Waits until at least this is wished.
pub(super) async fn wished(mut wish: watch::Receiver<Wish>, least: Wish) {
    // Nobody is left who could wish anything else.
    let _ = wish.wait_for(|wish| *wish >= least).await;
}

/// The thread, and what it comes to.
#[derive(Debug)]
pub(super) struct Background<T> {
    wish: watch::Sender<Wish>,
    done: Receiver<T>,
    thread: JoinHandle<()>,
}

impl<T: Send + 'static> Background<T> {
    /// Starts it.
    ///
    /// # Errors
    /// When there can be no runtime or no thread.
    pub(super) fn start<F>(
        name: &str,
        work: impl FnOnce(watch::Receiver<Wish>) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = T>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (wish, wishes) = watch::channel(Wish::Go);
        let (tell, done) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let come_to = runtime.block_on(work(wishes));
                let _ = tell.send(come_to);
            })?;
        Ok(Self { wish, done, thread })
    }

    /// Asks for the end and waits for it, at most until it is cut; `None`: it panicked.
    pub(super) fn end(self, cut: &Cut) -> Option<T> {
        self.wish.send_replace(Wish::End);
        let come_to = loop {
            match self.done.recv_timeout(LOOK_EVERY) {
                Ok(come_to) => break Some(come_to),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break None,
            }
            if cut.is_asked() {
                self.wish.send_replace(Wish::Stop);
            }
        };
        let _ = self.thread.join();
        come_to
    }
}
