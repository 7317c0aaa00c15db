//! Finds outcome rules that no answer can reach, because an earlier rule takes all of them.

use crate::plan::{JsonMatch, Rule, StatusMatch};
use crate::scenario::{Outcome, Report};

/// Warns of every rule behind one that matches whatever it matches.
pub(super) fn check(outcomes: &[Outcome], rules: &[Rule], report: &mut Report<'_>) {
    for (at, rule) in rules.iter().enumerate() {
        if let Some(earlier) = rules[..at].iter().position(|earlier| covers(earlier, rule)) {
            report.warning(
                outcomes[at].name.position,
                format!(
                    "the outcome `{}` is never reached: `{}` above it takes every such answer",
                    outcomes[at].name.value, outcomes[earlier].name.value
                ),
                "the first match wins: put the narrower outcome first",
            );
        }
    }
}

/// Whether every answer that the later rule matches is matched by the earlier one. Sound: a
/// condition that is not understood as implied counts as narrower.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    let status = earlier.status.is_empty()
        || (!later.status.is_empty()
            && later
                .status
                .iter()
                .all(|status| earlier.status.iter().any(|wide| contains(*wide, *status))));
    let body = earlier.body.as_ref().is_none_or(|text| {
        let inside = |later: &String| later.contains(text.as_str());
        later.body.as_ref().is_some_and(inside)
    });
    let json = earlier.json.iter().all(|(pointer, wide)| {
        let mut same = later.json.iter().filter(|(other, _)| other == pointer);
        same.any(|(_, narrow)| implies(narrow, wide))
    });
    let headers = earlier.headers.iter().all(|(name, wide)| {
        let mut same = later.headers.iter().filter(|(other, _)| other == name);
        same.any(|(_, narrow)| wide.is_none() || wide == narrow)
    });
    let matches = earlier.matches.is_none() || earlier.matches == later.matches;
    let empty = earlier.empty.is_none() || earlier.empty == later.empty;
    status && body && json && headers && matches && empty
}

fn contains(wide: StatusMatch, narrow: StatusMatch) -> bool {
    match narrow {
        StatusMatch::Exactly(status) => wide.matches(status),
        StatusMatch::Class(_) => wide == narrow,
    }
}

fn implies(narrow: &JsonMatch, wide: &JsonMatch) -> bool {
    match (narrow, wide) {
        (JsonMatch::Equals(value), JsonMatch::AnyOf(values)) => values.contains(value),
        (JsonMatch::AnyOf(some), JsonMatch::AnyOf(more)) => {
            some.iter().all(|value| more.contains(value))
        }
        (JsonMatch::Equals(value), JsonMatch::Exists(true)) => !value.is_null(),
        _ => narrow == wide,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(status: &[StatusMatch], body: Option<&str>) -> Rule {
        Rule {
            label: 0,
            status: status.to_vec(),
            body: body.map(str::to_owned),
            matches: None,
            empty: None,
            json: Vec::new(),
            headers: Vec::new(),
            coupon: None,
        }
    }

    #[test]
    fn a_wider_rule_covers_a_narrower_one() {
        use StatusMatch::{Class, Exactly};
        let table = [
            (rule(&[], None), rule(&[Exactly(200)], None), true),
            (
                rule(&[Class(4)], None),
                rule(&[Exactly(409)], Some("x")),
                true,
            ),
            (rule(&[Exactly(400)], None), rule(&[Class(4)], None), false),
            (
                rule(&[Exactly(400)], Some("out")),
                rule(&[Exactly(400)], None),
                false,
            ),
            (rule(&[], Some("out")), rule(&[], Some("sold out")), true),
            (rule(&[Exactly(200)], None), rule(&[], None), false), // others reach the second
        ];
        for (earlier, later, expected) in table {
            assert_eq!(covers(&earlier, &later), expected, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn a_json_condition_is_narrower_than_existence() {
        let exists = JsonMatch::Exists(true);
        assert!(implies(&JsonMatch::Equals(json!(1)), &exists));
        assert!(!implies(&exists, &JsonMatch::Equals(json!(1))));
        assert!(!implies(&JsonMatch::Equals(json!(null)), &exists));
    }
}
