//! Whether what was issued was published, and had its effect exactly once.
//!
//! ```text
//! D issued rows  =  O outbox  ⊆  E events of the topic  ⊆  X effects of the consumer
//! ```
//!
//! Each of the three behind D is judged where the scenario says where it is read; what lies between
//! two that are read is skipped. What is missing at the next place is lost only when nothing can
//! still be on its way there: the rows rest and nothing waits, neither in the outbox nor before the
//! consumer. Before that it is not seen yet. What is there twice, or in the wrong order, is so
//! whatever comes.
//!
//! The reads follow each other from left to right, and the issued rows are read once more at the
//! end. So what is read at one place was read at the place before it, and a row that comes late
//! explains an event that looks as if it came from nowhere.

mod delay;
mod effects;
mod joined;
mod order;
mod published;

use super::asked::Attempt;
use super::digest::{Digest, Truth};
use super::draft::{Draft, DraftCase, DraftPart, Pick, count_of};
use super::stock::vacuous;
use crate::history::Key;
use crate::plan::{Delivery, Identity, Invariant};
use crate::verdict::Verdict;
use joined::Joined;

pub(super) fn check(digest: &Digest<'_>, by: Identity) -> Draft {
    let truth = digest.evidence.plan.truth.as_ref();
    let asked = truth.map(|truth| &truth.delivery);
    let asked = asked.filter(|asked| asked.is_some());
    let judged = match asked {
        _ if digest.truth == Truth::Missing => Err(digest.why_not_final()),
        None => Err("the scenario names neither outbox nor events nor effects".to_owned()),
        Some(asked) => Ok(asked),
    };
    let (parts, praise) = match judged {
        Ok(asked) => Judge::of(digest, asked, by).parts(),
        Err(why) => {
            let detail = format!("nothing can be compared: {why}");
            (vec![unknown("compared", 0, detail)], String::new())
        }
    };
    Draft {
        checker: Invariant::Delivery(by).name(),
        parts,
        praise,
    }
}

struct Judge<'d> {
    digest: &'d Digest<'d>,
    asked: &'d Delivery,
    by: Identity,
    joined: Joined<'d>,
}

impl<'d> Judge<'d> {
    fn of(digest: &'d Digest<'d>, asked: &'d Delivery, by: Identity) -> Self {
        Self {
            digest,
            asked,
            by,
            joined: Joined::of(digest.evidence.observations, by),
        }
    }

    fn parts(&self) -> (Vec<DraftPart>, String) {
        let mut parts = self.doubts();
        parts.extend(self.outbox());
        parts.extend(self.events());
        parts.extend(self.effects());
        (parts, self.praise())
    }

    fn praise(&self) -> String {
        let rows = count_of(self.joined.new_rows() as u64, "new row");
        let places = [
            (self.asked.outbox.is_some(), "in the outbox"),
            (self.asked.events.is_some(), "published"),
            (self.asked.effects.is_some(), "with one effect"),
        ];
        let places = places.into_iter().filter(|(asked, _)| *asked);
        let places: Vec<&str> = places.map(|(_, words)| words).collect();
        format!("{rows}, each {}", places.join(", "))
    }

    /// Why not everything can be decided. What is proved fails all the same.
    fn doubts(&self) -> Vec<DraftPart> {
        let mut doubts: Vec<DraftPart> = vacuous(self.digest).into_iter().collect();
        if self.digest.truth != Truth::Final {
            let why = self.digest.why_not_final();
            let detail = format!("what is missing is not seen yet, and may come: {why}");
            doubts.push(unknown("quiescence", 0, detail));
        }
        if self.joined.nameless > 0 {
            let detail = format!(
                "{} no coupon id, by which events are found: let `truth.issued` read it, or \
                 compare `by: user`",
                has(self.joined.nameless, "issued row")
            );
            doubts.push(unknown("ids", self.joined.nameless, detail));
        }
        let joined = &self.joined;
        let reads = [
            (
                "outbox",
                self.asked.outbox.is_some(),
                joined.outbox.is_some(),
            ),
            (
                "events",
                self.asked.events.is_some(),
                joined.events.is_some(),
            ),
            (
                "effects",
                self.asked.effects.is_some(),
                joined.effects.is_some(),
            ),
        ];
        for (name, _, _) in reads.into_iter().filter(|(_, asked, read)| *asked && !read) {
            let failures = &self.digest.evidence.observations.failures;
            let why = failures.first().map(|why| format!(": {why}"));
            let detail = format!("the {name} were not read{}", why.unwrap_or_default());
            doubts.push(unknown(
                "read",
                0,
                detail.replace("outbox were", "outbox was"),
            ));
        }
        doubts
    }

    /// The verdict on what is not there: it may come while the state is not final, and what was
    /// there before the load is not this run's.
    fn absent(&self, broken: bool, knows_before: bool) -> Verdict {
        match broken {
            false => Verdict::Pass,
            true if self.digest.truth == Truth::Final && knows_before => Verdict::Fail,
            true => Verdict::Unknown,
        }
    }

    /// The verdict on what is there and should not be.
    const fn proved(broken: bool, knows_before: bool) -> Verdict {
        match (broken, knows_before) {
            (false, _) => Verdict::Pass,
            (true, true) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
        }
    }

    fn knows_rows_before(&self) -> bool {
        self.digest.evidence.observations.baseline.is_some()
    }

    /// Who has this id, and when they asked, as far as that is known.
    fn owner(&self, id: Key) -> (Option<Key>, Option<Attempt>) {
        let user = match self.by {
            Identity::User => Some(id),
            Identity::Coupon => self.joined.rows.get(&id).map(|row| row.user),
        };
        let asked = user.and_then(|user| self.digest.users.get(user));
        (user, asked.and_then(|asked| asked.effective))
    }

    fn case(&self, id: Key, text: impl Into<String>) -> DraftCase {
        let (user, attempt) = self.owner(id);
        let case = match user {
            Some(user) => DraftCase::of(user, text).at(attempt),
            None => DraftCase::unowned(text),
        };
        match self.by {
            Identity::Coupon => case.coupon(id),
            Identity::User => case,
        }
    }

    /// The first, the worst and the last of these ids by the time of asking; without a time by id.
    fn pick(&self, ids: impl Iterator<Item = Key>) -> Pick<Key> {
        let mut pick = Pick::default();
        for id in ids {
            let (_, attempt) = self.owner(id);
            pick.offer(id, attempt.map_or(0, |attempt| attempt.inv_ns), 0, id);
        }
        pick
    }
}

/// For the end of a sentence about what is broken.
fn perhaps_older(verdict: Verdict, knows_before: bool) -> &'static str {
    if verdict != Verdict::Unknown {
        ""
    } else if knows_before {
        "; not seen yet: more may come"
    } else {
        "; what was there before the load, or its ids, are not known, and may explain it"
    }
}

fn unknown(name: &'static str, count: u64, detail: String) -> DraftPart {
    DraftPart::new(name, Verdict::Unknown, count, detail)
}

fn has(number: u64, unit: &str) -> String {
    let verb = if number == 1 { "has" } else { "have" };
    format!("{} {verb}", count_of(number, unit))
}
