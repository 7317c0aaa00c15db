//! Whether nobody got more than one, neither in the rows nor in the answers.

use std::collections::HashSet;

use super::asked::Confirmed;
use super::digest::{Digest, Truth};
use super::draft::{Draft, DraftCase, DraftPart, Pick, count_of};
use super::reads::Holdings;
use super::stock::vacuous;
use crate::history::Key;
use crate::plan::Invariant;
use crate::verdict::Verdict;

pub(super) fn check(digest: &Digest<'_>) -> Draft {
    let (asked_twice, again) = asked_twice(digest);
    let mut parts: Vec<DraftPart> = vacuous(digest).into_iter().collect();
    parts.push(rows_per_user(digest));
    parts.extend(ids(digest));
    parts.push(asked_twice);
    Draft {
        checker: Invariant::OnePerUser.name(),
        parts,
        praise: format!(
            "one each: {}, none of a user twice; {} asked more than once",
            count_of(digest.taken(), "row"),
            count_of(again, "user")
        ),
    }
}

/// A user whose surplus was there before the load is not this run's doing.
fn rows_per_user(digest: &Digest<'_>) -> DraftPart {
    let mut pick = Pick::default();
    let mut surplus_rows = 0;
    let mut seen: HashSet<Key> = HashSet::new();
    let late = digest.second.iter().flat_map(Holdings::users);
    for user in digest.last.users().chain(late) {
        let rows = most_rows(digest, user);
        let allowed = digest.before.rows_of(user).max(1);
        if rows > allowed && seen.insert(user) {
            surplus_rows += u64::from(rows - allowed);
            let attempt = digest.users.get(user).and_then(|asked| asked.effective);
            let when_ns = attempt.map_or(0, |attempt| attempt.inv_ns);
            pick.offer(user, when_ns, u64::from(rows), (user, rows, attempt));
        }
    }
    let detail = match (digest.truth, pick.count) {
        (Truth::Final, 0) => format!(
            "{}, none of them a user's second",
            count_of(digest.taken(), "row")
        ),
        (_, 0) => format!("not all rows are known: {}", digest.why_not_final()),
        (_, users) => format!(
            "{} with more than one: {} too many",
            count_of(users, "user"),
            count_of(surplus_rows, "row")
        ),
    };
    let verdict = digest.truth.judge_rows(pick.count > 0);
    DraftPart::new("rows_per_user", verdict, pick.count, detail).with(|| {
        pick.cases(|(user, rows, attempt)| {
            DraftCase::of(user, format!("holds {rows} rows")).at(attempt)
        })
    })
}

fn most_rows(digest: &Digest<'_>, user: Key) -> u32 {
    let second = digest.second.as_ref();
    let late = second.map_or(0, |second| second.rows_of(user));
    digest.last.rows_of(user).max(late)
}

/// The answers alone prove these, so they are judged even without a final read. Answers that name
/// no coupon say nothing about ids.
fn ids(digest: &Digest<'_>) -> Vec<DraftPart> {
    let named: Vec<&Confirmed> = digest
        .confirmed
        .iter()
        .filter(|one| one.coupon.is_some())
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let by_user = repeats(&named, |one| one.user);
    let by_coupon = repeats(&named, |one| one.coupon);
    vec![
        DraftPart::new(
            "ids_per_user",
            verdict(digest, &by_user),
            by_user.groups,
            match by_user.groups {
                0 => "every user was told one coupon id".to_owned(),
                users => format!(
                    "{} told more than one coupon id{}",
                    count_of(users, "user"),
                    digest.perhaps_returned(by_user.pick.count)
                ),
            },
        )
        .with(|| {
            by_user
                .pick
                .cases(|repeat| repeat.case(format!("the user's id number {}", repeat.place)))
        }),
        DraftPart::new(
            "ids_shared",
            verdict(digest, &by_coupon),
            by_coupon.groups,
            match by_coupon.groups {
                0 => "every coupon id was confirmed to one user".to_owned(),
                ids => format!(
                    "{} confirmed to more than one user ({} too often){}",
                    count_of(ids, "coupon id"),
                    count_of(by_coupon.pick.count, "time"),
                    digest.perhaps_returned(by_coupon.pick.count)
                ),
            },
        )
        .with(|| {
            by_coupon.pick.cases(|repeat| {
                let first = repeat.first;
                let users = repeat.place;
                repeat
                    .case(format!("confirmed to {users} users, the first of them was"))
                    .other(Some(first))
            })
        }),
    ]
}

/// A coupon that came back may be got by somebody else, and its user may get another one.
fn verdict(digest: &Digest<'_>, repeats: &Repeats) -> Verdict {
    match repeats.pick.count {
        0 => Verdict::Pass,
        again => digest.beyond_returns(again, Verdict::Fail),
    }
}

/// Confirmations that share what they must not share.
#[derive(Default)]
struct Repeats {
    /// How many users, or coupon ids, are affected.
    groups: u64,
    pick: Pick<Repeat>,
}

/// One confirmation that is not the first of its group.
#[derive(Clone, Copy)]
struct Repeat {
    one: Confirmed,
    place: u64,
    first: Key,
}

impl Repeat {
    fn case(&self, text: String) -> DraftCase {
        DraftCase::of(self.one.user, text)
            .at(Some(self.one.attempt))
            .coupon(self.one.coupon)
    }
}

/// Pairs of user and coupon are distinct and in the order of time, so a second pair of the same
/// group is a second coupon of the user, or a second user of the coupon.
fn repeats(named: &[&Confirmed], group: impl Fn(&Confirmed) -> Key) -> Repeats {
    let numbered = named.iter().enumerate();
    let mut members: Vec<(Key, usize)> = numbered.map(|(at, one)| (group(one), at)).collect();
    members.sort_unstable();
    let mut repeats = Repeats::default();
    for members in members.chunk_by(|one, other| one.0 == other.0) {
        repeats.groups += u64::from(members.len() > 1);
        let first = named[members[0].1].user;
        for (place, (_, at)) in (1..).zip(members).skip(1) {
            let one = *named[*at];
            let repeat = Repeat { one, place, first };
            repeats
                .pick
                .offer(one.user, one.attempt.inv_ns, place, repeat);
        }
    }
    repeats
}

/// Without users who ask again the claim holds for lack of trying; it is said, not judged.
fn asked_twice(digest: &Digest<'_>) -> (DraftPart, u64) {
    let got = |user: Key, confirmed: bool| confirmed || digest.last.rows_of(user) > 0;
    let again = digest
        .users
        .iter()
        .filter(|(user, asked)| asked.attempts > 1 && got(*user, asked.confirmed_ns.is_some()))
        .count() as u64;
    let detail = match again {
        0 => "no user who got one asked again, so the claim was hardly tested".to_owned(),
        users => format!(
            "{} who got one asked more than once",
            count_of(users, "user")
        ),
    };
    (DraftPart::information("asked_twice", again, detail), again)
}
