//! Whether some order of the attempts explains every answer and every row: the sale is a ticket
//! object, and its history is linearizable.
//!
//! The object issues while something is left, refuses a second time to whoever holds one, and then
//! only says "sold out". Coupons never come back, so one instant T separates all that were issued
//! from all that were refused. Hence the history has an explanation exactly if
//!
//! 1. there are at most as many rows as stock, one for each user; whoever was told so has a row, and
//!    whoever has a row made an attempt that may have got it;
//! 2. whoever was told to hold one had made such an attempt before that answer was complete, and
//!    has a row;
//! 3. if anybody was told "sold out", all of the stock is gone, and every winner had asked before
//!    the first such answer was complete.
//!
//! T then fits between the last winner's asking and the first refusal's end, and each issue may take
//! effect as soon as it is asked for. Attempts without a certain answer cost nothing: only their
//! beginning is needed. Where duplicates are looked for first, nobody who has a row is told "sold
//! out". The property tests hold these conditions against exhaustive search.
//!
//! Where the scenario says that coupons come back there is no such T. Then only what is wrong in any
//! order is judged.

mod duplicates;
mod explained;
mod order;
mod returning;

use super::asked::Asked;
use super::digest::{Digest, Truth};
use super::draft::{Draft, DraftPart, count_of};
use super::fairness;
use super::stock::{contradiction, unsold, vacuous};
use crate::history::{Key, OutcomeKind};
use crate::plan::{Duplicates, Invariant};
use crate::verdict::Verdict;

pub(super) fn check(digest: &Digest<'_>, duplicates: Duplicates) -> Draft {
    let judge = Judge {
        digest,
        // Where coupons come back, rows that are gone are no surprise.
        returned: match digest.releases {
            None => digest.returned,
            Some(_) => 0,
        },
    };
    let mut parts: Vec<DraftPart> = vacuous(digest).into_iter().collect();
    parts.extend(judge.doubts());
    if digest.releases.is_none() {
        parts.extend(judge.order());
    }
    parts.push(judge.early_duplicate());
    // Where coupons come back, a user may be told so first and get one later.
    if duplicates == Duplicates::First && digest.releases.is_none() {
        parts.push(judge.duplicates_first());
    }
    parts.push(judge.explained());
    parts.extend(judge.end_of_stock());
    parts.push(fairness::part(digest));
    match &digest.releases {
        None => parts.push(judge.releases()),
        Some(releases) => parts.extend(judge.returning(releases)),
    }
    Draft {
        checker: Invariant::FirstComeFirstServed(duplicates).name(),
        parts,
        praise: judge.praise(),
    }
}

struct Judge<'d> {
    digest: &'d Digest<'d>,
    /// Rows that were there and are gone.
    returned: u64,
}

impl Judge<'_> {
    fn praise(&self) -> String {
        if let Some(releases) = &self.digest.releases {
            return format!(
                "{} of \"issued\" and {} of \"sold out\", none of them surely wrong with {}",
                count_of(self.digest.count(OutcomeKind::Issued), "answer"),
                count_of(self.digest.sold_out.count, "answer"),
                count_of(releases.answered, "release")
            );
        }
        let winners = count_of(self.digest.inversions.winners(), "user");
        match self.digest.sold_out.count {
            0 => format!("{winners} got one, and nobody was told that it is sold out"),
            answers => format!(
                "{winners} got one, and had asked before the first of {} was complete",
                count_of(answers, "sold-out answer")
            ),
        }
    }

    /// Why not everything can be decided. What is proved fails all the same.
    fn doubts(&self) -> Vec<DraftPart> {
        let mut doubts = Vec::new();
        if self.digest.truth != Truth::Final {
            let why = self.digest.why_not_final();
            let detail = format!("who got one is not known for certain: {why}");
            doubts.push(unknown("quiescence", detail));
        }
        if let Some(gap) = self.digest.evidence.gap {
            let detail = format!("the history is not whole, so nothing is certain: {gap}");
            doubts.push(unknown("history", detail));
        }
        doubts
    }

    /// An earlier attempt that was not kept, a coupon of before the load that nobody read, or one
    /// that came back would explain what looks wrong.
    fn proved(&self, broken: bool) -> Verdict {
        let is_whole = self.digest.evidence.gap.is_none() && self.knows_before();
        if !broken {
            Verdict::Pass
        } else if is_whole && self.returned == 0 {
            Verdict::Fail
        } else {
            Verdict::Unknown
        }
    }

    /// The verdict on rows that are not there: more may come, and one that came back is gone.
    fn absent(&self, broken: bool) -> Verdict {
        if !broken {
            Verdict::Pass
        } else if self.returned == 0 {
            self.digest.truth.judge(true)
        } else {
            Verdict::Unknown
        }
    }

    fn knows_before(&self) -> bool {
        self.digest.evidence.observations.baseline.is_some()
    }

    fn not_proved(&self) -> &'static str {
        if self.digest.evidence.gap.is_some() {
            "; attempts that were not kept may explain it"
        } else if self.returned > 0 {
            "; coupons that came back may explain it"
        } else if !self.knows_before() {
            "; the rows before the load were not read, and some may be older"
        } else {
            ""
        }
    }

    fn asked(&self, user: Key) -> Asked {
        self.digest.users.get(user).copied().unwrap_or_default()
    }

    fn rows_of(&self, user: Key) -> u32 {
        let second = self.digest.second.as_ref();
        let later = second.map_or(0, |second| second.rows_of(user));
        self.digest.last.rows_of(user).max(later)
    }

    fn held_before(&self, user: Key) -> bool {
        self.digest.before.rows_of(user) > 0
    }

    /// Whether all was gone when somebody was told so.
    fn end_of_stock(&self) -> Option<DraftPart> {
        let Some(stock) = self.digest.stock else {
            let detail = "the scenario does not say how much there is".to_owned();
            return Some(unknown("stock_known", detail));
        };
        if let Some(said) = stock.contradicted {
            return Some(contradiction(stock, said));
        }
        let mut part = unsold(self.digest, stock)?;
        if self.returned > 0 && part.verdict == Verdict::Fail {
            part.verdict = Verdict::Unknown;
        }
        Some(part)
    }

    fn releases(&self) -> DraftPart {
        match self.returned {
            0 => DraftPart::information(
                "releases",
                0,
                "judged as a sale in which no coupon comes back: a cancel, or a hold that runs \
                 out, is not judged"
                    .to_owned(),
            ),
            rows => DraftPart::new(
                "releases",
                Verdict::Unknown,
                rows,
                format!(
                    "{} gone that had been there: a sale in which coupons come back is not judged",
                    count_of(rows, "row")
                ),
            ),
        }
    }
}

fn unknown(name: &'static str, detail: String) -> DraftPart {
    DraftPart::new(name, Verdict::Unknown, 0, detail)
}
