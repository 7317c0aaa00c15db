//! From a run directory to its summary: plan again, add up, check, judge. The same for a run that
//! has just ended, for one that was killed, and for one of last year.

use std::collections::BTreeMap;
use std::io;

use super::event::{Event, read_events};
use super::guard::{End, Generator, doubts};
use super::{RunDirectory, RunRecord};
use crate::check::{Evidence, Finding, Observations, check};
use crate::exit::Exit;
use crate::history::{HistoryFile, OutcomeKind};
use crate::measure::{Second, Totals, Trend, evaluate, read_intervals, read_seconds};
use crate::plan::{Plan, load};
use crate::probe::read_truth;
use crate::report::{
    Drain, Environment, Judged, Latency, LoadSummary, PhaseSummary, Sample, Summary, UnknownShape,
};
use crate::scenario::{Diagnostics, PLACEHOLDER};
use crate::verdict::Verdict;

/// Points of the chart.
const SAMPLES: u64 = 600;

/// A judged run.
#[derive(Debug)]
pub struct Assembled {
    /// All that reports need.
    pub summary: Summary,
    /// How the process ends.
    pub exit: Exit,
}

/// Why a run directory cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The saved scenario does not make a plan any more.
    #[error("the saved scenario:\n{0}")]
    Scenario(#[from] Diagnostics),
    /// A file is missing or damaged.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Judges the run.
///
/// # Errors
/// When the directory's scenario or history cannot be read.
pub fn assemble(directory: &RunDirectory) -> Result<Assembled, AssembleError> {
    let record = directory.read_record()?;
    let text = std::fs::read_to_string(directory.scenario_file())?;
    // What was read with them is on disk already; a number that came from one must be there again.
    let environment = |name: &str| std::env::var(name).ok().or(Some(PLACEHOLDER.to_owned()));
    let plan = load(&record.scenario, &text, &record.overrides, &environment)?;
    let evidence = Files::read(directory, &plan)?;
    Ok(Judge {
        plan: &plan,
        record: &record,
        files: &evidence,
    }
    .judge(directory)?)
}

/// The evidence in memory; its size does not grow with the run but for the issued rows.
struct Files {
    events: Vec<Event>,
    totals: Totals,
    samples: Vec<Sample>,
    generator: Generator,
    seconds: u64,
    cpu: f64,
    resident_max: u64,
    truth: Observations,
}

impl Files {
    fn read(directory: &RunDirectory, plan: &Plan) -> io::Result<Self> {
        // A run that was killed early has not all files; what is missing is empty.
        let events = or_empty(read_events(&directory.events_file()))?;
        let mut totals = or_empty(read_intervals(&directory.intervals_file()))?;
        totals.dropped = vec![0; plan.phases.len()];
        let truth = or_empty(read_truth(directory.path()))?;
        let mut files = Self {
            events,
            totals,
            samples: Vec::new(),
            generator: Generator::default(),
            seconds: 0,
            cpu: 0.0,
            resident_max: 0,
            truth,
        };
        let path = directory.seconds_file();
        if path.exists() {
            let total = read_seconds(&path)?.count() as u64;
            let every = total.div_ceil(SAMPLES).max(1);
            for second in read_seconds(&path)? {
                files.second(&second, plan, every);
            }
        }
        Ok(files)
    }

    fn second(&mut self, second: &Second, plan: &Plan, every: u64) {
        self.seconds += 1;
        self.cpu += second.generator_cpu;
        self.resident_max = self.resident_max.max(second.resident_bytes);
        self.generator.second(second);
        self.totals.data_sent += second.data_sent;
        self.totals.data_received += second.data_received;
        self.totals.vus = second.vus;
        self.totals.vus_max = self.totals.vus_max.max(second.vus);
        let end = second.t as f64 + second.length_s;
        self.totals.elapsed = std::time::Duration::from_secs_f64(end);
        for (name, count) in &second.dropped {
            if let Some(at) = plan.phases.iter().position(|phase| phase.name == *name) {
                self.totals.dropped[at] += count;
            }
        }
        // A last fraction of a second says little about a rate.
        let whole = second.length_s >= 0.5 || self.seconds == 1;
        if whole && second.t.is_multiple_of(every) {
            self.samples.push(sample(second));
        }
    }
}

fn or_empty<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => read,
    }
}

