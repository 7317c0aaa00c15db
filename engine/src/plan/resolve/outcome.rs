//! Outcomes become rules, and their names labels with a kind.

use crate::history::OutcomeKind;
use crate::plan::{JsonMatch, Label, Rule, StatusMatch};
use crate::scenario::value::Status;
use crate::scenario::{JsonMatch as WrittenMatch, Outcome, Position, Report, did_you_mean, list};

/// Names that say by themselves what they are.
const OWN_MEANING: [(&str, OutcomeKind); 12] = [
    ("issued", OutcomeKind::Issued),
    ("pending", OutcomeKind::Pending),
    ("sold_out", OutcomeKind::SoldOut),
    ("duplicate", OutcomeKind::Duplicate),
    ("replay", OutcomeKind::Replay),
    ("refused", OutcomeKind::Refused),
    ("rate_limited", OutcomeKind::Refused),
    ("not_open", OutcomeKind::Refused),
    ("error", OutcomeKind::Error),
    ("unknown", OutcomeKind::Unknown),
    ("ok", OutcomeKind::Ok),
    // No attempt to get anything; what it gives back is told from its name.
    (Label::RELEASED, OutcomeKind::Ok),
];

/// What `is` may say about another name. The first five names above cannot be borrowed: a report
/// that says `issued` must mean the outcome `issued`.
const IS: [&str; 6] = [
    "refused",
    "rate_limited",
    "not_open",
    "error",
    "unknown",
    "ok",
];

/// A label's number is one byte in the history; the last value means "no label".
const MAX_LABELS: usize = 250;

/// The labels of all steps: the same name is the same label everywhere.
pub(super) struct Labels(Vec<Label>);

impl Default for Labels {
    fn default() -> Self {
        Self(Label::built_in())
    }
}

impl Labels {
    /// The kind of this label; unknown for a number that is none.
    pub(super) fn kind(&self, label: u8) -> OutcomeKind {
        let label = self.0.get(usize::from(label));
        label.map_or(OutcomeKind::Unknown, |label| label.kind)
    }

    /// The name of this label; empty for a number that is none.
    pub(super) fn name(&self, label: u8) -> &str {
        let label = self.0.get(usize::from(label));
        label.map_or("", |label| label.name.as_str())
    }

    pub(super) fn finish(self) -> Vec<Label> {
        self.0
    }

    fn number(
        &mut self,
        name: &str,
        kind: OutcomeKind,
        position: Position,
        report: &mut Report<'_>,
    ) -> Option<u8> {
        let found = self.0.iter().position(|label| label.name == name);
        if let Some(at) = found {
            if self.0[at].kind == kind {
                return Some(at as u8);
            }
            report.error_hint(
                position,
                format!("the outcome `{name}` is something else in another step"),
                "one name has one meaning: choose another name",
            );
            return None;
        }
        if self.0.len() >= MAX_LABELS {
            report.error(
                position,
                format!("at most {MAX_LABELS} outcome names are possible"),
            );
            return None;
        }
        self.0.push(Label {
            name: name.to_owned(),
            kind,
        });
        Some((self.0.len() - 1) as u8)
    }
}

pub(super) fn resolve(
    outcomes: &[Outcome],
    labels: &mut Labels,
    report: &mut Report<'_>,
) -> Option<Vec<Rule>> {
    let rules: Vec<Option<Rule>> = outcomes
        .iter()
        .map(|outcome| {
            let kind = kind_of(outcome, report)?;
            let name = &outcome.name;
            let label = labels.number(name.value.as_str(), kind, name.position, report)?;
            Some(rule(outcome, label))
        })
        .collect();
    rules.into_iter().collect()
}

fn kind_of(outcome: &Outcome, report: &mut Report<'_>) -> Option<OutcomeKind> {
    let name = outcome.name.value.as_str();
    let own = meaning(name);
    if name == "not_sent" {
        report.error_hint(
            outcome.name.position,
            "an answer is never `not_sent`",
            "choose another name; requests that were not sent are counted by themselves",
        );
        return None;
    }
    let Some(is) = &outcome.is else {
        if own.is_none() {
            let fixed = OWN_MEANING.iter().take(5).map(|(name, _)| *name);
            let near = did_you_mean(name, &fixed.collect::<Vec<_>>());
            let hint = if near.starts_with("did") {
                near
            } else {
                format!("write `is:` with one of {}", list(&IS))
            };
            report.error_hint(
                outcome.name.position,
                format!("the outcome `{name}` does not say what it is"),
                hint,
            );
        }
        return own;
    };
    let said = meaning(&is.value);
    match (own, said) {
        (Some(own), Some(said)) if own == said => Some(own),
        (Some(_), _) => {
            report.error_hint(
                is.position,
                format!("the outcome `{name}` cannot be `{}`", is.shown()),
                "its name says what it is: remove `is`, or choose another name",
            );
            None
        }
        (None, Some(said)) if IS.contains(&is.value.as_str()) => Some(said),
        (None, Some(_)) => {
            report.error_hint(
                is.position,
                format!("only the outcome `{0}` itself is `{0}`", is.shown()),
                format!("call it `{}`, with several statuses as a list", is.shown()),
            );
            None
        }
        (None, None) => {
            report.error_hint(
                is.position,
                format!("`{}` is not what an outcome can be", is.shown()),
                did_you_mean(&is.value, &IS),
            );
            None
        }
    }
}

fn meaning(name: &str) -> Option<OutcomeKind> {
    let found = OWN_MEANING.iter().find(|(known, _)| *known == name);
    found.map(|(_, kind)| *kind)
}

/// The conditions, under this label.
pub(super) fn rule(outcome: &Outcome, label: u8) -> Rule {
    let status = |status: &Status| match status {
        Status::Exactly(status) => StatusMatch::Exactly(*status),
        Status::Class(class) => StatusMatch::Class(*class),
    };
    let matched = |matched: &WrittenMatch| match matched {
        WrittenMatch::Equals(value) => JsonMatch::Equals(value.clone()),
        WrittenMatch::AnyOf(values) => JsonMatch::AnyOf(values.clone()),
        WrittenMatch::Exists(exists) => JsonMatch::Exists(*exists),
    };
    Rule {
        label,
        status: outcome.status.iter().map(status).collect(),
        body: outcome.body.clone(),
        matches: outcome.matches.clone(),
        empty: outcome.empty,
        json: outcome
            .json
            .iter()
            .map(|(pointer, value)| (pointer.as_str().to_owned(), matched(value)))
            .collect(),
        headers: outcome
            .headers
            .iter()
            .map(|(name, value)| {
                let value = value.as_ref().map(|value| value.as_str().to_owned());
                (name.as_str().to_owned(), value)
            })
            .collect(),
        coupon: outcome
            .id
            .as_ref()
            .map(|pointer| pointer.as_str().to_owned()),
    }
}
