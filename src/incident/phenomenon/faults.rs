//! What each fault did while it was active, and whether all was as before when it had healed.

use super::super::evidence::{Evidence, counted, lasting, moment, share};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::{Example, Expected, Kind, Onset, Phenomenon, because_of_share};
use crate::messages::{Fig, Said, Value, code, said};
use crate::report::{FaultState, FaultSummary};

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let faults = evidence.summary.faults.iter().enumerate();
    let happened = faults.filter_map(|(at, fault)| Some((at, fault, fault.applied_s?)));
    happened
        .map(|(at, fault, applied_s)| of_fault(evidence, at, fault, applied_s, figures))
        .collect()
}

fn of_fault(
    evidence: &Evidence<'_>,
    at: usize,
    fault: &FaultSummary,
    applied_s: f64,
    figures: &mut Figures,
) -> Phenomenon {
    let mut cite = |field: &str, value: String| {
        figures.cite(value, Source::Summary(format!("/faults/{at}/{field}")))
    };
    let applied = cite("applied_s", moment(applied_s));
    let mut period = vec![said!("fault.applied",
        what = code(fault.what.clone()), at = moment(applied_s); applied)];
    period.push(if let Some(healed_s) = fault.healed_s {
        let fig = cite("healed_s", moment(healed_s));
        said!("fault.healed",
            at = moment(healed_s), lasted = lasting(healed_s - applied_s); fig)
    } else {
        let fig = cite("state", state(fault.state).to_owned());
        said!("fault.not_healed", state = state(fault.state); fig)
    });
    let state_fig = cite("state", state(fault.state).to_owned());
    let mut effect = Vec::new();
    let requests = cite("requests", counted(fault.requests));
    let failed = cite("failed", counted(fault.failed));
    let shown = share(fault.failed, fault.requests);
    effect.push(if fault.requests == 0 {
        said!("fault.no_requests"; requests)
    } else {
        said!("fault.failed",
            failed = counted(fault.failed), requests = counted(fault.requests),
            share = shown.clone(); failed, requests)
    });
    if let Some(what) = &fault.effect {
        let fig = cite("effect", what.clone());
        let what = Value::Foreign(what.clone());
        effect.push(if fault.effect_seen {
            said!("fault.effect_seen", what = what; fig)
        } else {
            said!("fault.effect_not_seen", what = what; fig)
        });
    }
    effect.push(recovery(fault, state_fig, &mut cite));
    let index = evidence.index(applied_s);
    let vus = evidence.vus(index, figures);
    if let Some((vus, fig)) = vus {
        period.push(said!("fault.vus", vus = counted(vus); fig));
    }
    let part = fault.failed as f64 / fault.requests.max(1) as f64;
    let unhealed = fault.state == FaultState::NotHealed;
    let severity = if unhealed {
        Severity::P0
    } else {
        Severity::of_share(part, true)
    };
    let severity_why = if unhealed {
        said!("fault.because_unhealed"; state_fig)
    } else {
        because_of_share(severity, shown, failed)
    };
    let recovered = fault.recovered_s.is_some();
    Phenomenon {
        kind: Kind::Fault(fault.fault.clone()),
        title: said!("fault.title", name = code(fault.fault.clone())),
        example: fault
            .effect
            .clone()
            .map_or(Example::None, Example::Sentence),
        onset: Some(Onset {
            at_s: applied_s,
            vus: vus.map(|(vus, _)| vus),
        }),
        until_s: fault.recovered_s.or(fault.healed_s),
        period,
        effect,
        severity,
        severity_why,
        expected: if recovered {
            Expected::Yes(said!("fault.expected"; applied))
        } else {
            Expected::No(said!("fault.expected_but_not_recovered"; state_fig))
        },
    }
}

fn recovery(fault: &FaultSummary, state: Fig, cite: &mut impl FnMut(&str, String) -> Fig) -> Said {
    match (fault.recovered_s, fault.recovery_ms, &fault.not_recovered) {
        (Some(at_s), Some(ms), _) => {
            let (at, after) = (
                cite("recovered_s", moment(at_s)),
                cite("recovery_ms", lasting(ms / 1e3)),
            );
            said!("fault.recovered",
                at = moment(at_s), after = lasting(ms / 1e3); at, after)
        }
        (_, _, Some(why)) => {
            let fig = cite("not_recovered", why.clone());
            said!("fault.not_recovered", why = Value::Foreign(why.clone()); fig)
        }
        _ => said!("fault.recovery_unknown"; state),
    }
}

/// As `summary.json` spells it.
const fn state(state: FaultState) -> &'static str {
    match state {
        FaultState::Unknown => "unknown",
        FaultState::NeverDue => "never_due",
        FaultState::NotApplied => "not_applied",
        FaultState::Active => "active",
        FaultState::Healed => "healed",
        FaultState::NotHealed => "not_healed",
    }
}
