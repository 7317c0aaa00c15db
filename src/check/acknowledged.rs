//! Whether what was confirmed is there, and what is there was asked for and not refused.

use super::asked::{Asked, Attempt, Confirmed};
use super::digest::{Digest, Truth};
use super::draft::{Draft, DraftCase, DraftPart, Pick, count_of};
use super::reads::{Holdings, Row};
use super::stock::nothing_issued;
use crate::history::{Key, OutcomeKind};
use crate::plan::Invariant;
use crate::verdict::Verdict;

pub(super) fn check(digest: &Digest<'_>) -> Draft {
    let parts = if digest.truth == Truth::Missing {
        let detail = format!("nothing can be compared: {}", digest.why_not_final());
        vec![DraftPart::new("lost", Verdict::Unknown, 0, detail)]
    } else {
        parts(digest)
    };
    Draft {
        checker: Invariant::Acknowledged.name(),
        parts,
        praise: praise(digest),
    }
}

fn praise(digest: &Digest<'_>) -> String {
    let confirmed = count_of(digest.confirmed.len() as u64, "confirmation");
    match digest.releases {
        None => format!("{confirmed}, all of them kept, and every row was asked for"),
        Some(_) => format!(
            "{confirmed}, all of them kept or perhaps given back, and every row was asked for"
        ),
    }
}

fn parts(digest: &Digest<'_>) -> Vec<DraftPart> {
    let explained = Explained::of(digest);
    let mut parts = Vec::new();
    if matches!(digest.truth, Truth::Moving | Truth::Stuck) {
        let detail = format!("more rows may come: {}", digest.why_not_final());
        parts.push(DraftPart::new("quiescence", Verdict::Unknown, 0, detail));
    }
    if digest.count(OutcomeKind::Issued) == 0 {
        parts.push(nothing_issued(digest));
    }
    parts.push(lost(digest));
    parts.extend(vanished(digest));
    parts.push(ghost_duplicate(digest));
    parts.push(phantom(digest, &explained));
    parts.push(refused_but_issued(digest, &explained));
    parts.push(recovered(digest, &explained));
    parts.extend(late_effects(digest));
    parts
}

fn held(holdings: &Holdings, one: &Confirmed) -> bool {
    holdings.holds(one.user, one.coupon)
}

fn held_later(digest: &Digest<'_>, one: &Confirmed) -> bool {
    let second = digest.second.as_ref();
    second.is_some_and(|second| held(second, one))
}

/// Confirmed, but in neither read. What only the second read shows is late, not lost.
fn lost(digest: &Digest<'_>) -> DraftPart {
    let mut pick = Pick::default();
    let mut stolen = 0_u64;
    let missing = |one: &&Confirmed| !held(&digest.last, one) && !held_later(digest, one);
    for one in digest.confirmed.iter().filter(missing) {
        let owner = owner(digest, one);
        stolen += u64::from(owner.is_some());
        // The gravest loss is a coupon that somebody else holds.
        let weight = u64::from(owner.is_some());
        pick.offer(one.user, one.attempt.inv_ns, weight, (*one, owner));
    }
    let confirmed = count_of(digest.confirmed.len() as u64, "confirmation");
    let mut detail = match pick.count {
        0 => format!("{confirmed}, none lost"),
        lost => format!("{lost} of {confirmed} lost"),
    };
    if stolen > 0 {
        detail = format!("{detail}, {stolen} of them to somebody else");
    }
    detail += &digest.perhaps_returned(pick.count);
    if nobody_matches(digest, pick.count) {
        detail +=
            "; no row is of a user who was confirmed: does the truth show the id that is sent?";
    }
    // A row may still come, but a coupon that has an owner will not change hands.
    let verdict = match stolen {
        0 => digest.truth.judge(pick.count > 0),
        _ => digest.truth.judge_rows(true),
    };
    let verdict = digest.beyond_returns(pick.count, verdict);
    DraftPart::new("lost", verdict, pick.count, detail).with(|| {
        pick.cases(|(one, owner)| {
            let text = match owner {
                Some(_) => "confirmed, but the row belongs to",
                None if digest.last.rows_of(one.user) > 0 => {
                    "confirmed, but the user holds another one"
                }
                None => "confirmed, but there is no row",
            };
            DraftCase::of(one.user, text)
                .at(Some(one.attempt))
                .coupon(one.coupon)
                .other(owner)
        })
    })
}

