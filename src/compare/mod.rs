//! Two runs of the same load side by side: what has become slower, and what that is worth.
//!
//! A difference of two runs is partly chance. How much is estimated by the bootstrap (Efron,
//! "Bootstrap methods: another look at the jackknife", 1979) over blocks of consecutive seconds
//! (Künsch, "The jackknife and the bootstrap for general stationary observations", 1989), drawn
//! within each phase. A figure is a regression only when the whole interval of its change lies
//! beyond its limit: the limit is what may differ between equal runs, the interval what may differ
//! within one.

mod bootstrap;
mod differences;
mod limits;
mod sample;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::plan::Plan;
use crate::report::{
    Change, ClaimChange, Comparison, Difference, Doubt, FaultSummary, FigureChange, Judgement,
    OutcomeChange, RecoveryChange, Side, Summary, Surrounding, Which,
};
use crate::run::{AssembleError, RunDirectory, assemble, is_of_generator, plan_of};
use crate::scenario::Environment;
use crate::verdict::Verdict;

use bootstrap::Drawn;
pub use differences::{Faults, differences};
pub use limits::{Figure, LimitError, Limits};
use sample::{Sample, Scope};

/// Fewer blocks in a phase say nothing about its chance.
const LEAST_BLOCKS: usize = 5;

/// A percentile needs so many samples beyond it.
const LEAST_BEYOND: f64 = 10.0;

/// Why two runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// One of them cannot be read.
    #[error("{directory}: {source}")]
    Run {
        /// As it was given.
        directory: String,
        /// What is wrong with it.
        source: AssembleError,
    },
    /// They did not do the same.
    #[error("the runs cannot be compared, since they did not do the same: {} differ", .0.join(", "))]
    Different(Vec<String>),
}

/// One run, judged and ready to be compared.
#[derive(Debug)]
pub struct Run<'a> {
    /// Where it lies.
    pub directory: &'a RunDirectory,
    /// What it did.
    pub plan: Plan,
    /// What came of it.
    pub summary: Summary,
}

impl<'a> Run<'a> {
    /// Reads and judges a run.
    ///
    /// # Errors
    /// When its directory cannot be read.
    pub fn read(
        directory: &'a RunDirectory,
        environment: &Environment<'_>,
    ) -> Result<Self, CompareError> {
        let assembled = assemble(directory, environment);
        let assembled = assembled.map_err(|source| unreadable(directory, source))?;
        Self::judged(directory, assembled.summary, environment)
    }

    /// A run that was judged already.
    ///
    /// # Errors
    /// When its directory cannot be read.
    pub fn judged(
        directory: &'a RunDirectory,
        summary: Summary,
        environment: &Environment<'_>,
    ) -> Result<Self, CompareError> {
        let plan = plan_of(directory, environment);
        Ok(Self {
            directory,
            plan: plan.map_err(|source| unreadable(directory, source))?,
            summary,
        })
    }
}

fn unreadable(directory: &RunDirectory, source: AssembleError) -> CompareError {
    CompareError::Run {
        directory: directory.path().display().to_string(),
        source,
    }
}

/// Compares a new run with an older one.
///
/// # Errors
/// When they did not do the same, or the measurements of one cannot be read.
pub fn compare(
    base: &Run<'_>,
    new: &Run<'_>,
    limits: &Limits,
    faults: Faults,
) -> Result<Comparison, CompareError> {
    let different = differences(&base.plan, &new.plan, faults);
    if !different.is_empty() {
        return Err(CompareError::Different(different));
    }
    let figures = figures(base, new, limits)?;
    let claims = claims(&base.summary, &new.summary);
    let recoveries = recoveries(&base.summary, &new.summary);
    let mut comparison = Comparison {
        base: side(base),
        new: side(new),
        limits: limits.to_string(),
        differs: Vec::new(),
        differences: differing(base, new),
        outcomes: outcomes(&base.summary, &new.summary),
        warnings: Vec::new(),
        doubts: doubts(base, new),
        regressions: Vec::new(),
        undecided: Vec::new(),
        figures,
        claims,
        recoveries,
    };
    if [base, new].into_iter().any(is_late) {
        undecide(&mut comparison.figures);
    }
    Ok(comparison.in_sentences())
}

