//! From a run directory to its summary: plan again, add up, check, judge. The same for a run that
//! has just ended, for one that was killed, and for one of last year.

mod alerts;
mod faults;
mod figures;
mod files;
mod loads;
mod metrics;
mod resources;
mod scalability;
mod segment;
mod stock;

use std::io;

use super::event::Event;
use super::fault_guard::{FaultDoubts, fault_doubts};
use super::guard::{End, Interrupted, doubts, exhausted};
use super::{RunDirectory, RunRecord};
use crate::check::{Checked, Evidence, Fairness, Finding, check_and_measure};
use crate::exit::Exit;
use crate::history::HistoryFile;
use crate::measure::{
    Metric, Threshold, ThresholdResult, Trend, evaluate, evaluate_fairness, evaluate_scalability,
};
use crate::plan::{Plan, load_written};
use crate::report::{Comparison, FairnessSummary, Judged, Summary};
use crate::scenario::{Diagnostics, Environment, PLACEHOLDER};
use crate::verdict::Verdict;
use files::Files;

/// A judged run.
#[derive(Debug)]
pub struct Assembled {
    /// All that reports need.
    pub summary: Summary,
    /// How the process ends.
    pub exit: Exit,
}

impl Assembled {
    /// Adds what a comparison with a baseline has found. What is worse than a regression stays.
    pub fn compared(&mut self, comparison: Comparison) {
        let summary = &mut self.summary;
        let base = &comparison.base.directory;
        let regressions = comparison.regressions.iter();
        let regressions: Vec<_> = regressions
            .map(|sentence| format!("regression against {base}: {sentence}"))
            .collect();
        if !regressions.is_empty() {
            if matches!(self.exit, Exit::Ok | Exit::NotHealed | Exit::Unknown) {
                self.exit = Exit::Regression;
                summary.exit_code = self.exit.code();
                self.exit.meaning().clone_into(&mut summary.exit_meaning);
            }
            // What all hold is no reason any more.
            let holds = summary.verdict == Verdict::Pass;
            summary.reasons.retain(|_| !holds);
            summary.reasons.extend(regressions);
        }
        // Where the run itself kept up and its baseline did not.
        let undecided = comparison.undecided.iter();
        let undecided: Vec<_> = undecided
            .map(|sentence| format!("undecided against {base}: {sentence}"))
            .collect();
        if self.exit == Exit::Ok && !undecided.is_empty() {
            self.exit = Exit::Unknown;
            summary.verdict = Verdict::Unknown;
            summary.exit_code = self.exit.code();
            self.exit.meaning().clone_into(&mut summary.exit_meaning);
            summary.reasons = undecided;
        }
        summary.comparison = Some(comparison);
    }
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
pub fn assemble(
    directory: &RunDirectory,
    environment: &Environment<'_>,
) -> Result<Assembled, AssembleError> {
    let record = directory.read_record()?;
    let plan = planned(directory, &record, environment)?;
    let evidence = Files::read(directory, &plan)?;
    let judge = Judge {
        plan: &plan,
        record: &record,
        files: &evidence,
    };
    let mut assembled = judge.judge(directory)?;
    if let Some(comparison) = directory.read_comparison()? {
        assembled.compared(comparison);
    }
    Ok(assembled)
}

/// Plans again what a run did.
///
/// # Errors
/// When the directory's scenario cannot be read.
pub fn plan_of(
    directory: &RunDirectory,
    environment: &Environment<'_>,
) -> Result<Plan, AssembleError> {
    planned(directory, &directory.read_record()?, environment)
}

pub(super) fn planned(
    directory: &RunDirectory,
    record: &RunRecord,
    environment: &Environment<'_>,
) -> Result<Plan, AssembleError> {
    let written = directory.read_scenario(record)?;
    // Judging needs no secrets, so a run can be judged where its environment is not.
    let environment = |name: &str| environment(name).or(Some(PLACEHOLDER.to_owned()));
    let mut plan = load_written(&written, &record.overrides, &environment)?;
    if let Some(records) = record.records {
        plan.users.found(records);
    }
    Ok(plan)
}

struct Judge<'a> {
    plan: &'a Plan,
    record: &'a RunRecord,
    files: &'a Files,
}

