//! What one load thread has measured and not yet handed over: no lock, no channel per request.
//!
//! Operations and sums are handed over in batches on a bounded channel. When the receiver cannot
//! keep up, operations wait here up to a limit and are then counted as lost; sums wait until the
//! next second and lose nothing.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, TrySendError};

use hdrhistogram::Histogram;

use crate::history::{Cause, Key, Operation, OutcomeKind};
use crate::measure::{NO_INDEX, SeriesId, Trend};
use crate::plan::Plan;

/// Operations that are handed over at once.
const BATCH: usize = 2048;

/// Operations that wait at the most when the receiver does not take them: 48 MB.
const WAITING_LIMIT: usize = 1 << 20;

/// Examples of different unknown answers that are kept, by thread.
const SHAPES: usize = 32;

/// Bytes of an example.
const EXAMPLE_BYTES: usize = 512;

/// What a load thread hands over.
#[derive(Debug)]
pub enum Batch {
    /// Attempts that ended, and the texts of their hashed user keys.
    Operations(Vec<Operation>, Vec<(Key, String)>),
    /// All sums of one second.
    Second(Box<SecondOfThread>),
}

/// The sums of one second of one thread.
#[derive(Debug, Default)]
pub struct SecondOfThread {
    /// The thread, counted from 0.
    pub thread: usize,
    /// Seconds since the start of the load.
    pub second: u64,
    /// How long it was: 1, unless it is the last or the thread was held up.
    pub length_s: f64,
    /// The last hand-over of this thread: what it has measured in an incomplete second.
    pub last: bool,
    /// `(series, value in microseconds, count)`.
    pub bins: Vec<(SeriesId, u64, u64)>,
    /// Iterations that were due without a free VU, by phase.
    pub dropped: Vec<u64>,
    /// Bytes written.
    pub sent: u64,
    /// Bytes read.
    pub received: u64,
    /// VUs at its end.
    pub vus: u64,
    /// CPU time of the thread, in nanoseconds.
    pub cpu_ns: u64,
    /// Operations that were lost because the receiver did not take them.
    pub lost: u64,
    /// Attempts that ended unknown, with an example for those that are new.
    pub shapes: Vec<(Shape, u64, Option<String>)>,
}

/// What attempts that ended unknown have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Index into [`Plan::steps`].
    pub step: u8,
    /// Why it is unknown.
    pub cause: Cause,
    /// The HTTP status, 0 without an answer.
    pub status: u16,
}

/// The times of one attempt beside those of its operation, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// Until a connection was there, its making included.
    pub blocked: u64,
    /// TCP and TLS, when a connection was made for this attempt.
    pub connected: Option<(u64, u64)>,
    /// Writing, waiting for the first byte, reading.
    pub exchange: (u64, u64, u64),
}

/// Collects what one thread measures.
#[derive(Debug)]
pub struct Recorder {
    thread: usize,
    sink: SyncSender<Batch>,
    operations: Vec<Operation>,
    names: Vec<(Key, String)>,
    lost: u64,
    steps: usize,
    labels: usize,
    by_label: Vec<Option<Histogram<u64>>>,
    by_step: Vec<Option<Histogram<u64>>>,
    by_phase: Vec<Option<Histogram<u64>>>,
    dropped: Vec<u64>,
    sent: u64,
    received: u64,
    vus: u64,
    shapes: BTreeMap<Shape, (u64, Option<String>)>,
    known_shapes: usize,
}

/// Trends that are kept by phase, step and label.
const BY_LABEL: [Trend; 2] = [Trend::Duration, Trend::ResponseTime];
/// Trends that are kept by phase and step.
const BY_STEP: [Trend; 6] = [
    Trend::Blocked,
    Trend::Connecting,
    Trend::TlsHandshaking,
    Trend::Sending,
    Trend::Waiting,
    Trend::Receiving,
];
/// Trends that are kept by phase.
const BY_PHASE: [Trend; 2] = [Trend::ScheduleLag, Trend::IterationDuration];

impl Recorder {
    /// A recorder for this plan that hands over to `sink`.
    pub fn new(plan: &Plan, thread: usize, sink: SyncSender<Batch>) -> Self {
        let (phases, steps, labels) = (plan.phases.len(), plan.steps.len(), plan.labels.len());
        Self {
            thread,
            sink,
            operations: Vec::with_capacity(BATCH),
            names: Vec::new(),
            lost: 0,
            steps,
            labels,
            by_label: vec![None; phases * steps * labels * BY_LABEL.len()],
            by_step: vec![None; phases * steps * BY_STEP.len()],
            by_phase: vec![None; phases * BY_PHASE.len()],
            dropped: vec![0; phases],
            sent: 0,
            received: 0,
            vus: 0,
            shapes: BTreeMap::new(),
            known_shapes: 0,
        }
    }

