//! One output on a thread of its own: what it takes, what it says at its end, and what is counted
//! where it does not keep up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Feed;

/// Feeds that may wait for an output: batches of 2,048 attempts and seconds with their histograms,
/// about 15 MB when full. What does not fit is not given to it, and is counted.
const WAITING: usize = 64;

/// How often [`Sink::tick`] is called at least.
const TICK: Duration = Duration::from_millis(250);

/// Where pieces of the run go. It may take its time: only its own queue fills.
pub trait Sink: Send {
    /// Takes a piece.
    fn take(&mut self, feed: &Feed);

    /// Is called every 250 ms at least, also when nothing comes.
    fn tick(&mut self);

    /// Points that it has given up so far.
    fn dropped(&self) -> u64;

    /// Nothing comes any more: writes what is left, as long as nobody asks for the end.
    fn finish(self: Box<Self>, cut: &Cut) -> Account;
}

/// How many points a piece makes, for counting those that are not given.
pub type Weigh = Box<dyn Fn(&Feed) -> u64 + Send + Sync>;

/// Whether somebody does not wish to wait any longer.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    asked: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Cut {
    /// Asks for the end.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
    }

    /// Whether the end was asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Says that the run has done all that it does beside its outputs.
    pub fn run_over(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Whether only the outputs are waited for.
    pub fn run_is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// What all outputs of a run have lost so far, by their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses(Arc<Mutex<Vec<Named>>>);

/// An output by its name.
type Named = (String, Arc<Loss>);

/// What one output has lost so far, in points.
#[derive(Debug, Default)]
struct Loss {
    /// Not given to it.
    not_given: AtomicU64,
    /// Given up by it.
    given_up: AtomicU64,
}

impl Losses {
    /// Each output once; those of one name are added up.
    pub(super) fn now(&self) -> BTreeMap<String, u64> {
        let mut now = BTreeMap::new();
        for (name, loss) in self.lock().iter() {
            let lost =
                loss.not_given.load(Ordering::Relaxed) + loss.given_up.load(Ordering::Relaxed);
            *now.entry(name.clone()).or_default() += lost;
        }
        now
    }

    fn of(&self, name: &str) -> Arc<Loss> {
        let loss = Arc::new(Loss::default());
        self.lock().push((name.to_owned(), Arc::clone(&loss)));
        loss
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Named>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of the points of one output. All points are in exactly one of the first three.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The output and where it writes to, without secrets.
    pub name: String,
    /// Points that it has taken.
    pub points_written: u64,
    /// Points that are nowhere.
    pub points_dropped: u64,
    /// Points that are left on disk.
    pub points_spooled_left: u64,
    /// Requests that were made once more.
    pub retries: u64,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
    /// What to do about the points that are left.
    pub resend: Option<String>,
}

/// The way to one output.
pub(super) struct Lane {
    feeds: SyncSender<Option<Arc<Feed>>>,
    weigh: Weigh,
    loss: Arc<Loss>,
}

impl Lane {
    /// Gives the piece, or counts it.
    pub(super) fn give(&self, feed: &Arc<Feed>) {
        if let Err(TrySendError::Full(_)) = self.feeds.try_send(Some(Arc::clone(feed))) {
            let points = (self.weigh)(feed);
            self.loss.not_given.fetch_add(points, Ordering::Relaxed);
        }
    }

    /// Says that nothing comes any more; waits for its place in the queue.
    pub(super) fn end(&self) {
        // An output that is gone already needs not be told.
        let _ = self.feeds.send(None);
    }
}

/// Starts the thread of an output, which ends when it is told so.
///
/// # Errors
/// When there can be no thread.
pub(super) fn start(
    name: &str,
    sink: Box<dyn Sink>,
    weigh: Weigh,
    cut: Cut,
    losses: &Losses,
) -> std::io::Result<(Lane, JoinHandle<Account>)> {
    let (feeds, taken) = sync_channel(WAITING);
    let loss = losses.of(name);
    let of_thread = Arc::clone(&loss);
    let thread = std::thread::Builder::new()
        .name(format!("output-{name}"))
        .spawn(move || run(sink, &taken, &of_thread, &cut))?;
    Ok((Lane { feeds, weigh, loss }, thread))
}

fn run(
    mut sink: Box<dyn Sink>,
    feeds: &Receiver<Option<Arc<Feed>>>,
    loss: &Loss,
    cut: &Cut,
) -> Account {
    let mut ticked = Instant::now();
    loop {
        match feeds.recv_timeout(TICK) {
            Ok(Some(feed)) => sink.take(&feed),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
        }
        if ticked.elapsed() >= TICK {
            sink.tick();
            loss.given_up.store(sink.dropped(), Ordering::Relaxed);
            ticked = Instant::now();
        }
    }
    let mut account = sink.finish(cut);
    loss.given_up
        .store(account.points_dropped, Ordering::Relaxed);
    account.points_dropped += loss.not_given.load(Ordering::Relaxed);
    account
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Takes a piece only when it is told to.
    struct Slow {
        go: Receiver<()>,
        began: Sender<()>,
        taken: u64,
    }

    impl Sink for Slow {
        fn take(&mut self, _: &Feed) {
            let _ = self.began.send(());
            let _ = self.go.recv();
            self.taken += 1;
        }

        fn tick(&mut self) {}

        fn dropped(&self) -> u64 {
            0
        }

        fn finish(self: Box<Self>, _: &Cut) -> Account {
            Account {
                points_written: self.taken,
                ..Account::default()
            }
        }
    }

    #[test]
    fn what_an_output_does_not_take_is_counted_and_nobody_waits_for_it() {
        let ((proceed, go), (began, has_begun)) = (channel(), channel());
        let slow = Slow {
            go,
            began,
            taken: 0,
        };
        let (losses, slow) = (Losses::default(), Box::new(slow));
        let started = start("slow", slow, Box::new(|_| 3), Cut::default(), &losses);
        let (lane, thread) = started.expect("a thread");
        let feed = Arc::new(Feed::LoadStarted { at_ns: 0 });
        lane.give(&feed);
        has_begun.recv().expect("it takes the first");
        // One is being taken, so the queue has all its places.
        (0..WAITING + 5).for_each(|_| lane.give(&feed));
        assert_eq!(losses.now(), [("slow".to_owned(), 5 * 3)].into());
        drop(proceed);
        lane.end();
        let account = thread.join().expect("it ends");
        assert_eq!(account.points_written, 1 + WAITING as u64);
        assert_eq!(account.points_dropped, 5 * 3);
    }
}
