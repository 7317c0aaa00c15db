//! Alerts that fired during the run.

use super::super::evidence::{Evidence, counted, lasting, moment};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::{Example, Expected, Kind, Onset, Phenomenon};
use crate::messages::{code, said};

/// More of one name are one phenomenon.
pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let mut names: Vec<&str> = Vec::new();
    let during = evidence
        .moments
        .alerts
        .iter()
        .filter(|alert| alert.fired_s >= 0.0);
    for alert in during.clone() {
        if !names.contains(&alert.name.as_str()) {
            names.push(&alert.name);
        }
    }
    let mut found = Vec::new();
    for name in names {
        let same: Vec<_> = during.clone().filter(|alert| alert.name == name).collect();
        let Some(first) = same.first() else { continue };
        let mut cite = |what: &str, value: String| {
            figures.cite(value, Source::Event(format!("alert {name}: {what}")))
        };
        let fired = cite("firing", moment(first.fired_s));
        let times = cite("firing (all)", counted(same.len() as u64));
        let mut period = vec![said!("alert.fired", at = moment(first.fired_s); fired)];
        let cleared = same.iter().map(|alert| alert.cleared_s);
        let cleared = cleared.collect::<Option<Vec<_>>>();
        let last = cleared.and_then(|all| all.into_iter().max_by(f64::total_cmp));
        period.push(match last {
            Some(at_s) => {
                let fig = cite("cleared", moment(at_s));
                let lasted = lasting(at_s - first.fired_s);
                said!("alert.cleared", at = moment(at_s), lasted = lasted; fig)
            }
            None => said!("alert.not_cleared"; fired),
        });
        let of_fault = evidence
            .summary
            .faults
            .iter()
            .any(|fault| fault.alerts.iter().any(|alert| alert.alert == name));
        found.push(Phenomenon {
            kind: Kind::Alert(name.to_owned()),
            title: said!("alert.title", name = code(name)),
            example: Example::None,
            onset: Some(Onset {
                at_s: first.fired_s,
                vus: None,
            }),
            until_s: last,
            period,
            effect: vec![said!("alert.effect", count = counted(same.len() as u64); times)],
            severity: if of_fault { Severity::P3 } else { Severity::P2 },
            severity_why: if of_fault {
                said!("alert.because_fault"; fired)
            } else {
                said!("alert.because"; fired)
            },
            expected: if of_fault {
                Expected::Yes(said!("alert.expected"; fired))
            } else {
                Expected::No(said!("alert.not_expected"; fired))
            },
        });
    }
    found
}
