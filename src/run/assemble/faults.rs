//! What became of each fault: read from the run's marks and attempts, and put into the summary.

use std::io;

use super::alerts;
use super::files::Files;
use crate::check::{After, Broken};
use crate::history::{FaultMark, History as _, HistoryFile};
use crate::measure::alert::Watched;
use crate::measure::fault::{Load, Measured, Observer, Recovery, Until, occurrences};
use crate::measure::{Comparison, Metric, grouped};
use crate::plan::fault::Fault;
use crate::plan::{Plan, what_is_broken};
use crate::report::{FaultBaseline, FaultState, FaultSummary};
use crate::run::RunDirectory;
use crate::run::event::Event;

/// Goes through the history once more, where there is a fault to measure.
pub(super) fn read(
    directory: &RunDirectory,
    plan: &Plan,
    files: &Files,
) -> io::Result<Vec<Measured>> {
    if plan.faults.is_empty() {
        return Ok(Vec::new());
    }
    let events = &files.events;
    let occurrences = occurrences(marks(plan, events));
    let aborted_ns = events.iter().find_map(|event| match event {
        Event::Aborted { at_ns, .. } => Some(*at_ns),
        _ => None,
    });
    let load = Load {
        start_ns: files.start_ns(),
        aborted_ns,
        drain_phase: plan.drain_phase(),
    };
    let mut observer = Observer::new(occurrences, load).with_alerts(files.alerts.clone());
    for operation in HistoryFile::open(directory.path())?.operations()? {
        observer.take(&operation?);
    }
    Ok(observer.finish())
}

/// Marks of faults that the plan does not have are left out: the file is damaged.
fn marks<'a>(plan: &'a Plan, events: &'a [Event]) -> impl Iterator<Item = &'a FaultMark> {
    let marks = events.iter().filter_map(|event| match event {
        Event::Fault(mark) => Some(mark),
        _ => None,
    });
    marks.filter(|mark| usize::from(mark.fault) < plan.faults.len())
}

/// When which fault was active, for the checkers.
pub(super) fn broken(plan: &Plan, faults: &[Measured]) -> Vec<Broken> {
    let broken = faults.iter().filter_map(|one| {
        let (from_ns, to_ns) = one.occurrence.active_ns()?;
        let fault = plan.faults.get(one.occurrence.fault)?;
        Some(Broken {
            fault: fault.name.clone(),
            from_ns,
            to_ns,
            after: after(one),
        })
    });
    broken.collect()
}

fn after(one: &Measured) -> After {
    let not_seen = |why: &str| After::NotSeen {
        why: why.to_owned(),
    };
    if !one.occurrence.is_proved() {
        return not_seen("was not seen to bite");
    }
    match (one.recovery, not_recovered(one)) {
        (Recovery::NotHealed, _) => not_seen("was not healed"),
        _ if one.baseline.is_none() => {
            not_seen("was preceded by too few attempts to know what \"as before\" is")
        }
        (Recovery::At(at_ns), _) => After::Recovered { at_ns },
        (
            Recovery::NotWithin {
                bad_ns: Some(bad_ns),
                ..
            },
            why,
        ) => After::StillBad {
            bad_ns,
            why: why.unwrap_or_default(),
        },
        (Recovery::NotWithin { .. }, why) => After::NotSeen {
            why: format!("was not recovered from: {}", why.unwrap_or_default()),
        },
    }
}

/// What the summary is made of.
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) faults: &'a [Measured],
    pub(super) alerts: Option<&'a Watched>,
    pub(super) start_ns: u64,
    /// Attempts of the whole load.
    pub(super) requests: u64,
}