fn owner(digest: &Digest<'_>, one: &Confirmed) -> Option<Key> {
    let later = || digest.second.as_ref()?.owner_of(one.coupon);
    let owner = digest.last.owner_of(one.coupon).or_else(later);
    owner.filter(|owner| *owner != one.user)
}

/// Both sides have users and none is the same: more likely ids of two kinds than a broken system.
fn nobody_matches(digest: &Digest<'_>, lost: u64) -> bool {
    let anybody = || {
        let mut confirmed = digest.confirmed.iter();
        confirmed.any(|one| digest.last.rows_of(one.user) > 0)
    };
    lost > 0 && digest.rows.iter().any(|row| row.new) && !anybody()
}

/// In the final read, but no longer in the second: whatever healed the system took it back.
fn vanished(digest: &Digest<'_>) -> Option<DraftPart> {
    digest.second.as_ref()?;
    let mut pick = Pick::default();
    let taken_back = |one: &&Confirmed| held(&digest.last, one) && !held_later(digest, one);
    for one in digest.confirmed.iter().filter(taken_back) {
        pick.offer(one.user, one.attempt.inv_ns, 0, *one);
    }
    let rows = digest.gone;
    let detail = match (rows, pick.count) {
        (0, 0) => "no row went away after the final read".to_owned(),
        (_, 0) => format!(
            "{} gone after the final read, none of them confirmed",
            count_of(rows, "row")
        ),
        (_, lost) => {
            format!(
                "{} gone after the final read ({} in all)",
                count_of(lost, "confirmation"),
                count_of(rows, "row")
            )
        }
    };
    let detail = detail + &digest.perhaps_returned(pick.count);
    let verdict = digest.truth.judge_rows(pick.count > 0);
    let verdict = digest.beyond_returns(pick.count, verdict);
    let part = DraftPart::new("vanished", verdict, pick.count, detail);
    Some(part.with(|| {
        pick.cases(|one| {
            DraftCase::of(one.user, "confirmed and there, but gone in the second read")
                .at(Some(one.attempt))
                .coupon(one.coupon)
        })
    }))
}

/// Told "duplicate" without holding one: the guard was set and the row was lost, so this user is
/// locked out for ever.
fn ghost_duplicate(digest: &Digest<'_>) -> DraftPart {
    let mut pick = Pick::default();
    let locked_out = |user: Key| {
        let second = digest.second.as_ref();
        let later = second.map_or(0, |second| second.rows_of(user));
        digest.last.rows_of(user) == 0 && later == 0
    };
    for (user, asked) in digest.users.iter() {
        if let Some(attempt) = asked.duplicate.filter(|_| locked_out(user)) {
            let item = (user, attempt, asked.duplicates);
            pick.offer(user, attempt.inv_ns, u64::from(asked.duplicates), item);
        }
    }
    let detail = match pick.count {
        0 => format!(
            "{}, each to a user who holds one",
            count_of(digest.count(OutcomeKind::Duplicate), "duplicate answer")
        ),
        users => format!(
            "{} told to have one already, but without a row{}",
            count_of(users, "user"),
            digest.perhaps_returned(users)
        ),
    };
    let verdict = digest.truth.judge(pick.count > 0);
    let verdict = digest.beyond_returns(pick.count, verdict);
    DraftPart::new("ghost_duplicate", verdict, pick.count, detail).with(|| {
        pick.cases(|(user, attempt, times)| {
            let text = format!(
                "told \"duplicate\" {}, but holds no row",
                count_of(u64::from(times), "time")
            );
            DraftCase::of(user, text).at(Some(attempt))
        })
    })
}

/// What explains the rows that were not there before the load.
#[derive(Default)]
struct Explained {
    phantom: Pick<Row>,
    refused: Pick<(Row, Attempt)>,
    recovered: u64,
}

