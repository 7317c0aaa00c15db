//! Takes batches to a store in their order, one at a time, and goes on trying while it is away.
//!
//! ```text
//!            taken            -> next batch
//! a batch -> wrong            -> counted, next batch
//!            away, not let in -> waits (doubling, by chance), the same batch again
//! the end:   goes on until nothing waits, `drain` is over or somebody asks; what is left goes to disk
//! ```

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::backoff::delay;
use super::client::{Answer, Client};
use super::queue::{Batch, Queue};
use crate::output::Cut;
use crate::output::notes::Notes;

/// How often a wait looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// How long a store that does not let us in is left alone.
const NOT_LET_IN: Duration = Duration::from_secs(5);

/// What the sink and its sender share.
#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    pushed: Notify,
    /// Set when nothing is pushed any more: until when it is tried.
    until: Mutex<Option<Instant>>,
    cut: Cut,
    /// Points that the store has refused so far.
    refused: AtomicU64,
}

/// What became of what was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    pub(super) written: u64,
    /// Points that the store refused.
    pub(super) refused: u64,
    pub(super) retries: u64,
    pub(super) last_error: Option<String>,
}

/// The way of batches to a store.
pub(super) struct Sender {
    shared: Arc<Shared>,
    thread: JoinHandle<Sent>,
}

/// What is left.
pub(super) struct Left {
    pub(super) sent: Sent,
    /// Points without a place on the disk.
    pub(super) dropped: u64,
    /// Points on the disk.
    pub(super) on_disk: u64,
    pub(super) failure: Option<String>,
}

impl Sender {
    /// Starts the thread; `notes` is told when a store goes away and when it is back.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        client: Client,
        spool: (PathBuf, u64),
        notes: Notes,
        cut: Cut,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(spool.0, spool.1)),
            pushed: Notify::new(),
            until: Mutex::new(None),
            cut,
            refused: AtomicU64::new(0),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let of = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("output-send".to_owned())
            .spawn(move || {
                let sending = Sending {
                    shared: &of,
                    client: &client,
                    notes,
                    sent: Sent::default(),
                    failures: 0,
                };
                runtime.block_on(sending.run())
            })?;
        Ok(Self { shared, thread })
    }

    /// Takes a batch. Never waits for the store.
    pub(super) fn push(&self, batch: Batch) {
        lock(&self.shared.queue).push(batch);
        self.shared.pushed.notify_one();
    }

    /// Points that found no place, or that the store has refused, so far.
    pub(super) fn dropped(&self) -> u64 {
        lock(&self.shared.queue).dropped() + self.shared.refused.load(Ordering::Relaxed)
    }

    /// Nothing is pushed any more.
    pub(super) fn finish(self, drain: Duration) -> Left {
        *lock(&self.shared.until) = Some(Instant::now() + drain);
        self.shared.pushed.notify_one();
        let sent = self.thread.join().unwrap_or_else(|_| Sent {
            last_error: Some("it panicked: what it has written is not known".to_owned()),
            ..Sent::default()
        });
        let mut queue = lock(&self.shared.queue);
        let left = queue.close();
        Left {
            sent,
            dropped: queue.dropped(),
            on_disk: left,
            failure: queue.failure().map(str::to_owned),
        }
    }
}

/// A panic of the other thread does not make its batches wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Sending<'a> {
    shared: &'a Shared,
    client: &'a Client,
    notes: Notes,
    sent: Sent,
    /// In a row.
    failures: u32,
}

impl Sending<'_> {
    async fn run(mut self) -> Sent {
        loop {
            let front = lock(&self.shared.queue).front();
            let Some(batch) = front else {
                if self.is_ending() {
                    return self.sent;
                }
                let _ = tokio::time::timeout(LOOK, self.shared.pushed.notified()).await;
                continue;
            };
            let tried = tokio::select! {
                answer = self.client.write(&batch) => Some(answer),
                () = self.given_up() => None,
            };
            let Some(answer) = tried else {
                return self.sent;
            };
            if let Some(wait) = self.take(answer, &batch) {
                let over = tokio::select! {
                    () = tokio::time::sleep(wait) => false,
                    () = self.given_up() => true,
                };
                if over {
                    return self.sent;
                }
                self.sent.retries += 1;
            }
        }
    }

    /// How long to wait before the same batch is sent again; `None`: it is done with.
    fn take(&mut self, answer: Answer, batch: &Batch) -> Option<Duration> {
        let (written, why) = match answer {
            Answer::Taken => (batch.points, None),
            Answer::Partly { dropped, why } => (batch.points - dropped, Some(why)),
            Answer::Wrong(why) => (0, Some(why)),
            Answer::Again { why, after } => {
                self.failed(&format!("does not take points: {why}"), why.clone());
                let seed = batch.points ^ self.sent.written;
                return Some(delay(self.failures, after, seed));
            }
            Answer::NotLetIn(why) => {
                self.failed(&format!("does not let us write: {why}"), why.clone());
                return Some(NOT_LET_IN);
            }
        };
        self.sent.written += written;
        let refused = batch.points - written;
        let first = self.sent.refused == 0;
        self.sent.refused += refused;
        self.shared.refused.fetch_add(refused, Ordering::Relaxed);
        self.failures = 0;
        self.notes.back();
        if let Some(why) = why {
            if first {
                self.notes.refused(&why);
            }
            self.sent.last_error = Some(why);
        }
        lock(&self.shared.queue).done();
        None
    }

    fn failed(&mut self, words: &str, why: String) {
        self.failures += 1;
        self.sent.last_error = Some(why);
        self.notes.away(words);
    }

    fn is_ending(&self) -> bool {
        lock(&self.shared.until).is_some()
    }

    /// Ends when nobody waits for the store any more.
    async fn given_up(&self) {
        loop {
            let over = lock(&self.shared.until).is_some_and(|until| Instant::now() >= until);
            if over || self.shared.cut.is_asked() {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
