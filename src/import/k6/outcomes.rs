//! What the script says about its answers becomes outcomes, and where it does not say, a TODO.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::flow::{Case, Told};

/// An outcome of the scenario.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) line: usize,
    pub(super) name: String,
    /// For a name that does not say it by itself.
    pub(super) is: Option<&'static str>,
    pub(super) case: Case,
    /// Several values that may stand at the case's only pointer.
    pub(super) others: Vec<Json>,
    /// Why a person has to look at it.
    pub(super) doubt: Option<&'static str>,
}

/// What words say about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    Issued,
    SoldOut,
    Duplicate,
    LockFailed,
    RateLimited,
}

const WORDS: [(Hint, &[&str]); 5] = [
    (
        Hint::SoldOut,
        &[
            "sold", "stock", "empty", "exhaust", "매진", "품절", "소진", "재고", "마감", "售罄",
            "库存", "抢光",
        ],
    ),
    (
        Hint::Duplicate,
        &["duplic", "already", "dup_", "중복", "이미", "重复", "已领"],
    ),
    (Hint::LockFailed, &["lock", "락"]),
    (
        Hint::RateLimited,
        &["rate limit", "ratelimit", "too many", "throttl"],
    ),
    (
        Hint::Issued,
        &["success", "issued", "created", "성공", "成功"],
    ),
];

/// What the words say, if they say one thing.
fn hint(words: &str) -> Option<Hint> {
    // A counter that is not moved says nothing.
    let moved = words
        .split(['\n', ';'])
        .filter(|line| !line.contains(".add(0)"));
    let words = moved.collect::<Vec<_>>().join("\n").to_lowercase();
    let says = |(_, parts): &&(Hint, &[&str])| parts.iter().any(|part| words.contains(part));
    let mut found = WORDS.iter().filter(says).map(|(hint, _)| *hint);
    match (found.next(), found.next()) {
        // "already issued": what was refused says so first, success only by the way.
        (Some(hint), None | Some(Hint::Issued)) => Some(hint),
        _ => None,
    }
}

/// The outcomes of a step that asks for something, the particular before the general.
pub(super) fn outcomes(told: &[Told]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for told in told.iter().filter(|told| {
        told.case
            .status
            .as_ref()
            .is_none_or(|status| !status.is_empty())
    }) {
        for outcome in split(told) {
            add(&mut outcomes, outcome);
        }
    }
    // A system that says it in the body says nothing with the status alone.
    let particular = outcomes
        .iter()
        .any(|outcome| outcome.name == "issued" && !outcome.case.is_plain());
    outcomes.retain(|outcome| !(particular && outcome.name == "issued" && outcome.case.is_plain()));
    outcomes.sort_by_key(|outcome| outcome.case.is_plain());
    outcomes
}

/// One check may be about several statuses, which mean several things.
fn split(told: &Told) -> Vec<Outcome> {
    let Some(status) = told.case.status.as_ref().filter(|_| told.case.is_plain()) else {
        return vec![outcome(told, told.case.clone())];
    };
    let mut parts: Vec<BTreeSet<u16>> = Vec::new();
    for class in 1..6 {
        let mut of_class: BTreeSet<u16> = status
            .iter()
            .copied()
            .filter(|status| status / 100 == class)
            .collect();
        // Accepted is not yet issued.
        if of_class.len() < 100 && of_class.remove(&202) {
            parts.push(BTreeSet::from([202]));
        }
        if of_class.len() == 100 || class < 4 {
            parts.push(of_class);
        } else {
            parts.extend(of_class.into_iter().map(|status| BTreeSet::from([status])));
        }
    }
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts
        .map(|part| {
            outcome(
                told,
                Case {
                    status: Some(part),
                    ..told.case.clone()
                },
            )
        })
        .collect()
}

fn outcome(told: &Told, case: Case) -> Outcome {
    let first = case
        .status
        .as_ref()
        .and_then(|status| status.first().copied());
    let inside: Vec<String> = case
        .json
        .iter()
        .filter_map(|(_, value)| value.as_ref().map(Json::to_string))
        .chain(case.body.clone())
        .collect();
    let by_body = hint(&inside.join(" "));
    let by_words = hint(&told.words).filter(|hint| *hint != Hint::Issued);
    let (name, is, doubt) = match (by_body, first) {
        (None, Some(202)) => (
            "pending".to_owned(),
            None,
            Some("accepted, or issued at once?"),
        ),
        (None, Some(200..300)) => ("issued".to_owned(), None, None),
        (None, Some(429)) => named(Hint::RateLimited, None),
        (None, status) => match (by_words, status) {
            (Some(hint), _) => named(hint, Some("guessed from the words of the script")),
            (None, Some(status)) => (
                format!("status_{status}"),
                Some("unknown"),
                Some("sold out, duplicate, or what else?"),
            ),
            (None, None) => (
                "answered".to_owned(),
                Some("unknown"),
                Some("what does this answer mean?"),
            ),
        },
        (Some(hint), _) => named(hint, Some("guessed from the words of the answer")),
    };
    Outcome {
        line: told.line,
        name,
        is,
        case,
        others: Vec::new(),
        doubt,
    }
}

fn named(
    hint: Hint,
    doubt: Option<&'static str>,
) -> (String, Option<&'static str>, Option<&'static str>) {
    let (name, is) = match hint {
        Hint::Issued => ("issued", None),
        Hint::SoldOut => ("sold_out", None),
        Hint::Duplicate => ("duplicate", None),
        Hint::LockFailed => ("lock_failed", Some("refused")),
        Hint::RateLimited => ("rate_limited", None),
    };
    (name.to_owned(), is, doubt)
}

/// Joins it with one that says the same, or gives it a name of its own.
fn add(outcomes: &mut Vec<Outcome>, mut new: Outcome) {
    let covered = |old: &Outcome| {
        old.case.is_plain()
            && new.case.is_plain()
            && new
                .case
                .status
                .as_ref()
                .zip(old.case.status.as_ref())
                .is_some_and(|(new, old)| new.is_subset(old))
    };
    // A status that is accepted again somewhere else, in words that say less, says nothing new.
    if let Some(old) = outcomes.iter_mut().find(|old| covered(old)) {
        if old.name.starts_with("status_") && !new.name.starts_with("status_") {
            *old = new;
        }
        return;
    }
    let Some(old) = outcomes.iter_mut().find(|old| old.name == new.name) else {
        outcomes.push(new);
        return;
    };
    if old.case.is_plain() && new.case.is_plain() {
        let more = new.case.status.unwrap_or_default();
        old.case.status.get_or_insert_default().extend(more);
        return;
    }
    if old.case == new.case {
        return;
    }
    if let ([(at, _)], [(same, Some(value))]) = (old.case.json.as_slice(), new.case.json.as_slice())
        && (at, &old.case.status, &old.case.body) == (same, &new.case.status, &new.case.body)
    {
        old.others.push(value.clone());
        return;
    }
    // The general one is dropped beside the particular; two particular ones need two names.
    if new.case.is_plain() {
        return;
    }
    if old.case.is_plain() {
        *old = new;
        return;
    }
    let again = outcomes
        .iter()
        .filter(|old| old.name.starts_with(&new.name))
        .count()
        + 1;
    new.name = format!("{}_{again}", new.name);
    new.is = Some("unknown");
    new.doubt = Some("a name can be used once: can both be said in one outcome?");
    outcomes.push(new);
}
