//! The figures of a summary, from what was measured and what happened.

use std::collections::BTreeMap;

use super::{Judge, alerts, resources};
use crate::history::OutcomeKind;
use crate::measure::Trend;
use crate::plan::{Draw, EngineKind};
use crate::report::{
    Drain, Environment, Latency, OutputSummary, PhaseSummary, SetupSummary, UnknownShape,
};
use crate::run::event::Event;

impl Judge<'_> {
    /// Every label that some step declares, also without an attempt, and the built-in ones that
    /// have occurred.
    pub(super) fn outcomes(&self) -> BTreeMap<String, u64> {
        let drain = self.plan.drain_phase();
        let declared = |label: u8| {
            self.plan
                .steps
                .iter()
                .flat_map(|step| &step.rules)
                .any(|rule| rule.label == label)
        };
        let always = [OutcomeKind::Unknown as u8, OutcomeKind::NotSent as u8];
        let mut outcomes = BTreeMap::new();
        for (at, label) in self.plan.labels.iter().enumerate() {
            let at = at as u8;
            let picks = |id: &crate::measure::SeriesId| id.phase != drain && id.label == at;
            let count = self.files.totals.count(Trend::Duration, picks);
            if count > 0 || declared(at) || always.contains(&at) {
                *outcomes.entry(label.name.clone()).or_default() += count;
            }
        }
        outcomes
    }

    /// By step, attempts that were sent; `all` has all steps.
    pub(super) fn latency(
        &self,
        trend: Trend,
        phases: impl Fn(u16) -> bool,
    ) -> BTreeMap<String, Latency> {
        let sent = |label: u8| label != OutcomeKind::NotSent as u8;
        let totals = &self.files.totals;
        let mut latency = BTreeMap::new();
        for (at, step) in self.plan.steps.iter().enumerate() {
            let of_step = totals.merged(trend, |id| {
                usize::from(id.step) == at && sent(id.label) && phases(id.phase)
            });
            latency.extend(of_step.map(|histogram| (step.name.clone(), figures(&histogram))));
        }
        let all = totals.merged(trend, |id| sent(id.label) && phases(id.phase));
        latency.extend(all.map(|histogram| ("all".to_owned(), figures(&histogram))));
        latency
    }

    pub(super) fn phases(&self) -> Vec<PhaseSummary> {
        let summary = |(at, phase): (usize, &crate::plan::Phase)| {
            let load = &self.plan.loads[phase.load?];
            let at = at as u16;
            let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
            let durations = self
                .files
                .totals
                .trends
                .iter()
                .filter(|(id, _)| id.trend == Trend::Duration && id.phase == at);
            for (id, histogram) in durations {
                let name = self.plan.labels[usize::from(id.label)].name.clone();
                *outcomes.entry(name).or_default() += histogram.len();
            }
            Some(PhaseSummary {
                phase: phase.name.clone(),
                load: load.name.clone(),
                from_s: phase.from.as_secs_f64(),
                to_s: phase.to.as_secs_f64(),
                requests: outcomes.values().sum(),
                outcomes,
                latency_ms: self.latency(Trend::Duration, |phase| phase == at),
                response_ms: self.latency(Trend::ResponseTime, |phase| phase == at),
            })
        };
        self.plan
            .phases
            .iter()
            .enumerate()
            .filter_map(summary)
            .collect()
    }

    pub(super) fn drained(&self) -> Option<Drain> {
        self.files.events.iter().find_map(|event| match *event {
            Event::Drained {
                requests,
                issued,
                sold_out,
            } => Some(Drain {
                requests,
                issued,
                sold_out,
            }),
            _ => None,
        })
    }

    pub(super) fn unknown_shapes(&self) -> Vec<UnknownShape> {
        let counts: Vec<_> = self
            .files
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Recorded { unknown, .. } => Some(unknown),
                _ => None,
            })
            .flatten()
            .collect();
        let shape = |event: &Event| {
            let Event::UnknownShape {
                step,
                cause,
                status,
                example,
            } = event
            else {
                return None;
            };
            let same = counts
                .iter()
                .find(|count| (count.step, count.cause, count.status) == (*step, *cause, *status));
            Some(UnknownShape {
                step: self.plan.steps.get(usize::from(*step))?.name.clone(),
                cause: cause.words().to_owned(),
                status: *status,
                // A killed run has seen it at least once.
                count: same.map_or(1, |count| count.count),
                example: example.clone(),
            })
        };
        self.files.events.iter().filter_map(shape).collect()
    }

    pub(super) fn setup(&self) -> Vec<SetupSummary> {
        let line = |event: &Event| match event {
            Event::Setup { line, .. } => Some(line.clone()),
            _ => None,
        };
        self.files.events.iter().filter_map(line).collect()
    }

    pub(super) fn outputs(&self) -> Vec<OutputSummary> {
        let one = |event: &Event| match event {
            Event::Output(output) => Some(output.clone()),
            _ => None,
        };
        self.files.events.iter().filter_map(one).collect()
    }

    /// Whether so many users were more than there are.
    const fn exhausted(&self, users_taken: u64) -> bool {
        let users = &self.plan.users;
        matches!(users.draw, Draw::Once) && users_taken > users.pool
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.plan.warnings.clone();
        for event in &self.files.events {
            match event {
                Event::Setup { line, .. } if line.failure.is_some() => {
                    warnings.push(line.to_string());
                }
                Event::Warning { text } => warnings.push(text.clone()),
                Event::Output(output) => warnings.extend(output.warning()),
                Event::LoadEnded { users_taken, .. } if self.exhausted(*users_taken) => {
                    let pool = self.plan.users.pool;
                    let beyond = if self.plan.users.records.is_some() {
                        "for those beyond it there was no record, and nothing was sent"
                    } else {
                        "those beyond it were given numbers above the pool"
                    };
                    // Segments take turns in the sequence, and one may be ahead of the others.
                    let taken = if self.record.segment.is_some() || self.record.merged.is_some() {
                        format!("the segments went to user {users_taken} of the sequence")
                    } else {
                        format!("{users_taken} users asked")
                    };
                    warnings.push(format!("{taken}, but the pool has {pool}: {beyond}"));
                }
                _ => {}
            }
        }
        warnings.extend(self.left_out());
        warnings.extend(resources::warnings(&self.files.outside.summaries));
        if let Some(watched) = &self.files.alerts {
            warnings.extend(alerts::warnings(watched, self.files.start_ns()));
        }
        // A source that stays away fails once a second: said once, with how often.
        let mut failures: BTreeMap<&str, u64> = BTreeMap::new();
        for failure in &self.files.truth.failures {
            *failures.entry(failure).or_default() += 1;
        }
        warnings.extend(failures.into_iter().map(|(failure, count)| match count {
            1 => format!("a truth could not be read: {failure}"),
            count => format!("a truth could not be read, {count} times: {failure}"),
        }));
        warnings
    }

    pub(super) fn environment(&self) -> Environment {
        let record = self.record;
        let mut environment = Environment {
            version: record.version.clone(),
            seed: self.plan.seed,
            profile: record.overrides.profile.clone(),
            started: record.started.clone(),
            os: record.os.clone(),
            cpu: record.cpu.clone(),
            memory_bytes: record.memory_bytes,
            repeat: record.command(),
            resident_max_bytes: self.files.resident_max,
            merged: record.merged.as_ref().map(ToString::to_string),
            engine: (self.plan.engine == EngineKind::Goose)
                .then(|| "Goose, in a process of its own".to_owned()),
            generator_cpu: self.files.cpu / self.files.totals.elapsed.as_secs_f64().max(1e-3),
            ..Environment::default()
        };
        for event in &self.files.events {
            if let Event::LoadStarted {
                threads,
                provider,
                target,
                ..
            } = event
            {
                environment.threads = *threads;
                environment.provider.clone_from(provider);
                environment.target.clone_from(target);
            }
        }
        environment
    }
}

fn figures(histogram: &hdrhistogram::Histogram<u64>) -> Latency {
    let ms = |us: u64| us as f64 / 1_000.0;
    let at = |quantile: f64| ms(histogram.value_at_quantile(quantile));
    Latency {
        count: histogram.len(),
        mean: histogram.mean() / 1_000.0,
        min: ms(histogram.min()),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
        max: ms(histogram.max()),
    }
}
