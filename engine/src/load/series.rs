//! The histograms of one thread since its last hand-over, by phase, step and label.

use hdrhistogram::Histogram;

use super::batch::Parts;
use crate::history::{Operation, OutcomeKind};
use crate::measure::{LeftOut, NO_INDEX, SeriesId, Trend};
use crate::plan::Plan;

/// Trends that are kept by phase, step and label.
const BY_LABEL: [Trend; 3] = [Trend::Duration, Trend::ResponseTime, Trend::PollDuration];
/// Trends that are kept by phase and step.
const BY_STEP: [Trend; 6] = [
    Trend::Blocked,
    Trend::Connecting,
    Trend::TlsHandshaking,
    Trend::Sending,
    Trend::Waiting,
    Trend::Receiving,
];
/// Trends that are kept by phase, step and custom metric.
const BY_METRIC: [Trend; 3] = [Trend::Value, Trend::Sum, Trend::LeftOut];
/// Trends that are kept by phase.
const BY_PHASE: [Trend; 4] = [
    Trend::ScheduleLag,
    Trend::IterationDuration,
    Trend::Release,
    Trend::Unconnected,
];

/// Most cells of the table stay empty: they cost a pointer each.
type Cell = Option<Box<Histogram<u64>>>;

/// A table of histograms; each is made when something is recorded in it.
#[derive(Debug)]
pub(super) struct Series {
    steps: usize,
    labels: usize,
    metrics: usize,
    by_label: Vec<Cell>,
    by_step: Vec<Cell>,
    by_metric: Vec<Cell>,
    by_phase: Vec<Cell>,
}

impl Series {
    pub(super) fn new(plan: &Plan) -> Self {
        let (phases, steps, labels) = (plan.phases.len(), plan.steps.len(), plan.labels.len());
        let metrics = plan.metrics.len();
        Self {
            steps,
            labels,
            metrics,
            by_label: vec![None; phases * steps * labels * BY_LABEL.len()],
            by_step: vec![None; phases * steps * BY_STEP.len()],
            by_metric: vec![None; phases * steps * metrics * BY_METRIC.len()],
            by_phase: vec![None; phases * BY_PHASE.len()],
        }
    }

    /// Takes an attempt that has ended, of which only the times of the answer are known: waiting for
    /// its head and receiving the rest; `None` without an answer.
    #[cfg(feature = "goose")]
    pub(super) fn attempt_from_outside(
        &mut self,
        operation: &Operation,
        answer: Option<(u64, u64)>,
    ) {
        self.times(operation);
        let row = usize::from(operation.phase) * self.steps + usize::from(operation.step);
        if let Some((waiting, receiving)) = answer {
            for (at, ns) in [(4, waiting), (5, receiving)] {
                let cell = &mut self.by_step[row * BY_STEP.len() + at];
                record(cell, BY_STEP[at].digits(), ns / 1_000);
            }
        }
    }

    /// Takes an attempt that has ended.
    pub(super) fn attempt(&mut self, operation: &Operation, parts: Parts) {
        self.times(operation);
        let (phase, step) = (usize::from(operation.phase), usize::from(operation.step));
        let row = phase * self.steps + step;
        let mut take = |at: usize, ns: u64| {
            let digits = BY_STEP[at].digits();
            record(
                &mut self.by_step[row * BY_STEP.len() + at],
                digits,
                ns / 1_000,
            );
        };
        if let Some((connecting, handshaking)) = parts.connected {
            take(1, connecting);
            take(2, handshaking);
        }
        // An attempt that was never sent has waited for no connection and for no answer.
        if operation.kind != OutcomeKind::NotSent {
            let (sending, waiting, receiving) = parts.exchange;
            take(0, parts.blocked);
            take(3, sending);
            take(4, waiting);
            take(5, receiving);
        }
    }

    /// How long it took, from its sending and from when it was due.
    fn times(&mut self, operation: &Operation) {
        let row = usize::from(operation.phase) * self.steps + usize::from(operation.step);
        let service_us = operation.ret_ns.saturating_sub(operation.inv_ns) / 1_000;
        let response_us = service_us + u64::from(operation.lag_us);
        let cell = (row * self.labels + usize::from(operation.label)) * BY_LABEL.len();
        let digits = Trend::Duration.digits();
        record(&mut self.by_label[cell], digits, service_us);
        record(&mut self.by_label[cell + 1], digits, response_us);
    }

    /// Takes a poll that has ended with this label.
    pub(super) fn polled(&mut self, phase: u16, step: u8, label: u8, ns: u64) {
        let row = usize::from(phase) * self.steps + usize::from(step);
        let cell = (row * self.labels + usize::from(label)) * BY_LABEL.len() + 2;
        record(
            &mut self.by_label[cell],
            Trend::PollDuration.digits(),
            ns / 1_000,
        );
    }

