//! A part through which all must pass one by one (a lock, a pool, a single thread): many more users
//! bring few more successes.

use super::super::evidence::counted;
use super::super::figure::{Figures, How};
use super::super::stats::mean;
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::history::OutcomeKind;
use crate::measure::{Second, Unit};
use crate::messages::said;

/// Seconds of a window.
const WINDOW: usize = 10;

/// With fewer times the users nothing can be said.
const MORE_VUS: f64 = 1.3;

/// Successes grow as the users to this power; 1 is in step with them, and below this it is not.
const ELASTIC: f64 = 0.5;

/// Below this they do not grow at all.
const RIGID: f64 = 0.1;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    let seconds = evidence.seconds;
    let names = |wanted: fn(OutcomeKind) -> bool| -> Vec<String> {
        let labels = evidence
            .plan
            .labels
            .iter()
            .filter(|label| wanted(label.kind));
        labels.map(|label| label.name.clone()).collect()
    };
    let good = names(|kind| {
        kind.is_acknowledged() || matches!(kind, OutcomeKind::Pending | OutcomeKind::Ok)
    });
    let sold_out = names(|kind| kind == OutcomeKind::SoldOut);
    let count = |one: &Second, names: &[String]| -> u64 {
        names.iter().filter_map(|name| one.outcomes.get(name)).sum()
    };
    // Where nothing is left nobody succeeds, whatever the system could do.
    let end = seconds.iter().position(|one| count(one, &sold_out) > 0);
    let end = end.unwrap_or(seconds.len()).min(context.to);
    let start = context.from.saturating_sub(WINDOW / 2);
    let first = start..start + WINDOW;
    let last = end.saturating_sub(WINDOW).max(first.end)..end;
    if last.len() < WINDOW / 2 {
        let fig = nowhere("seconds behind the onset with something left", figures);
        return Weighed::NotMeasured(said!("cause.serial.not_measured"; fig));
    }
    let of = |range: &std::ops::Range<usize>, of: &dyn Fn(&Second) -> f64| {
        mean(seconds[range.clone()].iter().map(of)).unwrap_or_default()
    };
    let vus = |one: &Second| one.vus as f64;
    let rate = |one: &Second| count(one, &good) as f64 / one.length_s.max(1e-3);
    let windows = [&first, &last];
    let vus = windows.map(|range| of(range, &vus));
    let rates = windows.map(|range| of(range, &rate));
    let mut cite = |value: String, range: &std::ops::Range<usize>, field: &str| {
        figures.cite(
            value,
            evidence.lines(range.start, range.end, How::Mean, field),
        )
    };
    let field = good
        .iter()
        .filter(|name| seconds.iter().any(|one| one.outcomes.contains_key(*name)));
    let field: Vec<_> = field.map(|name| format!("outcomes.{name}")).collect();
    let field = field.join(" + ");
    let shown_vus = vus.map(|vus| counted(vus.round() as u64));
    let shown_rates = rates.map(|rate| Unit::CountRate.show(rate));
    let figs = [
        cite(shown_vus[0].clone(), &first, "vus"),
        cite(shown_vus[1].clone(), &last, "vus"),
        cite(shown_rates[0].clone(), &first, &field),
        cite(shown_rates[1].clone(), &last, &field),
    ];
    let [few, many] = shown_vus;
    let [before, after] = shown_rates;
    if vus[1] < vus[0] * MORE_VUS || rates[0] <= 0.0 {
        return Weighed::NotSeen(said!("cause.serial.few_vus",
            before = few, after = many; figs[0], figs[1]));
    }
    let elastic = (rates[1].max(1e-9) / rates[0]).ln() / (vus[1] / vus[0]).ln();
    if elastic > ELASTIC {
        return Weighed::NotSeen(said!("cause.serial.not_seen",
            vus = few, more = many, before = before, after = after;
            figs[0], figs[1], figs[2], figs[3]));
    }
    let lock = nowhere("waiting time for locks inside of the server", figures);
    Weighed::Seen(Hypothesis {
        title: said!("cause.serial.title"; figs[2], figs[3]),
        points: if elastic > RIGID { 2 } else { 3 },
        support: vec![said!("cause.serial.support",
            vus = few, more = many, before = before, after = after;
            figs[0], figs[1], figs[2], figs[3])],
        missing: vec![said!("cause.serial.missing"; lock)],
    })
}
