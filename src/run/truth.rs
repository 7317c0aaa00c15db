//! Reads the truth at its moments: before, during and after the load.

use std::io;
use std::time::Duration;

use futures_util::future::join;
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::delivery::Delivery;
use super::tables::Tables;
use crate::check::{IssuedRead, Reading, Settled};
use crate::load::RunClock;
use crate::plan::Mask;
use crate::plan::{Settle, Source};
use crate::probe::backlog::Backlogs;
use crate::probe::{Probe, ProbeError, Sample, Settling, State, TruthLog, When};
use crate::scenario::value::Span;
use crate::stack::TruthSources;

/// How often the remaining stock is read during the load.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Readings that may wait to be written; they come once a second.
const WAITING_READINGS: usize = 64;

/// The open sources of truth and the file that their answers go to.
pub(super) struct Truth {
    issued: Option<Probe>,
    stock: Option<Probe>,
    remaining: Option<Source>,
    pending: Backlogs,
    delivery: Delivery,
    tables: Tables,
    base: Base,
    log: TruthLog,
    clock: RunClock,
    mask: Mask,
}

/// The target, as far as sources on it need it.
#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    /// What paths are appended to.
    pub(super) url: Option<String>,
    /// Trusted beside the system's own.
    pub(super) roots: Vec<CertificateDer<'static>>,
}