impl Judge<'_> {
    fn judge(&self, directory: &RunDirectory) -> io::Result<Assembled> {
        if !self.plan.segment.is_whole() {
            return Ok(self.alone());
        }
        let end = self.end();
        let short = self.short_history(directory)?;
        let Checked { findings, fairness } = self.check(directory, &end, short.as_deref())?;
        let thresholds = self.thresholds(&end, fairness);
        let mut doubts = doubts(self.plan, &self.files.totals, self.files.generator, &end);
        let FaultDoubts {
            not_healed,
            doubts: of_faults,
        } = self.of_faults(&end);
        doubts.extend(short.map(|short| format!("evidence was lost of the history: {short}")));
        doubts.extend(exhausted(&self.files.events));
        doubts.extend(of_faults);
        let exit = exit(&findings, &thresholds, &not_healed, &doubts, &end);
        let verdict = Verdict::worst(
            findings
                .iter()
                .map(|finding| finding.verdict)
                .chain(thresholds.iter().map(|threshold| threshold.verdict))
                .chain(doubts.iter().map(|_| Verdict::Unknown))
                .chain(not_healed.iter().map(|_| Verdict::Unknown))
                // Without any claim the run has shown what it could: that it ran.
                .chain([Verdict::Pass]),
        );
        let reasons = self.reasons(verdict, &findings, &thresholds, doubts);
        let reasons = not_healed.iter().cloned().chain(reasons).collect();
        let mut summary = self.summary(verdict, exit, reasons, findings, thresholds);
        summary.fairness = fairness.map(FairnessSummary::of);
        summary.not_healed = not_healed;
        // Where the environment of the run is there, the plan knows it again.
        for text in summary.texts() {
            *text = self.plan.mask.hide(text);
        }
        Ok(Assembled { summary, exit })
    }

    /// Which part of the attempts the history holds, if not all: each that was counted was recorded
    /// before.
    fn short_history(&self, directory: &RunDirectory) -> io::Result<Option<String>> {
        if self.plan.invariants.is_empty() && !self.plan.measures_fairness() {
            return Ok(None);
        }
        let counted = self.files.totals.count(Trend::Duration, |_| true);
        let kept = HistoryFile::open(directory.path())?.records()?;
        Ok((kept < counted).then(|| format!("it holds {kept} of {counted} attempts")))
    }

    fn check(
        &self,
        directory: &RunDirectory,
        end: &End,
        short: Option<&str>,
    ) -> io::Result<Checked> {
        if self.plan.invariants.is_empty() && !self.plan.measures_fairness() {
            return Ok(Checked::default());
        }
        let history = HistoryFile::open(directory.path())?;
        let gap = end.gap().or(short.map(str::to_owned));
        let evidence = Evidence {
            plan: self.plan,
            history: &history,
            observations: &self.files.truth,
            faults: &faults::broken(self.plan, &self.files.faults),
            gap: gap.as_deref(),
        };
        check_and_measure(&evidence)
    }

    /// A load that has not begun has broken nothing.
    fn of_faults(&self, end: &End) -> FaultDoubts {
        let mut events = self.files.events.iter();
        if !events.any(|event| matches!(event, Event::LoadStarted { .. })) {
            return FaultDoubts::default();
        }
        let occurrences = self.files.faults.iter().map(|one| &one.occurrence);
        fault_doubts(self.plan, &occurrences, end)
    }

    /// A run that was cut off before its first second has missed no limit. What ended the load has
    /// missed its own, even if the figure recovered while the last iterations finished.
    fn thresholds(
        &self,
        end: &End,
        fairness: Option<Result<Fairness, &'static str>>,
    ) -> Vec<Judged> {
        let aborted = |name: &str| {
            self.files.events.iter().find_map(|event| match event {
                Event::Aborted {
                    threshold, detail, ..
                } if threshold == name => Some(detail),
                _ => None,
            })
        };
        let seen = self.files.totals.count(Trend::Duration, |_| true) > 0;
        let began = end.ended || seen;
        let judged = |result: ThresholdResult| match aborted(&result.name) {
            Some(detail) => Judged {
                detail: format!("it ended the load: {detail}"),
                name: result.name,
                verdict: Verdict::Fail,
            },
            None => Judged {
                name: result.name,
                verdict: if began {
                    result.verdict
                } else {
                    Verdict::Unknown
                },
                detail: result.detail,
            },
        };
        let results = evaluate(
            self.plan,
            &self.files.totals,
            &self.files.windows,
            &self.files.outside.judged,
            &self.files.faults,
        );
        let fairness = fairness.unwrap_or(Err("nothing was compared"));
        let fairness = fairness.map(|measured| (measured.share(), measured.pairs));
        let of_the_whole =
            |(threshold, result): (&Threshold, ThresholdResult)| match threshold.metric {
                Metric::Fairness => evaluate_fairness(threshold, fairness),
                Metric::Scalability => evaluate_scalability(threshold, &self.files.scaling),
                _ => result,
            };
        let results = std::iter::zip(&self.plan.thresholds, results).map(of_the_whole);
        results.map(judged).collect()
    }

    fn end(&self) -> End {
        let mut end = End::default();
        let mut loaded = false;
        for event in &self.files.events {
            match event {
                Event::Ended { .. } => end.ended = true,
                Event::LoadEnded { .. } => loaded = true,
                Event::Interrupted { .. } if loaded => end.interrupted = Interrupted::AfterLoad,
                Event::Interrupted { .. } => end.interrupted = Interrupted::InLoad,
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
        let faults = faults::Report {
            plan,
            faults: &self.files.faults,
            alerts: self.files.alerts.as_ref(),
            start_ns: self.files.start_ns(),
            requests,
        };
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
            metrics: self.metrics(),
            resources: self.files.outside.summaries.clone(),
            faults: faults.summaries(),
            fairness: None,
            scalability: scalability::summary(&self.files.scaling),
            not_healed: Vec::new(),
            loads: loads::summaries(self.plan, self.files),
            dropped_iterations: totals.dropped.iter().sum(),
            vus_max: totals.vus_max,
            data_sent: totals.data_sent,
            data_received: totals.data_received,
            invariants: findings.iter().map(judged).collect(),
            thresholds,
            findings,
            drain: self.drained(),
            unknown_shapes: self.unknown_shapes(),
            comparison: None,
            warnings: self.warnings(),
            setup: self.setup(),
            outputs: self.outputs(),
            samples: self.files.samples.clone(),
            environment: self.environment(),
        }
    }
}

/// The first that applies: an interrupted run says so whatever else it has found.
fn exit(
    findings: &[Finding],
    thresholds: &[Judged],
    not_healed: &[String],
    doubts: &[String],
    end: &End,
) -> Exit {
    let found = |wanted: Verdict| findings.iter().any(|finding| finding.verdict == wanted);
    let missed = |wanted: Verdict| {
        thresholds
            .iter()
            .any(|threshold| threshold.verdict == wanted)
    };
    if end.interrupted != Interrupted::No {
        Exit::Interrupted
    } else if found(Verdict::Fail) {
        Exit::Invariant
    } else if missed(Verdict::Fail) {
        Exit::Threshold
    } else if !not_healed.is_empty() {
        Exit::NotHealed
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