    /// Takes what an answer said for a custom metric.
    pub(super) fn said(&mut self, phase: u16, step: u8, metric: u8, value: Result<u64, LeftOut>) {
        let row = usize::from(phase) * self.steps + usize::from(step);
        let cell = (row * self.metrics + usize::from(metric)) * BY_METRIC.len();
        match value {
            Ok(thousandths) => {
                record(
                    &mut self.by_metric[cell],
                    Trend::Value.digits(),
                    thousandths,
                );
                let sum = &mut self.by_metric[cell + 1];
                record_n(sum, Trend::Sum.digits(), 1, thousandths);
            }
            Err(reason) => {
                let texts = &mut self.by_metric[cell + 2];
                record(texts, Trend::LeftOut.digits(), reason as u64);
            }
        }
    }

    /// Takes an iteration that has started late by so much.
    pub(super) fn lag(&mut self, phase: u16, ns: u64) {
        let cell = &mut self.by_phase[usize::from(phase) * BY_PHASE.len()];
        record(cell, Trend::ScheduleLag.digits(), ns / 1_000);
    }

    /// Takes an iteration that has ended.
    pub(super) fn iteration(&mut self, phase: u16, ns: u64) {
        let cell = &mut self.by_phase[usize::from(phase) * BY_PHASE.len() + 1];
        record(cell, Trend::IterationDuration.digits(), ns / 1_000);
    }

    /// Takes the first attempt of a user of a stampede: how long after the release it began to write,
    /// if it did, and whether it had no connection by then.
    pub(super) fn released(&mut self, phase: u16, wrote_ns: Option<u64>, unconnected: bool) {
        let row = usize::from(phase) * BY_PHASE.len();
        if let Some(ns) = wrote_ns {
            let cell = &mut self.by_phase[row + 2];
            record(cell, Trend::Release.digits(), ns / 1_000);
        }
        let cell = &mut self.by_phase[row + 3];
        record(cell, Trend::Unconnected.digits(), unconnected.into());
    }

    /// Everything as `(series, value, count)`.
    pub(super) fn bins(&self) -> Vec<(SeriesId, u64, u64)> {
        let mut bins = Vec::new();
        let none = usize::from(NO_INDEX);
        for (cell, histogram) in filled(&self.by_label) {
            let (cell, trend) = (cell / BY_LABEL.len(), BY_LABEL[cell % BY_LABEL.len()]);
            let (row, label) = (cell / self.labels, cell % self.labels);
            let id = series(trend, row / self.steps, row % self.steps, label);
            push_bins(&mut bins, id, histogram);
        }
        for (cell, histogram) in filled(&self.by_step) {
            let (row, trend) = (cell / BY_STEP.len(), BY_STEP[cell % BY_STEP.len()]);
            let id = series(trend, row / self.steps, row % self.steps, none);
            push_bins(&mut bins, id, histogram);
        }
        for (cell, histogram) in filled(&self.by_metric) {
            let (cell, trend) = (cell / BY_METRIC.len(), BY_METRIC[cell % BY_METRIC.len()]);
            let (row, metric) = (cell / self.metrics, cell % self.metrics);
            let id = series(trend, row / self.steps, row % self.steps, metric);
            push_bins(&mut bins, id, histogram);
        }
        for (cell, histogram) in filled(&self.by_phase) {
            let (phase, trend) = (cell / BY_PHASE.len(), BY_PHASE[cell % BY_PHASE.len()]);
            push_bins(&mut bins, series(trend, phase, none, none), histogram);
        }
        bins
    }

    /// Empties what was used, and frees what was not: a phase that is over leaves no memory behind.
    pub(super) fn reset(&mut self) {
        let cells = self
            .by_label
            .iter_mut()
            .chain(&mut self.by_step)
            .chain(&mut self.by_metric)
            .chain(&mut self.by_phase);
        for cell in cells {
            match cell {
                Some(histogram) if histogram.is_empty() => *cell = None,
                Some(histogram) => histogram.reset(),
                None => {}
            }
        }
    }
}

fn record(cell: &mut Cell, digits: u8, value: u64) {
    histogram(cell, digits)
        .record(value)
        .expect("a histogram that grows takes every value");
}

fn record_n(cell: &mut Cell, digits: u8, value: u64, count: u64) {
    histogram(cell, digits)
        .record_n(value, count)
        .expect("a histogram that grows takes every value");
}

fn histogram(cell: &mut Cell, digits: u8) -> &mut Histogram<u64> {
    cell.get_or_insert_with(|| Box::new(Histogram::new(digits).expect("2 and 3 digits are valid")))
}

fn filled(cells: &[Cell]) -> impl Iterator<Item = (usize, &Histogram<u64>)> {
    let there = cells
        .iter()
        .enumerate()
        .filter_map(|(at, cell)| Some((at, cell.as_deref()?)));
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
