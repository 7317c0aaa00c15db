//! Condition 1: one row for each user who was told so, none beyond the stock, and none for a user who
//! made no attempt that can have got it. The other invariants say more of each.

use super::Judge;
use crate::check::digest::Truth;
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::reads::Row;
use crate::history::Key;
use crate::verdict::Verdict;

/// What is wrong about a row, or about its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// It is more than there was, by the order of asking.
    Surplus,
    /// The user has more than one.
    Second,
    /// The user was told to have it, and has none.
    Missing,
    /// The user made no attempt that can have got it.
    Unasked,
}

impl Flaw {
    const fn words(self) -> &'static str {
        match self {
            Self::Surplus => "a row beyond the stock, by the time of asking",
            Self::Second => "more than one row",
            Self::Missing => "told \"issued\", but there is no row",
            Self::Unasked => "a row, but no attempt that can have got it",
        }
    }
}

impl Judge<'_> {
    pub(super) fn explained(&self) -> DraftPart {
        let mut flaws = Pick::default();
        let mut verdict = Verdict::Pass;
        let found = [
            (self.surplus(), self.digest.truth.judge_rows(true)),
            (self.second(), self.digest.truth.judge_rows(true)),
            (self.missing(), self.absent_row()),
            (self.unasked(), self.proved(true)),
        ];
        for ((users, flaw), broken) in found {
            if !users.is_empty() {
                verdict = Verdict::worst([verdict, broken]);
            }
            for user in users {
                let attempt = self.asked(user).effective;
                let when_ns = attempt.map_or(0, |attempt| attempt.inv_ns);
                flaws.offer(user, when_ns, 0, (user, attempt, flaw));
            }
        }
        let detail = match flaws.count {
            0 => "one row for each user who was told so, and for nobody who did not ask".to_owned(),
            flaws => format!(
                "{} that no order of the attempts explains: see `stock`, `one_per_user` and \
                 `acknowledged`",
                count_of(flaws, "row or confirmation")
            ),
        };
        DraftPart::new("explained", verdict, flaws.count, detail).with(|| {
            flaws.cases(|(user, attempt, flaw)| DraftCase::of(user, flaw.words()).at(attempt))
        })
    }

    /// A row that is not there may have been given back.
    fn absent_row(&self) -> Verdict {
        let missing = self.missing().0.len() as u64;
        self.digest.beyond_returns(missing, self.absent(true))
    }

    fn surplus(&self) -> (Vec<Key>, Flaw) {
        let most = self.digest.stock.map_or(u64::MAX, |stock| stock.most);
        let surplus = self.digest.taken().saturating_sub(most) as usize;
        let winners = self.digest.winners.iter().rev().take(surplus);
        (winners.map(|winner| winner.user).collect(), Flaw::Surplus)
    }

    fn second(&self) -> (Vec<Key>, Flaw) {
        let users = self.digest.users.iter().map(|(user, _)| user);
        let is_second = |user: &Key| {
            let allowed = self.digest.before.rows_of(*user).max(1);
            self.rows_of(*user) > allowed
        };
        (users.filter(is_second).collect(), Flaw::Second)
    }

    /// Without rows nobody can be missed.
    fn missing(&self) -> (Vec<Key>, Flaw) {
        let told = self.digest.users.iter().filter(|(user, asked)| {
            let told = asked.confirmed_ns.is_some() && self.digest.truth != Truth::Missing;
            told && self.rows_of(*user) == 0
        });
        (told.map(|(user, _)| user).collect(), Flaw::Missing)
    }

    fn unasked(&self) -> (Vec<Key>, Flaw) {
        let is_unasked = |row: &&Row| {
            row.new && !self.held_before(row.user) && self.asked(row.user).effective.is_none()
        };
        let rows = self.digest.rows.iter().filter(is_unasked);
        (rows.map(|row| row.user).collect(), Flaw::Unasked)
    }
}
