//! A limit for waits that usually end long before it: one timer, armed anew only when it rings.
//!
//! A timer for each request would be entered into the runtime's wheel and taken out of it again,
//! without ever ringing.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, Waker};

use tokio::time::{Instant, Sleep, sleep_until};

/// The limit of one VU's waits, one after the other.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    /// Rings at the limit of this wait or of one before it, which was earlier.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom the timer wakes. It need not be told again with each wait.
    wakes: Option<Waker>,
}

impl Deadline {
    /// Waits for the future; `None` if it is not done by then.
    pub(super) async fn by<F: Future>(&mut self, limit: Instant, future: F) -> Option<F::Output> {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(limit)));
        let wakes = &mut self.wakes;
        if timer.deadline() > limit {
            timer.as_mut().reset(limit);
            *wakes = None;
        }
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let is_told = |waker: &Waker| waker.will_wake(cx.waker());
            if wakes.as_ref().is_some_and(is_told) && !timer.is_elapsed() {
                return Poll::Pending;
            }
            while timer.as_mut().poll(cx).is_ready() {
                if timer.deadline() >= limit {
                    *wakes = None;
                    return Poll::Ready(None);
                }
                timer.as_mut().reset(limit);
            }
            *wakes = Some(cx.waker().clone());
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

    /// The timer must ring for the task that waits now, not for one that has waited before.
    #[tokio::test(start_paused = true)]
    async fn a_wait_in_another_task_is_ended_too() {
        let mut deadline = Deadline::default();
        assert_eq!(wait(&mut deadline, 1, 10).await, (true, 1));
        let waits = async move {
            let second = wait(&mut deadline, 20, 15).await;
            (second, deadline)
        };
        let (second, mut deadline) = tokio::spawn(waits).await.expect("no panic");
        assert_eq!(second, (false, 15));
        assert_eq!(wait(&mut deadline, 20, 2).await, (false, 2));
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
