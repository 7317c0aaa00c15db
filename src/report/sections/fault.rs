//! The section on faults: what happened when, what it cost, and what else there is to say.

use crate::report::FaultSummary;
use crate::report::document::{Block, Inline, Line, Section, Table, code, listed, plain, text};
use crate::report::faults::{COST_HEAD, COST_NOTE, HEAD, NOTE, cost_row, remarks, row};

pub(super) fn section(faults: &[FaultSummary]) -> Option<Section> {
    if faults.is_empty() {
        return None;
    }
    let with_name = |fault: &FaultSummary, cells: [String; 5]| -> Vec<Line> {
        let cells = cells.into_iter().map(plain);
        std::iter::once(code(fault.name())).chain(cells).collect()
    };
    let rows = faults.iter().map(|fault| with_name(fault, row(fault)));
    let mut blocks = vec![
        Block::Table(Table::new(HEAD, "lrrrrr", rows)),
        Block::plain(NOTE),
    ];
    let costs = faults.iter();
    let costs = costs.filter_map(|fault| Some(with_name(fault, cost_row(fault)?)));
    let costs: Vec<_> = costs.collect();
    if !costs.is_empty() {
        blocks.push(Block::Table(Table::new(COST_HEAD, "lrrrrr", costs)));
        blocks.push(Block::text(COST_NOTE));
    }
    blocks.push(Block::List(faults.iter().map(more).collect()));
    Some(Section::new("faults", "Faults", blocks))
}

/// What it was, at whom, and what the tables leave out.
fn more(fault: &FaultSummary) -> Line {
    let victims = fault.victims.iter().map(code);
    let what = listed(std::iter::once(text(&fault.what)).chain(victims));
    let mut line = vec![Inline::code(fault.name()), Inline::plain(" (")];
    line.extend(what);
    line.push(Inline::plain(")"));
    for (at, remark) in remarks(fault).into_iter().enumerate() {
        line.push(Inline::plain(if at == 0 { ": " } else { "; " }));
        line.push(Inline::text(remark));
    }
    line
}
