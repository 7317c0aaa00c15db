//! Pieces of the run become points, under the names that dashboards of k6 read, and our own beside
//! them (`fcfs_...`).
//!
//! Two points of one series and one time would be one in the store. So the time of an attempt is
//! `k * 1024 + thread` nanoseconds with a `k` that only grows within a thread; all else has one point
//! a second and series, or a time that only grows.

mod events;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use hdrhistogram::Histogram;

use super::line::{point, push_tag, quoted};
use crate::history::{Operation, OutcomeKind};
use crate::load::Parts;
use crate::measure::{Second, SeriesId, Trend};
use crate::output::Feed;
use crate::output::attempt::{Names, is_taken, ms};
use crate::plan::{OutputMode, Part, Step, Target, mix};

/// More than any machine has load threads; a power of two, in nanoseconds.
const THREADS: u64 = 1_024;

const SECOND_NS: u64 = 1_000_000_000;

/// What attempts of one series have in common.
type SeriesKey = (u16, u8, u8, u16, usize);

/// Makes points.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    names: Names,
    mode: OutputMode,
    /// Tags of every point.
    common: String,
    proto: &'static str,
    /// The address of each step, as a quoted field.
    urls: Vec<String>,
    series: HashMap<SeriesKey, String>,
    /// The last `k` of each thread.
    last: Vec<u64>,
    last_event_ns: u64,
    vus_max: u64,
    /// When occurrences of faults began, and alerts that fire, with their names.
    faults: BTreeMap<(u16, u32), u64>,
    alerts: BTreeMap<u32, (u64, String)>,
    line: Vec<u8>,
}

/// Takes one line after the other.
pub(super) type Take<'a> = &'a mut dyn FnMut(&[u8]);

impl Encoder {
    pub(super) fn new(
        names: Names,
        mode: OutputMode,
        testid: &str,
        tags: &[(String, String)],
    ) -> Self {
        let mut common = String::new();
        push_tag(&mut common, "testid", testid);
        for (name, value) in tags {
            push_tag(&mut common, name, value);
        }
        let (base, http2) = match &names.plan.target {
            Target::Urls { urls, http2, .. } => (
                urls.first().map(ToString::to_string).unwrap_or_default(),
                *http2,
            ),
            Target::Stack(_) => (String::new(), false),
        };
        let mask = &names.plan.mask;
        let steps = names.plan.steps.iter();
        let urls = steps.map(|step| quoted(&mask.hide(&format!("{base}{}", path(step)))));
        Self {
            urls: urls.collect(),
            names,
            mode,
            common,
            proto: if http2 { "HTTP/2.0" } else { "HTTP/1.1" },
            series: HashMap::new(),
            last: Vec::new(),
            last_event_ns: 0,
            vus_max: 0,
            faults: BTreeMap::new(),
            alerts: BTreeMap::new(),
            line: Vec::new(),
        }
    }

    /// Every point of the piece.
    pub(super) fn encode(&mut self, feed: &Feed, take: Take<'_>) {
        match feed {
            Feed::LoadStarted { at_ns } => {
                self.names.load_ns = *at_ns;
                self.phases(None, take);
            }
            Feed::LoadEnded { at_ns } => self.phases(Some(*at_ns), take),
            Feed::Operations {
                thread,
                operations,
                parts,
            } => {
                if self.mode != OutputMode::Aggregate {
                    for (operation, parts) in std::iter::zip(operations, parts) {
                        if is_taken(self.mode, operation) {
                            self.attempt(*thread, operation, parts, take);
                        }
                    }
                }
            }
            Feed::Second { line, histograms } => self.second(line, histograms, take),
            Feed::Fault(mark) => self.fault(mark, take),
            Feed::Alert(mark) => self.alert(mark.at_ns, &mark.change, take),
            Feed::Remaining { at_ns, remaining } => {
                let at = self.names.origin_ns + at_ns;
                let fields = format_args!("remaining={remaining}");
                point(&mut self.line, "fcfs_stock", &self.common, fields, at);
                take(&self.line);
            }
        }
    }

