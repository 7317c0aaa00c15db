//! Requests that go on when their clients hang up, and the wait for the last of them.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::coupon::IssueError;

/// Open until it is drained. Whoever is in it holds a sender; the last one that is dropped tells.
pub(super) struct InFlight {
    entrance: Mutex<Option<Sender<Infallible>>>,
    ended: tokio::sync::Mutex<Receiver<Infallible>>,
}

/// Held for as long as a request is in flight.
pub(super) struct Entered(#[allow(dead_code, reason = "only dropped")] Sender<Infallible>);

impl InFlight {
    pub(super) fn open() -> Self {
        let (entrance, ended) = mpsc::channel(1);
        Self {
            entrance: Mutex::new(Some(entrance)),
            ended: tokio::sync::Mutex::new(ended),
        }
    }

    pub(super) fn enter(&self) -> Result<Entered, IssueError> {
        let entrance = self.entrance.lock().unwrap_or_else(PoisonError::into_inner);
        entrance.clone().map(Entered).ok_or(IssueError::Stopping)
    }

    /// Lets nobody in any more, and waits for those who are in, but not longer than `limit`.
    pub(super) async fn drain(&self, limit: Duration) {
        let entrance = self.entrance.lock();
        drop(entrance.unwrap_or_else(PoisonError::into_inner).take());
        let mut ended = self.ended.lock().await;
        if tokio::time::timeout(limit, ended.recv()).await.is_err() {
            tracing::warn!(event = "requests_left", limit_s = limit.as_secs());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn waits_for_those_who_are_in_and_refuses_the_rest() {
        let in_flight = InFlight::open();
        let entered = in_flight.enter().unwrap();
        let mut drained = Box::pin(in_flight.drain(Duration::from_mins(1)));
        assert!(drained.as_mut().now_or_never().is_none());
        assert!(matches!(in_flight.enter(), Err(IssueError::Stopping)));
        drop(entered);
        drained.await;
        // A second time there is nothing to wait for.
        in_flight.drain(Duration::from_mins(1)).await;
    }
}
