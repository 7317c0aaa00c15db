//! What the answers say of seats: sales, holds, and what ended them. Two passes over what was recorded;
//! refusals, which may be many millions, leave a trace only where their user has a seat.

use std::collections::{HashMap, HashSet};
use std::io;

use crate::check::Evidence;
use crate::check::asked::Attempt;
use crate::history::{Detail, Key, OutcomeKind};
use crate::plan::Seats;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Confirmed sales, each confirmation, by seat, user and time.
    pub(super) sales: Vec<Claim>,
    /// Granted holds.
    pub(super) holds: Vec<Claim>,
    /// What may have ended what this user had of this seat.
    ends: HashMap<(Key, Key), Vec<End>>,
    /// Confirmations that named no seat.
    pub(super) unnamed: u64,
    /// Seats that more than one user asked for.
    pub(super) contended: u64,
}

/// A seat that was confirmed to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) seat: Key,
    pub(super) user: Key,
    pub(super) attempt: Attempt,
}

impl Claim {
    const fn place(&self) -> (Key, Key, u64, u64) {
        let Attempt {
            inv_ns, over_ns, ..
        } = self.attempt;
        (self.seat, self.user, inv_ns, over_ns)
    }
}

/// An attempt that may have ended a claim.
#[derive(Debug, Clone, Copy)]
struct End {
    attempt: Attempt,
    way: Way,
}

/// How it may have ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It gives the seat back.
    Release,
    /// It tried to buy the seat, and a system may end the hold when that fails.
    Purchase,
    /// It asked for a hold; whoever asks again may be told of the one there is, and its lease.
    Hold,
}

impl Told {
    pub(super) fn gather(evidence: &Evidence<'_>, asked: &Seats) -> io::Result<Self> {
        let mut told = Self::default();
        let mut askers: HashMap<Key, Asker> = HashMap::new();
        for detail in evidence.history.details()? {
            let detail = detail?;
            if asked.concerns(detail.operation.step) {
                told.take(&detail, asked);
                ask(&mut askers, &detail);
            }
        }
        let contended = askers.values();
        let contended = contended.filter(|one| matches!(one, Asker::Several));
        told.contended = contended.count() as u64;
        drop(askers);
        told.gather_ends(evidence, asked)?;
        told.sales.sort_unstable_by_key(Claim::place);
        Ok(told)
    }

    /// The earliest confirmed sale of this seat to this user.
    pub(super) fn sale_of(&self, seat: Key, user: Key) -> Option<&Claim> {
        let of = |claim: &Claim| (claim.seat, claim.user);
        let from = self.sales.partition_point(|claim| of(claim) < (seat, user));
        self.sales
            .get(from)
            .filter(|claim| of(claim) == (seat, user))
    }

    fn take(&mut self, detail: &Detail, asked: &Seats) {
        use OutcomeKind::{Issued, Ok};
        let operation = &detail.operation;
        let is_sale = asked.sold.contains(&operation.step) && operation.kind.is_acknowledged();
        // A repeated answer to an earlier grant does not say when its lease began.
        let is_hold = asked.grants(operation.step) && matches!(operation.kind, Issued | Ok);
        if !is_sale && !is_hold {
            return;
        }
        if !detail.seat.is_some() {
            self.unnamed += 1;
            return;
        }
        let claim = Claim {
            seat: detail.seat,
            user: operation.user,
            attempt: Attempt::of(operation),
        };
        if is_sale {
            self.sales.push(claim);
        } else {
            self.holds.push(claim);
        }
    }

    fn gather_ends(&mut self, evidence: &Evidence<'_>, asked: &Seats) -> io::Result<()> {
        let claims = self.sales.iter().chain(&self.holds);
        let of_interest: HashSet<(Key, Key)> = claims.map(|one| (one.seat, one.user)).collect();
        for detail in evidence.history.details()? {
            let Detail {
                operation, seat, ..
            } = detail?;
            let of = (seat, operation.user);
            let way = if asked.release.contains(&operation.step) {
                may_be_done(operation.kind).then_some(Way::Release)
            } else if asked.grants(operation.step) {
                may_be_done(operation.kind).then_some(Way::Hold)
            } else {
                let is_purchase = asked.sold.contains(&operation.step);
                (is_purchase && may_fail(operation.kind)).then_some(Way::Purchase)
            };
            if let Some(way) = way.filter(|_| of_interest.contains(&of)) {
                let attempt = Attempt::of(&operation);
                self.ends.entry(of).or_default().push(End { attempt, way });
            }
        }
        Ok(())
    }

    /// When something may first have ended a sale; infinite if nothing was asked that can. What was
    /// over before the sale was asked for did not.
    pub(super) fn end_of_sale(&self, sale: &Claim) -> u64 {
        // A repeated answer may be about something of before.
        let is_repeated = sale.attempt.kind == OutcomeKind::Replay;
        let ends = self.ends_of(sale).filter(|end| {
            let is_later = end.attempt.ret_ns() >= sale.attempt.inv_ns;
            end.way == Way::Release && (is_later || is_repeated)
        });
        ends.map(|end| end.attempt.inv_ns).min().unwrap_or(u64::MAX)
    }

    /// When a hold may first have ended. Its lease began when it was asked for at the earliest; it may
    /// be the lease of an earlier hold of this user that had not ended yet.
    pub(super) fn end_of_hold(&self, hold: &Claim, lease_ns: u64) -> u64 {
        let inv_ns = hold.attempt.inv_ns;
        let ends = self.ends_of(hold).filter_map(|end| match end.way {
            Way::Hold => {
                let latest_ns = end.attempt.ret_ns().saturating_add(lease_ns);
                let is_there = end.attempt.inv_ns <= inv_ns && latest_ns >= inv_ns;
                is_there.then(|| end.attempt.inv_ns.saturating_add(lease_ns))
            }
            Way::Release | Way::Purchase => {
                (end.attempt.ret_ns() >= inv_ns).then_some(end.attempt.inv_ns)
            }
        });
        let lease_end_ns = inv_ns.saturating_add(lease_ns);
        ends.min()
            .map_or(lease_end_ns, |end_ns| end_ns.min(lease_end_ns))
    }

    fn ends_of(&self, claim: &Claim) -> impl Iterator<Item = &End> {
        let ends = self.ends.get(&(claim.seat, claim.user));
        ends.into_iter().flatten()
    }
}

/// Whether a release or a hold with such an answer may have taken effect.
const fn may_be_done(kind: OutcomeKind) -> bool {
    use OutcomeKind::{Issued, Ok, Pending, Replay, Unknown};
    matches!(kind, Issued | Replay | Pending | Ok | Unknown)
}

/// Whether a purchase with such an answer may have failed after it was looked at.
const fn may_fail(kind: OutcomeKind) -> bool {
    !kind.is_acknowledged() && !matches!(kind, OutcomeKind::NotSent)
}

/// Who asked for a seat.
enum Asker {
    One(Key),
    Several,
}

fn ask(askers: &mut HashMap<Key, Asker>, detail: &Detail) {
    let user = detail.operation.user;
    if !detail.seat.is_some() || detail.operation.kind == OutcomeKind::NotSent {
        return;
    }
    let asker = askers.entry(detail.seat).or_insert(Asker::One(user));
    if matches!(asker, Asker::One(known) if *known != user) {
        *asker = Asker::Several;
    }
}
