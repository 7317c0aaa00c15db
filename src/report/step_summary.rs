//! A run in short, in Markdown: for the page of a CI job that shows one text for each step.

use std::fmt::Write as _;

use super::Summary;
use super::escape::{cell_code, code, text};
use super::format::{headline, verdict_word};
use super::markdown::{shown, symbol, table};
use crate::verdict::Verdict;

/// More reasons are counted, and are in the report.
const MOST_REASONS: usize = 20;

/// Verdict, reasons, claims and where the rest is. `directory` is that of the run, as it is to be
/// shown.
pub fn step_summary(summary: &Summary, directory: &str) -> String {
    let word = verdict_word(summary.verdict);
    let (symbol, name) = (symbol(summary.verdict), text(&summary.name));
    let mut out = format!("## {symbol} {word}: {name}\n\n");
    for reason in summary.reasons.iter().take(MOST_REASONS) {
        let _ = writeln!(out, "- {}", text(reason));
    }
    if let Some(more @ 1..) = summary.reasons.len().checked_sub(MOST_REASONS) {
        let _ = writeln!(out, "- {more} more, in the report");
    }
    let meaning = text(&summary.exit_meaning);
    let _ = writeln!(
        out,
        "\n{}. Exit code {}: {meaning}.",
        headline(summary),
        summary.exit_code
    );
    out += &claims(summary);
    if let Some(comparison) = &summary.comparison {
        let _ = write!(out, "\n{}", super::compared_markdown(comparison));
    }
    let _ = writeln!(
        out,
        "\nThe evidence is in {}: begin with its `report.md`.",
        code(directory)
    );
    out
}

/// Thresholds first: they are what most jobs are about.
fn claims(summary: &Summary) -> String {
    let mut out = String::new();
    for (head, claims) in [
        ("SLA", &summary.thresholds),
        ("Invariant", &summary.invariants),
    ] {
        if claims.is_empty() {
            continue;
        }
        let rows = claims.iter().map(|judged| {
            let (name, detail) = (cell_code(&judged.name), text(&judged.detail));
            [name, detail, shown(judged.verdict)]
        });
        let _ = write!(out, "\n{}", table([head, "Actual", "Verdict"], "llc", rows));
    }
    let nothing = summary.thresholds.is_empty() && summary.invariants.is_empty();
    if nothing && summary.verdict == Verdict::Pass {
        out += "\nNothing was claimed, so nothing was judged.\n";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_failed_run_reads_well() {
        insta::assert_snapshot!(step_summary(&fixture::failed(), "reports/run"));
    }

    #[test]
    fn foreign_text_keeps_every_row_in_its_columns() {
        let text = step_summary(&fixture::hostile(), "a`|\u{1b}[2J");
        assert!(!text.chars().any(|char| char.is_control() && char != '\n'));
        let rows = text.lines().filter(|line| line.starts_with("| "));
        let bars = |row: &str| row.replace("\\|", "").matches('|').count();
        assert!(rows.into_iter().all(|row| bars(row) == 4), "{text}");
    }

    #[test]
    fn a_run_with_a_thousand_reasons_stays_short() {
        let mut summary = fixture::failed();
        summary.reasons = vec!["one of many".to_owned(); 1_000];
        let text = step_summary(&summary, "reports/run");
        assert!(text.contains("980 more, in the report"), "{text}");
        assert!(text.len() < 10_000);
    }
}
