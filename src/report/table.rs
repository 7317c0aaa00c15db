//! The summary for a terminal: verdict, claims, outcomes and latency within 100 columns.

use std::fmt::Write as _;

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::{Alignment, Modify, Style, Width};

use super::format::{
    NO_DATA, count, drain_sentence, has_open_model, headline, latency_rows, moment, one_line,
    verdict_word,
};
use super::{Judged, Summary, faults, metrics, resources};
use crate::measure::{Unit, milliseconds};
use crate::messages::Lang;
use crate::verdict::Verdict;

const COLUMNS: usize = 100;

/// Faults that a terminal shows; the report has all of them.
const MOST_FAULTS: usize = 20;

/// The summary for a terminal. Colour only repeats what words and symbols say.
pub fn terminal(summary: &Summary, colour: bool) -> String {
    let mut out = String::new();
    for sentence in &summary.not_healed {
        out += &wrapped("✘ NOT HEALED: ", &one_line(sentence));
    }
    out += &verdict_lines(summary, colour);
    let _ = writeln!(out, "\n{}.", headline(summary));
    if let Some(sentence) = drain_sentence(summary) {
        out += &wrapped("", &sentence);
    }
    for line in &summary.setup {
        out += &wrapped("", &one_line(&line.to_string()));
    }
    let claims = summary.invariants.iter().chain(&summary.thresholds);
    let claims = claims_table(claims);
    out += &if colour {
        coloured_cells(&claims)
    } else {
        claims
    };
    out += &story(summary);
    out += &fault_table(summary);
    out += &outcomes_table(summary);
    out += &latency_table(summary);
    out += &metric_tables(summary);
    out += &resource_table(summary);
    if let Some(comparison) = &summary.comparison {
        let _ = write!(out, "\n{}", super::compared(comparison, Lang::En));
    }
    if !summary.warnings.is_empty() {
        out += "\nBefore trusting the numbers:\n";
        for warning in &summary.warnings {
            out += &wrapped("! ", &one_line(warning));
        }
    }
    out
}

const fn symbol(verdict: Verdict) -> char {
    match verdict {
        Verdict::Pass => '✔',
        Verdict::Unknown => '?',
        Verdict::Fail => '✘',
    }
}

const fn ansi(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "\u{1b}[32m",
        Verdict::Unknown => "\u{1b}[33m",
        Verdict::Fail => "\u{1b}[31m",
    }
}

const RESET: &str = "\u{1b}[0m";

fn verdict_lines(summary: &Summary, colour: bool) -> String {
    let verdict = summary.verdict;
    let (symbol, word) = (symbol(verdict), verdict_word(verdict));
    let name = one_line(&summary.name);
    let mut out = if colour {
        format!("{}\u{1b}[1m{symbol} {word}{RESET}  {name}\n", ansi(verdict))
    } else {
        format!("{symbol} {word}  {name}\n")
    };
    for reason in summary.other_reasons() {
        out += &wrapped("  - ", &one_line(reason));
    }
    let meaning = one_line(&summary.exit_meaning);
    out += &wrapped("  ", &format!("exit code {}: {meaning}", summary.exit_code));
    out
}

fn verdict_cell(verdict: Verdict) -> String {
    format!("{} {}", symbol(verdict), verdict_word(verdict))
}

/// Colour comes after the layout: the width of a cell must not count the codes.
fn coloured_cells(table: &str) -> String {
    let mut table = table.to_owned();
    for verdict in [Verdict::Pass, Verdict::Unknown, Verdict::Fail] {
        let cell = verdict_cell(verdict);
        let coloured = format!("│ {}{cell}{RESET} ", ansi(verdict));
        table = table.replace(&format!("│ {cell} "), &coloured);
    }
    table
}

fn claims_table<'a>(claims: impl Iterator<Item = &'a Judged>) -> String {
    let mut table = Builder::default();
    table.push_record(["Claim", "Verdict", "Detail"]);
    for judged in claims {
        table.push_record([
            one_line(&judged.name),
            verdict_cell(judged.verdict),
            one_line(&judged.detail),
        ]);
    }
    if table.count_records() == 1 {
        return "\nNo invariant and no threshold was asked for.\n".to_owned();
    }
    let mut table = table.build();
    table
        .with(Style::sharp())
        .with(Modify::new(Columns::first()).with(Width::wrap(34).keep_words(true)))
        .with(Modify::new(Columns::last()).with(Width::wrap(46).keep_words(true)));
    format!("\n{table}\n")
}

/// How the gravest case of the first invariant that does not hold came about; the report tells more.
fn story(summary: &Summary) -> String {
    let broken = summary.findings.iter();
    let mut broken = broken.filter(|finding| finding.verdict == summary.verdict);
    let told = broken.find_map(|finding| {
        let mut parts = finding.parts.iter();
        let part =
            parts.find(|part| part.verdict == finding.verdict && part.explanation.is_some())?;
        Some((finding, part, part.explanation.as_ref()?))
    });
    let Some((finding, part, explanation)) = told else {
        return String::new();
    };
    let mut out = format!("\nWhat happened ({}, {}):\n", finding.checker, part.name);
    for one in &explanation.moments {
        let text = one_line(&one.text).replace('`', "");
        out += &wrapped("  ", &format!("{}  {text}", moment(Some(one.at_ns))));
    }
    out
}

fn outcomes_table(summary: &Summary) -> String {
    if summary.requests == 0 {
        return format!("\nOutcomes: {NO_DATA}, nothing was asked.\n");
    }
    let all = summary.requests as f64;
    let mut table = Builder::default();
    table.push_record(["Outcome", "Attempts", "Share"]);
    for (name, attempts) in &summary.outcomes {
        let share = Unit::Share.show(*attempts as f64 / all);
        table.push_record([one_line(name), count(*attempts), share]);
    }
    numbers(table, 1)
}

