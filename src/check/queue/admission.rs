//! Never more are inside at the same time than there may be.
//!
//! A user is certainly inside from the answer that says so to the next request of the same user for
//! anything else, or to the end of the lease that began, at the earliest, when the question was sent.
//! Whoever was let in without having heard of it, or is still inside after that request, is not
//! counted: what is reported is wrong, and what is not reported may be. A time that is both an end
//! and a beginning is taken for the end first.

use super::gather::{Admission, Line};
use super::{Judge, Needs, no_data};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::history::Key;

/// A time in which a user is certainly inside: from the first to just before the second.
#[derive(Debug, Clone, Copy)]
struct Inside {
    from_ns: u64,
    to_ns: u64,
    admission: Admission,
}

pub(super) fn part(line: &Line<'_>, at_most: u64, judge: Judge<'_>) -> DraftPart {
    let name = "admitted";
    if line.admissions.is_empty() {
        return no_data(name, "nobody was told to be let in");
    }
    let inside = inside(line);
    let Crowd { most, over } = crowd(&inside, at_most);
    // A request that was not kept could have ended it.
    let verdict = judge.verdict(over.count > 0, Needs::Whole);
    let admissions = count_of(line.admissions.len() as u64, "admission");
    let detail = match over.count {
        0 => format!("at most {most} certainly inside at once, {at_most} may be ({admissions})"),
        more => format!(
            "up to {most} certainly inside at once, {at_most} may be: {more} of {admissions} too many"
        ),
    };
    DraftPart::new(name, verdict, over.count, detail).with(|| {
        over.cases(|(admission, number, other)| {
            let text = format!(
                "let in as number {number} of those who were certainly inside, {at_most} may be; \
                 since longest inside:"
            );
            DraftCase::of(admission.user, text)
                .at(Some(admission.attempt))
                .other(other)
        })
    })
}

/// Each user's times inside, none of them overlapping another one of the same user.
fn inside(line: &Line<'_>) -> Vec<Inside> {
    let lease_ns = line.queue.lease.map(|lease| {
        let ns = lease.as_nanos();
        u64::try_from(ns).unwrap_or(u64::MAX)
    });
    let mut all: Vec<Inside> = Vec::new();
    for of_user in line
        .admissions
        .chunk_by(|one, other| one.user == other.user)
    {
        let mut own: Vec<Inside> = Vec::new();
        // What was asked for later ends the earlier ones as well.
        let mut next_ns = u64::MAX;
        for admission in of_user.iter().rev() {
            next_ns = next_ns.min(admission.next_ns);
            own.extend(time_of(*admission, next_ns, lease_ns));
        }
        all.extend(united(own));
    }
    all
}

fn time_of(admission: Admission, next_ns: u64, lease_ns: Option<u64>) -> Option<Inside> {
    let asked_ns = admission.attempt.inv_ns;
    let to_ns = match lease_ns {
        Some(lease_ns) => next_ns.min(asked_ns.saturating_add(lease_ns)),
        // Of somebody who asks for nothing more it is not known how long it lasts.
        None if next_ns == u64::MAX => return None,
        None => next_ns,
    };
    let from_ns = admission.attempt.ret_ns();
    (from_ns < to_ns).then_some(Inside {
        from_ns,
        to_ns,
        admission,
    })
}

/// What overlaps becomes one.
fn united(mut own: Vec<Inside>) -> Vec<Inside> {
    own.sort_unstable_by_key(|one| (one.from_ns, one.to_ns));
    let mut united: Vec<Inside> = Vec::with_capacity(own.len());
    for one in own {
        match united.last_mut() {
            Some(last) if one.from_ns <= last.to_ns => last.to_ns = last.to_ns.max(one.to_ns),
            _ => united.push(one),
        }
    }
    united
}

/// How full it was.
struct Crowd {
    most: u64,
    /// Who came when it was full, as which number, and who was inside longest.
    over: Pick<(Admission, u64, Option<Key>)>,
}

fn crowd(inside: &[Inside], at_most: u64) -> Crowd {
    // Ends stand before beginnings of the same time.
    let ends = inside.iter().map(|one| (one.to_ns, false, one));
    let begins = inside.iter().map(|one| (one.from_ns, true, one));
    let mut moments: Vec<_> = ends.chain(begins).collect();
    moments.sort_unstable_by_key(|(at_ns, begins, one)| {
        (*at_ns, *begins, one.from_ns, one.admission.user)
    });
    let mut crowd = Crowd {
        most: 0,
        over: Pick::default(),
    };
    let mut now = std::collections::BTreeSet::new();
    for (_, begins, one) in moments {
        let user = one.admission.user;
        if !begins {
            now.remove(&(one.from_ns, user));
            continue;
        }
        now.insert((one.from_ns, user));
        let number = now.len() as u64;
        crowd.most = crowd.most.max(number);
        if number > at_most {
            let longest = now.first().map(|(_, user)| *user);
            let longest = longest.filter(|longest| *longest != user);
            let item = (one.admission, number, longest);
            crowd.over.offer(user, one.from_ns, number, item);
        }
    }
    crowd
}
