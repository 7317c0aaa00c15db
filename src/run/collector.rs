//! Takes what the load threads hand over and puts it on disk, beside the load path.
//!
//! It runs on a thread of its own until every sender is gone. When the disk does not take
//! something it goes on receiving, so that the load never waits, and says at the end what is lost.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::watch;

use super::RunDirectory;
use super::event::{Event, EventLog, UnknownCount};
use super::machine;
use super::second::measured;
use crate::history::{HistoryWriter, Operation};
use crate::load::{Batch, Parts, SecondOfThread, Shape};
use crate::measure::{IntervalLog, Second, SecondLog, SeriesId, Totals, Windows, aborts};
use crate::output::{Feed, Feeder, Live};
use crate::plan::Plan;

/// Batches that may wait for the collector: with full batches about 200 MB. When it is full the
/// load threads keep their operations until it is not.
pub(super) const WAITING_BATCHES: usize = 2048;

/// How long nothing may stay in a buffer of this process.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// What another process that generates the load has taken of the machine so far; zero where there is
/// none.
#[derive(Debug, Default)]
pub(super) struct OtherProcess {
    cpu_ns: AtomicU64,
    resident_bytes: AtomicU64,
}

impl OtherProcess {
    /// Notes what it has taken so far.
    #[cfg(feature = "goose")]
    pub(super) fn set(&self, cpu_ns: u64, resident_bytes: u64) {
        self.cpu_ns.store(cpu_ns, Ordering::Relaxed);
        self.resident_bytes.store(resident_bytes, Ordering::Relaxed);
    }

    fn cpu_ns(&self) -> u64 {
        self.cpu_ns.load(Ordering::Relaxed)
    }

    fn resident_bytes(&self) -> u64 {
        self.resident_bytes.load(Ordering::Relaxed)
    }
}

/// Everything the collector writes to and adds up.
pub(super) struct Collector {
    plan: Arc<Plan>,
    history: HistoryWriter,
    intervals: IntervalLog,
    seconds: SecondLog,
    events: EventLog,
    feeder: Feeder,
    live: watch::Sender<Live>,
    totals: Totals,
    windows: Windows,
    outcomes: BTreeMap<String, u64>,
    waiting: BTreeMap<u64, Vec<SecondOfThread>>,
    reported: Vec<Option<u64>>,
    shapes: BTreeMap<Shape, u64>,
    thread_cpu_ns: Vec<u64>,
    process_cpu_ns: u64,
    other: Arc<OtherProcess>,
    lost: u64,
    failure: Option<String>,
}

/// The history's files, of which one is there only for who asks for it.
fn history(plan: &Plan, directory: &RunDirectory) -> io::Result<HistoryWriter> {
    let writer = HistoryWriter::create(directory.path())?;
    if plan.details.is_empty() {
        return Ok(writer);
    }
    writer.with_details()
}

impl Collector {
    /// Creates the files in the run directory. So many threads hand over.
    ///
    /// # Errors
    /// When one cannot be created.
    pub(super) fn create(
        plan: Arc<Plan>,
        (threads, other): (usize, Arc<OtherProcess>),
        directory: &RunDirectory,
        events: EventLog,
        feeder: Feeder,
        live: watch::Sender<Live>,
    ) -> io::Result<Self> {
        let totals = Totals {
            dropped: vec![0; plan.phases.len()],
            ..Totals::default()
        };
        let names = plan.labels.iter().map(|label| (label.name.clone(), 0));
        Ok(Self {
            history: history(&plan, directory)?,
            intervals: IntervalLog::create(&directory.intervals_file())?,
            seconds: SecondLog::create(&directory.seconds_file())?,
            events,
            feeder,
            live,
            totals,
            windows: Windows::new(&plan),
            outcomes: names.collect(),
            waiting: BTreeMap::new(),
            reported: vec![None; threads],
            shapes: BTreeMap::new(),
            thread_cpu_ns: vec![0; threads],
            process_cpu_ns: machine::process_cpu_ns(),
            other,
            lost: 0,
            failure: None,
            plan,
        })
    }

