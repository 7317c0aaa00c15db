//! Findings in the making: cases still name users by key, and get their texts all at once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;

use super::asked::Attempt;
use super::{Case, Evidence, Finding, IssuedRow, Part, Which};
use crate::history::Key;
use crate::verdict::Verdict;

/// A finding whose users have no names yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) checker: &'static str,
    pub(super) parts: Vec<DraftPart>,
    /// The headline if nothing is wrong; else the gravest part speaks.
    pub(super) praise: String,
}

/// A part whose users have no names yet.
#[derive(Debug)]
pub(super) struct DraftPart {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    pub(super) count: u64,
    pub(super) detail: String,
    pub(super) cases: Vec<DraftCase>,
}

impl DraftPart {
    /// A part without cases.
    pub(super) fn new(name: &'static str, verdict: Verdict, count: u64, detail: String) -> Self {
        Self {
            name,
            verdict,
            count,
            detail,
            cases: Vec::new(),
        }
    }

    /// Mere information: it never changes the verdict.
    pub(super) fn information(name: &'static str, count: u64, detail: String) -> Self {
        Self::new(name, Verdict::Pass, count, detail)
    }

    /// Cases prove a violation, so a part that passes shows none.
    pub(super) fn with(mut self, cases: impl FnOnce() -> Vec<DraftCase>) -> Self {
        if self.verdict != Verdict::Pass {
            self.cases = cases();
        }
        self
    }
}

/// A case whose user has no name yet.
#[derive(Debug, Clone)]
pub(super) struct DraftCase {
    which: Which,
    user: Option<Key>,
    inv_ns: Option<u64>,
    ret_ns: Option<u64>,
    /// From sent to answered or given up, where an attempt or a reading shows it.
    time_ns: Option<(u64, u64)>,
    phase: Option<u16>,
    coupon: Option<Key>,
    other: Option<Key>,
    text: String,
}

impl DraftCase {
    /// A case of this user.
    pub(super) fn of(user: Key, text: impl Into<String>) -> Self {
        Self {
            user: Some(user),
            ..Self::of_nobody(0, 0, text.into())
        }
        .without_times()
    }

    /// A case that is no user's: something read from outside.
    pub(super) fn of_nobody(inv_ns: u64, ret_ns: u64, text: String) -> Self {
        Self {
            which: Which::First,
            user: None,
            inv_ns: Some(inv_ns),
            ret_ns: Some(ret_ns),
            time_ns: Some((inv_ns, ret_ns)),
            phase: None,
            coupon: None,
            other: None,
            text,
        }
    }

    fn without_times(mut self) -> Self {
        (self.inv_ns, self.ret_ns, self.time_ns) = (None, None, None);
        self
    }

    /// When it happened, if an attempt shows it.
    pub(super) fn at(mut self, attempt: Option<Attempt>) -> Self {
        self.inv_ns = attempt.map(|attempt| attempt.inv_ns);
        self.ret_ns = attempt.and_then(Attempt::answered_ns);
        self.time_ns = attempt.map(|attempt| (attempt.inv_ns, attempt.over_ns));
        self.phase = attempt.map(|attempt| attempt.phase);
        self
    }

    /// Why it is shown, where no [`Pick`] says so.
    pub(super) fn which(mut self, which: Which) -> Self {
        self.which = which;
        self
    }

    /// The coupon's id is put before the text.
    pub(super) fn coupon(mut self, coupon: Key) -> Self {
        self.coupon = coupon.is_some().then_some(coupon);
        self
    }

    /// Another user's name is put after the text.
    pub(super) fn other(mut self, user: Option<Key>) -> Self {
        self.other = user;
        self
    }
}

/// The first, the worst and the last of many, in any order they come. The user breaks ties, so the
/// same history always shows the same cases.
#[derive(Debug, Clone)]
pub(super) struct Pick<T> {
    /// How many were offered.
    pub(super) count: u64,
    first: Option<(Place, T)>,
    worst: Option<(u64, Place, T)>,
    last: Option<(Place, T)>,
}

type Place = (u64, Key);

impl<T> Default for Pick<T> {
    fn default() -> Self {
        Self {
            count: 0,
            first: None,
            worst: None,
            last: None,
        }
    }
}

impl<T: Copy> Pick<T> {
    /// Takes one case of this user at this time; the heaviest is the worst.
    pub(super) fn offer(&mut self, user: Key, when_ns: u64, weight: u64, item: T) {
        self.count += 1;
        let place = (when_ns, user);
        if self.first.is_none_or(|(known, _)| place < known) {
            self.first = Some((place, item));
        }
        let graver = |(known, at, _)| (weight, Reverse(place)) > (known, Reverse(at));
        if self.worst.is_none_or(graver) {
            self.worst = Some((weight, place, item));
        }
        if self.last.is_none_or(|(known, _)| place > known) {
            self.last = Some((place, item));
        }
    }

    /// The gravest.
    pub(super) fn worst(&self) -> Option<T> {
        self.worst.map(|(_, _, item)| item)
    }

