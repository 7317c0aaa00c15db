//! Nobody is given anything who was not let in.
//!
//! Two proofs: the user has sent nothing before that could have let them in, neither a request to
//! enter nor one that could say so; or the user was told to wait by an answer that was asked for
//! after the confirmation was complete. Whoever entered and was given something before hearing of an
//! admission may have been let in unheard, and is not accused.

use super::gather::{Confirmed, Line, Stay};
use super::{Judge, Needs, no_data};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};

/// What proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    NeverAsked,
    StillWaits,
}

pub(super) fn part(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "skipped";
    if line.confirmed.is_empty() {
        return no_data(name, "nobody was given anything");
    }
    let mut pick: Pick<(Confirmed, Proof)> = Pick::default();
    for confirmed in &line.confirmed {
        if let Some(proof) = proof(confirmed, &line.stays) {
            let (user, inv_ns) = (confirmed.user, confirmed.attempt.inv_ns);
            pick.offer(user, inv_ns, 0, (*confirmed, proof));
        }
    }
    let verdict = judge.verdict(pick.count > 0, Needs::Whole);
    let all = count_of(line.confirmed.len() as u64, "confirmation");
    let detail = match pick.count {
        0 => format!("{all}, none of a user who had certainly not been let in"),
        wrong => format!("{wrong} of {all} to users who had not been let in"),
    };
    DraftPart::new(name, verdict, pick.count, detail).with(|| {
        pick.cases(|(confirmed, proof)| {
            let text = match proof {
                Proof::NeverAsked => "told \"issued\", and had asked nothing that lets in before",
                Proof::StillWaits => "told \"issued\", and afterwards still to wait in the queue",
            };
            DraftCase::of(confirmed.user, text).at(Some(confirmed.attempt))
        })
    })
}

fn proof(confirmed: &Confirmed, stays: &[Stay]) -> Option<Proof> {
    let told_ns = confirmed.attempt.ret_ns();
    if confirmed
        .let_in_ns
        .is_none_or(|let_in_ns| let_in_ns > told_ns)
    {
        return Some(Proof::NeverAsked);
    }
    let asked_ns = confirmed.attempt.inv_ns;
    let behind =
        stays.partition_point(|one| (one.user, one.entered.inv_ns) <= (confirmed.user, asked_ns));
    let stay = behind.checked_sub(1).map(|at| &stays[at]);
    let stay = stay.filter(|stay| {
        let is_within = stay.entered.ret_ns() < asked_ns && told_ns < stay.until_ns;
        stay.user == confirmed.user && is_within
    })?;
    let still_waits = stay
        .waiting_ns
        .is_some_and(|waiting_ns| waiting_ns > told_ns);
    still_waits.then_some(Proof::StillWaits)
}
