//! A comparison for a terminal.

use std::fmt::Write as _;

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::{Alignment, Modify, Style};

use super::told::{HEAD, Sentence, Told, limits, regressions, sides, undecided, verdict};
use super::{Comparison, FigureChange};
use crate::messages::{Lang, joined};
use crate::report::format::one_line;

/// The comparison for a terminal.
pub fn compared(comparison: &Comparison, lang: Lang) -> String {
    let told = Told::of(comparison, lang);
    let shown = |sentence: &Sentence| one_line(&joined(sentence));
    let verdict = shown(&told.sentence(&verdict(comparison)));
    let mut out = format!("{}\n\n", verdict.to_uppercase());
    for side in told.sentences(&sides(comparison)) {
        let _ = writeln!(out, "{}", shown(&side));
    }
    let differs = told.text("compare.differs");
    for different in told.differences() {
        let _ = writeln!(out, "{differs}: {}", shown(&different));
    }
    for sentence in told.sentences(&regressions(comparison)) {
        let _ = writeln!(out, "✘ {}", shown(&sentence));
    }
    let word = told.text("compare.verdict_undecided");
    for sentence in told.sentences(&undecided(comparison)) {
        let _ = writeln!(out, "? {word}: {}", shown(&sentence));
    }
    let _ = writeln!(out, "\n{}", figures(&told, &comparison.figures));
    let _ = writeln!(out, "{}", shown(&told.sentence(&limits(comparison))));
    for doubt in told.doubts() {
        let _ = writeln!(out, "! {}", shown(&doubt));
    }
    out
}

fn figures(told: &Told<'_>, figures: &[FigureChange]) -> tabled::Table {
    let mut builder = Builder::new();
    builder.push_record(HEAD.map(|key| told.text(key)));
    for figure in figures {
        let means = told.means(figure.judgement).to_owned();
        let cells = told.cells(figure).into_iter().chain([means]);
        builder.push_record(cells.map(|cell| one_line(&cell)));
    }
    let mut table = builder.build();
    table
        .with(Style::sharp())
        .with(Modify::new(Columns::new(3..5)).with(Alignment::right()))
        .with(Modify::new(Rows::first()).with(Alignment::left()));
    table
}
