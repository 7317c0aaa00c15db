//! The report for people: the verdict first, then the evidence, fit to paste into a pull request.

mod evidence;
mod fault;
mod latency;

use std::fmt::Write as _;

use super::escape::{block, cell_code, text};
use super::format::{NO_DATA, count, drain_sentence, expectation, headline, verdict_word};
use super::{Judged, Summary, metrics, resources, setup};
use crate::measure::{Unit, grouped, milliseconds};
use crate::verdict::Verdict;

/// The report for people.
pub fn markdown(summary: &Summary) -> String {
    let sections = [
        title(summary),
        invariants(summary),
        thresholds(&summary.thresholds),
        warnings(&summary.warnings),
        setup::section(&summary.setup),
        fault::section(&summary.faults),
        outcomes(summary),
        evidence::findings(&summary.findings, !summary.faults.is_empty()),
        latency::steps(summary),
        latency::phases(summary),
        metrics(summary),
        fairness(summary),
        outside(summary),
        over_time(summary),
        against_baseline(summary),
        loads(summary),
        drain(summary),
        evidence::unknown_shapes(&summary.unknown_shapes),
        environment(summary),
    ];
    let sections: Vec<_> = sections
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    sections.join("\n")
}

const fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Unknown => "❓",
        Verdict::Fail => "❌",
    }
}

fn shown(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass => format!("{} {verdict}", symbol(verdict)),
        Verdict::Unknown | Verdict::Fail => format!("{} **{verdict}**", symbol(verdict)),
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

fn invariants(summary: &Summary) -> String {
    if summary.invariants.is_empty() {
        return "## Invariants\n\nNone was asked for: this run says nothing about what was \
                issued.\n"
            .to_owned();
    }
    let rows = summary.invariants.iter().map(|judged| {
        [
            cell_code(&judged.name),
            expectation(&judged.name).to_owned(),
            text(&judged.detail),
            shown(judged.verdict),
        ]
    });
    let head = ["Invariant", "Expected", "Actual", "Verdict"];
    format!("## Invariants\n\n{}", table(head, "lllc", rows))
}

fn thresholds(thresholds: &[Judged]) -> String {
    if thresholds.is_empty() {
        return "## SLA\n\nNo threshold was asked for.\n".to_owned();
    }
    let rows = thresholds.iter().map(|judged| {
        [
            cell_code(&judged.name),
            text(&judged.detail),
            shown(judged.verdict),
        ]
    });
    let head = ["Expected", "Actual", "Verdict"];
    format!("## SLA\n\n{}", table(head, "llc", rows))
}

fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let mut out = "## Before trusting the numbers\n\n".to_owned();
    for warning in warnings {
        let _ = writeln!(out, "- ⚠️ {}", text(warning));
    }
    out
}

fn outcomes(summary: &Summary) -> String {
    if summary.requests == 0 {
        return format!("## Outcomes\n\n{NO_DATA}: nothing was asked.\n");
    }
    let all = summary.requests as f64;
    let rows = summary.outcomes.iter().map(|(name, attempts)| {
        [
            cell_code(name),
            count(*attempts),
            Unit::Share.show(*attempts as f64 / all),
        ]
    });
    let total = [
        "all".to_owned(),
        count(summary.requests),
        Unit::Share.show(1.0),
    ];
    let head = ["Outcome", "Attempts", "Share"];
    let rows = rows.chain([total]);
    format!("## Outcomes\n\n{}", table(head, "lrr", rows))
}

fn metrics(summary: &Summary) -> String {
    let tables = metrics::tables(summary).into_iter().map(|metrics| {
        let align = format!("l{}", "r".repeat(metrics.head.len() - 1));
        let rows = metrics.rows.into_iter();
        let rows = rows.map(|(name, figures)| [cell_code(&name)].into_iter().chain(figures));
        table(metrics.head.iter().copied(), &align, rows)
    });
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() {
        return String::new();
    }
    format!("## Metrics\n\n{}", tables.join("\n"))
}

/// Where no finding tells it.
fn fairness(summary: &Summary) -> String {
    let mut parts = summary.findings.iter().flat_map(|finding| &finding.parts);
    let told = parts.any(|part| part.name == "fairness");
    let Some(measured) = summary.fairness.as_ref().filter(|_| !told) else {
        return String::new();
    };
    let detail = match (measured.share, &measured.why_not) {
        (Some(share), _) => format!(
            "{:.2} % of {} pairs of users who got one were issued against the order of asking by \
             more than the jitter of {:.3} ms, {:.3} ms at most (by {}).",
            100.0 * share,
            count(measured.pairs),
            measured.jitter_ms,
            measured.farthest_ms,
            measured.by.as_deref().unwrap_or("-")
        ),
        (None, why) => format!("Not measured: {}.", why.as_deref().unwrap_or("-")),
    };
    format!("## Fairness\n\n{}\n", text(&detail))
}

