//! The times of condition 3: nobody was told "sold out" before somebody who asked later got one.
//! Answers alone prove it, so it is judged without a final read as well.

use super::Judge;
use crate::check::Which;
use crate::check::asked::Attempt;
use crate::check::digest::{Truth, Winner};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::moments::span;
use crate::history::Key;
use crate::verdict::Verdict;

impl Judge<'_> {
    pub(super) fn order(&self) -> Vec<DraftPart> {
        let inversions = &self.digest.inversions;
        let Some((user, attempt, winner)) = inversions.widest() else {
            let detail =
                "nobody was told that it is sold out before somebody else asked and got one";
            return vec![DraftPart::new("order", Verdict::Pass, 0, detail.to_owned())];
        };
        let verdict = self.proved(true);
        let (victims, beneficiaries) = (&inversions.victims, inversions.beneficiaries());
        let farthest = span(winner.since_ns - attempt.ret_ns());
        let detail = format!(
            "{} complete before {} who got one had asked, up to {farthest} before ({}; at least {} \
             of these answers must be wrong){}",
            was_were(victims.count, "sold-out answer"),
            count_of(beneficiaries.count, "user"),
            count_of(inversions.pairs, "pair"),
            inversions.severity(),
            self.not_proved(),
        );
        let order = DraftPart::new("order", verdict, inversions.pairs, detail);
        vec![
            order.with(|| self.counter_example(user, attempt, winner)),
            Self::victims(verdict, victims, winner),
            self.beneficiaries(verdict, &beneficiaries, user),
        ]
    }

    /// The two that contradict each other most: no explanation can hold both.
    fn counter_example(&self, user: Key, attempt: Attempt, winner: Winner) -> Vec<DraftCase> {
        let gap = span(winner.since_ns - attempt.ret_ns());
        let refused = DraftCase::of(
            user,
            format!(
                "told \"sold out\"; {gap} after that answer was complete, one was still got by"
            ),
        );
        let got = DraftCase::of(winner.user, self.got(winner.user, &gap));
        vec![
            refused
                .which(Which::First)
                .at(Some(attempt))
                .other(Some(winner.user)),
            got.which(Which::Last)
                .at(self.asked(winner.user).effective)
                .other(Some(user)),
        ]
    }

    /// What a winner was told, and what the truth says.
    fn got(&self, user: Key, gap: &str) -> String {
        let told = match self.asked(user).confirmed_ns {
            Some(_) => "told \"issued\"",
            None => "without a certain answer",
        };
        let holds = match (self.digest.truth, self.rows_of(user)) {
            (Truth::Missing, _) => "the rows are not known",
            (_, 0) => "there is no row",
            _ => "there is a row",
        };
        format!("asked {gap} later, {told}, and {holds}; by then it was \"sold out\" to")
    }

    fn victims(verdict: Verdict, victims: &Pick<(Key, Attempt)>, last: Winner) -> DraftPart {
        let detail = format!(
            "{} complete before the last user who got one had asked",
            was_were(victims.count, "sold-out answer")
        );
        DraftPart::new("victims", verdict, victims.count, detail).with(|| {
            victims.cases(|(user, attempt)| {
                let gap = span(last.since_ns - attempt.ret_ns());
                let text = format!("told \"sold out\" {gap} before one was asked for and got by");
                DraftCase::of(user, text)
                    .at(Some(attempt))
                    .other(Some(last.user))
            })
        })
    }

    fn beneficiaries(&self, verdict: Verdict, winners: &Pick<Winner>, first: Key) -> DraftPart {
        let detail = format!(
            "{} who got one asked only after the first sold-out answer was complete",
            count_of(winners.count, "user")
        );
        let told_ns = self
            .digest
            .sold_out
            .worst()
            .map(|(_, first)| first.ret_ns());
        DraftPart::new("beneficiaries", verdict, winners.count, detail).with(|| {
            winners.cases(|winner| {
                let gap = span(winner.since_ns - told_ns.unwrap_or(winner.since_ns));
                DraftCase::of(winner.user, self.got(winner.user, &gap))
                    .at(self.asked(winner.user).effective)
                    .other(Some(first))
            })
        })
    }
}

fn was_were(number: u64, unit: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count_of(number, unit))
}
