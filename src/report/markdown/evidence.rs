//! What proves the verdict: findings with their cases, and answers that nobody declared.

use std::fmt::Write as _;

use super::{shown, symbol, table};
use crate::check::{Case, Finding, Part, Which};
use crate::report::escape::{block, cell_code, code, text};
use crate::report::format::{count, counted, moment};
use crate::report::{CASES_FILE, UnknownShape, timeline, timeline_file};

/// The column of a case's faults.
const FAULTS: usize = 6;

pub(super) fn findings(findings: &[Finding], with_faults: bool) -> String {
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
        out += &cases(&finding.parts, with_faults);
        for part in &finding.parts {
            out += &listed(part);
            out += &explanation(&finding.checker, part);
        }
    }
    out
}

/// Where the cases are that are not shown.
fn listed(part: &Part) -> String {
    if part.listed <= part.cases.len() as u64 {
        return String::new();
    }
    let which = if part.listed < part.count {
        format!("The first {} of {}", count(part.listed), count(part.count))
    } else {
        format!("All {}", count(part.listed))
    };
    let name = code(&part.name);
    format!("\n{which} cases of {name} are in [{CASES_FILE}]({CASES_FILE}).\n")
}

/// How the gravest case came about.
fn explanation(checker: &str, part: &Part) -> String {
    let Some(explanation) = &part.explanation else {
        return String::new();
    };
    let mut out = format!("\n#### What happened: {}", code(&part.name));
    let users: Vec<_> = explanation.users.iter().map(|user| code(user)).collect();
    if !users.is_empty() {
        let _ = write!(out, ", user {}", users.join(" and user "));
    }
    out += "\n\n";
    if timeline(explanation).is_some() {
        let file = timeline_file(checker, &part.name);
        let _ = writeln!(out, "![Who asked when, and what came of it]({file})\n");
    }
    let rows = explanation.moments.iter().map(|one| {
        [
            moment(Some(one.at_ns)),
            one.until_ns
                .map_or_else(|| "–".to_owned(), |at| moment(Some(at))),
            text(&one.text),
        ]
    });
    out += &table(["From", "To", "What"], "rrl", rows);
    if explanation.left_out > 0 {
        let attempts = counted(explanation.left_out, "attempt");
        let _ = writeln!(out, "\n{attempts} of theirs in between are left out.");
    }
    out
}

/// The column of faults is there if there were any.
fn cases(parts: &[Part], with_faults: bool) -> String {
    let cases = parts
        .iter()
        .flat_map(|part| part.cases.iter().map(move |case| (part, case)));
    let is_shown = |column: &usize| with_faults || *column != FAULTS;
    let rows: Vec<_> = cases.map(|(part, case)| case_row(part, case)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = [
        "Part", "Case", "User", "Sent", "Answered", "Phase", "Faults", "What",
    ];
    let head = (0..head.len()).filter(is_shown).map(|column| head[column]);
    let align = if with_faults { "lllrrlll" } else { "lllrrll" };
    let rows = rows.into_iter().map(|row| {
        let cells = row.into_iter().enumerate();
        let cells = cells.filter(|(column, _)| is_shown(column));
        cells.map(|(_, cell)| cell).collect::<Vec<_>>()
    });
    format!(
        "\nTimes are seconds since the start of the run.\n\n{}",
        table(head, align, rows)
    )
}

fn case_row(part: &Part, case: &Case) -> [String; 8] {
    let which = match case.which {
        Which::First => "first",
        Which::Worst => "worst",
        Which::Last => "last",
        Which::Any => "one of all",
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

pub(super) fn unknown_shapes(shapes: &[UnknownShape]) -> String {
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
