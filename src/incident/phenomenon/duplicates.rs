//! Users who asked again for what they hold: expected as far as the scenario repeats them.

use super::super::evidence::{Evidence, counted, share};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::outcome::rule_of;
use super::stock::{names, sum};
use super::{Example, Expected, Kind, Phenomenon, period};
use crate::history::OutcomeKind;
use crate::measure::{Second, Unit};
use crate::messages::{Said, said};
use crate::plan::{Draw, Per};

/// Standard deviations by which chance alone may exceed the share that was asked for.
const CHANCE: f64 = 4.0;

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Option<Phenomenon> {
    let names = names(evidence, OutcomeKind::Duplicate);
    let of = |second: &Second| sum(second, &names);
    let outcomes = &evidence.summary.outcomes;
    let count: u64 = names.iter().filter_map(|name| outcomes.get(name)).sum();
    if count == 0 {
        return None;
    }
    let requests = evidence.summary.requests;
    let name = names.iter().find(|name| outcomes.contains_key(*name))?;
    let source = Source::Summary(format!("/outcomes/{name}"));
    let count_fig = figures.cite(counted(count), source);
    let all = Source::Summary("/requests".to_owned());
    let all = figures.cite(counted(requests), all);
    let first = evidence.seconds.iter().position(|second| of(second) > 0);
    let (onset, period): (_, Vec<Said>) = match first {
        Some(first) => {
            let with_one = |second: &Second| of(second) > 0;
            let last = evidence.seconds.iter().rposition(with_one);
            let to = last.map(|last| last + 1);
            let to = to.filter(|to| *to < evidence.seconds.len());
            let (onset, period) = period(evidence, first, to, figures);
            (Some(onset), period)
        }
        None => (None, vec![said!("period.unknown"; count_fig)]),
    };
    let shown = share(count, requests);
    let expected = expected(evidence, count, figures);
    let severity = if expected.is() {
        Severity::P3
    } else {
        Severity::P2
    };
    Some(Phenomenon {
        kind: Kind::Duplicates,
        title: said!("duplicates.title"),
        example: match rule_of(evidence, OutcomeKind::Duplicate) {
            Example::Rule(rule) => Example::Rule(rule),
            _ => Example::None,
        },
        onset,
        until_s: None,
        period,
        effect: vec![
            said!("duplicates.effect",
                count = counted(count), tried = counted(requests), share = shown;
                count_fig, all),
            said!("duplicates.users"; count_fig),
        ],
        severity,
        severity_why: match severity {
            Severity::P3 => said!("severity.because_business"; count_fig),
            _ => said!("duplicates.because_more"; count_fig),
        },
        expected,
    })
}

fn expected(evidence: &Evidence<'_>, count: u64, figures: &mut Figures) -> Expected {
    let users = &evidence.plan.users;
    let mut plan = |text: &str, value: String| figures.cite(value, Source::Plan(text.to_owned()));
    if users.draw == Draw::AtRandom {
        let fig = plan("users: at random", counted(users.pool));
        return Expected::Yes(said!("duplicates.at_random"; fig));
    }
    if users.per == Per::Vu {
        let fig = plan("users: one for each VU", counted(evidence.summary.vus_max));
        return Expected::Yes(said!("duplicates.per_vu"; fig));
    }
    if users.repeat > 0.0 {
        let planned = Unit::Share.show(users.repeat);
        let fig = plan("users: repeat", planned.clone());
        let tries = evidence.summary.requests as f64;
        let deviation = (tries * users.repeat * (1.0 - users.repeat)).sqrt();
        let most = tries * users.repeat + CHANCE * deviation;
        return if count as f64 <= most {
            Expected::Yes(said!("duplicates.repeat", planned = planned; fig))
        } else {
            Expected::No(said!("duplicates.more_than_repeat", planned = planned; fig))
        };
    }
    let fig = plan("users: repeat", Unit::Share.show(0.0));
    Expected::No(said!("duplicates.nobody_repeats"; fig))
}
