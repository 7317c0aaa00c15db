//! What one load thread has measured and not yet handed over: no lock, no channel per request.
//!
//! Operations and sums are handed over in batches on a bounded channel. When the receiver cannot
//! keep up, operations wait here up to a limit and are then counted as lost; sums wait until the
//! next second and lose nothing.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use super::batch::{Batch, Beside, Parts, SecondOfThread, Shape};
use super::outbox::Outbox;
use super::series::Series;
use crate::history::{Detail, Key, Operation, Place};
use crate::measure::thousandths;
use crate::plan::Plan;

/// Operations that are handed over at once.
const BATCH: usize = 2048;

/// Examples of different unknown answers that are kept, by thread.
const SHAPES: usize = 32;

/// Bytes of an example.
const EXAMPLE_BYTES: usize = 512;

/// Bytes of a body in which secrets are looked for, far more than are kept.
const HIDDEN_IN: usize = 64 << 10;

const SECOND_NS: u64 = 1_000_000_000;

/// Collects what one thread measures.
#[derive(Debug)]
pub struct Recorder {
    thread: usize,
    outbox: Outbox,
    operations: Vec<Operation>,
    beside: Beside,
    series: Series,
    dropped: Vec<u64>,
    sent: u64,
    received: u64,
    vus: u64,
    most_vus: u64,
    shapes: BTreeMap<Shape, (u64, Option<String>)>,
    /// Whether an output takes attempts one by one.
    keeps_parts: bool,
    /// Up to here the sums have been handed over, in nanoseconds since the start of the load.
    told_ns: u64,
}

impl Recorder {
    /// A recorder for this plan that hands over to `sink`.
    pub fn new(plan: &Plan, thread: usize, sink: SyncSender<Batch>) -> Self {
        Self {
            thread,
            outbox: Outbox::new(sink),
            operations: Vec::with_capacity(BATCH),
            beside: Beside::default(),
            series: Series::new(plan),
            dropped: vec![0; plan.phases.len()],
            sent: 0,
            received: 0,
            vus: 0,
            most_vus: 0,
            shapes: BTreeMap::new(),
            keeps_parts: plan.outputs.wants_operations(),
            told_ns: 0,
        }
    }

    /// Takes an attempt that has ended.
    pub fn attempt(&mut self, operation: Operation, parts: Parts) {
        self.series.attempt(&operation, parts);
        self.push(operation, parts);
    }

    /// Takes an attempt that another client has made, which tells only the times of the answer:
    /// waiting for its head and receiving the rest, in nanoseconds; `None` without an answer.
    #[cfg(feature = "goose")]
    pub(super) fn attempt_from_outside(
        &mut self,
        operation: Operation,
        answer: Option<(u64, u64)>,
    ) {
        self.series.attempt_from_outside(&operation, answer);
        self.push(operation, Parts::default());
    }

    fn push(&mut self, operation: Operation, parts: Parts) {
        self.operations.push(operation);
        if self.keeps_parts {
            self.beside.parts.push(parts);
        }
        if self.operations.len() >= BATCH {
            self.post();
        }
    }

    /// Takes the text of an id whose key is a hash.
    pub fn name(&mut self, key: Key, text: &str) {
        self.beside.texts.push((key, text.to_owned()));
    }

    /// Takes what an answer said of a user's place in a queue, before its attempt or behind it.
    pub fn place(&mut self, place: Place) {
        self.beside.places.push(place);
    }

    /// Takes what an attempt was about.
    pub fn detail(&mut self, detail: Detail) {
        self.beside.details.push(detail);
    }

    /// Takes an attempt that ended unknown, with the answer's body if there is one. Of the first
    /// of its kind the body is kept as an example, without what `hide` takes out of it.
    pub fn unknown(&mut self, shape: Shape, body: &[u8], hide: impl Fn(&str) -> String) {
        if let Some((count, _)) = self.shapes.get_mut(&shape) {
            *count += 1;
        } else if self.shapes.len() < SHAPES {
            // Hidden before it is cut: half a secret is one, too.
            let text = String::from_utf8_lossy(&body[..body.len().min(HIDDEN_IN)]);
            let mut text = hide(&text);
            text.truncate(text.floor_char_boundary(EXAMPLE_BYTES));
            self.shapes.insert(shape, (1, Some(text)));
        }
    }

    /// Takes an iteration that has started late by so much.
    pub fn started(&mut self, phase: u16, lag_ns: u64) {
        self.series.lag(phase, lag_ns);
    }

    /// Takes the first attempt of a user of a stampede: how long after the release it began to write,
    /// if it did, and whether it had no connection by then.
    pub fn released(&mut self, phase: u16, wrote_ns: Option<u64>, unconnected: bool) {
        self.series.released(phase, wrote_ns, unconnected);
    }

    /// Takes a poll that has ended with this label, after so long.
    pub fn polled(&mut self, phase: u16, step: u8, label: u8, waited_ns: u64) {
        self.series.polled(phase, step, label, waited_ns);
    }

