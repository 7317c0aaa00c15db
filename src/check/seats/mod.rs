//! Whether a seat ever belonged to two users.
//!
//! ```text
//! a hold:  surely held from ret(grant)  to the first of  inv(grant) + lease,  inv(release),
//!                                                        inv(purchase that is not confirmed)
//! a sale:  surely owned from ret(sold)  to  inv(release), or for good
//! ```
//!
//! Within these times the seat is the user's in every order of the attempts that explains the
//! answers: the grant took effect before its answer was complete, its lease did not begin before it
//! was asked for (where the user asked for it before, not before that: the answer may repeat an earlier
//! one), and nothing ended it before it was asked to. So two of different users that overlap
//! prove a defect. The converse does not hold: what happened within the answers' own times may have
//! been wrong without a trace.

mod rows;
mod times;
mod told;

use std::io;

use super::Evidence;
use super::draft::{Draft, DraftPart, count_of};
use super::recorded::{doubts, missing};
use super::tables::truth_of;
use crate::plan::{Invariant, Table};
use crate::verdict::Verdict;
use rows::Rows;
use told::Told;

pub(super) fn check(evidence: &Evidence<'_>) -> io::Result<Draft> {
    let checker = Invariant::Seats.name();
    let Some(asked) = &evidence.plan.details.seats else {
        let detail = "the scenario does not say which attempt is about which seat".to_owned();
        return Ok(Draft {
            checker,
            parts: vec![DraftPart::new("recorded", Verdict::Unknown, 0, detail)],
            praise: String::new(),
        });
    };
    let told = Told::gather(evidence, asked)?;
    let (truth, why) = truth_of(evidence.observations, &[Table::Seats]);
    let unnamed = (told.unnamed, "named no seat");
    let sold = told.sales.len() as u64;
    let mut parts = doubts((truth, &why), missing(evidence)?, unnamed, sold);
    let rows = Rows::of(&evidence.observations.tables.seats, truth, &told);
    parts.extend(rows.parts());
    parts.extend(times::parts(&told, asked));
    parts.push(contended(&told));
    Ok(Draft {
        checker,
        parts,
        praise: format!(
            "{} confirmed, no seat to two users at a time; {} asked for by more than one user",
            count_of(sold, "sale"),
            count_of(told.contended, "seat"),
        ),
    })
}

/// Without rivals the claim holds for lack of trying; it is said, not judged.
fn contended(told: &Told) -> DraftPart {
    let detail = match told.contended {
        0 => "no seat was asked for by two users, so the claim was hardly tested".to_owned(),
        seats => format!(
            "{} asked for by more than one user",
            count_of(seats, "seat")
        ),
    };
    DraftPart::information("contended", told.contended, detail)
}
