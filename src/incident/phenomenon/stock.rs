//! Nothing was left before the load had ended: when, and after how many requests.

use super::super::evidence::{Evidence, counted, share};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::outcome::rule_of;
use super::{Expected, Kind, Phenomenon, period};
use crate::history::OutcomeKind;
use crate::measure::Second;
use crate::messages::said;
use crate::verdict::Verdict;

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Option<Phenomenon> {
    let names = names(evidence, OutcomeKind::SoldOut);
    let of = |second: &Second| sum(second, &names);
    let first = evidence.seconds.iter().position(|second| of(second) > 0)?;
    let (onset, mut period) = period(evidence, first, None, figures);
    let requests = |second: &Second| second.requests;
    let (before, before_fig) = evidence.sum(0, first + 1, "requests", requests, figures);
    period.push(said!("stock.after", count = counted(before); before_fig));
    let last = evidence.seconds.len();
    let field = names.iter().map(|name| format!("outcomes.{name}"));
    let field = field.collect::<Vec<_>>().join(" + ");
    let (told, told_fig) = evidence.sum(first, last, &field, of, figures);
    let (tried, tried_fig) = evidence.sum(first, last, "requests", requests, figures);
    let shown = share(told, tried);
    let effect = vec![
        said!("stock.effect",
            count = counted(told), tried = counted(tried), share = shown; told_fig, tried_fig),
        said!("stock.users"; told_fig),
    ];
    Some(Phenomenon {
        kind: Kind::SoldOut,
        title: said!("stock.title"),
        example: rule_of(evidence, OutcomeKind::SoldOut),
        onset: Some(onset),
        until_s: None,
        period,
        effect,
        severity: Severity::P3,
        severity_why: said!("severity.because_business"; told_fig),
        expected: expected(evidence, figures),
    })
}

/// It has to be reckoned with where the stock is finite; whether it came too early is what the
/// invariant `stock` says.
fn expected(evidence: &Evidence<'_>, figures: &mut Figures) -> Expected {
    let mut invariants = evidence.summary.invariants.iter();
    let judged = invariants.position(|one| one.name == "stock");
    let verdict = judged.map(|at| (at, evidence.summary.invariants[at].verdict));
    let stock = evidence.plan.subject.as_ref().map(|subject| {
        let source = Source::Plan(format!("subject: stock {}", subject.stock));
        (
            counted(subject.stock),
            figures.cite(counted(subject.stock), source),
        )
    });
    match (stock, verdict) {
        (Some((stock, fig)), Some((at, Verdict::Pass))) => {
            let source = Source::Summary(format!("/invariants/{at}/verdict"));
            let held = figures.cite("pass", source);
            Expected::Yes(said!("stock.expected", stock = stock; fig, held))
        }
        (_, Some((at, Verdict::Fail))) => {
            let source = Source::Summary(format!("/invariants/{at}/verdict"));
            let fig = figures.cite("fail", source);
            Expected::No(said!("stock.not_expected"; fig))
        }
        (Some((stock, fig)), _) => {
            Expected::Yes(said!("stock.expected_unjudged", stock = stock; fig))
        }
        (None, _) => {
            let fig = figures.cite(
                super::super::NO_DATA,
                Source::NotMeasured("subject.coupon.stock".to_owned()),
            );
            Expected::Yes(said!("stock.expected_unknown"; fig))
        }
    }
}

/// All outcomes of a kind.
pub(super) fn names(evidence: &Evidence<'_>, kind: OutcomeKind) -> Vec<String> {
    let labels = evidence
        .plan
        .labels
        .iter()
        .filter(|label| label.kind == kind);
    labels.map(|label| label.name.clone()).collect()
}

/// Attempts of a second with one of these outcomes.
pub(super) fn sum(second: &Second, names: &[String]) -> u64 {
    let counts = names.iter().filter_map(|name| second.outcomes.get(name));
    counts.sum()
}