/// Reads the remaining stock until it is dropped.
pub(super) struct Watch {
    pub(super) readings: mpsc::Receiver<Result<Reading, String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Truth {
    /// Connects to the sources.
    pub(super) async fn open(
        sources: &TruthSources,
        base: Base,
        log: TruthLog,
        clock: RunClock,
        mask: Mask,
    ) -> Result<Self, ProbeError> {
        let issued = open(sources.issued.as_ref(), &base).await?;
        let stock = open(sources.stock.as_ref(), &base).await?;
        // Opened once here so that a wrong source shows before the load, not in its middle.
        if let Some(probe) = open(sources.remaining.as_ref(), &base).await? {
            probe.number().await?;
            probe.close().await;
        }
        let pending = Backlogs::open(&sources.pending, base.url.as_deref(), &base.roots).await?;
        let delivery = Delivery::open(&sources.delivery, &base).await?;
        let tables = Tables::open(&sources.tables, &base).await?;
        Ok(Self {
            issued,
            stock,
            remaining: sources.remaining.clone(),
            pending,
            delivery,
            tables,
            base,
            log,
            clock,
            mask,
        })
    }

    /// Reads what is there before the load; a source that cannot be read now is an error.
    pub(super) async fn baseline(&mut self) -> Result<u64, ProbeError> {
        let mut rows = 0;
        if let Some(issued) = &self.issued {
            let read = copy(issued, When::Baseline, &mut self.log, self.clock).await?;
            match read {
                Ok(read) => rows = read,
                Err(error) => self.not_written(&error),
            }
        }
        if let Some(stock) = &self.stock {
            let stock = stock.number().await?;
            self.note(|log| log.stock(stock));
        }
        for read in self.delivery.before().await? {
            self.note(|log| read.write(log));
        }
        for read in self.tables.read(self.clock).await {
            let (table, read) = read?;
            self.note(|log| log.table(table, When::Baseline, &read));
        }
        Ok(rows)
    }

    /// Writes that nobody held anything before, because somebody said so.
    pub(super) fn nothing_before(&mut self) {
        self.note(|log| log.rows(When::Baseline, &IssuedRead::default()));
        let tables: Vec<_> = self.tables.nothing().collect();
        for (table, read) in tables {
            self.note(|log| log.table(table, When::Baseline, &read));
        }
    }

    /// Reads the stock that the system says it had, where there was no baseline.
    pub(super) async fn read_stock(&mut self) {
        let Some(stock) = &self.stock else { return };
        match stock.number().await {
            Ok(stock) => self.note(|log| log.stock(stock)),
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Starts to read the remaining stock, on a connection of its own.
    pub(super) fn watch(&self) -> Watch {
        let (sender, readings) = mpsc::channel(WAITING_READINGS);
        let (source, base, clock) = (self.remaining.clone(), self.base.clone(), self.clock);
        let task = tokio::spawn(async move {
            let Some(source) = source else { return };
            watch(&source, &base, clock, &sender).await;
        });
        Watch { readings, task }
    }

    /// Writes what [`Watch`] has read.
    pub(super) fn reading(&mut self, reading: Result<Reading, String>) {
        match reading {
            Ok(reading) => self.note(|log| log.remaining(reading)),
            Err(words) => self.failed(&words),
        }
    }

    /// Waits until the rows rest and nothing waits to become one; `None` if there is nothing to wait
    /// for.
    pub(super) async fn settle(&self, settle: Settle) -> Option<Settled> {
        if !self.reads_rows() {
            return None;
        }
        let every = (settle.quiet / 4).clamp(Duration::from_millis(50), Duration::from_secs(1));
        let begin = Instant::now();
        let mut settling = Settling::new(settle);
        loop {
            let now = begin.elapsed();
            let (rows, waiting) = join(self.count(), self.pending.read()).await;
            let sample = Sample {
                rows,
                waiting: waiting.total(),
            };
            let still = || {
                let words = waiting.in_words()?;
                Some(format!("{words} after {}", Span(settle.within)))
            };
            match settling.sample(now, sample) {
                State::Quiet => return Some(Settled::Quiet),
                State::Stuck => return Some(Settled::Stuck(still().unwrap_or_default())),
                State::TimedOut => return Some(Settled::Moving(still())),
                State::Wait => sleep(every).await,
            }
        }
    }

    /// The issued rows, and those of all tables: they rest when their sum does.
    async fn count(&self) -> Option<u64> {
        let issued = match &self.issued {
            Some(issued) => issued.count().await.ok()?,
            None => 0,
        };
        Some(issued + self.tables.count().await?)
    }

    /// Whether there are rows to read.
    pub(super) const fn reads_rows(&self) -> bool {
        self.issued.is_some() || !self.tables.is_empty()
    }

    /// Writes whether the state became quiet.
    pub(super) fn settled(&mut self, settled: &Settled) {
        self.note(|log| log.settled(settled));
    }

    /// Reads the final truth, or the second read of it.
    pub(super) async fn read(&mut self, when: When) {
        if let Some(issued) = &self.issued {
            match copy(issued, when, &mut self.log, self.clock).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => self.not_written(&error),
                Err(error) => self.failed(&error.to_string()),
            }
        }
    }

    /// Reads the tables at rest.
    pub(super) async fn read_tables(&mut self) {
        for read in self.tables.read(self.clock).await {
            match read {
                Ok((table, read)) => self.note(|log| log.table(table, When::Last, &read)),
                Err(error) => self.failed(&error.to_string()),
            }
        }
    }

    /// Reads the way of the issued rows at rest, behind the first and before the second read of the
    /// rows themselves.
    pub(super) async fn delivered(&mut self) {
        for read in self.delivery.last(self.clock).await {
            match read {
                Ok(read) => self.note(|log| read.write(log)),
                Err(error) => self.failed(&error.to_string()),
            }
        }
    }

    /// Reads the remaining stock at rest.
    pub(super) async fn remaining_at_rest(&mut self) {
        let Ok(Some(probe)) = open(self.remaining.as_ref(), &self.base).await else {
            return;
        };
        match probe.number().await {
            Ok(number) => self.note(|log| log.remaining_last(number)),
            Err(error) => self.failed(&error.to_string()),
        }
        probe.close().await;
    }

    /// Says goodbye to the sources.
    pub(super) async fn close(self) {
        for probe in [self.issued, self.stock].into_iter().flatten() {
            probe.close().await;
        }
        self.pending.close().await;
        self.delivery.close().await;
        self.tables.close().await;
    }

    /// What a source says about a failure may repeat what it was asked with.
    fn failed(&mut self, words: &str) {
        let words = self.mask.hide(words);
        self.note(|log| log.failure(&words));
    }

    /// A truth that the disk does not take is missing later, and the verdict is `Unknown` then.
    fn note(&mut self, write: impl FnOnce(&mut TruthLog) -> io::Result<()>) {
        if let Err(error) = write(&mut self.log) {
            self.not_written(&error);
        }
    }

    fn not_written(&mut self, error: &io::Error) {
        let _ = self.log.failure(&format!("the run directory: {error}"));
    }
}

/// Brings the issued rows to the disk, page by page; how many they are. The inner error is the
/// disk's.
async fn copy(
    issued: &Probe,
    when: When,
    log: &mut TruthLog,
    clock: RunClock,
) -> Result<io::Result<u64>, ProbeError> {
    let mut rows = match log.begin_rows(when) {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    let mut pages = issued.pages();
    let mut written = Ok(());
    loop {
        match pages.next().await {
            Ok(Some(page)) => written = written.and_then(|()| rows.push(&page)),
            Ok(None) => break,
            Err(error) => {
                // What cannot be taken back is torn, and left out by whoever reads it.
                let _ = rows.abandon();
                return Err(error);
            }
        }
    }
    let finished = match written {
        Ok(()) => rows.finish(clock.now_ns()),
        Err(error) => {
            let _ = rows.abandon();
            Err(error)
        }
    };
    Ok(finished)
}

pub(super) async fn open(
    source: Option<&Source>,
    base: &Base,
) -> Result<Option<Probe>, ProbeError> {
    match source {
        None => Ok(None),
        Some(source) => Probe::open_trusting(source, base.url.as_deref(), &base.roots)
            .await
            .map(Some),
    }
}

async fn watch(
    source: &Source,
    base: &Base,
    clock: RunClock,
    readings: &mpsc::Sender<Result<Reading, String>>,
) {
    let mut probe = None;
    let mut next = Instant::now();
    loop {
        if probe.is_none() {
            probe = Probe::open_trusting(source, base.url.as_deref(), &base.roots)
                .await
                .ok();
        }
        if let Some(open) = &probe {
            let inv_ns = clock.now_ns();
            let number = open.number().await;
            let ret_ns = clock.now_ns();
            let reading = number.map(|value| Reading {
                inv_ns,
                ret_ns,
                value,
            });
            if reading.is_err() {
                probe = None;
            }
            if readings
                .send(reading.map_err(|error| error.to_string()))
                .await
                .is_err()
            {
                return;
            }
        }
        next += READ_EVERY;
        sleep_until(next).await;
    }
}