fn outside(summary: &Summary) -> String {
    if summary.resources.is_empty() {
        return String::new();
    }
    let head = resources::head(summary);
    let align = format!("l{}", "r".repeat(head.len() - 1));
    let rows = resources::rows(summary).into_iter();
    let rows = rows.map(|(name, figures)| [cell_code(&name)].into_iter().chain(figures));
    let table = table(head, &align, rows);
    format!(
        "## Measured from outside\n\n{table}\n{}\n",
        resources::note(summary)
    )
}

fn over_time(summary: &Summary) -> String {
    if summary.samples.is_empty() {
        return format!("## Over time\n\n{NO_DATA}\n");
    }
    let outside = if summary.resources.is_empty() {
        ""
    } else {
        ", and what was measured from outside,"
    };
    let faults = if summary.faults.iter().any(|fault| fault.applied_s.is_some()) {
        "\nThe time in which a fault was active is shaded.\n"
    } else {
        ""
    };
    format!(
        "## Over time\n\n![Requests per second by outcome, response time and VUs{outside} over the \
         run](chart.svg)\n{faults}"
    )
}

fn loads(summary: &Summary) -> String {
    if summary.loads.is_empty() {
        return String::new();
    }
    let rows = summary.loads.iter().map(|load| {
        [
            cell_code(&load.load),
            cell_code(&load.executor),
            text(&load.model),
            count(load.iterations),
            count(load.dropped),
            match load.lag_p99_ms {
                Some(lag) => format!("{} ms", milliseconds(lag)),
                None if load.model == "open" => NO_DATA.to_owned(),
                None => "–".to_owned(),
            },
        ]
    });
    let head = [
        "Load",
        "Executor",
        "Model",
        "Iterations",
        "Dropped",
        "p99 of the schedule lag",
    ];
    format!("## Loads\n\n{}", table(head, "lllrrr", rows))
}

fn drain(summary: &Summary) -> String {
    drain_sentence(summary).map_or_else(String::new, |sentence| {
        format!("## Drain phase\n\n{sentence}\n")
    })
}

fn environment(summary: &Summary) -> String {
    let it = &summary.environment;
    let bytes = |bytes: u64| match bytes {
        0 => NO_DATA.to_owned(),
        bytes => Unit::Bytes.show(bytes as f64),
    };
    let generator = if it.resident_max_bytes == 0 {
        NO_DATA.to_owned()
    } else {
        let (cores, resident) = (grouped(it.generator_cpu, 2), bytes(it.resident_max_bytes));
        format!("{cores} cores, {resident} resident at most")
    };
    let rows = [
        ["fcfs-bench".to_owned(), text(&it.version)],
        ["Seed".to_owned(), it.seed.to_string()],
        [
            "Profile".to_owned(),
            text(it.profile.as_deref().unwrap_or_default()),
        ],
        ["Started".to_owned(), text(&it.started)],
        [
            "Merged from".to_owned(),
            text(it.merged.as_deref().unwrap_or_default()),
        ],
        ["Target".to_owned(), text(&it.target)],
        ["Provider".to_owned(), text(&it.provider)],
        ["System".to_owned(), text(&it.os)],
        ["Processor".to_owned(), text(&it.cpu)],
        ["Memory".to_owned(), bytes(it.memory_bytes)],
        ["Load threads".to_owned(), count(it.threads)],
        ["Generator".to_owned(), generator],
        [
            "Sent".to_owned(),
            Unit::Bytes.show(summary.data_sent as f64),
        ],
        [
            "Received".to_owned(),
            Unit::Bytes.show(summary.data_received as f64),
        ],
    ];
    let rows = rows.into_iter().filter(|[_, value]| !value.is_empty());
    let mut out = format!("## Environment\n\n{}", table(["", ""], "ll", rows));
    if !it.repeat.is_empty() {
        let _ = write!(out, "\nTo repeat it:\n\n{}", block("sh", &it.repeat));
    }
    out
}

fn against_baseline(summary: &Summary) -> String {
    let comparison = summary.comparison.as_ref();
    comparison.map_or_else(String::new, super::compared_markdown)
}

/// `align` has a letter for each column: left, right or centre.
pub(super) fn table<'a, Row: IntoIterator<Item = String>>(
    head: impl IntoIterator<Item = &'a str>,
    align: &str,
    rows: impl Iterator<Item = Row>,
) -> String {
    let head: Vec<_> = head.into_iter().collect();
    let rule: Vec<_> = align
        .chars()
        .map(|letter| match letter {
            'r' => "--:",
            'c' => ":-:",
            _ => "---",
        })
        .collect();
    let mut out = format!("| {} |\n| {} |\n", head.join(" | "), rule.join(" | "));
    for row in rows {
        let cells: Vec<_> = row.into_iter().collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
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
