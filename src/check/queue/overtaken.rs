//! First in, first admitted: nobody is still told to wait when somebody who entered later has
//! already been told to be let in.
//!
//! The first had entered before the other asked to enter, and sent a request that was answered
//! "waiting" after the other had the answer "admitted". So nobody is accused whose place depends on
//! the order in which requests arrived. One pass over the stays from the last to have entered to the
//! first, with the earliest admission of all who asked to enter later.

use super::gather::{Line, Stay};
use super::{Judge, Needs, no_data};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::moments::span;

pub(super) fn part(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "overtaken";
    let waited = line.stays.iter().filter(|stay| stay.waiting_ns.is_some());
    let waited = waited.count() as u64;
    let admitted = line.stays.iter().filter(|stay| stay.admitted_ns.is_some());
    let admitted = admitted.count() as u64;
    if waited == 0 || admitted == 0 {
        let detail = format!(
            "{} certainly entered, {waited} were told to wait and {admitted} to be let in",
            count_of(line.stays.len() as u64, "user")
        );
        return no_data(name, detail);
    }
    let overtaken = overtaken(&line.stays);
    let verdict = judge.verdict(overtaken.count > 0, Needs::Whole);
    let users = count_of(waited, "user");
    let detail = match overtaken.count {
        0 => format!(
            "{users} waited and {admitted} were let in, nobody of them before an earlier one who \
             still waited"
        ),
        wrong => format!(
            "{wrong} of {users} who waited were still told to when somebody who entered later had \
             been let in"
        ),
    };
    DraftPart::new(name, verdict, overtaken.count, detail).with(|| {
        overtaken.cases(|(stay, other)| {
            let still_ns = stay.waiting_ns.unwrap_or_default();
            let before_ns = other.admitted_ns.unwrap_or_default();
            let text = format!(
                "entered, and was still told to wait by an answer asked for {} after one who \
                 entered later was told to be let in:",
                span(still_ns.saturating_sub(before_ns))
            );
            DraftCase::of(stay.user, text)
                .at(Some(stay.entered))
                .other(Some(other.user))
        })
    })
}

/// Each stay that was overtaken, with the one that was let in first of those that began later.
fn overtaken(stays: &[Stay]) -> Pick<(Stay, Stay)> {
    let mut admitted: Vec<&Stay> = stays
        .iter()
        .filter(|stay| stay.admitted_ns.is_some())
        .collect();
    // The last to have asked comes last, and is taken first.
    admitted.sort_unstable_by_key(|stay| stay.entered.inv_ns);
    let mut waiting: Vec<&Stay> = stays
        .iter()
        .filter(|stay| stay.waiting_ns.is_some())
        .collect();
    waiting.sort_unstable_by_key(|stay| std::cmp::Reverse(stay.entered.ret_ns()));
    let mut earliest: Option<&Stay> = None;
    let mut pick = Pick::default();
    for stay in waiting {
        while let Some(later) =
            admitted.pop_if(|later| later.entered.inv_ns > stay.entered.ret_ns())
        {
            let is_earlier = |known: &Stay| later.admitted_ns < known.admitted_ns;
            if earliest.is_none_or(is_earlier) {
                earliest = Some(later);
            }
        }
        if let Some(other) = earliest.filter(|other| stay.waiting_ns > other.admitted_ns) {
            let late_ns = stay.waiting_ns.zip(other.admitted_ns);
            let late_ns = late_ns.map_or(0, |(still, before)| still - before);
            pick.offer(stay.user, stay.entered.inv_ns, late_ns, (*stay, *other));
        }
    }
    pick
}
