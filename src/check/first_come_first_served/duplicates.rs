//! Condition 2: whoever was told to hold one had asked for it before and has a row; and where
//! duplicates are looked for first, nobody who has a row is told "sold out".

use super::Judge;
use crate::check::asked::{Asked, Attempt};
use crate::check::digest::Truth;
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::moments::span;
use crate::history::Key;
use crate::verdict::Verdict;

/// Why the answer that one is held already cannot be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It was complete, at this time, before an attempt that can have got one began, or there is
    /// none.
    TooEarly(u64),
    /// It was complete at this time, and there is no row.
    NoRow(u64),
}

impl Judge<'_> {
    pub(super) fn early_duplicate(&self) -> DraftPart {
        let (mut early, mut ghosts) = (Pick::default(), Pick::default());
        for (user, asked) in self.digest.users.iter() {
            match self.wrong(user, asked) {
                Some(Wrong::TooEarly(at_ns)) => early.offer(user, at_ns, 0, (user, at_ns)),
                Some(Wrong::NoRow(at_ns)) => ghosts.offer(user, at_ns, 0, (user, at_ns)),
                None => {}
            }
        }
        let mut wrong = Vec::new();
        if early.count > 0 {
            wrong.push(format!(
                "{} told to hold one before an attempt that can have got it{}",
                count_of(early.count, "user"),
                self.not_proved()
            ));
        }
        if ghosts.count > 0 {
            let users = count_of(ghosts.count, "user");
            let perhaps = self.digest.perhaps_returned(ghosts.count);
            wrong.push(format!(
                "{users} told to hold one, but without a row{perhaps}"
            ));
        }
        let detail = if wrong.is_empty() {
            "whoever was told to hold one had asked for it before".to_owned()
        } else {
            wrong.join("; ")
        };
        let ghost = self.absent(ghosts.count > 0);
        let ghost = self.digest.beyond_returns(ghosts.count, ghost);
        let verdicts = [self.proved(early.count > 0), ghost];
        let (verdict, count) = (Verdict::worst(verdicts), early.count + ghosts.count);
        DraftPart::new("early_duplicate", verdict, count, detail).with(|| {
            let pick = if early.count > 0 { &early } else { &ghosts };
            pick.cases(|(user, at_ns)| self.told_held(user, at_ns))
        })
    }

    /// The answer that was complete first decides: what explains it explains all later ones. That
    /// a confirmation is the first of its user or a replay makes no difference, since the first
    /// explains itself.
    fn wrong(&self, user: Key, asked: &Asked) -> Option<Wrong> {
        let duplicate_ns = asked.duplicate.map(Attempt::ret_ns);
        let told_ns = duplicate_ns.into_iter().chain(asked.confirmed_ns).min()?;
        if self.held_before(user) {
            return None;
        }
        if asked.effective.is_none_or(|first| first.inv_ns > told_ns) {
            return Some(Wrong::TooEarly(told_ns));
        }
        let is_ghost = self.digest.truth != Truth::Missing && self.rows_of(user) == 0;
        duplicate_ns.filter(|_| is_ghost).map(Wrong::NoRow)
    }

    fn told_held(&self, user: Key, at_ns: u64) -> DraftCase {
        let asked = self.asked(user);
        let duplicate = asked.duplicate.filter(|attempt| attempt.ret_ns() == at_ns);
        let (answer, told) = match duplicate {
            Some(attempt) => ("\"duplicate\"", Some(attempt)),
            None => ("the confirmation again", self.confirmation(user, at_ns)),
        };
        let row = match self.rows_of(user) {
            0 => "there is no row",
            _ => "there is a row",
        };
        let text = match asked.effective {
            None => format!("told {answer} without any attempt that can have got one; {row}"),
            Some(later) if later.inv_ns > at_ns => format!(
                "told {answer} {} before the first attempt that can have got one; {row}",
                span(later.inv_ns - at_ns)
            ),
            Some(_) => format!("told {answer}, but {row}"),
        };
        DraftCase::of(user, text).at(told)
    }

    /// The confirmation of this user that was complete then, for one of the few that are shown.
    fn confirmation(&self, user: Key, at_ns: u64) -> Option<Attempt> {
        let confirmed = self.digest.confirmed.iter();
        let of_user = confirmed.filter(|one| one.user == user);
        let mut attempts = of_user.map(|one| one.attempt);
        attempts.find(|attempt| attempt.ret_ns() == at_ns)
    }

    /// Who holds one is told so, also when nothing is left.
    pub(super) fn duplicates_first(&self) -> DraftPart {
        let told = &self.digest.to_holders;
        let verdict = match told.count {
            0 => Verdict::Pass,
            _ if self.returned > 0 => Verdict::Unknown,
            _ => Verdict::Fail,
        };
        let detail = match told.count {
            0 => "nobody who holds one was told that it is sold out".to_owned(),
            answers => format!(
                "{} to users with a row, where duplicates are looked for first",
                count_of(answers, "sold-out answer")
            ),
        };
        DraftPart::new("duplicates_first", verdict, told.count, detail).with(|| {
            told.cases(|(user, attempt)| {
                DraftCase::of(user, "told \"sold out\", but there is a row").at(Some(attempt))
            })
        })
    }
}
