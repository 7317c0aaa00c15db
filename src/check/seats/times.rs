//! Which surely-held times of one seat overlap: sorted by seat and by their beginning, and for each the
//! longest earlier one of another user (O(n log n)).

use super::told::{Claim, Told};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::moments::span;
use crate::check::recorded::Thing;
use crate::history::Key;
use crate::plan::Seats;
use crate::verdict::Verdict;

/// A time in which a seat was surely a user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owned {
    claim: Claim,
    from_ns: u64,
    to_ns: u64,
    is_hold: bool,
}

impl Owned {
    /// The order of the sweep; whatever breaks ties, it is the same for the same history.
    const fn place(&self) -> (Key, u64, u64, Key, bool) {
        let claim = &self.claim;
        let (from_ns, to_ns) = (self.from_ns, self.to_ns);
        (claim.seat, from_ns, to_ns, claim.user, self.is_hold)
    }
}

/// Two of one seat at one time.
#[derive(Debug, Clone, Copy)]
struct Clash {
    earlier: Owned,
    later: Owned,
}

/// Answers alone prove these, so they are judged without a final read.
pub(super) fn parts(told: &Told, asked: &Seats) -> Vec<DraftPart> {
    let (sold, held) = clashes(&owned(told, asked));
    let mut parts = vec![part("sold_twice", &sold, "sold to two users")];
    if asked.hold.is_some() {
        parts.push(part("held_twice", &held, "held by one user and another's"));
    }
    parts
}

fn owned(told: &Told, asked: &Seats) -> Vec<Owned> {
    let lease_ns = asked.hold.as_ref().map_or(0, |hold| {
        u64::try_from(hold.lease.as_nanos()).unwrap_or(u64::MAX)
    });
    let sales = told.sales.iter().map(|sale| (sale, false));
    let holds = told.holds.iter().map(|hold| (hold, true));
    let mut owned: Vec<Owned> = sales
        .chain(holds)
        .map(|(claim, is_hold)| Owned {
            claim: *claim,
            from_ns: claim.attempt.over_ns,
            to_ns: if is_hold {
                told.end_of_hold(claim, lease_ns)
            } else {
                told.end_of_sale(claim)
            },
            is_hold,
        })
        .filter(|one| one.from_ns < one.to_ns)
        .collect();
    owned.sort_unstable_by_key(Owned::place);
    owned
}

/// Sales that began while the seat was surely sold to another, and those where a hold is involved.
fn clashes(owned: &[Owned]) -> (Pick<Clash>, Pick<Clash>) {
    let (mut sold, mut held) = (Pick::default(), Pick::default());
    for of_seat in owned.chunk_by(|one, other| one.claim.seat == other.claim.seat) {
        let (mut sales, mut holds) = (Longest::default(), Longest::default());
        for later in of_seat {
            let clash = |earlier: Owned| Clash {
                earlier,
                later: *later,
            };
            let sale = sales.of_another(later).map(clash);
            let hold = holds.of_another(later).map(clash);
            if later.is_hold {
                offer(&mut held, hold.or(sale));
                holds.take(*later);
            } else {
                offer(&mut sold, sale);
                offer(&mut held, hold);
                sales.take(*later);
            }
        }
    }
    (sold, held)
}

fn offer(pick: &mut Pick<Clash>, clash: Option<Clash>) {
    let Some(clash) = clash else { return };
    let until_ns = clash.earlier.to_ns.min(clash.later.to_ns);
    let claim = &clash.later.claim;
    let weight = until_ns - clash.later.from_ns;
    pick.offer(claim.user, claim.attempt.inv_ns, weight, clash);
}

/// What lasts longest so far, and what lasts longest of another user than that.
#[derive(Debug, Default)]
struct Longest {
    first: Option<Owned>,
    second: Option<Owned>,
}

impl Longest {
    fn of_another(&self, later: &Owned) -> Option<Owned> {
        let of_another = |one: &Owned| one.claim.user != later.claim.user;
        let longest = self.first.filter(of_another).or(self.second);
        longest.filter(|one| of_another(one) && one.to_ns > later.from_ns)
    }

    fn take(&mut self, one: Owned) {
        match self.first {
            Some(first) if first.claim.user == one.claim.user => {
                if one.to_ns > first.to_ns {
                    self.first = Some(one);
                }
            }
            Some(first) if one.to_ns <= first.to_ns => {
                if self.second.is_none_or(|second| one.to_ns > second.to_ns) {
                    self.second = Some(one);
                }
            }
            first => {
                self.second = first;
                self.first = Some(one);
            }
        }
    }
}

fn part(name: &'static str, clashes: &Pick<Clash>, what: &str) -> DraftPart {
    let (verdict, detail) = match clashes.count {
        0 => (Verdict::Pass, format!("no seat was {what} at one time")),
        times => (
            Verdict::Fail,
            format!("{} a seat was {what} at one time", count_of(times, "time")),
        ),
    };
    DraftPart::new(name, verdict, clashes.count, detail).with(|| clashes.cases(case))
}

fn case(clash: Clash) -> DraftCase {
    let Clash { earlier, later } = clash;
    let verb = |one: &Owned| if one.is_hold { "held by" } else { "sold to" };
    let until_ns = earlier.to_ns.min(later.to_ns);
    let long = match until_ns {
        u64::MAX => "for good".to_owned(),
        until_ns => format!("for at least {}", span(until_ns - later.from_ns)),
    };
    let (now, before) = (verb(&later), verb(&earlier));
    DraftCase::of(
        later.claim.user,
        format!("{now} this user, {long} while it was {before}"),
    )
    .at(Some(later.claim.attempt))
    .about(Thing::Seat(later.claim.seat))
    .other(Some(earlier.claim.user))
}