    /// How many points the piece makes; an encoder of its own is asked.
    pub(super) fn weigh(&mut self, feed: &Feed) -> u64 {
        let mut points = 0;
        self.encode(feed, &mut |_| points += 1);
        points
    }

    /// A time that no other attempt has: of this thread by its growing, of others by the remainder.
    fn time_of(&mut self, thread: usize, ret_ns: u64) -> u64 {
        if self.last.len() <= thread {
            self.last.resize(thread + 1, 0);
        }
        let slot = (self.names.origin_ns + ret_ns) / THREADS;
        let slot = slot.max(self.last[thread] + 1);
        self.last[thread] = slot;
        slot * THREADS + thread as u64 % THREADS
    }

    fn attempt(&mut self, thread: usize, operation: &Operation, parts: &Parts, take: Take<'_>) {
        let at = self.time_of(thread, operation.ret_ns);
        let regime = self.names.regimes.at(operation.ret_ns);
        let key = (
            operation.phase,
            operation.step,
            operation.label,
            operation.status,
            regime,
        );
        if !self.series.contains_key(&key) {
            let tags = self.tags(operation, regime);
            self.series.insert(key, tags);
        }
        let tags = self.series.get(&key).map_or("", String::as_str);
        let line = &mut self.line;
        let url = self.urls.get(usize::from(operation.step));
        let url = url.map_or("\"\"", String::as_str);
        let failed = operation.kind.is_failed_request();
        // Where attempts are sampled, counters are those of seconds, and exact.
        if self.mode == OutputMode::Raw {
            point(
                line,
                "http_reqs",
                tags,
                format_args!("value=1,url={url}"),
                at,
            );
            take(line);
            if failed {
                point(line, "errors", tags, format_args!("value=1"), at);
                take(line);
            }
        }
        let value = u8::from(failed);
        point(
            line,
            "http_req_failed",
            tags,
            format_args!("value={value}"),
            at,
        );
        take(line);
        // What was never sent has waited for no connection and for no answer.
        if operation.kind == OutcomeKind::NotSent {
            return;
        }
        let duration = ms(operation.ret_ns.saturating_sub(operation.inv_ns));
        let fields = format_args!("value={duration},url={url}");
        point(line, "http_req_duration", tags, fields, at);
        take(line);
        let (connecting, handshaking) = parts.connected.unwrap_or_default();
        let (sending, waiting, receiving) = parts.exchange;
        for (measurement, ns) in [
            ("http_req_blocked", parts.blocked),
            ("http_req_connecting", connecting),
            ("http_req_tls_handshaking", handshaking),
            ("http_req_sending", sending),
            ("http_req_waiting", waiting),
            ("http_req_receiving", receiving),
        ] {
            point(
                line,
                measurement,
                tags,
                format_args!("value={}", ms(ns)),
                at,
            );
            take(line);
        }
    }

    fn tags(&self, operation: &Operation, regime: usize) -> String {
        let mut tags = self.tags_of(operation.phase, operation.step, operation.label);
        push_tag(&mut tags, "fault", self.names.regimes.name(regime));
        push_tag(&mut tags, "status", &operation.status.to_string());
        tags
    }

    /// Of attempts of one phase, step and outcome.
    fn tags_of(&self, phase: u16, step: u8, label: u8) -> String {
        let names = &self.names;
        let mut tags = self.common.clone();
        let (name, method) = names.step(step);
        let (outcome, kind) = names.outcome(label);
        let expected = if kind.is_failed_request() {
            "false"
        } else {
            "true"
        };
        for (key, value) in [
            ("name", name),
            ("step", name),
            ("method", method),
            ("proto", self.proto),
            ("outcome", outcome),
            ("expected_response", expected),
            ("scenario", names.scenario(phase)),
            ("phase", names.plan.phase_name(phase)),
        ] {
            push_tag(&mut tags, key, value);
        }
        tags
    }

    fn tags_of_phase(&self, phase: u16) -> String {
        let mut tags = self.common.clone();
        push_tag(&mut tags, "scenario", self.names.scenario(phase));
        push_tag(&mut tags, "phase", self.names.plan.phase_name(phase));
        tags
    }

