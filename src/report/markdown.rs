//! The report for people in Markdown: the verdict first, then the evidence, fit to paste into a pull
//! request.

use std::fmt::Write as _;

use super::Summary;
use super::document::{Block, Inline, Line, Section, Table};
use super::escape::{block, cell_code, code, text};
use super::format::{headline, verdict_word};
use super::sections::{self, sections};
use crate::messages::Lang;
use crate::verdict::Verdict;

/// The report for people.
pub fn markdown(summary: &Summary) -> String {
    let rest = sections(summary);
    let rest = rest.iter().map(section);
    let parts: Vec<_> = std::iter::once(title(summary)).chain(rest).collect();
    parts.join("\n")
}

/// A comparison of two runs for a pull request.
pub fn compared_markdown(comparison: &super::Comparison, lang: Lang) -> String {
    section(&sections::comparison(comparison, lang))
}

const fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Unknown => "❓",
        Verdict::Fail => "❌",
    }
}

fn title(summary: &Summary) -> String {
    let verdict = summary.verdict;
    let word = verdict_word(verdict);
    let mut out = String::new();
    for sentence in &summary.not_healed {
        let _ = writeln!(out, "❌ **Not healed:** {}\n", text(sentence));
    }
    let name = text(&summary.name);
    let _ = write!(out, "# {} {word}: {name}\n\n", symbol(verdict));
    for reason in summary.other_reasons() {
        let _ = writeln!(out, "- {}", text(reason));
    }
    if let Some(about) = &summary.about {
        let _ = write!(out, "\n> {}\n", text(about));
    }
    let _ = writeln!(out, "\n{}.", headline(summary));
    let meaning = text(&summary.exit_meaning);
    let _ = writeln!(out, "Exit code {}: {meaning}.", summary.exit_code);
    out
}

pub(super) fn section(section: &Section) -> String {
    let title = line(&section.title, code);
    format!("## {title}\n\n{}", blocks(&section.blocks))
}

fn blocks(all: &[Block]) -> String {
    let texts: Vec<_> = all.iter().map(one).collect();
    texts.join("\n")
}

fn one(one: &Block) -> String {
    match one {
        Block::Heading(level, title) => {
            format!("{} {}\n", "#".repeat((*level).into()), line(title, code))
        }
        Block::Paragraph(words) => format!("{}\n", line(words, code)),
        Block::List(items) => list(items, ""),
        Block::Warnings(items) => list(items, "⚠️ "),
        Block::Table(rows) => table(rows),
        Block::Code { language, text } => block(language, text),
        Block::Chart { about } => format!("![{about}](chart.svg)\n"),
        Block::Picture { about, file, .. } => format!("![{about}]({file})\n"),
        Block::Details { title, blocks: all } => {
            let inside = blocks(all);
            format!("<details><summary>{title}</summary>\n\n{inside}\n</details>\n")
        }
    }
}

fn list(items: &[Line], sign: &str) -> String {
    let lines = items
        .iter()
        .map(|item| format!("- {sign}{}\n", line(item, code)));
    lines.collect()
}

fn table(table: &Table) -> String {
    let rule: Vec<_> = table
        .align
        .chars()
        .map(|letter| match letter {
            'r' => "--:",
            'c' => ":-:",
            _ => "---",
        })
        .collect();
    let (head, rule) = (table.head.join(" | "), rule.join(" | "));
    let mut out = format!("| {head} |\n| {rule} |\n");
    for row in &table.rows {
        let cells: Vec<_> = row.iter().map(|cell| line(cell, cell_code)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// Code is written in another way within a table.
fn line(line: &[Inline], code: impl Fn(&str) -> String) -> String {
    let piece = |piece: &Inline| match piece {
        Inline::Plain(words) => words.clone(),
        Inline::Text(words) => text(words),
        Inline::Code(name) => code(name),
        Inline::Symbol(verdict) => symbol(*verdict).to_owned(),
        Inline::Verdict(verdict) => match verdict {
            Verdict::Pass => format!("{} {verdict}", symbol(*verdict)),
            Verdict::Unknown | Verdict::Fail => format!("{} **{verdict}**", symbol(*verdict)),
        },
        Inline::File(name) => format!("[{name}]({name})"),
    };
    line.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_failed_run_reads_well() {
        insta::assert_snapshot!(markdown(&fixture::failed()));
    }

    #[test]
    fn a_run_that_left_something_broken_says_so_first() {
        let text = markdown(&fixture::not_healed());
        let first = text.lines().next().unwrap_or_default();
        assert!(first.contains("the fault `redis-down` could not be healed"));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_passed_run_reads_well() {
        insta::assert_snapshot!(markdown(&fixture::passed()));
    }

    #[test]
    fn an_interrupted_run_reads_well() {
        insta::assert_snapshot!(markdown(&fixture::interrupted()));
    }

    #[test]
    fn an_empty_run_reads_well() {
        insta::assert_snapshot!(markdown(&fixture::empty()));
    }

    #[test]
    fn no_zero_stands_where_nothing_was_measured() {
        for summary in [fixture::empty(), fixture::interrupted()] {
            let text = markdown(&summary);
            for zero in [" 0 ms", "0.000 ms", "| 0.000 |", "NaN"] {
                assert!(!text.contains(zero), "{zero:?} in {text}");
            }
        }
    }

    #[test]
    fn foreign_text_keeps_every_row_in_its_columns() {
        let text = markdown(&fixture::hostile());
        assert!(!text.chars().any(|char| char.is_control() && char != '\n'));
        let mut width = None;
        for line in text.lines() {
            let bars = line.replace("\\|", "").matches('|').count();
            let row = line.starts_with("| ");
            if row {
                assert_eq!(*width.get_or_insert(bars), bars, "{line}");
            } else {
                width = None;
            }
        }
    }
}