fn sample(second: &Second) -> Sample {
    let length = second.length_s.max(1e-3);
    let per_second = |(name, count): (&String, &u64)| (name.clone(), *count as f64 / length);
    Sample {
        t_s: second.t as f64,
        rps: second.requests as f64 / length,
        vus: second.vus,
        p50_ms: second.p50_ms,
        p95_ms: second.p95_ms,
        p99_ms: second.p99_ms,
        outcomes: second.outcomes.iter().map(per_second).collect(),
    }
}

struct Judge<'a> {
    plan: &'a Plan,
    record: &'a RunRecord,
    files: &'a Files,
}

impl Judge<'_> {
    fn judge(&self, directory: &RunDirectory) -> io::Result<Assembled> {
        let findings = self.findings(directory)?;
        let thresholds: Vec<_> = evaluate(self.plan, &self.files.totals)
            .into_iter()
            .map(|result| Judged {
                name: result.name,
                verdict: result.verdict,
                detail: result.detail,
            })
            .collect();
        let end = self.end();
        let doubts = doubts(self.plan, &self.files.totals, self.files.generator, &end);
        let exit = exit(&findings, &thresholds, &doubts, &end);
        let verdict = Verdict::worst(
            findings
                .iter()
                .map(|finding| finding.verdict)
                .chain(thresholds.iter().map(|threshold| threshold.verdict))
                .chain(doubts.iter().map(|_| Verdict::Unknown))
                // Without any claim the run has shown what it could: that it ran.
                .chain([Verdict::Pass]),
        );
        let reasons = self.reasons(verdict, &findings, &thresholds, doubts);
        let summary = self.summary(verdict, exit, reasons, findings, thresholds);
        Ok(Assembled { summary, exit })
    }

    fn findings(&self, directory: &RunDirectory) -> io::Result<Vec<Finding>> {
        if self.plan.invariants.is_empty() {
            return Ok(Vec::new());
        }
        let history = HistoryFile::open(directory.path())?;
        let evidence = Evidence {
            plan: self.plan,
            history: &history,
            observations: &self.files.truth,
        };
        check(&evidence)
    }

    fn end(&self) -> End {
        let mut end = End::default();
        for event in &self.files.events {
            match event {
                Event::Ended { .. } => end.ended = true,
                Event::Interrupted { .. } => end.interrupted = true,
                Event::Recorded { lost, failure, .. } => {
                    (end.lost, end.failure) = (Some(*lost), failure.clone());
                }
                _ => {}
            }
        }
        end
    }

    /// One sentence each, gravest first; never empty.
    fn reasons(
        &self,
        verdict: Verdict,
        findings: &[Finding],
        thresholds: &[Judged],
        doubts: Vec<String>,
    ) -> Vec<String> {
        let found = |wanted: Verdict| {
            let findings = findings
                .iter()
                .filter(move |finding| finding.verdict == wanted);
            findings.map(|finding| format!("{}: {}", finding.checker, finding.headline))
        };
        let missed = |wanted: Verdict| {
            let thresholds = thresholds
                .iter()
                .filter(move |threshold| threshold.verdict == wanted);
            thresholds.map(|threshold| format!("{}: {}", threshold.name, threshold.detail))
        };
        let aborted = self.files.events.iter().filter_map(|event| match event {
            Event::Aborted { threshold, .. } => {
                Some(format!("the load was ended by `{threshold}`"))
            }
            _ => None,
        });
        let mut reasons: Vec<_> = found(Verdict::Fail).chain(missed(Verdict::Fail)).collect();
        reasons.extend(aborted);
        reasons.extend(doubts);
        reasons.extend(found(Verdict::Unknown).chain(missed(Verdict::Unknown)));
        if reasons.is_empty() && verdict == Verdict::Pass {
            reasons.push(all_hold(findings.len(), thresholds.len()));
        }
        reasons
    }

    fn summary(
        &self,
        verdict: Verdict,
        exit: Exit,
        reasons: Vec<String>,
        findings: Vec<Finding>,
        thresholds: Vec<Judged>,
    ) -> Summary {
        let (plan, totals) = (self.plan, &self.files.totals);
        let drain = plan.drain_phase();
        let requests = totals.count(Trend::Duration, |id| id.phase != drain);
        let duration_s = totals.elapsed.as_secs_f64();
        let judged = |finding: &Finding| Judged {
            name: finding.checker.clone(),
            verdict: finding.verdict,
            detail: finding.headline.clone(),
        };
        Summary {
            name: plan.name.clone(),
            about: plan.about.clone(),
            verdict,
            reasons,
            exit_code: exit.code(),
            exit_meaning: exit.meaning().to_owned(),
            requests,
            duration_s,
            rps: if duration_s > 0.0 {
                requests as f64 / duration_s
            } else {
                0.0
            },
            outcomes: self.outcomes(),
            latency_ms: self.latency(Trend::Duration, |phase| phase != drain),
            response_ms: self.latency(Trend::ResponseTime, |phase| phase != drain),
            phases: self.phases(),
            loads: self.loads(),
            dropped_iterations: totals.dropped.iter().sum(),
            vus_max: totals.vus_max,
            data_sent: totals.data_sent,
            data_received: totals.data_received,
            invariants: findings.iter().map(judged).collect(),
            thresholds,
            findings,
            drain: self.drained(),
            unknown_shapes: self.unknown_shapes(),
            warnings: self.warnings(),
            samples: self.files.samples.clone(),
            environment: self.environment(),
        }
    }

    /// Every label that some step declares, also without an attempt, and the built-in ones that
    /// have occurred.
    fn outcomes(&self) -> BTreeMap<String, u64> {
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
    fn latency(&self, trend: Trend, phases: impl Fn(u16) -> bool) -> BTreeMap<String, Latency> {
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

    fn phases(&self) -> Vec<PhaseSummary> {
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

    fn loads(&self) -> Vec<LoadSummary> {
        let totals = &self.files.totals;
        let summary = |load: &crate::plan::Load| {
            let of_load = |phase: u16| load.phases.contains(&phase);
            let lag = totals.merged(Trend::ScheduleLag, |id| of_load(id.phase));
            let lag_ms = lag.map(|lag| lag.value_at_quantile(0.99) as f64 / 1_000.0);
            let open = load.executor.is_open();
            let dropped = totals.dropped.iter().enumerate();
            LoadSummary {
                load: load.name.clone(),
                executor: load.executor.name().to_owned(),
                model: if open { "open" } else { "closed" }.to_owned(),
                iterations: totals.count(Trend::IterationDuration, |id| of_load(id.phase)),
                dropped: dropped
                    .filter(|(at, _)| of_load(*at as u16))
                    .map(|(_, n)| *n)
                    .sum(),
                lag_p99_ms: lag_ms.filter(|_| open),
            }
        };
        self.plan.loads.iter().map(summary).collect()
    }

    fn drained(&self) -> Option<Drain> {
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

    fn unknown_shapes(&self) -> Vec<UnknownShape> {
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

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.plan.warnings.clone();
        for event in &self.files.events {
            match event {
                Event::Warning { text } => warnings.push(text.clone()),
                Event::LoadEnded { users_taken, .. } if *users_taken > self.plan.users.pool => {
                    warnings.push(format!(
                        "{users_taken} users asked, but the pool has {}: those beyond it were given numbers above the pool",
                        self.plan.users.pool,
                    ));
                }
                _ => {}
            }
        }
        let failures = self.files.truth.failures.iter();
        warnings.extend(failures.map(|failure| format!("a truth could not be read: {failure}")));
        warnings
    }

    fn environment(&self) -> Environment {
        let record = self.record;
        let mut environment = Environment {
            version: record.version.clone(),
            seed: self.plan.seed,
            started: record.started.clone(),
            os: record.os.clone(),
            cpu: record.cpu.clone(),
            memory_bytes: record.memory_bytes,
            repeat: record.command(),
            resident_max_bytes: self.files.resident_max,
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

/// The first that applies: an interrupted run says so whatever else it has found.
fn exit(findings: &[Finding], thresholds: &[Judged], doubts: &[String], end: &End) -> Exit {
    let found = |wanted: Verdict| findings.iter().any(|finding| finding.verdict == wanted);
    let missed = |wanted: Verdict| {
        thresholds
            .iter()
            .any(|threshold| threshold.verdict == wanted)
    };
    if end.interrupted {
        Exit::Interrupted
    } else if found(Verdict::Fail) {
        Exit::Invariant
    } else if missed(Verdict::Fail) {
        Exit::Threshold
    } else if found(Verdict::Unknown) || missed(Verdict::Unknown) || !doubts.is_empty() {
        Exit::Unknown
    } else {
        Exit::Ok
    }
}

fn all_hold(invariants: usize, thresholds: usize) -> String {
    match (invariants, thresholds) {
        (0, 0) => "nothing was claimed: no invariant and no threshold to judge".to_owned(),
        (invariants, thresholds) => {
            let count =
                |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
            let (one, other) = (
                count(invariants, "invariant"),
                count(thresholds, "threshold"),
            );
            format!("all hold: {one}, {other}")
        }
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