    fn second(
        &mut self,
        second: &Second,
        histograms: &[(SeriesId, Histogram<u64>)],
        take: Take<'_>,
    ) {
        let at = self.names.second_ns(second.t);
        self.vus_max = self.vus_max.max(second.vus);
        for (measurement, value) in [
            ("vus", second.vus),
            ("vus_max", self.vus_max),
            ("data_sent", second.data_sent),
            ("data_received", second.data_received),
        ] {
            let fields = format_args!("value={value}");
            point(&mut self.line, measurement, &self.common, fields, at);
            take(&self.line);
        }
        for (phase, dropped) in &second.dropped {
            let tags = self.tags_of_phase(*phase);
            let fields = format_args!("value={dropped}");
            point(&mut self.line, "dropped_iterations", &tags, fields, at);
            take(&self.line);
        }
        for (id, histogram) in histograms {
            match id.trend {
                Trend::Duration => self.interval(*id, histogram, histograms, at, take),
                Trend::IterationDuration => self.iterations(*id, histogram, at, take),
                _ => {}
            }
        }
    }

    fn interval(
        &mut self,
        id: SeriesId,
        histogram: &Histogram<u64>,
        all: &[(SeriesId, Histogram<u64>)],
        at: u64,
        take: Take<'_>,
    ) {
        let tags = self.tags_of(id.phase, id.step, id.label);
        let line = &mut self.line;
        let count = histogram.len();
        let ms_at = |of: &Histogram<u64>, quantile| of.value_at_quantile(quantile) as f64 / 1e3;
        let own = |quantile| ms_at(histogram, quantile);
        let max = histogram.max() as f64 / 1e3;
        let response = SeriesId {
            trend: Trend::ResponseTime,
            ..id
        };
        let response = all.iter().find(|(id, _)| *id == response);
        let response = response.map_or(histogram, |(_, histogram)| histogram);
        let fields = format_args!(
            "count={count}i,p50={},p90={},p95={},p99={},p999={},max={max},response_p50={},\
             response_p95={},response_p99={},response_max={}",
            own(0.5),
            own(0.9),
            own(0.95),
            own(0.99),
            own(0.999),
            ms_at(response, 0.5),
            ms_at(response, 0.95),
            ms_at(response, 0.99),
            response.max() as f64 / 1e3,
        );
        point(line, "fcfs_interval", &tags, fields, at);
        take(line);
        if self.mode != OutputMode::Raw {
            point(line, "http_reqs", &tags, format_args!("value={count}"), at);
            take(line);
            if self.names.outcome(id.label).1.is_failed_request() {
                point(line, "errors", &tags, format_args!("value={count}"), at);
                take(line);
            }
        }
    }

    /// How many have ended, and where attempts are told one by one, how long each took: spread over
    /// the second, since what is known of them is that they ended in it.
    fn iterations(&mut self, id: SeriesId, histogram: &Histogram<u64>, at: u64, take: Take<'_>) {
        let tags = self.tags_of_phase(id.phase);
        let line = &mut self.line;
        let count = histogram.len();
        point(line, "iterations", &tags, format_args!("value={count}"), at);
        take(line);
        let of = match self.mode {
            OutputMode::Aggregate => return,
            OutputMode::Raw => 1,
            OutputMode::Sample(of) => of,
        };
        // Which ones are taken must not depend on what this encoder was told before.
        let since_ns = at - self.names.second_ns(0);
        let apart_ns = (SECOND_NS / count.max(1)).max(1);
        let values = histogram.iter_recorded();
        let values = values.flat_map(|one| {
            std::iter::repeat_n(one.value_iterated_to(), one.count_at_value() as usize)
        });
        for (number, us) in (0_u64..).zip(values) {
            if mix(since_ns ^ mix(number)).is_multiple_of(of) {
                let fields = format_args!("value={}", us as f64 / 1e3);
                let at = at + number * apart_ns;
                point(line, "iteration_duration", &tags, fields, at);
                take(line);
            }
        }
    }
}

/// The path as the scenario has it, with the names of what is filled in.
fn path(step: &Step) -> String {
    let parts = step.path.parts.iter();
    let shown = parts.map(|part| match part {
        Part::Literal(text) => &**text,
        Part::Value(..) => "{}",
    });
    shown.collect()
}
