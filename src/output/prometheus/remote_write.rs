//! The output that writes series to a receiver of remote write.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::Shared;
use super::background::{Background, Wish, wished};
use super::remote::{Job, Receiver, Tally, write};
use crate::load::RunClock;
use crate::output::notes::Notes;
use crate::output::{Account, Cut, Feed, Sink};
use crate::plan::{Mask, RemoteWrite};

/// The label `job` of all series, as a scraper's configuration would have it.
const JOB: &str = "fcfs-bench";

/// Writes all series every few seconds.
#[derive(Debug)]
pub(in crate::output) struct RemoteWriter {
    name: String,
    shared: Shared,
    lost: Arc<AtomicU64>,
    sender: Background<Tally>,
}

impl RemoteWriter {
    /// Writes the first series at once. `testid` tells its series from those of other runs.
    ///
    /// # Errors
    /// When there can be no thread, or the receiver can never be asked as it is written.
    pub(in crate::output) fn start(
        to: &RemoteWrite,
        mask: &Mask,
        testid: &str,
        clock: RunClock,
        shared: Shared,
        notes: &mpsc::Sender<String>,
    ) -> io::Result<Self> {
        let lost = Arc::new(AtomicU64::new(0));
        let name = mask.hide(&format!("prometheus, remote write to {}", to.url));
        let receiver = Receiver::new(&to.url, to.authorization.clone(), mask.clone());
        let (told, read) = (Arc::clone(&lost), shared.clone());
        let job = Job {
            receiver: receiver.map_err(io::Error::other)?,
            every: to.every,
            labels: vec![("job", JOB.to_owned()), ("instance", mask.hide(testid))],
            clock,
            families: move || read.now().registry().families(),
            lost: Box::new(move |lost| told.store(lost, Ordering::Relaxed)),
            notes: Notes::new(name.clone(), notes.clone()),
        };
        let drain = to.drain;
        let sender = Background::start("metrics-write", move |wish| async move {
            let (end, stop) = (wished(wish.clone(), Wish::End), wished(wish, Wish::Stop));
            write(job, end, limit(drain, stop)).await
        })?;
        Ok(Self {
            name,
            shared,
            lost,
            sender,
        })
    }
}

async fn limit(drain: Duration, stop: impl Future<Output = ()>) {
    tokio::select! {
        () = sleep(drain) => {}
        () = stop => {}
    }
}

impl Sink for RemoteWriter {
    fn take(&mut self, feed: &Feed) {
        self.shared.take(feed);
    }

    fn tick(&mut self) {}

    fn dropped(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn finish(self: Box<Self>, cut: &Cut) -> Account {
        let Some(tally) = self.sender.end(cut) else {
            return Account {
                name: self.name,
                last_error: Some("its thread panicked: what was written is not known".to_owned()),
                ..Account::default()
            };
        };
        Account {
            name: self.name,
            points_written: tally.written,
            points_dropped: tally.lost,
            retries: tally.retries,
            last_error: tally.last_error,
            ..Account::default()
        }
    }
}
