//! A fault that was active, or not recovered from, when the phenomenon began.

use super::super::evidence::{lasting, moment};
use super::super::figure::{Figures, Source};
use super::{Context, Hypothesis, Weighed};
use crate::messages::{code, said};

/// The histories of seconds begin up to this long before what they hold has happened.
const EARLY_S: f64 = 1.0;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    let faults = context.evidence.summary.faults.iter().enumerate();
    let onset = context.onset_s;
    let active = faults.clone().filter_map(|(at, fault)| {
        let applied_s = fault.applied_s?;
        let end_s = fault
            .recovered_s
            .or(fault.healed_s)
            .unwrap_or(f64::INFINITY);
        (applied_s - EARLY_S <= onset && onset <= end_s).then_some((at, fault, applied_s))
    });
    // The one that began last is the nearest.
    let nearest = active.max_by(|one, two| one.2.total_cmp(&two.2));
    let Some((at, fault, applied_s)) = nearest else {
        let source = Source::Summary("/faults".to_owned());
        let happened = faults
            .filter(|(_, fault)| fault.applied_s.is_some())
            .count();
        let fig = figures.cite(happened.to_string(), source);
        return Weighed::NotSeen(said!("cause.fault.none"; fig));
    };
    let mut cite = |field: &str, value: String| {
        figures.cite(value, Source::Summary(format!("/faults/{at}/{field}")))
    };
    let applied = cite("applied_s", moment(applied_s));
    let after = lasting((onset - applied_s).max(0.0));
    let mut points = 4;
    let mut support = vec![said!("cause.fault.active",
        name = code(fault.fault.clone()), at = moment(applied_s), after = after; applied)];
    if fault.effect_seen {
        let fig = cite("effect_seen", "true".to_owned());
        support.push(said!("cause.fault.bites"; fig));
        points += 1;
    }
    if let Some(recovered_s) = fault.recovered_s {
        let fig = cite("recovered_s", moment(recovered_s));
        support.push(said!("cause.fault.recovered", at = moment(recovered_s); fig));
        points += 1;
    }
    Weighed::Seen(Hypothesis {
        title: said!("cause.fault.title", name = code(fault.fault.clone()); applied),
        points,
        support,
        missing: vec![said!("cause.fault.missing"; applied)],
    })
}