fn latency_table(summary: &Summary) -> String {
    let open = has_open_model(summary);
    let rows = latency_rows(&summary.latency_ms, &summary.response_ms, open);
    if rows.is_empty() {
        return format!("\nLatency: {NO_DATA}, no attempt was sent.\n");
    }
    let mut table = Builder::default();
    let head = ["Step", "Time (ms)", "Samples", "p50", "p95", "p99", "max"];
    table.push_record(head);
    for (step, kind, times) in rows {
        let values = [times.p50, times.p95, times.p99, times.max].map(milliseconds);
        let start = [one_line(step), kind.to_owned(), count(times.count)];
        table.push_record(start.into_iter().chain(values));
    }
    let mut out = numbers(table, 2);
    if open {
        out += "service: from sending; response: from the moment at which it was due.\n";
    }
    out
}

fn metric_tables(summary: &Summary) -> String {
    let mut out = String::new();
    for metrics in metrics::tables(summary) {
        let mut table = Builder::default();
        table.push_record(metrics.head.iter().copied());
        for (name, figures) in metrics.rows {
            table.push_record([one_line(&name)].into_iter().chain(figures));
        }
        out += &numbers(table, 1);
    }
    out
}

fn resource_table(summary: &Summary) -> String {
    if summary.resources.is_empty() {
        return String::new();
    }
    let mut table = Builder::default();
    table.push_record(resources::head(summary));
    for (name, figures) in resources::rows(summary) {
        table.push_record([one_line(&name)].into_iter().chain(figures));
    }
    numbers(table, 1) + &wrapped("", &resources::note(summary))
}

fn fault_table(summary: &Summary) -> String {
    if summary.faults.is_empty() {
        return String::new();
    }
    let shown = summary.faults.len().min(MOST_FAULTS);
    let mut table = Builder::default();
    table.push_record(faults::HEAD);
    for fault in &summary.faults[..shown] {
        table.push_record(
            [one_line(&fault.name())]
                .into_iter()
                .chain(faults::row(fault)),
        );
    }
    let mut out = numbers(table, 1);
    for fault in &summary.faults[..shown] {
        out += &wrapped("- ", &one_line(&faults::sentence(fault)));
    }
    if summary.faults.len() > shown {
        let more = count((summary.faults.len() - shown) as u64);
        let _ = writeln!(out, "- and {more} more, in report.md");
    }
    out + &wrapped("", faults::NOTE)
}

/// A table whose columns from `first` on are numbers.
fn numbers(table: Builder, first: usize) -> String {
    let mut table = table.build();
    table
        .with(Style::sharp())
        .with(Modify::new(Columns::new(first..)).with(Alignment::right()))
        .with(Modify::new(Rows::first()).with(Alignment::left()))
        .with(Modify::new(Columns::first()).with(Width::wrap(24).keep_words(true)))
        .with(Width::wrap(COLUMNS));
    format!("\n{table}\n")
}

/// Words on lines of at most [`COLUMNS`]; the lines after the first are indented as deep as the
/// first one's lead.
fn wrapped(lead: &str, text: &str) -> String {
    let depth = lead.chars().count();
    let mut table = Builder::default();
    table.push_record([text]);
    let mut table = table.build();
    table
        .with(Style::empty())
        .with(tabled::settings::Padding::zero())
        .with(Width::wrap(COLUMNS - depth).keep_words(true));
    let table = table.to_string();
    let mut out = String::with_capacity(table.len() + lead.len() + 1);
    for (number, line) in table.lines().enumerate() {
        let lead = if number == 0 {
            lead
        } else {
            &" ".repeat(depth)
        };
        out += lead;
        out += line.trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_failed_run_reads_well() {
        insta::assert_snapshot!(terminal(&fixture::failed(), false));
    }

    #[test]
    fn a_run_that_left_something_broken_says_so_first() {
        let text = terminal(&fixture::not_healed(), false);
        let first = text.lines().next().unwrap_or_default();
        assert!(first.contains("the fault `redis-down` could not be healed"));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_passed_run_reads_well() {
        insta::assert_snapshot!(terminal(&fixture::passed(), false));
    }

    #[test]
    fn an_interrupted_run_reads_well() {
        insta::assert_snapshot!(terminal(&fixture::interrupted(), false));
    }

    #[test]
    fn an_empty_run_reads_well() {
        insta::assert_snapshot!(terminal(&fixture::empty(), false));
    }

    #[test]
    fn colour_adds_nothing_but_codes() {
        for summary in fixture::all() {
            let coloured = terminal(&summary, true);
            assert!(coloured.contains('\u{1b}'));
            let mut bare = coloured;
            for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[1m", RESET] {
                bare = bare.replace(code, "");
            }
            assert_eq!(bare, terminal(&summary, false));
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut summary = fixture::failed();
        let long = "a_word_without_an_end_".repeat(12) + &" and many more words".repeat(9);
        summary.name.clone_from(&"n".repeat(60));
        summary.reasons.push(long.clone());
        summary.warnings.push(long.clone());
        summary.thresholds[0].name.clone_from(&long);
        summary.thresholds[0].detail.clone_from(&long);
        summary.outcomes.insert(long.clone(), u64::MAX);
        let times = summary.latency_ms["all"];
        summary.latency_ms.insert(long.clone(), times);
        summary.metrics.push(fixture::trend(&long, 123_456_789.123));
        for line in terminal(&summary, false).lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
    }

    #[test]
    fn no_foreign_text_reaches_the_terminal_as_a_control() {
        let text = terminal(&fixture::hostile(), false);
        assert!(!text.chars().any(|char| char.is_control() && char != '\n'));
    }
}