impl Report<'_> {
    /// Every occurrence by its time, then the faults that have none, in the plan's order.
    pub(super) fn summaries(&self) -> Vec<FaultSummary> {
        let mut order: Vec<&Measured> = self.faults.iter().collect();
        order.sort_by_key(|one| {
            let occurrence = &one.occurrence;
            let asked = occurrence.asked_ns.or(occurrence.applied_ns);
            (asked.unwrap_or(u64::MAX), occurrence.fault)
        });
        let happened = order.into_iter().map(|one| self.summary(one));
        let faults = self.plan.faults.iter().enumerate();
        let silent = faults.filter(|(at, _)| {
            let mut all = self.faults.iter();
            !all.any(|one| one.occurrence.fault == *at)
        });
        let silent = silent.map(|(_, fault)| of_fault(fault));
        happened.chain(silent).collect()
    }

    fn summary(&self, one: &Measured) -> FaultSummary {
        let occurrence = &one.occurrence;
        let fault = &self.plan.faults[occurrence.fault];
        let at_s = |at: Option<u64>| at.map(|at| (at as f64 - self.start_ns as f64) / 1e9);
        let since_applied = |at: Option<u64>| {
            let applied = occurrence.applied_ns?;
            at.map(|at| at.saturating_sub(applied) as f64 / 1e6)
        };
        let ms = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e6);
        let seen = occurrence.effect_seen.as_ref();
        let not_seen = occurrence.effect_not_seen.as_ref();
        let recovered_ns = match one.recovery {
            Recovery::At(at) => Some(at),
            _ => None,
        };
        let why = occurrence.not_healed.as_ref();
        FaultSummary {
            occurrence: occurrence.number,
            victims: occurrence.victims.clone(),
            state: state(one),
            why: why.or(occurrence.not_applied.as_ref()).cloned(),
            due_s: at_s(occurrence.due_ns),
            asked_s: at_s(occurrence.asked_ns),
            applied_s: at_s(occurrence.applied_ns),
            effect_seen: occurrence.is_proved(),
            effect: not_seen.or(seen.map(|(_, what)| what)).cloned(),
            effect_ms: since_applied(seen.map(|(at, _)| *at)),
            first_bad_ms: since_applied(one.first_bad_ns),
            detected_ms: ms(one.detection_ns()),
            detected_by: one.detected().map(|detected| detected.by.name().to_owned()),
            noticed_ms: alerts::noticed_ms(one),
            alerts: alerts::fired(one, self.alerts),
            alerts_silent: one.alerted.as_ref().and_then(|told| told.silent.clone()),
            alerts_watched: one.alerted.is_some(),
            healed_s: at_s(occurrence.healed_ns),
            recovered_s: at_s(recovered_ns),
            recovery_ms: ms(one.recovery_ns()),
            not_recovered: not_recovered(one),
            window_ms: ms(Some(one.window_ns).filter(|ns| *ns > 0)),
            baseline: one.baseline.map(|baseline| FaultBaseline {
                from_s: (baseline.from_ns as f64 - self.start_ns as f64) / 1e9,
                to_s: (baseline.to_ns as f64 - self.start_ns as f64) / 1e9,
                requests: baseline.attempts,
                failed_share: baseline.failed_share,
                p95_ms: baseline.p95_ms,
            }),
            requests: one.attempts,
            failed: one.failed,
            unknown: one.unknown,
            budget_share: self.budget_share(one),
            open_after_heal_ms: ms(one.open_after_heal_ns),
            beside: self.beside(one),
            ..of_fault(fault)
        }
    }

    /// The share of the failures that a threshold allows to the whole run. Several: the strictest.
    fn budget_share(&self, one: &Measured) -> Option<f64> {
        let thresholds = self.plan.thresholds.iter().filter(|threshold| {
            let upper = [Comparison::Less, Comparison::LessOrEqual];
            threshold.metric == Metric::HttpReqFailed
                && threshold.tags.is_empty()
                && threshold.windows.is_none()
                && upper.contains(&threshold.comparison)
        });
        let limits = thresholds.map(|threshold| threshold.limit);
        let limit = limits.fold(f64::INFINITY, f64::min);
        let allowed = limit * self.requests as f64;
        let is_budget = allowed.is_finite() && allowed > 0.0;
        (is_budget && one.occurrence.applied_ns.is_some()).then(|| one.failed as f64 / allowed)
    }

    fn beside(&self, one: &Measured) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for other in &one.beside {
            let fault = self.faults[*other].occurrence.fault;
            let name = &self.plan.faults[fault].name;
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

fn of_fault(fault: &Fault) -> FaultSummary {
    FaultSummary {
        fault: fault.name.clone(),
        times: fault.times,
        what: what_is_broken(fault),
        ..FaultSummary::default()
    }
}

fn state(one: &Measured) -> FaultState {
    let occurrence = &one.occurrence;
    if occurrence.not_healed.is_some() {
        FaultState::NotHealed
    } else if occurrence.not_applied.is_some() {
        FaultState::NotApplied
    } else if occurrence.applied_ns.is_some() && occurrence.healed_ns.is_some() {
        FaultState::Healed
    } else if occurrence.applied_ns.is_some() {
        FaultState::Active
    } else if occurrence.never_due {
        FaultState::NeverDue
    } else {
        FaultState::Unknown
    }
}

/// Why there is no recovery, of what was healed.
fn not_recovered(one: &Measured) -> Option<String> {
    let Recovery::NotWithin {
        seen_ns,
        bad_ns,
        until,
    } = one.recovery
    else {
        return None;
    };
    let seconds = |ns: u64| format!("{} s", grouped(ns as f64 / 1e9, 1));
    let seen = seconds(seen_ns);
    let bad = bad_ns.map_or_else(String::new, |bad| {
        format!("; the last bad window ended {} after it", seconds(bad))
    });
    Some(match until {
        Until::TooLittle if seen_ns == 0 => "the load had ended before it was healed".to_owned(),
        Until::TooLittle => {
            format!("too little was asked until the load ended, {seen} after the heal")
        }
        Until::LoadEnded => format!(
            "not enough good windows running until the load ended, {seen} after the heal{bad}"
        ),
        Until::Kept => format!("not enough good windows running within {seen} of the heal{bad}"),
    })
}
