//! What `seats` and `balances` want to know of attempts, in lines for people.

use std::fmt::Write as _;

use super::Done;
use crate::plan::Plan;
use crate::scenario::value::Span;

pub(super) fn print(plan: &Plan, out: &mut String) -> Done {
    let names = |steps: &[u8]| {
        let steps = steps
            .iter()
            .filter_map(|at| plan.steps.get(usize::from(*at)));
        let names: Vec<&str> = steps.map(|step| step.name.as_str()).collect();
        names.join(", ")
    };
    if let Some(seats) = &plan.details.seats {
        write!(out, "  seats     sold by {}", names(&seats.sold))?;
        if let Some(hold) = &seats.hold {
            let lease = Span(hold.lease);
            write!(out, ", held by {} for {lease}", names(&hold.steps))?;
        }
        if !seats.release.is_empty() {
            write!(out, ", released by {}", names(&seats.release))?;
        }
        writeln!(out)?;
    }
    if let Some(balances) = &plan.details.balances {
        write!(out, "  balances  charged by {}", names(&balances.charge))?;
        if balances.conserved {
            write!(out, ", conserved")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
