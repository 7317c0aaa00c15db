//! How many connections one thread opens at the same time: thousands of VUs that start at once would
//! overrun the queue of a listener, and a SYN that finds no place there is repeated a second later.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Connections that one thread opens at the same time. A listener's queue often has 128 to 511
/// places.
pub const OPENED_AT_ONCE: usize = 64;

/// Who takes longer does not keep others waiting: a target that is far away, or does not answer, must
/// not look as if it took its connections one after the other.
const HELD_AT_MOST: Duration = Duration::from_millis(50);

/// The places of one thread; copies share them.
#[derive(Debug, Clone)]
pub struct Pace(Rc<Semaphore>);

impl Default for Pace {
    fn default() -> Self {
        Self(Rc::new(Semaphore::new(OPENED_AT_ONCE)))
    }
}

impl Pace {
    /// Does this in a place, which it holds until it is done or has had its time.
    pub async fn keep<F: Future>(&self, opening: F) -> F::Output {
        // Nobody closes the semaphore; without a place it would go on all the same.
        let place = self.0.acquire().await;
        let mut opening = pin!(opening);
        tokio::select! {
            biased;
            opened = &mut opening => return opened,
            () = sleep(HELD_AT_MOST) => drop(place),
        }
        opening.await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_places_are_opened_at_once_and_all_get_one() {
        let (pace, now, most) = (Pace::default(), Cell::new(0), Cell::new(0));
        let open = |_| {
            pace.keep(async {
                now.set(now.get() + 1);
                most.set(now.get().max(most.get()));
                sleep(Duration::from_millis(10)).await;
                now.set(now.get() - 1);
            })
        };
        let begun = Instant::now();
        join_all((0..5 * OPENED_AT_ONCE).map(open)).await;
        assert_eq!((most.get(), now.get()), (OPENED_AT_ONCE, 0));
        assert_eq!(begun.elapsed().as_millis(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_gets_through_does_not_keep_others_from_trying() {
        let pace = Pace::default();
        let stuck = join_all((0..2 * OPENED_AT_ONCE).map(|_| pace.keep(pending::<()>())));
        let begun = Instant::now();
        let behind = async {
            sleep(Duration::from_millis(1)).await;
            pace.keep(async {}).await;
        };
        tokio::select! {
            _ = stuck => unreachable!("it is stuck"),
            () = behind => {}
        }
        assert!(begun.elapsed() <= 3 * HELD_AT_MOST, "{:?}", begun.elapsed());
    }
}