    /// Takes an attempt that has ended.
    pub fn attempt(&mut self, operation: Operation, parts: Parts) {
        let (phase, step) = (usize::from(operation.phase), usize::from(operation.step));
        let service_us = operation.ret_ns.saturating_sub(operation.inv_ns) / 1_000;
        let cell = ((phase * self.steps + step) * self.labels + usize::from(operation.label)) * 2;
        let digits = Trend::Duration.digits();
        record(&mut self.by_label[cell], digits, service_us);
        record(
            &mut self.by_label[cell + 1],
            digits,
            service_us + u64::from(operation.lag_us),
        );
        self.parts(
            (phase * self.steps + step) * BY_STEP.len(),
            &operation,
            parts,
        );
        self.operations.push(operation);
        if self.operations.len() >= BATCH {
            self.hand_over_operations();
        }
    }

    fn parts(&mut self, cell: usize, operation: &Operation, parts: Parts) {
        let mut take = |at: usize, ns: u64| {
            record(
                &mut self.by_step[cell + at],
                BY_STEP[at].digits(),
                ns / 1_000,
            );
        };
        take(0, parts.blocked);
        if let Some((connecting, handshaking)) = parts.connected {
            take(1, connecting);
            take(2, handshaking);
        }
        if operation.kind != OutcomeKind::NotSent {
            let (sending, waiting, receiving) = parts.exchange;
            take(3, sending);
            take(4, waiting);
            take(5, receiving);
        }
    }

    /// Takes the text of a user's id whose key is a hash.
    pub fn name(&mut self, key: Key, text: &str) {
        self.names.push((key, text.to_owned()));
    }

    /// Takes an attempt that ended unknown, with the answer's body if there is one.
    pub fn unknown(&mut self, shape: Shape, body: &[u8]) {
        if let Some((count, _)) = self.shapes.get_mut(&shape) {
            *count += 1;
        } else if self.known_shapes < SHAPES {
            self.known_shapes += 1;
            let text = String::from_utf8_lossy(&body[..body.len().min(EXAMPLE_BYTES)]).into_owned();
            self.shapes.insert(shape, (1, Some(text)));
        }
    }

    /// Takes an iteration that has started late by so much.
    pub fn started(&mut self, phase: u16, lag_ns: u64) {
        let cell = usize::from(phase) * BY_PHASE.len();
        record(
            &mut self.by_phase[cell],
            Trend::ScheduleLag.digits(),
            lag_ns / 1_000,
        );
    }

    /// Takes an iteration that has ended.
    pub fn iterated(&mut self, phase: u16, duration_ns: u64) {
        let cell = usize::from(phase) * BY_PHASE.len() + 1;
        record(
            &mut self.by_phase[cell],
            Trend::IterationDuration.digits(),
            duration_ns / 1_000,
        );
    }

    /// Takes an iteration that was due without a free VU.
    pub fn dropped(&mut self, phase: u16) {
        self.dropped[usize::from(phase)] += 1;
    }

    /// Takes bytes that went over the wire.
    pub const fn bytes(&mut self, sent: u64, received: u64) {
        self.sent += sent;
        self.received += received;
    }

    /// A VU more.
    pub const fn vu_started(&mut self) {
        self.vus += 1;
    }

    /// A VU less.
    pub const fn vu_ended(&mut self) {
        self.vus = self.vus.saturating_sub(1);
    }

    /// Hands over the waiting operations if the receiver takes them.
    pub fn hand_over_operations(&mut self) {
        if self.operations.is_empty() {
            return;
        }
        let operations = std::mem::replace(&mut self.operations, Vec::with_capacity(BATCH));
        let names = std::mem::take(&mut self.names);
        if let Err(error) = self.sink.try_send(Batch::Operations(operations, names)) {
            let (TrySendError::Full(batch) | TrySendError::Disconnected(batch)) = error;
            self.keep_waiting(batch);
        }
    }

    fn keep_waiting(&mut self, batch: Batch) {
        let Batch::Operations(operations, names) = batch else {
            return;
        };
        if operations.len() < WAITING_LIMIT {
            (self.operations, self.names) = (operations, names);
        } else {
            self.lost += operations.len() as u64;
        }
    }

