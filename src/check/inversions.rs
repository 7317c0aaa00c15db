//! Who was told "sold out", and had that answer, before somebody who got one had even asked.
//!
//! Memory: a few words for each user who got one. Sold-out answers leave only counts.

use super::asked::Attempt;
use super::digest::Winner;
use super::draft::Pick;
use super::reads::{Holdings, Row};
use super::users::Users;
use crate::history::Key;

/// Pairs of a sold-out answer and a winner, in which the answer was complete before the winner
/// asked. Equal times are no such pair: the two were under way together.
#[derive(Debug, Default)]
pub(super) struct Inversions {
    /// Everybody who holds a row or was told so, each once, by the earliest time at which one can
    /// have been got.
    winners: Vec<Winner>,
    /// How many of the answers below came when so many winners had asked.
    answers_after: Vec<u64>,
    /// The answers; the worst is the one that came first.
    pub(super) victims: Pick<(Key, Attempt)>,
    /// How many pairs there are.
    pub(super) pairs: u64,
}

impl Inversions {
    /// No answer has been looked at yet.
    pub(super) fn of(rows: &[Row], before: &Holdings, users: &Users) -> Self {
        let told = users
            .iter()
            .filter(|(_, asked)| asked.confirmed_ns.is_some());
        let holders = rows.iter().map(|row| row.user);
        let mut keys: Vec<Key> = holders.chain(told.map(|(user, _)| user)).collect();
        keys.sort_unstable();
        keys.dedup();
        let since_ns = |user: Key| match users.get(user) {
            Some(asked) if before.rows_of(user) == 0 => asked.since_ns(),
            _ => 0,
        };
        let winners = keys.into_iter().map(|user| Winner {
            since_ns: since_ns(user),
            user,
        });
        Self::among(winners.collect())
    }

    /// The same of winners that are known, in any order.
    pub(super) fn among(mut winners: Vec<Winner>) -> Self {
        winners.sort_unstable();
        Self {
            answers_after: vec![0; winners.len()],
            winners,
            ..Self::default()
        }
    }

    /// How many got one.
    pub(super) fn winners(&self) -> u64 {
        self.winners.len() as u64
    }

    /// Who asked last of all who got one.
    pub(super) fn last_winner(&self) -> Option<Winner> {
        self.winners.last().copied()
    }

    /// Only answers that were complete before this can be too early.
    pub(super) fn until_ns(&self) -> u64 {
        self.last_winner().map_or(0, |winner| winner.since_ns)
    }

    /// Takes a sold-out answer.
    pub(super) fn take(&mut self, user: Key, attempt: Attempt) {
        let until_ns = self.until_ns();
        if attempt.ret_ns() >= until_ns {
            return;
        }
        let asked = self
            .winners
            .partition_point(|winner| winner.since_ns <= attempt.ret_ns());
        self.answers_after[asked] += 1;
        self.pairs += (self.winners.len() - asked) as u64;
        let gap_ns = until_ns - attempt.ret_ns();
        self.victims
            .offer(user, attempt.inv_ns, gap_ns, (user, attempt));
    }

    /// The first answer and the last winner: no pair is further apart.
    pub(super) fn widest(&self) -> Option<(Key, Attempt, Winner)> {
        let (user, attempt) = self.victims.worst()?;
        Some((user, attempt, self.last_winner()?))
    }

    /// Who asked only after the first answer was complete; the worst is the one who asked last.
    pub(super) fn beneficiaries(&self) -> Pick<Winner> {
        let mut pick = Pick::default();
        let Some((_, first)) = self.victims.worst() else {
            return pick;
        };
        let asked = self
            .winners
            .partition_point(|winner| winner.since_ns <= first.ret_ns());
        for winner in &self.winners[asked..] {
            let gap_ns = winner.since_ns - first.ret_ns();
            pick.offer(winner.user, winner.since_ns, gap_ns, *winner);
        }
        pick
    }

    /// How many answers and winners, at the least, have to be taken away before the rest can be
    /// explained by one instant at which the stock ran out: the minimum, over all instants T, of
    /// the winners who asked after T and the answers that were complete before T.
    pub(super) fn severity(&self) -> u64 {
        let all = self.winners.len();
        let mut least = all as u64;
        // Answers complete before the current T, and winners who asked before it.
        let (mut answers, mut before) = (0_u64, 0);
        while before < all {
            let at_ns = self.winners[before].since_ns;
            // Fewer winners than these had asked by then: the answer was complete before T. The
            // entries between two different times were added with the earlier one.
            answers += self.answers_after[before];
            let upto = self
                .winners
                .partition_point(|winner| winner.since_ns <= at_ns);
            least = least.min(answers + (all - upto) as u64);
            before = upto;
        }
        least
    }
}
