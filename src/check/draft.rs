//! Findings in the making: cases still name users by key, and get their texts all at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io;

use super::asked::Attempt;
use super::explain::{About, Gathered, Subject, gather, tell};
use super::recorded::Thing;
use super::{Case, Evidence, Explanation, Finding, Part, RowView, Which};
use crate::history::Key;
use crate::plan::Invariant;
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
    thing: Option<Thing>,
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
            thing: None,
            other: None,
            text,
        }
    }

    /// A case of somebody who is not known.
    pub(super) fn unowned(text: impl Into<String>) -> Self {
        Self::of_nobody(0, 0, text.into()).without_times()
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

    /// Whom and what its story is about.
    fn subject(&self, about: About) -> Subject {
        Subject {
            about,
            users: self.user.into_iter().chain(self.other).collect(),
            thing: self.thing,
            time_ns: self.time_ns,
            coupon: self.coupon,
            text: self.text.clone(),
        }
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

    /// What it is about is put before the text.
    pub(super) const fn about(mut self, thing: Thing) -> Self {
        self.thing = Some(thing);
        self
    }

    /// Another user's name is put after the text.
    pub(super) fn other(mut self, user: Option<Key>) -> Self {
        self.other = user;
        self
    }
}

/// The first, the worst and the last of many, and the earliest to be listed, in any order they come.
/// The user breaks ties, so the same history always shows the same cases.
#[derive(Debug, Clone)]
pub(super) struct Pick<T> {
    /// How many were offered.
    pub(super) count: u64,
    first: Option<(Place, T)>,
    worst: Option<(u64, Place, T)>,
    last: Option<(Place, T)>,
    /// At most [`Part::MOST_LISTED`]; the number tells apart what is at the same place.
    earliest: BTreeMap<(Place, u64), T>,
    /// What comes later than this is not among the earliest.
    until: Place,
}

type Place = (u64, Key);

impl<T> Default for Pick<T> {
    fn default() -> Self {
        Self {
            count: 0,
            first: None,
            worst: None,
            last: None,
            earliest: BTreeMap::new(),
            until: (u64::MAX, Key::NONE),
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
        if place <= self.until {
            self.keep(place, item);
        }
    }

    fn keep(&mut self, place: Place, item: T) {
        self.earliest.insert((place, self.count), item);
        if self.earliest.len() > Part::MOST_LISTED {
            self.earliest.pop_last();
            let last = self.earliest.last_key_value();
            self.until = last.map_or(self.until, |((place, _), _)| *place);
        }
    }

    /// The gravest.
    pub(super) fn worst(&self) -> Option<T> {
        self.worst.map(|(_, _, item)| item)
    }

    /// The cases in words: those that are shown, of which one that is both first and worst is there
    /// once, then all that are listed.
    pub(super) fn cases(&self, describe: impl Fn(T) -> DraftCase) -> Vec<DraftCase> {
        let worst = self.worst.map(|(_, place, item)| (place, item));
        let picks = [
            (Which::First, self.first),
            (Which::Worst, worst),
            (Which::Last, self.last),
        ];
        let mut shown: Vec<Place> = Vec::new();
        let mut cases = Vec::with_capacity(picks.len() + self.earliest.len());
        for (which, pick) in picks {
            if let Some((place, item)) = pick.filter(|(place, _)| !shown.contains(place)) {
                shown.push(place);
                cases.push(DraftCase {
                    which,
                    ..describe(item)
                });
            }
        }
        cases.extend(self.earliest.values().map(|item| DraftCase {
            which: Which::Any,
            ..describe(*item)
        }));
        cases
    }
}

/// Gives every user that is shown a name and every finding its verdict and headline.
pub(super) fn finish(drafts: Vec<Draft>, evidence: &Evidence<'_>) -> io::Result<Vec<Finding>> {
    let subjects = drafts.iter().flat_map(Draft::subjects);
    let gathered = gather(evidence, subjects.take(MOST_EXPLAINED).collect())?;
    let names = Names::of(&drafts, &gathered, evidence)?;
    let mut explanations = gathered.iter().map(|one| tell(one, &names, evidence));
    Ok(drafts
        .into_iter()
        .map(|draft| draft.finish(&names, evidence, &mut explanations))
        .collect())
}

/// Parts whose gravest case is told as a story. Of more than these nobody reads all.
const MOST_EXPLAINED: usize = 12;

impl Draft {
    /// Of each part that has a case, in order.
    fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let gravest = self.parts.iter().filter_map(DraftPart::gravest);
        let about = if self.checker == Invariant::Queue.name() {
            About::Queue
        } else {
            About::Subject
        };
        gravest.map(move |case| case.subject(about))
    }

    fn finish(
        self,
        names: &Names,
        evidence: &Evidence<'_>,
        explanations: &mut impl Iterator<Item = Explanation>,
    ) -> Finding {
        let verdict = Verdict::worst(self.parts.iter().map(|part| part.verdict));
        let gravest = self.parts.iter().find(|part| part.verdict == verdict);
        let headline = match gravest {
            Some(part) if verdict != Verdict::Pass => part.detail.clone(),
            _ => self.praise,
        };
        let parts = self.parts.into_iter().map(|part| {
            let explanation = part.gravest().is_some().then(|| explanations.next());
            part.finish(names, evidence, explanation.flatten())
        });
        Finding {
            checker: self.checker.to_owned(),
            verdict,
            headline,
            parts: parts.collect(),
        }
    }
}

impl DraftPart {
    /// The case whose story is told.
    fn gravest(&self) -> Option<&DraftCase> {
        let worst = self.cases.iter().find(|case| case.which == Which::Worst);
        worst.or(self.cases.first())
    }

    fn finish(
        self,
        names: &Names,
        evidence: &Evidence<'_>,
        explanation: Option<Explanation>,
    ) -> Part {
        let cases = self.cases.into_iter();
        let cases = cases.map(|case| case.finish(names, evidence));
        let (all, shown): (Vec<_>, Vec<_>) = cases.partition(|case| case.which == Which::Any);
        // What is shown without having been picked is all that there is.
        let all = if all.is_empty() { shown.clone() } else { all };
        Part {
            name: self.name.to_owned(),
            verdict: self.verdict,
            count: self.count,
            detail: self.detail,
            cases: shown,
            explanation,
            listed: all.len() as u64,
            all,
        }
    }
}

impl DraftCase {
    fn finish(self, names: &Names, evidence: &Evidence<'_>) -> Case {
        let mut text = self.text;
        if let Some(coupon) = self.coupon {
            text = format!("coupon {}: {text}", names.coupon(coupon));
        }
        if let Some(thing) = self.thing {
            text = format!("{}: {text}", names.thing(thing));
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
pub(super) struct Names {
    users: HashMap<Key, Option<String>>,
    coupons: HashMap<Key, Option<String>>,
    /// Seats, idempotency keys and accounts.
    things: HashMap<Key, Option<String>>,
}

impl Names {
    fn of(drafts: &[Draft], told: &[Gathered], evidence: &Evidence<'_>) -> io::Result<Self> {
        let cases = || {
            let parts = drafts.iter().flat_map(|draft| &draft.parts);
            parts.flat_map(|part| &part.cases)
        };
        let users = told.iter().flat_map(Gathered::users).map(Some);
        let coupons = told.iter().flat_map(Gathered::coupons).map(Some);
        let mut names = Self {
            users: hashed(
                cases()
                    .flat_map(|case| [case.user, case.other])
                    .chain(users),
            ),
            coupons: hashed(cases().map(|case| case.coupon).chain(coupons)),
            things: hashed(cases().map(|case| case.thing.map(Thing::key))),
        };
        let all = [&names.users, &names.coupons, &names.things];
        if all.iter().any(|names| !names.is_empty()) {
            rows(evidence).for_each(|row| names.learn(&row));
            let texts = evidence.observations.deliveries.texts();
            let texts = texts.chain(evidence.observations.tables.texts());
            texts.for_each(|text| names.learn_id(text));
        }
        let recorded = names.users.iter().chain(&names.things);
        let unnamed = recorded.filter(|(_, name)| name.is_none());
        let unnamed: Vec<Key> = unnamed.map(|(key, _)| *key).collect();
        if !unnamed.is_empty() {
            for (key, name) in evidence.history.names(&unnamed)? {
                for names in [&mut names.users, &mut names.things] {
                    if let Some(place) = names.get_mut(&key) {
                        *place = Some(name.clone());
                    }
                }
            }
        }
        Ok(names)
    }

    fn learn(&mut self, row: &RowView<'_>) {
        if let Some(name) = self.users.get_mut(&Key::of(row.user)) {
            *name = Some(row.user.to_owned());
        }
        let Some(id) = row.id else { return };
        if let Some(name) = self.coupons.get_mut(&Key::of(id)) {
            *name = Some(id.to_owned());
        }
    }

    /// An id of the way of a row may be a user's.
    fn learn_id(&mut self, id: &str) {
        let key = Key::of(id);
        for names in [&mut self.users, &mut self.coupons, &mut self.things] {
            if let Some(name @ None) = names.get_mut(&key) {
                *name = Some(id.to_owned());
            }
        }
    }

    pub(super) fn user(&self, key: Key) -> String {
        text_of(&self.users, key)
    }

    pub(super) fn coupon(&self, key: Key) -> String {
        text_of(&self.coupons, key)
    }

    /// The seat, key or account with its kind, as in "seat A-12".
    pub(super) fn thing(&self, thing: Thing) -> String {
        format!("{} {}", thing.word(), text_of(&self.things, thing.key()))
    }
}

fn hashed(keys: impl Iterator<Item = Option<Key>>) -> HashMap<Key, Option<String>> {
    keys.flatten()
        .filter(|key| key.number().is_none())
        .map(|key| (key, None))
        .collect()
}

fn rows<'a>(evidence: &Evidence<'a>) -> impl Iterator<Item = RowView<'a>> {
    let observations = evidence.observations;
    let reads = [
        &observations.baseline,
        &observations.last,
        &observations.second,
    ];
    reads
        .into_iter()
        .flatten()
        .flat_map(|read| read.rows.iter())
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
