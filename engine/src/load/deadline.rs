//! A limit for waits that usually end long before it: one timer, armed anew only when it rings.
//!
//! A timer for each request would be entered into the runtime's wheel and taken out of it again,
//! without ever ringing.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::time::{Instant, Sleep, sleep_until};

/// The limit of one VU's waits, one after the other.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    /// Rings at the limit of this wait or of one before it, which was earlier.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Waits for the future; `None` if it is not done by then.
    pub(super) async fn by<F: Future>(&mut self, limit: Instant, future: F) -> Option<F::Output> {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(limit)));
        if timer.deadline() > limit {
            timer.as_mut().reset(limit);
        }
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            while timer.as_mut().poll(cx).is_ready() {
                if timer.deadline() >= limit {
                    return Poll::Ready(None);
                }
                timer.as_mut().reset(limit);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    /// What came of waiting `takes` seconds with a limit of `limit` seconds, and when it came.
    async fn wait(deadline: &mut Deadline, takes: u64, limit: u64) -> (bool, u64) {
        let begun = Instant::now();
        let future = sleep(Duration::from_secs(takes));
        let done = deadline
            .by(begun + Duration::from_secs(limit), future)
            .await;
        (done.is_some(), begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_limit_with_one_timer() {
        let mut deadline = Deadline::default();
        let table = [
            // takes, limit -> done, after
            (1, 10, true, 1),
            (7, 10, true, 7),
            // The timer rings for the first limit in the middle of this one.
            (9, 10, true, 9),
            (20, 10, false, 10),
            (20, 10, false, 10),
            // A shorter limit than the one before.
            (5, 100, true, 5),
            (20, 3, false, 3),
            (2, 3, true, 2),
        ];
        for (takes, limit, done, after) in table {
            let got = wait(&mut deadline, takes, limit).await;
            assert_eq!(got, (done, after), "{takes} of {limit}");
        }
    }
}
