//! A run in short, in Markdown: for the page of a CI job that shows one text for each step.

use super::Summary;
use super::document::{Block, Inline, Line, Section, Table, code, plain, text, verdict};
use super::format::{headline, verdict_word};
use super::markdown::section;
use super::sections;
use crate::verdict::Verdict;

/// More reasons are counted, and are in the report.
const MOST_REASONS: usize = 20;

/// Verdict, reasons, claims and where the rest is. `directory` is that of the run, as it is to be
/// shown.
pub fn step_summary(summary: &Summary, directory: &str) -> String {
    let word = verdict_word(summary.verdict);
    let title = vec![
        Inline::Symbol(summary.verdict),
        Inline::plain(format!(" {word}: ")),
        Inline::text(&summary.name),
    ];
    let run = vec![
        Inline::plain(format!(
            "{}. Exit code {}: ",
            headline(summary),
            summary.exit_code
        )),
        Inline::text(&summary.exit_meaning),
        Inline::plain("."),
    ];
    let mut blocks = vec![Block::List(reasons(summary)), Block::Paragraph(run)];
    blocks.extend(claims(summary));
    let evidence = vec![
        Inline::plain("The evidence is in "),
        Inline::code(directory),
        Inline::plain(": begin with its "),
        Inline::code("report.md"),
        Inline::plain("."),
    ];
    blocks.push(Block::Paragraph(evidence));
    let run = Section {
        id: "run",
        title,
        blocks,
    };
    let compared = sections::compared(summary);
    let parts: Vec<_> = [run].iter().chain(&compared).map(section).collect();
    parts.join("\n")
}

fn reasons(summary: &Summary) -> Vec<Line> {
    let reasons = summary.reasons.iter().take(MOST_REASONS);
    let mut reasons: Vec<Line> = reasons.map(text).collect();
    if let Some(more @ 1..) = summary.reasons.len().checked_sub(MOST_REASONS) {
        reasons.push(plain(format!("{more} more, in the report")));
    }
    reasons
}

/// Thresholds first: they are what most jobs are about.
fn claims(summary: &Summary) -> Vec<Block> {
    let all = [
        ("SLA", &summary.thresholds),
        ("Invariant", &summary.invariants),
    ];
    let some = all.into_iter().filter(|(_, claims)| !claims.is_empty());
    let mut blocks: Vec<_> = some
        .map(|(head, claims)| {
            let rows = claims.iter().map(|judged| {
                vec![
                    code(&judged.name),
                    text(&judged.detail),
                    verdict(judged.verdict),
                ]
            });
            Block::Table(Table::new([head, "Actual", "Verdict"], "llc", rows))
        })
        .collect();
    if blocks.is_empty() && summary.verdict == Verdict::Pass {
        blocks.push(Block::plain("Nothing was claimed, so nothing was judged."));
    }
    blocks
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
