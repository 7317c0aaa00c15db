//! Tells when the server is asked to stop.

use std::io::Read;
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::error::ServerError;

/// The ways to be asked to stop, listened to from the moment this exists.
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    stdin_ended: Option<oneshot::Receiver<()>>,
}

impl Stop {
    pub(crate) fn listen(with_stdin: bool) -> Result<Self, ServerError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(ServerError::Signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(ServerError::Signals)?,
            stdin_ended: if with_stdin {
                Some(watch_stdin()?)
            } else {
                None
            },
        })
    }

    /// Waits for the first of them, and says which it was.
    pub(crate) async fn requested(mut self) -> &'static str {
        let stdin_ended = async {
            match self.stdin_ended {
                // The sender is dropped when stdin ends, whatever the reason.
                Some(ended) => drop(ended.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = stdin_ended => "end of stdin",
        }
    }
}

/// A plain thread: tokio's stdin would keep the process alive until the next line is typed.
fn watch_stdin() -> Result<oneshot::Receiver<()>, ServerError> {
    let (ended, wait) = oneshot::channel();
    thread::Builder::new()
        .name("stdin".into())
        .spawn(move || {
            let _dropped_at_the_end: oneshot::Sender<()> = ended;
            let mut ignored = [0; 256];
            let mut stdin = std::io::stdin().lock();
            loop {
                match stdin.read(&mut ignored) {
                    Ok(1..) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => return,
                }
            }
        })
        .map_err(ServerError::Stdin)?;
    Ok(wait)
}