impl Explained {
    fn of(digest: &Digest<'_>) -> Self {
        let mut explained = Self::default();
        for row in digest.rows.iter().filter(|row| row.new) {
            let asked = digest.users.get(row.user).copied().unwrap_or_default();
            explained.sort(*row, &asked);
        }
        explained
    }

    fn sort(&mut self, row: Row, asked: &Asked) {
        if asked.explains_a_row() {
            self.recovered += u64::from(asked.confirmed_ns.is_none());
        } else if let Some(attempt) = asked.refused {
            // The gravest is who had the answer for the longest time: the earliest.
            let weight = u64::MAX - attempt.inv_ns;
            let item = (row, attempt);
            self.refused.offer(row.user, attempt.inv_ns, weight, item);
        } else {
            self.phantom.offer(row.user, 0, 0, row);
        }
    }
}

/// Without a read of the rows of before, a row may be older than the load; without all attempts, the
/// one that explains it may be missing.
fn judge_new(digest: &Digest<'_>, broken: bool) -> Verdict {
    let evidence = digest.evidence;
    match (&evidence.observations.baseline, evidence.gap) {
        (Some(_), None) => digest.truth.judge_rows(broken),
        _ if broken => Verdict::Unknown,
        _ => digest.truth.judge(false),
    }
}

fn perhaps(digest: &Digest<'_>) -> String {
    match (&digest.evidence.observations.baseline, digest.evidence.gap) {
        (_, Some(gap)) => format!("; the history is not whole, they may have asked: {gap}"),
        (None, None) => "; the rows before the load were not read, they may be older".to_owned(),
        (Some(_), None) => String::new(),
    }
}

fn phantom(digest: &Digest<'_>, explained: &Explained) -> DraftPart {
    let count = explained.phantom.count;
    let detail = match count {
        0 => "every row is of a user who asked".to_owned(),
        rows => format!(
            "{} of users who never asked{}",
            count_of(rows, "row"),
            perhaps(digest)
        ),
    };
    let verdict = judge_new(digest, count > 0);
    DraftPart::new("phantom", verdict, count, detail).with(|| {
        explained
            .phantom
            .cases(|row| DraftCase::of(row.user, "a row, but no attempt").coupon(row.id))
    })
}

fn refused_but_issued(digest: &Digest<'_>, explained: &Explained) -> DraftPart {
    let count = explained.refused.count;
    let detail = match count {
        0 => "no row is of a user who was only refused".to_owned(),
        rows => format!(
            "{} of users who were only refused{}",
            count_of(rows, "row"),
            perhaps(digest)
        ),
    };
    let verdict = judge_new(digest, count > 0);
    DraftPart::new("refused_but_issued", verdict, count, detail).with(|| {
        explained.refused.cases(|(row, attempt)| {
            let text = format!("answered {}, but holds a row", words(attempt.kind));
            DraftCase::of(row.user, text)
                .at(Some(attempt))
                .coupon(row.id)
        })
    })
}

const fn words(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::SoldOut => "\"sold out\"",
        OutcomeKind::Duplicate => "\"duplicate\"",
        OutcomeKind::NotSent => "nothing, as nothing was sent",
        OutcomeKind::Error => "an error",
        _ => "a refusal",
    }
}

fn recovered(digest: &Digest<'_>, explained: &Explained) -> DraftPart {
    let rows = explained.recovered;
    let uncertain = digest.count(OutcomeKind::Unknown) + digest.count(OutcomeKind::Pending);
    let detail = match uncertain {
        0 => "every attempt had a certain answer".to_owned(),
        _ => format!(
            "{:.1} % of the attempts without a certain answer had in fact issued ({rows} of {uncertain})",
            100.0 * rows as f64 / uncertain as f64
        ),
    };
    DraftPart::information("recovered", rows, detail)
}

fn late_effects(digest: &Digest<'_>) -> Option<DraftPart> {
    digest.second.as_ref()?;
    let late = digest.rows.iter().filter(|row| row.late).count() as u64;
    let detail = match late {
        0 => "the second read shows no further row".to_owned(),
        rows => format!(
            "{} appeared only after the final read",
            count_of(rows, "row")
        ),
    };
    Some(DraftPart::information("late_effects", late, detail))
}
