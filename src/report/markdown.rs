//! The report for people: the verdict first, then the evidence, fit to paste into a pull request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::{block, cell_code, code, text};
use super::format::{
    NO_DATA, count, counted, drain_sentence, expectation, headline, latency_rows, model_note,
    moment, verdict_word,
};
use super::{Judged, Latency, Summary, UnknownShape};
use crate::check::{Case, Finding, Part, Which};
use crate::measure::{Unit, grouped, milliseconds};
use crate::verdict::Verdict;

/// The report for people.
pub fn markdown(summary: &Summary) -> String {
    let sections = [
        title(summary),
        invariants(summary),
        thresholds(&summary.thresholds),
        warnings(&summary.warnings),
        outcomes(summary),
        findings(&summary.findings),
        latency(summary),
        phases(summary),
        over_time(summary),
        loads(summary),
        drain(summary),
        unknown_shapes(&summary.unknown_shapes),
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
    let mut out = format!("# {} {word}: {}\n\n", symbol(verdict), text(&summary.name));
    for reason in &summary.reasons {
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
    let total = ["all".to_owned(), count(summary.requests), String::new()];
    let head = ["Outcome", "Attempts", "Share"];
    let rows = rows.chain([total]);
    format!("## Outcomes\n\n{}", table(head, "lrr", rows))
}

fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut out = "## Findings\n".to_owned();
    for finding in findings {
        let _ = writeln!(
            out,
            "\n### {} {}: {}\n",
            symbol(finding.verdict),
            code(&finding.checker),
            text(&finding.headline)
        );
        let rows = finding.parts.iter().map(|part| {
            [
                cell_code(&part.name),
                count(part.count),
                text(&part.detail),
                shown(part.verdict),
            ]
        });
        out += &table(["Part", "Cases", "What", "Verdict"], "lrlc", rows);
        out += &cases(&finding.parts);
    }
    out
}

fn cases(parts: &[Part]) -> String {
    let cases = parts
        .iter()
        .flat_map(|part| part.cases.iter().map(move |case| (part, case)));
    let rows: Vec<_> = cases.map(|(part, case)| case_row(part, case)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = [
        "Part", "Case", "User", "Sent", "Answered", "Phase", "Faults", "What",
    ];
    format!(
        "\nTimes are seconds since the start of the run.\n\n{}",
        table(head, "lllrrlll", rows.into_iter())
    )
}

fn case_row(part: &Part, case: &Case) -> [String; 8] {
    let which = match case.which {
        Which::First => "first",
        Which::Worst => "worst",
        Which::Last => "last",
    };
    let faults: Vec<_> = case.faults.iter().map(|fault| cell_code(fault)).collect();
    let none = || "–".to_owned();
    [
        cell_code(&part.name),
        which.to_owned(),
        cell_code(&case.user),
        case.inv_ns.map_or_else(none, |at| moment(Some(at))),
        // A case without an attempt has no answer to wait for either.
        case.inv_ns.map_or_else(none, |_| moment(case.ret_ns)),
        case.phase
            .as_ref()
            .map_or_else(none, |name| cell_code(name)),
        if faults.is_empty() {
            none()
        } else {
            faults.join(", ")
        },
        text(&case.text),
    ]
}

const TIMES: [&str; 9] = [
    "Samples", "mean", "min", "p50", "p90", "p95", "p99", "p99.9", "max",
];

fn times(latency: &Latency) -> Vec<String> {
    let values = [
        latency.mean,
        latency.min,
        latency.p50,
        latency.p90,
        latency.p95,
        latency.p99,
        latency.p999,
        latency.max,
    ];
    let samples = std::iter::once(count(latency.count));
    samples.chain(values.map(milliseconds)).collect()
}

fn latency(summary: &Summary) -> String {
    let rows = latency_rows(summary);
    if rows.is_empty() {
        return format!("## Latency by step\n\n{NO_DATA}: no attempt was sent.\n");
    }
    let few = rows.iter().any(|(_, _, times)| times.count < 1000);
    let cells = rows.into_iter().map(|(step, kind, latency)| {
        let mut row = vec![cell_code(step), kind.to_owned()];
        row.extend(times(latency));
        row
    });
    let head: Vec<_> = ["Step", "Time"].into_iter().chain(TIMES).collect();
    let table = table(head, "llrrrrrrrrr", cells);
    let mut out = format!(
        "## Latency by step\n\nIn milliseconds, of attempts that were sent. {}\n\n{table}",
        model_note(summary)
    );
    if few {
        out += "\nOf fewer than 1,000 samples, p99.9 is the largest or close to it.\n";
    }
    out
}

fn phases(summary: &Summary) -> String {
    if summary.phases.is_empty() {
        return String::new();
    }
    let mut rows = Vec::new();
    for phase in &summary.phases {
        let (from, to) = (grouped(phase.from_s, 1), grouped(phase.to_s, 1));
        let place = vec![
            cell_code(&phase.phase),
            cell_code(&phase.load),
            format!("{from}–{to} s"),
            count(phase.requests),
            outcome_list(&phase.outcomes),
        ];
        let steps = phase.latency_ms.iter().filter(|(step, times)| {
            let others = phase.latency_ms.len() - 1;
            // `all` beside a single step would say everything twice.
            times.count > 0 && (step.as_str() != "all" || others != 1)
        });
        let before = rows.len();
        for (step, latency) in steps {
            // A phase's own figures stand once, not at each of its steps.
            let mut row = if rows.len() == before {
                place.clone()
            } else {
                vec![String::new(); place.len()]
            };
            row.push(cell_code(step));
            row.extend(times(latency));
            rows.push(row);
        }
        if rows.len() == before {
            let mut row = place;
            row.push("–".to_owned());
            row.extend(TIMES.map(|_| "–".to_owned()));
            row[6] = NO_DATA.to_owned();
            rows.push(row);
        }
    }
    let head = ["Phase", "Load", "From–to", "Requests", "Outcomes", "Step"];
    let head: Vec<_> = head.into_iter().chain(TIMES).collect();
    format!(
        "## Latency by phase\n\nService time in milliseconds. An attempt belongs to the phase in \
         which its iteration started.\n\n{}",
        table(head, "llrrllrrrrrrrrr", rows.into_iter())
    )
}

fn outcome_list(outcomes: &BTreeMap<String, u64>) -> String {
    let outcomes = outcomes.iter().filter(|(_, attempts)| **attempts > 0);
    let items: Vec<_> = outcomes
        .map(|(name, attempts)| format!("{} {}", cell_code(name), count(*attempts)))
        .collect();
    if items.is_empty() {
        NO_DATA.to_owned()
    } else {
        items.join(", ")
    }
}

fn over_time(summary: &Summary) -> String {
    if summary.samples.is_empty() {
        return format!("## Over time\n\n{NO_DATA}\n");
    }
    "## Over time\n\n![Requests per second by outcome, response time and VUs over the run]\
     (chart.svg)\n"
        .to_owned()
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

fn unknown_shapes(shapes: &[UnknownShape]) -> String {
    if shapes.is_empty() {
        return String::new();
    }
    let mut out =
        "## Attempts without a certain answer\n\nEach may have taken effect. One example \
                   of each kind:\n"
            .to_owned();
    for shape in shapes {
        let status = match shape.status {
            0 => "no status".to_owned(),
            status => format!("status {status}"),
        };
        let step = code(&shape.step);
        let (cause, times) = (text(&shape.cause), counted(shape.count, "attempt"));
        let _ = writeln!(out, "\n{step}, {status}, {times}: {cause}.\n");
        if shape.example.trim().is_empty() {
            out += if shape.status == 0 {
                "There was no body.\n"
            } else {
                "The body was empty.\n"
            };
        } else {
            out += &block("text", &shape.example);
        }
    }
    out
}

fn environment(summary: &Summary) -> String {
    let it = &summary.environment;
    let bytes = |bytes: u64| match bytes {
        0 => NO_DATA.to_owned(),
        bytes => Unit::Bytes.show(bytes as f64),
    };
    let cores = grouped(it.generator_cpu, 2);
    let rows = [
        ["fcfs-bench".to_owned(), text(&it.version)],
        ["Seed".to_owned(), it.seed.to_string()],
        ["Started".to_owned(), text(&it.started)],
        ["Target".to_owned(), text(&it.target)],
        ["Provider".to_owned(), text(&it.provider)],
        ["System".to_owned(), text(&it.os)],
        ["Processor".to_owned(), text(&it.cpu)],
        ["Memory".to_owned(), bytes(it.memory_bytes)],
        ["Load threads".to_owned(), count(it.threads)],
        [
            "Generator".to_owned(),
            format!(
                "{cores} cores, {} resident at most",
                bytes(it.resident_max_bytes)
            ),
        ],
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

/// `align` has a letter for each column: left, right or centre.
fn table<'a, Row: IntoIterator<Item = String>>(
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
