//! What the tests of nemeses share: a load that suffers, and the questions that the runner asks.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fcfs_bench::fault::lease::Undo;
use fcfs_bench::fault::nemesis::{Effect, Nemesis};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Nothing here takes so long, also on a machine with other things to do.
pub(crate) const LONG: Duration = Duration::from_mins(2);

/// Somebody who writes again and again.
pub(crate) struct Load {
    counts: Counts,
    task: JoinHandle<()>,
}

/// How often it went well, and how often not.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    done: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl Counts {
    pub(crate) fn count(&self, well: bool) {
        let count = if well { &self.done } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.done), read(&self.failed))
    }
}

impl Load {
    /// `writing` counts each write.
    pub(crate) fn of<F>(writing: impl FnOnce(Counts) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let counts = Counts::default();
        let task = tokio::spawn(writing(counts.clone()));
        Self { counts, task }
    }

    /// Writes that have failed so far.
    pub(crate) fn failed(&self) -> u64 {
        self.counts.now().1
    }

    /// Returns when writes fail.
    pub(crate) async fn suffers(&self) {
        let before = self.failed();
        eventually(|| self.failed() > before).await;
    }

    /// Returns when several writes in a row have been taken.
    pub(crate) async fn fares_well(&self) {
        let mut start = self.counts.now();
        eventually(|| {
            let now = self.counts.now();
            if now.1 > start.1 {
                start = now;
            }
            now.0 >= start.0 + 5
        })
        .await;
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    let held = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, held).await.expect("it holds in the end");
}

/// Asks until the effect is seen, and gives what was seen.
pub(crate) async fn seen(nemesis: &mut dyn Nemesis) -> String {
    let mut last = String::new();
    let seen = async {
        loop {
            match nemesis.effect().await {
                Effect::Seen(words) => return words,
                Effect::NotSeen(words) => last = words,
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = timeout(LONG, seen).await;
    seen.unwrap_or_else(|_| panic!("the effect is not seen: {last}"))
}

/// Asks once, and gives what was seen in its place.
pub(crate) async fn is_not_seen(nemesis: &mut dyn Nemesis) -> String {
    match nemesis.effect().await {
        Effect::NotSeen(words) => words,
        Effect::Seen(words) => panic!("{words}"),
    }
}

/// As the janitor gets it: through a file, in another process.
pub(crate) async fn undo_from_the_lease(undos: &[Undo]) {
    let written = serde_json::to_string(undos).unwrap();
    let read: Vec<Undo> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, undos);
    for _ in 0..2 {
        for undo in &read {
            undo.run().await.unwrap();
        }
    }
}