    /// Takes the text that an answer brought for a custom metric.
    pub fn captured(&mut self, phase: u16, step: u8, metric: u8, text: &str) {
        self.series.said(phase, step, metric, thousandths(text));
    }

    /// Takes an iteration that has ended.
    pub fn iterated(&mut self, phase: u16, duration_ns: u64) {
        self.series.iteration(phase, duration_ns);
    }

    /// Takes iterations that were due without a free VU or without time.
    pub fn dropped(&mut self, phase: u16, iterations: u64) {
        self.dropped[usize::from(phase)] += iterations;
    }

    /// Takes bytes that went over the wire.
    pub const fn bytes(&mut self, sent: u64, received: u64) {
        self.sent += sent;
        self.received += received;
    }

    /// A VU more.
    pub fn vu_started(&mut self) {
        self.vus += 1;
        self.most_vus = self.most_vus.max(self.vus);
    }

    /// A VU less.
    pub const fn vu_ended(&mut self) {
        self.vus = self.vus.saturating_sub(1);
    }

    /// Hands over the waiting operations if the receiver takes them.
    pub fn hand_over_operations(&mut self) {
        // While older ones wait, these may as well wait where they are, until they fill a batch.
        if self.outbox.hand_over() && !self.operations.is_empty() {
            self.post();
        }
    }

    fn post(&mut self) {
        let operations = std::mem::replace(&mut self.operations, Vec::with_capacity(BATCH));
        let mut beside = std::mem::take(&mut self.beside);
        beside.thread = self.thread;
        if self.keeps_parts {
            self.beside.parts.reserve_exact(BATCH);
        }
        self.outbox.post(operations, beside);
    }

    /// Hands over the sums up to `until_ns` since the start of the load. If the receiver does not
    /// take them, they stay and are part of the next second, which is then longer.
    pub fn hand_over_second(&mut self, until_ns: u64, cpu_ns: u64) {
        self.hand_over_operations();
        let sums = self.sums(until_ns, cpu_ns, false);
        if self.outbox.hand_over_second(sums) {
            self.told(until_ns);
        }
    }

    /// Hands over everything that is left; waits for the receiver, as the load is over.
    pub fn finish(&mut self, until_ns: u64, cpu_ns: u64) {
        self.post();
        self.outbox.finish();
        let sums = self.sums(until_ns, cpu_ns, true);
        self.outbox.finish_second(sums);
        self.told(until_ns);
    }

    fn sums(&self, until_ns: u64, cpu_ns: u64, last: bool) -> SecondOfThread {
        SecondOfThread {
            thread: self.thread,
            second: self.told_ns / SECOND_NS,
            length_s: until_ns.saturating_sub(self.told_ns) as f64 / SECOND_NS as f64,
            last,
            bins: self.series.bins(),
            dropped: self.dropped.clone(),
            sent: self.sent,
            received: self.received,
            vus: self.most_vus,
            cpu_ns,
            lost: self.outbox.lost(),
            shapes: self
                .shapes
                .iter()
                .map(|(shape, (count, text))| (*shape, *count, text.clone()))
                .collect(),
        }
    }