    /// Receives until every sender is gone, then writes [`Event::Recorded`].
    pub(super) fn run(mut self, batches: &Receiver<Batch>) {
        let mut flushed = std::time::Instant::now();
        loop {
            match batches.recv_timeout(FLUSH_EVERY) {
                Ok(batch) => self.take(batch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if flushed.elapsed() >= FLUSH_EVERY {
                let done = self.history.flush();
                self.note(done);
                flushed = std::time::Instant::now();
            }
        }
        self.close_seconds(u64::MAX);
        let done = self.history.flush();
        self.note(done);
        let recorded = self.recorded();
        // Without this line the report takes the evidence for incomplete, which is then true.
        let _ = self.events.append(&recorded);
    }

    fn recorded(&self) -> Event {
        let count = |(shape, count): (&Shape, &u64)| UnknownCount {
            step: shape.step,
            cause: shape.cause,
            status: shape.status,
            count: *count,
        };
        let unknown = self.shapes.iter().map(count).collect();
        Event::Recorded {
            lost: self.lost,
            failure: self.failure.clone(),
            unknown,
        }
    }

    fn take(&mut self, batch: Batch) {
        match batch {
            Batch::Operations(operations, beside) => {
                let mut done = self.history.append(&operations);
                done = done.and_then(|()| self.history.places(&beside.places));
                done = done.and_then(|()| self.history.append_details(&beside.details));
                for (key, text) in beside.texts {
                    done = done.and_then(|()| self.history.name(key, &self.plan.mask.hide(&text)));
                }
                if done.is_err() {
                    self.lost += operations.len() as u64;
                }
                self.note(done);
                self.feed(beside.thread, operations, beside.parts);
            }
            Batch::Second(sums) => self.second(*sums),
        }
    }

    /// The drain phase is no load; it is a batch of its own, since the load has ended by then.
    fn feed(&self, thread: usize, operations: Vec<Operation>, parts: Vec<Parts>) {
        let drain = self.plan.drain_phase();
        let of_load = operations.iter().any(|operation| operation.phase != drain);
        if self.feeder.is_wanted() && of_load {
            self.feeder.feed(|| Feed::Operations {
                thread,
                operations,
                parts,
            });
        }
    }

    fn second(&mut self, sums: SecondOfThread) {
        self.lost += sums.lost;
        for (shape, count, example) in &sums.shapes {
            self.shape(*shape, *count, example.as_deref());
        }
        let reported = if sums.last { u64::MAX } else { sums.second };
        self.reported[sums.thread] = Some(reported);
        self.waiting.entry(sums.second).or_default().push(sums);
        let all = self.reported.iter().copied().min().flatten();
        if let Some(all) = all {
            self.close_seconds(all);
        }
    }

    fn shape(&mut self, shape: Shape, count: u64, example: Option<&str>) {
        if !self.shapes.contains_key(&shape) {
            let done = self.events.append(&Event::UnknownShape {
                step: shape.step,
                cause: shape.cause,
                status: shape.status,
                example: example.unwrap_or_default().to_owned(),
            });
            self.note(done);
        }
        *self.shapes.entry(shape).or_default() += count;
    }

    /// Closes every second up to this one: all threads have reported it.
    fn close_seconds(&mut self, upto: u64) {
        while let Some(entry) = self
            .waiting
            .first_entry()
            .filter(|entry| *entry.key() <= upto)
        {
            let (second, sums) = entry.remove_entry();
            self.close(second, &sums);
        }
    }

    fn close(&mut self, second: u64, sums: &[SecondOfThread]) {
        let mut histograms: BTreeMap<SeriesId, Histogram<u64>> = BTreeMap::new();
        for (id, value, count) in sums.iter().flat_map(|sums| &sums.bins) {
            let histogram = histograms.entry(*id).or_insert_with(|| {
                Histogram::new(id.trend.digits()).expect("2 and 3 digits are valid")
            });
            histogram
                .record_n(*value, *count)
                .expect("a histogram that grows takes every value");
        }
        for (id, histogram) in &histograms {
            let start = Duration::from_secs(second);
            let done = self
                .intervals
                .append(start, Duration::from_secs(1), *id, histogram);
            self.note(done);
            self.totals.add(*id, histogram);
            self.windows.add(&self.plan, start, *id, histogram);
        }
        let done = self.intervals.flush();
        self.note(done);
        let drain = self.plan.drain_phase();
        if histograms.keys().any(|id| id.phase != drain) || sums.iter().any(|sums| sums.vus > 0) {
            let line = self.close_load_second(second, sums, &histograms);
            let histograms = histograms.into_iter().filter(|(id, _)| id.phase != drain);
            self.feeder.feed(|| Feed::Second {
                line,
                histograms: histograms.collect(),
            });
        }
    }

    fn close_load_second(
        &mut self,
        second: u64,
        sums: &[SecondOfThread],
        histograms: &BTreeMap<SeriesId, Histogram<u64>>,
    ) -> Second {
        let line = self.line(second, sums, histograms);
        for sums in sums {
            std::iter::zip(&mut self.totals.dropped, &sums.dropped)
                .for_each(|(all, one)| *all += one);
        }
        self.totals.data_sent += line.data_sent;
        self.totals.data_received += line.data_received;
        self.totals.vus = line.vus;
        self.totals.vus_max = self.totals.vus_max.max(line.vus);
        self.totals.elapsed = Duration::from_secs_f64(second as f64 + line.length_s);
        for (name, count) in &line.outcomes {
            *self.outcomes.entry(name.clone()).or_default() += count;
        }
        let done = self.seconds.append(&line);
        self.note(done);
        self.windows.second(&self.plan, &line);
        let abort = aborts(&self.plan, &self.totals, &self.windows);
        self.live.send_replace(Live {
            second: line.clone(),
            outcomes: self.outcomes.clone(),
            abort,
        });
        line
    }

    fn line(
        &mut self,
        second: u64,
        sums: &[SecondOfThread],
        histograms: &BTreeMap<SeriesId, Histogram<u64>>,
    ) -> Second {
        let busiest = self.busiest_thread(sums);
        let mut dropped = BTreeMap::new();
        for sums in sums {
            for (phase, count) in sums
                .dropped
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
            {
                *dropped.entry(phase as u16).or_default() += count;
            }
        }
        Second {
            length_s: sums.iter().map(|sums| sums.length_s).fold(0.0, f64::max),
            vus: sums.iter().map(|sums| sums.vus).sum(),
            dropped,
            data_sent: sums.iter().map(|sums| sums.sent).sum(),
            data_received: sums.iter().map(|sums| sums.received).sum(),
            generator_cpu: self.process_cpu(),
            busiest_thread: busiest,
            resident_bytes: machine::resident_bytes() + self.other.resident_bytes(),
            ..measured(&self.plan, second, histograms)
        }
    }

    /// The share of a core that the busiest load thread has used since its last report.
    fn busiest_thread(&mut self, sums: &[SecondOfThread]) -> f64 {
        let mut busiest = 0.0_f64;
        for sums in sums {
            let before = std::mem::replace(&mut self.thread_cpu_ns[sums.thread], sums.cpu_ns);
            let used = sums.cpu_ns.saturating_sub(before) as f64 / 1e9;
            busiest = busiest.max(used / sums.length_s.max(1e-3));
        }
        busiest
    }

    fn process_cpu(&mut self) -> f64 {
        let now = machine::process_cpu_ns() + self.other.cpu_ns();
        let before = std::mem::replace(&mut self.process_cpu_ns, now);
        now.saturating_sub(before) as f64 / 1e9
    }

    fn note(&mut self, done: io::Result<()>) {
        if let Err(error) = done {
            self.failure
                .get_or_insert_with(|| format!("the run directory: {error}"));
        }
    }
}