    /// The cases in words; one that is both first and worst is shown once.
    pub(super) fn cases(&self, describe: impl Fn(T) -> DraftCase) -> Vec<DraftCase> {
        let worst = self.worst.map(|(_, place, item)| (place, item));
        let picks = [
            (Which::First, self.first),
            (Which::Worst, worst),
            (Which::Last, self.last),
        ];
        let mut shown: Vec<Place> = Vec::new();
        let mut cases = Vec::new();
        for (which, pick) in picks {
            if let Some((place, item)) = pick.filter(|(place, _)| !shown.contains(place)) {
                shown.push(place);
                cases.push(DraftCase {
                    which,
                    ..describe(item)
                });
            }
        }
        cases
    }
}

/// Gives every user that is shown a name and every finding its verdict and headline.
pub(super) fn finish(drafts: Vec<Draft>, evidence: &Evidence<'_>) -> io::Result<Vec<Finding>> {
    let names = Names::of(&drafts, evidence)?;
    Ok(drafts
        .into_iter()
        .map(|draft| draft.finish(&names, evidence))
        .collect())
}

impl Draft {
    fn finish(self, names: &Names, evidence: &Evidence<'_>) -> Finding {
        let verdict = Verdict::worst(self.parts.iter().map(|part| part.verdict));
        let gravest = self.parts.iter().find(|part| part.verdict == verdict);
        let headline = match gravest {
            Some(part) if verdict != Verdict::Pass => part.detail.clone(),
            _ => self.praise,
        };
        let parts = self.parts.into_iter().map(|part| Part {
            name: part.name.to_owned(),
            verdict: part.verdict,
            count: part.count,
            detail: part.detail,
            cases: part
                .cases
                .into_iter()
                .map(|case| case.finish(names, evidence))
                .collect(),
        });
        Finding {
            checker: self.checker.to_owned(),
            verdict,
            headline,
            parts: parts.collect(),
        }
    }
}

impl DraftCase {
    fn finish(self, names: &Names, evidence: &Evidence<'_>) -> Case {
        let mut text = self.text;
        if let Some(coupon) = self.coupon {
            text = format!("coupon {}: {text}", names.coupon(coupon));
        }
        if let Some(other) = self.other {
            text = format!("{text} {}", names.user(other));
        }
        let phase = self.phase.map(|phase| evidence.plan.phase_name(phase));
        Case {
            which: self.which,
            user: self
                .user
                .map_or_else(|| "-".to_owned(), |user| names.user(user)),
            inv_ns: self.inv_ns,
            ret_ns: self.ret_ns,
            phase: phase.map(str::to_owned),
            faults: evidence.faults_in(self.time_ns),
            text,
        }
    }
}

/// The texts behind the few hashed keys that are shown.
struct Names {
    users: HashMap<Key, Option<String>>,
    coupons: HashMap<Key, Option<String>>,
}

impl Names {
    fn of(drafts: &[Draft], evidence: &Evidence<'_>) -> io::Result<Self> {
        let cases = || {
            let parts = drafts.iter().flat_map(|draft| &draft.parts);
            parts.flat_map(|part| &part.cases)
        };
        let mut names = Self {
            users: hashed(cases().flat_map(|case| [case.user, case.other])),
            coupons: hashed(cases().map(|case| case.coupon)),
        };
        if !names.users.is_empty() || !names.coupons.is_empty() {
            rows(evidence).for_each(|row| names.learn(row));
        }
        let unnamed = names.users.iter().filter(|(_, name)| name.is_none());
        let unnamed: Vec<Key> = unnamed.map(|(key, _)| *key).collect();
        if !unnamed.is_empty() {
            let found = evidence.history.names(&unnamed)?;
            names
                .users
                .extend(found.into_iter().map(|(key, name)| (key, Some(name))));
        }
        Ok(names)
    }

    fn learn(&mut self, row: &IssuedRow) {
        if let Some(name) = self.users.get_mut(&Key::of(&row.user)) {
            *name = Some(row.user.clone());
        }
        let Some(id) = &row.id else { return };
        if let Some(name) = self.coupons.get_mut(&Key::of(id)) {
            *name = Some(id.clone());
        }
    }

    fn user(&self, key: Key) -> String {
        text_of(&self.users, key)
    }

    fn coupon(&self, key: Key) -> String {
        text_of(&self.coupons, key)
    }
}

fn hashed(keys: impl Iterator<Item = Option<Key>>) -> HashMap<Key, Option<String>> {
    keys.flatten()
        .filter(|key| key.number().is_none())
        .map(|key| (key, None))
        .collect()
}

fn rows<'a>(evidence: &Evidence<'a>) -> impl Iterator<Item = &'a IssuedRow> {
    let observations = evidence.observations;
    let reads = [
        &observations.baseline,
        &observations.last,
        &observations.second,
    ];
    reads.into_iter().flatten().flat_map(|read| &read.rows)
}

fn text_of(names: &HashMap<Key, Option<String>>, key: Key) -> String {
    let known = names.get(&key).cloned().flatten();
    known.unwrap_or_else(|| match key.number() {
        Some(number) => number.to_string(),
        // Only the key is left of it: enough to find the record in the history.
        None => format!("#{:016x}", key.0),
    })
}

/// "1 row", "2 rows": every number that is shown has its unit.
pub(super) fn count_of(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}
