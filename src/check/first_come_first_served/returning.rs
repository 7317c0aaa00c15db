//! What is judged where coupons come back: two conditions that are necessary for any order of the
//! attempts to explain the answers. See [`crate::check::releases`].

use super::Judge;
use crate::check::draft::{DraftCase, DraftPart, count_of};
use crate::check::moments::span;
use crate::check::releases::{Releases, is_whole};
use crate::verdict::Verdict;

impl Judge<'_> {
    pub(super) fn returning(&self, releases: &Releases) -> Vec<DraftPart> {
        let Some(stock) = self.digest.stock else {
            return vec![Self::sound(releases)];
        };
        let stock = stock.claimed;
        vec![
            self.sold_out_early(releases, stock),
            self.issued_beyond(releases, stock),
            Self::sound(releases),
        ]
    }

    /// Attempts that were not kept, or older rows that nobody read, would explain either.
    fn shown(&self, broken: bool) -> (Verdict, &'static str) {
        match (broken, is_whole(&self.digest.evidence)) {
            (false, _) => (Verdict::Pass, ""),
            (true, true) => (Verdict::Fail, ""),
            (true, false) => (Verdict::Unknown, self.not_proved()),
        }
    }

    fn sold_out_early(&self, releases: &Releases, stock: u64) -> DraftPart {
        let wrong = &releases.sold_out;
        let (verdict, perhaps) = self.shown(wrong.count > 0);
        let detail = match wrong.count {
            0 => "nobody was told that it is sold out while something was surely left".to_owned(),
            answers => format!(
                "{} while something was surely left{perhaps}",
                count_of(answers, "sold-out answer")
            ),
        };
        DraftPart::new("sold_out_while_left", verdict, wrong.count, detail).with(|| {
            wrong.cases(|one| {
                let text = format!(
                    "told \"sold out\", while at most {} of {stock} can have been out",
                    one.out
                );
                DraftCase::of(one.user, text).at(Some(one.attempt))
            })
        })
    }

    fn issued_beyond(&self, releases: &Releases, stock: u64) -> DraftPart {
        let wrong = &releases.issued;
        let (verdict, perhaps) = self.shown(wrong.count > 0);
        let detail = match wrong.count {
            0 => "nobody was told \"issued\" while all were surely out".to_owned(),
            answers => format!(
                "{} while all were surely out{perhaps}",
                count_of(answers, "confirmation")
            ),
        };
        DraftPart::new("issued_while_out", verdict, wrong.count, detail).with(|| {
            wrong.cases(|one| {
                let row = match self.rows_of(one.user) {
                    0 => "there is no row",
                    _ => "there is a row",
                };
                let text = format!(
                    "told \"issued\", while at least {} of {stock} were surely out; {row}",
                    one.out
                );
                DraftCase::of(one.user, text).at(Some(one.attempt))
            })
        })
    }

    fn sound(releases: &Releases) -> DraftPart {
        let mut ways = vec![format!(
            "{} answered, {} without a certain answer",
            count_of(releases.answered, "release"),
            releases.uncertain
        )];
        if let Some(lease_ns) = releases.lease_ns {
            ways.push(format!("any of them by itself after {}", span(lease_ns)));
        }
        let detail = format!(
            "judged as a sale in which coupons come back ({}): what is reported is wrong, and what \
             is not reported may be wrong all the same",
            ways.join("; ")
        );
        DraftPart::information("releases", releases.returns(), detail)
    }
}