    /// What was handed over is not handed over again.
    fn told(&mut self, until_ns: u64) {
        self.told_ns = until_ns.max(self.told_ns);
        self.series.reset();
        self.outbox.lost_is_told();
        self.dropped.fill(0);
        (self.sent, self.received, self.most_vus) = (0, 0, self.vus);
        // The shape stays known, so that its example is not sent again.
        self.shapes
            .values_mut()
            .for_each(|shape| *shape = (0, None));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;
    use crate::history::{Cause, OutcomeKind};
    use crate::measure::Trend;
    use crate::plan::{Overrides, load};

    const SCENARIO: &str = r#"
name: recorder
target: { url: "http://127.0.0.1:1" }
load: { a: { constant_vus: { vus: 1, for: 1s } } }
flows: { f: [ { name: look, get: /, capture: { rank: /rank } } ] }
metrics: { ranks: { trend: rank }, sum: { counter: rank } }
"#;

    fn recorder(places: usize) -> (Recorder, Receiver<Batch>) {
        let (sink, batches) = sync_channel(places);
        let plan = load("recorder.yaml", SCENARIO, &Overrides::default(), &|_| None);
        (Recorder::new(&plan.expect("a plan"), 0, sink), batches)
    }

    fn attempt(recorder: &mut Recorder, user: u64) {
        let operation = Operation {
            user: Key(user),
            coupon: Key::NONE,
            inv_ns: 0,
            ret_ns: 5_000_000,
            lag_us: 0,
            status: 200,
            kind: OutcomeKind::Ok,
            label: OutcomeKind::Ok as u8,
            step: 0,
            cause: Cause::None,
            phase: 0,
            vu: 0,
        };
        recorder.attempt(operation, Parts::default());
    }

    /// The users of all batches, and all sums, that are there by now.
    fn received(batches: &Receiver<Batch>) -> (Vec<u64>, Vec<SecondOfThread>) {
        let (mut users, mut seconds) = (Vec::new(), Vec::new());
        for batch in batches.try_iter() {
            match batch {
                Batch::Operations(operations, _) => {
                    users.extend(operations.iter().map(|operation| operation.user.0));
                }
                Batch::Second(sums) => seconds.push(*sums),
            }
        }
        (users, seconds)
    }

    fn recorded(second: &SecondOfThread) -> u64 {
        let durations = second
            .bins
            .iter()
            .filter(|(id, ..)| id.trend == Trend::Duration);
        durations.map(|(.., count)| count).sum()
    }

    #[test]
    fn a_receiver_that_is_slow_gets_everything_in_order_later() {
        let (mut recorder, batches) = recorder(1);
        let all: Vec<u64> = (0..5 * BATCH as u64 + 7).collect();
        for user in &all {
            attempt(&mut recorder, *user);
        }
        recorder.hand_over_operations();
        let (mut users, _) = received(&batches);
        assert_eq!(users.len(), BATCH, "there is one place");
        while users.len() < all.len() {
            recorder.hand_over_operations();
            users.extend(received(&batches).0);
        }
        assert_eq!(users, all);
    }

    #[test]
    fn sums_that_are_not_taken_are_part_of_the_next_second() {
        let (mut recorder, batches) = recorder(1);
        attempt(&mut recorder, 1);
        recorder.dropped(0, 3);
        // The operation takes the only place.
        recorder.hand_over_second(SECOND_NS, 0);
        assert!(received(&batches).1.is_empty());
        attempt(&mut recorder, 2);
        recorder.hand_over_operations();
        assert_eq!(received(&batches).0, [2]);
        recorder.hand_over_second(2 * SECOND_NS, 0);
        let (_, seconds) = received(&batches);
        let [second] = seconds.as_slice() else {
            panic!("one hand-over for two seconds");
        };
        assert_eq!((second.second, recorded(second)), (0, 2));
        assert!((second.length_s - 2.0).abs() < 1e-9);
        assert_eq!((second.dropped[0], second.last), (3, false));
        attempt(&mut recorder, 3);
        recorder.hand_over_operations();
        let _ = received(&batches);
        recorder.hand_over_second(3 * SECOND_NS, 0);
        let (_, seconds) = received(&batches);
        assert_eq!((seconds[0].second, recorded(&seconds[0])), (2, 1));
        assert_eq!(seconds[0].dropped[0], 0);
    }

    #[test]
    fn what_was_captured_is_recorded_or_counted_as_no_value() {
        let (mut recorder, batches) = recorder(9);
        for text in ["1.5", "1000000", "0", "soon", "-1", "1e10"] {
            recorder.captured(0, 0, 1, text);
        }
        recorder.hand_over_second(SECOND_NS, 0);
        recorder.finish(2 * SECOND_NS, 0);
        let (_, seconds) = received(&batches);
        let told = |second: &SecondOfThread, trend: Trend| -> Vec<(u8, u64)> {
            let bins = second.bins.iter();
            let bins = bins.filter(|(id, ..)| id.trend == trend);
            bins.map(|(id, _, count)| (id.label, *count)).collect()
        };
        assert_eq!(told(&seconds[0], Trend::Value), [(1, 1), (1, 1), (1, 1)]);
        assert_eq!(told(&seconds[0], Trend::Sum), [(1, 1_000_001_500)]);
        assert_eq!(told(&seconds[0], Trend::LeftOut), [(1, 1), (1, 1), (1, 1)]);
        assert!(seconds[1].bins.is_empty(), "nothing is told twice");
    }

    #[test]
    fn a_second_that_ended_unreported_is_in_the_last_hand_over() {
        let (mut recorder, batches) = recorder(9);
        recorder.hand_over_second(SECOND_NS, 0);
        attempt(&mut recorder, 1);
        recorder.finish(2 * SECOND_NS + SECOND_NS / 2, 0);
        let (users, seconds) = received(&batches);
        assert_eq!(users, [1]);
        let last = &seconds[1];
        assert!(last.last && last.second == 1);
        assert!((last.length_s - 1.5).abs() < 1e-9);
    }

    #[test]
    fn the_most_vus_of_a_second_are_told_also_when_they_are_gone() {
        let (mut recorder, batches) = recorder(9);
        (0..7).for_each(|_| recorder.vu_started());
        (0..5).for_each(|_| recorder.vu_ended());
        recorder.hand_over_second(SECOND_NS, 0);
        recorder.finish(2 * SECOND_NS, 0);
        let vus: Vec<_> = received(&batches)
            .1
            .iter()
            .map(|second| second.vus)
            .collect();
        assert_eq!(vus, [7, 2]);
    }
}