    /// Hands over the sums of the second. If the receiver does not take them, they stay and are
    /// part of the next second.
    pub fn hand_over_second(&mut self, second: u64, length_s: f64, cpu_ns: u64) {
        self.hand_over_operations();
        let sums = Box::new(self.sums(second, length_s, cpu_ns, false));
        if self.sink.try_send(Batch::Second(sums)).is_ok() {
            self.reset();
        }
    }

    /// Hands over everything that is left; waits for the receiver, as the load is over.
    pub fn finish(&mut self, second: u64, length_s: f64, cpu_ns: u64) {
        let operations = std::mem::take(&mut self.operations);
        let names = std::mem::take(&mut self.names);
        let count = operations.len() as u64;
        if self
            .sink
            .send(Batch::Operations(operations, names))
            .is_err()
        {
            self.lost += count;
        }
        let sums = Box::new(self.sums(second, length_s, cpu_ns, true));
        // Without a receiver there is nobody left to tell.
        let _ = self.sink.send(Batch::Second(sums));
        self.reset();
    }

    fn sums(&self, second: u64, length_s: f64, cpu_ns: u64, last: bool) -> SecondOfThread {
        SecondOfThread {
            thread: self.thread,
            second,
            length_s,
            last,
            bins: self.bins(),
            dropped: self.dropped.clone(),
            sent: self.sent,
            received: self.received,
            vus: self.vus,
            cpu_ns,
            lost: self.lost,
            shapes: self
                .shapes
                .iter()
                .map(|(s, (n, text))| (*s, *n, text.clone()))
                .collect(),
        }
    }

    fn bins(&self) -> Vec<(SeriesId, u64, u64)> {
        let mut bins = Vec::new();
        for (cell, histogram) in filled(&self.by_label) {
            let (rest, label) = (cell / 2 / self.labels, cell / 2 % self.labels);
            let id = series(
                BY_LABEL[cell % 2],
                rest / self.steps,
                rest % self.steps,
                label,
            );
            push_bins(&mut bins, id, histogram);
        }
        for (cell, histogram) in filled(&self.by_step) {
            let (rest, trend) = (cell / BY_STEP.len(), BY_STEP[cell % BY_STEP.len()]);
            let id = series(
                trend,
                rest / self.steps,
                rest % self.steps,
                usize::from(NO_INDEX),
            );
            push_bins(&mut bins, id, histogram);
        }
        for (cell, histogram) in filled(&self.by_phase) {
            let none = usize::from(NO_INDEX);
            let id = series(
                BY_PHASE[cell % BY_PHASE.len()],
                cell / BY_PHASE.len(),
                none,
                none,
            );
            push_bins(&mut bins, id, histogram);
        }
        bins
    }

    fn reset(&mut self) {
        let histograms = self
            .by_label
            .iter_mut()
            .chain(&mut self.by_step)
            .chain(&mut self.by_phase);
        histograms
            .flatten()
            .filter(|histogram| !histogram.is_empty())
            .for_each(Histogram::reset);
        self.dropped.fill(0);
        (self.sent, self.received, self.lost) = (0, 0, 0);
        // The example has been handed over; the shape stays known, so that it is not sent again.
        self.shapes
            .values_mut()
            .for_each(|shape| *shape = (0, None));
    }
}

fn record(cell: &mut Option<Histogram<u64>>, digits: u8, value_us: u64) {
    let histogram =
        cell.get_or_insert_with(|| Histogram::new(digits).expect("2 and 3 digits are valid"));
    histogram
        .record(value_us)
        .expect("a histogram that grows takes every value");
}

fn filled(cells: &[Option<Histogram<u64>>]) -> impl Iterator<Item = (usize, &Histogram<u64>)> {
    let there = cells
        .iter()
        .enumerate()
        .filter_map(|(at, cell)| Some((at, cell.as_ref()?)));
    there.filter(|(_, histogram)| !histogram.is_empty())
}

const fn series(trend: Trend, phase: usize, step: usize, label: usize) -> SeriesId {
    SeriesId {
        trend,
        phase: phase as u16,
        step: step as u8,
        label: label as u8,
    }
}

fn push_bins(bins: &mut Vec<(SeriesId, u64, u64)>, id: SeriesId, histogram: &Histogram<u64>) {
    let values = histogram.iter_recorded();
    bins.extend(values.map(|v| (id, v.value_iterated_to(), v.count_at_value())));
}