/// Takes back what a generator that was late or saturated may have made worse. Failures are the
/// system's own, however late they were asked for.
fn undecide(figures: &mut [FigureChange]) {
    let worse = figures.iter_mut();
    let worse = worse.filter(|one| one.judgement == Judgement::Worse);
    for figure in worse.filter(|one| one.figure != Figure::Failed.name()) {
        figure.judgement = Judgement::Undecided;
    }
}

/// Whether the generator of the run did not keep up: its times are those of a busy machine as well.
fn is_late(run: &Run<'_>) -> bool {
    run.summary.reasons.iter().any(|one| is_of_generator(one))
}

/// Without what only the environment may know.
fn differing(base: &Run<'_>, new: &Run<'_>) -> Vec<Difference> {
    let hide = |text: &String| new.plan.mask.hide(&base.plan.mask.hide(text));
    let hidden = |one: Difference| match one {
        Difference::Fault(name) => Difference::Fault(hide(&name)),
        Difference::Setting { name, base, new } => Difference::Setting {
            name,
            base: base.as_ref().map(hide),
            new: new.as_ref().map(hide),
        },
    };
    let settings = differences::settings(&base.plan, &new.plan);
    settings.into_iter().map(hidden).collect()
}

fn side(run: &Run<'_>) -> Side {
    let environment = &run.summary.environment;
    Side {
        directory: run.directory.path().display().to_string(),
        name: run.summary.name.clone(),
        verdict: run.summary.verdict,
        started: environment.started.clone(),
        version: environment.version.clone(),
        target: environment.target.clone(),
        cpu: environment.cpu.clone(),
        requests: run.summary.requests,
        duration_s: run.summary.duration_s,
    }
}

fn read(run: &Run<'_>) -> Result<Sample, CompareError> {
    let read = Sample::read(run.directory, &run.plan, run.summary.duration_s);
    read.map_err(|error| unreadable(run.directory, AssembleError::Io(error)))
}

/// Each step over the whole run, then, where there are several phases, each phase of it.
fn figures(
    base: &Run<'_>,
    new: &Run<'_>,
    limits: &Limits,
) -> Result<Vec<FigureChange>, CompareError> {
    let samples = (read(base)?, read(new)?);
    let plan = &new.plan;
    let phases = plan.phases.iter().enumerate();
    let phases: Vec<_> = phases.filter(|(_, phase)| phase.load.is_some()).collect();
    let mut rows = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let step_at = at as u8;
        let mut scopes = vec![(None, Scope::whole(step_at, phases.iter().map(|one| one.0)))];
        if phases.len() > 1 {
            scopes.extend(phases.iter().map(|(at, phase)| {
                let name = phase.name.clone();
                (Some(name), Scope::whole(step_at, std::iter::once(*at)))
            }));
        }
        for (phase, scope) in scopes {
            let drawn = Drawn::of(&samples.0, &samples.1, &scope);
            rows.extend(Figure::ALL.into_iter().filter_map(|figure| {
                let (base, new, change) = drawn.change(figure)?;
                let judgement = judge(figure, &change, (base, new), limits, drawn.says(figure));
                Some(FigureChange {
                    step: step.name.clone(),
                    phase: phase.clone(),
                    figure: figure.name().to_owned(),
                    unit: figure.unit().to_owned(),
                    base,
                    new,
                    change,
                    judgement,
                })
            }));
        }
    }
    Ok(rows)
}

/// Whether the change is beyond the limit with all of its interval, with its middle, or not at all.
fn judge(
    figure: Figure,
    change: &Change,
    (base, new): (f64, f64),
    limits: &Limits,
    says: bool,
) -> Judgement {
    let Some(limit) = limits.of(figure) else {
        return Judgement::NotJudged;
    };
    if !says {
        return Judgement::TooLittle;
    }
    // In the direction that is worse.
    let worse = |value: f64| {
        if figure.more_is_worse() {
            value
        } else {
            -value
        }
    };
    let (least, middle, most) = {
        let (one, other) = (worse(change.low), worse(change.high));
        (one.min(other), worse(change.middle), one.max(other))
    };
    if worse(new - base) <= limit.absolute {
        return if most < 0.0 {
            Judgement::Better
        } else {
            Judgement::Within
        };
    }
    if least > limit.relative {
        Judgement::Worse
    } else if middle > limit.relative {
        Judgement::Perhaps
    } else {
        Judgement::Within
    }
}

