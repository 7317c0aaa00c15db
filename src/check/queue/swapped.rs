//! Two users never change places: who entered later is never shown further ahead.
//!
//! Say that the first asked to enter only after the second had entered, and was told at some time
//! that b are ahead. Then at that time fewer than b are ahead of the second, or none, since the first
//! is behind. So whatever the second asks afterwards, an answer of b or more is wrong.
//!
//! A sweep over all answers: those that are complete put their number at the place of their user's
//! entry, and a request looks for the lowest number of those who entered later. The lowest numbers
//! are in a tree by Fenwick, so it takes O(n log n).

use super::gather::{Line, Number};
use super::{Judge, Needs, ahead, no_data};
use crate::check::asked::Attempt;
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::history::{Key, OutcomeKind};

/// An answer, and one of somebody behind that contradicts it.
#[derive(Debug, Clone, Copy)]
struct Swap {
    user: Key,
    number: Number,
    other: Key,
    ahead_of_other: u64,
}

pub(super) fn part(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "swapped";
    if line.numbers.is_empty() {
        return no_data(name, ahead::none(line));
    }
    let swaps = swaps(line);
    let verdict = judge.verdict(swaps.count > 0, Needs::Whole);
    let answers = count_of(line.numbers.len() as u64, "answer");
    let answers = match line.numbers_seen - line.numbers.len() as u64 {
        0 => answers,
        more => format!("the first {answers} ({more} more were not compared)"),
    };
    let detail = match swaps.count {
        0 => format!("of {answers} none puts a user behind somebody who entered later"),
        wrong => format!("{wrong} of {answers} put a user behind somebody who entered later"),
    };
    DraftPart::new(name, verdict, swaps.count, detail).with(|| {
        swaps.cases(|swap| {
            let text = format!(
                "told that {} are ahead, after it had been {} ahead of somebody who entered later:",
                swap.number.ahead, swap.ahead_of_other
            );
            let attempt = Attempt {
                inv_ns: swap.number.inv_ns,
                over_ns: swap.number.ret_ns,
                phase: swap.number.phase,
                kind: OutcomeKind::Ok,
            };
            DraftCase::of(swap.user, text)
                .at(Some(attempt))
                .other(Some(swap.other))
        })
    })
}

fn swaps(line: &Line<'_>) -> Pick<Swap> {
    let stays = &line.stays;
    let mut by_entry: Vec<u32> = (0..stays.len() as u32).collect();
    by_entry.sort_unstable_by_key(|at| stays[*at as usize].entered.inv_ns);
    let mut places = vec![0_u32; stays.len()];
    for (place, at) in by_entry.iter().enumerate() {
        places[*at as usize] = place as u32;
    }
    let mut told = line.numbers.clone();
    told.sort_unstable_by_key(|one| one.ret_ns);
    let mut asked: Vec<u32> = (0..told.len() as u32).collect();
    asked.sort_unstable_by_key(|at| told[*at as usize].inv_ns);
    let mut complete = 0;
    let mut lowest = Lowest::of(stays.len());
    let mut pick = Pick::default();
    for at in asked {
        let number = told[at as usize];
        while complete < told.len() && told[complete].ret_ns < number.inv_ns {
            let one = told[complete];
            lowest.put(places[one.stay as usize] as usize, (one.ahead, one.stay));
            complete += 1;
        }
        let stay = &stays[number.stay as usize];
        let later = by_entry
            .partition_point(|at| stays[*at as usize].entered.inv_ns <= stay.entered.ret_ns());
        let Some((ahead_of_other, other)) = lowest.from(later) else {
            continue;
        };
        if ahead_of_other <= number.ahead {
            let swap = Swap {
                user: stay.user,
                number,
                other: stays[other as usize].user,
                ahead_of_other,
            };
            let weight = number.ahead - ahead_of_other;
            pick.offer(stay.user, number.inv_ns, weight, swap);
        }
    }
    pick
}

/// The lowest pair from a place on, where pairs only ever become lower.
struct Lowest {
    /// A Fenwick tree over the places in reverse order.
    tree: Vec<(u64, u32)>,
}

const NOTHING: (u64, u32) = (u64::MAX, u32::MAX);

impl Lowest {
    fn of(places: usize) -> Self {
        Self {
            tree: vec![NOTHING; places + 1],
        }
    }

    fn put(&mut self, place: usize, pair: (u64, u32)) {
        let mut node = self.tree.len() - 1 - place;
        while node < self.tree.len() {
            self.tree[node] = self.tree[node].min(pair);
            node += node & node.wrapping_neg();
        }
    }

    /// Of all places from this one to the last.
    fn from(&self, place: usize) -> Option<(u64, u32)> {
        let mut node = self.tree.len() - 1 - place;
        let mut lowest = NOTHING;
        while node > 0 {
            lowest = lowest.min(self.tree[node]);
            node &= node - 1;
        }
        (lowest != NOTHING).then_some(lowest)
    }
}
