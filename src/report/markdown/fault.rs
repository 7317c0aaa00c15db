//! The section on faults: what happened when, what it cost, and what else there is to say.

use std::fmt::Write as _;

use super::table;
use crate::report::FaultSummary;
use crate::report::escape::{cell_code, code, text};
use crate::report::faults::{COST_HEAD, COST_NOTE, HEAD, NOTE, cost_row, remarks, row};

pub(super) fn section(faults: &[FaultSummary]) -> String {
    if faults.is_empty() {
        return String::new();
    }
    let with_name = |fault: &FaultSummary, cells: [String; 5]| {
        std::iter::once(cell_code(&fault.name())).chain(cells)
    };
    let rows = faults.iter().map(|fault| with_name(fault, row(fault)));
    let mut out = format!("## Faults\n\n{}\n{NOTE}\n", table(HEAD, "lrrrrr", rows));
    let costs = faults.iter();
    let costs = costs.filter_map(|fault| Some(with_name(fault, cost_row(fault)?)));
    let costs: Vec<_> = costs.collect();
    if !costs.is_empty() {
        let costs = table(COST_HEAD, "lrrrrr", costs.into_iter());
        let _ = write!(out, "\n{costs}\n{COST_NOTE}\n");
    }
    out.push('\n');
    for fault in faults {
        let mut what = vec![text(&fault.what)];
        what.extend(fault.victims.iter().map(|name| code(name)));
        let remarks = remarks(fault);
        let remarks: Vec<_> = remarks.iter().map(|remark| text(remark)).collect();
        let (name, what) = (code(&fault.name()), what.join(", "));
        let colon = if remarks.is_empty() { "" } else { ": " };
        let _ = writeln!(out, "- {name} ({what}){colon}{}", remarks.join("; "));
    }
    out
}