/// Invariants and thresholds that both runs have, by name.
fn claims(base: &Summary, new: &Summary) -> Vec<ClaimChange> {
    let of = |summary: &Summary| -> BTreeMap<String, Verdict> {
        let claims = summary.invariants.iter().chain(&summary.thresholds);
        claims.map(|one| (one.name.clone(), one.verdict)).collect()
    };
    let before = of(base);
    let claims = of(new).into_iter();
    let both = claims.filter_map(|(name, new)| {
        Some(ClaimChange {
            base: *before.get(&name)?,
            new,
            name,
        })
    });
    both.collect()
}

/// Shares of all attempts, in percent.
fn outcomes(base: &Summary, new: &Summary) -> Vec<OutcomeChange> {
    let names: std::collections::BTreeSet<&String> =
        base.outcomes.keys().chain(new.outcomes.keys()).collect();
    let share = |summary: &Summary, name: &str| {
        let count = summary.outcomes.get(name).copied().unwrap_or_default();
        count as f64 * 100.0 / summary.requests.max(1) as f64
    };
    let change = |name: &String| OutcomeChange {
        outcome: name.clone(),
        base: base.outcomes.get(name).copied().unwrap_or_default(),
        new: new.outcomes.get(name).copied().unwrap_or_default(),
        base_percent: share(base, name),
        new_percent: share(new, name),
    };
    names.into_iter().map(change).collect()
}

/// By fault and occurrence.
fn recoveries(base: &Summary, new: &Summary) -> Vec<RecoveryChange> {
    let of = |fault: &FaultSummary| (fault.fault.clone(), fault.occurrence);
    let before: BTreeMap<_, _> = base.faults.iter().map(|one| (of(one), one)).collect();
    let both = new.faults.iter().filter_map(|fault| {
        let base = before.get(&of(fault))?;
        Some(RecoveryChange {
            fault: fault.fault.clone(),
            occurrence: fault.occurrence,
            base_ms: base.recovery_ms,
            new_ms: fault.recovery_ms,
        })
    });
    both.collect()
}

/// What a reader must know before trusting the difference.
fn doubts(base: &Run<'_>, new: &Run<'_>) -> Vec<Doubt> {
    let (one, other) = (&base.summary.environment, &new.summary.environment);
    let engine = |run: &Run<'_>| {
        let engine = run.summary.environment.engine.as_deref();
        engine.unwrap_or("native").to_owned()
    };
    let around = [
        (Surrounding::Machine, one.cpu.clone(), other.cpu.clone()),
        (Surrounding::System, one.os.clone(), other.os.clone()),
        (Surrounding::Engine, engine(base), engine(new)),
        (
            Surrounding::Version,
            one.version.clone(),
            other.version.clone(),
        ),
        (
            Surrounding::Threads,
            one.threads.to_string(),
            other.threads.to_string(),
        ),
    ];
    let differing = around.into_iter().filter(|(_, base, new)| base != new);
    let differing = differing.map(|(what, base, new)| Doubt::Differs { what, base, new });
    let mut doubts: Vec<_> = differing.collect();
    for (which, run) in [(Which::Base, base), (Which::New, new)] {
        if run.summary.verdict == Verdict::Unknown {
            let reason = run.summary.reasons.first().cloned();
            doubts.push(Doubt::Inconclusive {
                run: which,
                reason: reason.unwrap_or_default(),
            });
        }
    }
    let (base_s, new_s) = (base.summary.duration_s, new.summary.duration_s);
    if (base_s - new_s).abs() > 0.1 * base_s.max(new_s) {
        doubts.push(Doubt::Duration { base_s, new_s });
    }
    doubts
}
