//! Whether every charge is in the ledger once, and whether the balances follow from it.
//!
//! ```text
//! answers  --key-->  rows of the ledger  --account-->  initial + sum of the rows = final
//! ```
//!
//! Amounts are whole numbers of 10^-18, so nothing is rounded. A row whose amount cannot be read, or a
//! sum that is too large, makes the parts that need it unknown and no other.

mod accounts;
mod charges;
mod entries;

use std::io;

use super::Evidence;
use super::draft::{Draft, DraftPart, count_of};
use super::recorded::{doubts, missing};
use super::tables::truth_of;
use crate::plan::{Invariant, Table};
use crate::verdict::Verdict;
use accounts::Accounts;
use charges::Charges;
use entries::Entries;

pub(super) fn check(evidence: &Evidence<'_>) -> io::Result<Draft> {
    let checker = Invariant::Balances.name();
    let Some(asked) = &evidence.plan.details.balances else {
        let detail = "the scenario does not say what a charge is known by".to_owned();
        return Ok(Draft {
            checker,
            parts: vec![DraftPart::new("recorded", Verdict::Unknown, 0, detail)],
            praise: String::new(),
        });
    };
    let tables = &evidence.observations.tables;
    let entries = Entries::of(&tables.ledger);
    let charges = Charges::gather(evidence, asked, &entries)?;
    let (truth, why) = truth_of(evidence.observations, &[Table::Ledger]);
    let missing = missing(evidence)?;
    let unnamed = (charges.unnamed, "named no key");
    let confirmed = charges.confirmed();
    let mut parts = doubts((truth, &why), missing, unnamed, confirmed);
    let whole = missing == 0 && charges.unnamed == 0 && evidence.gap.is_none();
    parts.extend(charges.parts(asked, truth, whole));
    let (truth, why) = truth_of(evidence.observations, &[Table::Ledger, Table::Balances]);
    let accounts = Accounts::of(evidence.observations, &entries);
    parts.extend(accounts.parts(&charges, truth, &why, asked.conserved));
    Ok(Draft {
        checker,
        parts,
        praise: format!(
            "{} confirmed, each with one row; {} add up",
            count_of(confirmed, "charge"),
            count_of(accounts.len() as u64, "account"),
        ),
    })
}
