//! What proves the verdict: findings with their cases, and answers that nobody declared.

use crate::check::{Case, Finding, Part, Which};
use crate::report::document::{
    Block, Inline, Line, Section, Table, code, listed, plain, text, verdict,
};
use crate::report::format::{count, counted, moment};
use crate::report::{CASES_FILE, UnknownShape, timeline, timeline_file};

/// The column of a case's faults.
const FAULTS: usize = 6;

pub(super) fn findings(findings: &[Finding], with_faults: bool) -> Option<Section> {
    if findings.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    for finding in findings {
        let title = vec![
            Inline::Symbol(finding.verdict),
            Inline::plain(" "),
            Inline::code(&finding.checker),
            Inline::plain(": "),
            Inline::text(&finding.headline),
        ];
        blocks.push(Block::Heading(3, title));
        let rows = finding.parts.iter().map(|part| {
            vec![
                code(&part.name),
                plain(count(part.count)),
                text(&part.detail),
                verdict(part.verdict),
            ]
        });
        let head = ["Part", "Cases", "What", "Verdict"];
        blocks.push(Block::Table(Table::new(head, "lrlc", rows)));
        blocks.extend(cases(&finding.parts, with_faults).into_iter().flatten());
        for part in &finding.parts {
            blocks.extend(kept(part));
            blocks.extend(explanation(&finding.checker, part));
        }
    }
    Some(Section::new("findings", "Findings", blocks))
}

/// Where the cases are that are not shown.
fn kept(part: &Part) -> Option<Block> {
    if part.listed <= part.cases.len() as u64 {
        return None;
    }
    let which = if part.listed < part.count {
        format!("The first {} of {}", count(part.listed), count(part.count))
    } else {
        format!("All {}", count(part.listed))
    };
    Some(Block::Paragraph(vec![
        Inline::plain(format!("{which} cases of ")),
        Inline::code(&part.name),
        Inline::plain(" are in "),
        Inline::File(CASES_FILE),
        Inline::plain("."),
    ]))
}

/// How the gravest case came about.
fn explanation(checker: &str, part: &Part) -> Vec<Block> {
    let Some(explanation) = &part.explanation else {
        return Vec::new();
    };
    let mut title = vec![Inline::plain("What happened: "), Inline::code(&part.name)];
    for (at, user) in explanation.users.iter().enumerate() {
        let word = if at == 0 { ", user " } else { " and user " };
        title.extend([Inline::plain(word), Inline::code(user)]);
    }
    let mut blocks = vec![Block::Heading(4, title)];
    blocks.extend(timeline(explanation).map(|svg| Block::Picture {
        about: "Who asked when, and what came of it",
        file: timeline_file(checker, &part.name),
        svg,
    }));
    let rows = explanation.moments.iter().map(|one| {
        let until = one.until_ns.map(|at| moment(Some(at)));
        vec![
            plain(moment(Some(one.at_ns))),
            plain(until.unwrap_or_else(|| "–".to_owned())),
            text(&one.text),
        ]
    });
    blocks.push(Block::Table(Table::new(
        ["From", "To", "What"],
        "rrl",
        rows,
    )));
    if explanation.left_out > 0 {
        let attempts = counted(explanation.left_out, "attempt");
        let sentence = format!("{attempts} of theirs in between are left out.");
        blocks.push(Block::plain(sentence));
    }
    blocks
}

/// The column of faults is there if there were any.
fn cases(parts: &[Part], with_faults: bool) -> Option<[Block; 2]> {
    let cases = parts
        .iter()
        .flat_map(|part| part.cases.iter().map(move |case| (part, case)));
    let is_shown = |column: &usize| with_faults || *column != FAULTS;
    let rows: Vec<_> = cases.map(|(part, case)| case_row(part, case)).collect();
    if rows.is_empty() {
        return None;
    }
    let head = [
        "Part", "Case", "User", "Sent", "Answered", "Phase", "Faults", "What",
    ];
    let head = (0..head.len()).filter(is_shown).map(|column| head[column]);
    let align = if with_faults { "lllrrlll" } else { "lllrrll" };
    let rows = rows.into_iter().map(|row| {
        let cells = row.into_iter().enumerate();
        let cells = cells.filter(|(column, _)| is_shown(column));
        cells.map(|(_, cell)| cell).collect()
    });
    Some([
        Block::plain("Times are seconds since the start of the run."),
        Block::Table(Table::new(head, align, rows)),
    ])
}

fn case_row(part: &Part, case: &Case) -> [Line; 8] {
    let which = match case.which {
        Which::First => "first",
        Which::Worst => "worst",
        Which::Last => "last",
        Which::Any => "one of all",
    };
    let none = || plain("–");
    let faults = listed(case.faults.iter().map(code));
    [
        code(&part.name),
        plain(which),
        code(&case.user),
        case.inv_ns.map_or_else(none, |at| plain(moment(Some(at)))),
        // A case without an attempt has no answer to wait for either.
        case.inv_ns
            .map_or_else(none, |_| plain(moment(case.ret_ns))),
        case.phase.as_ref().map_or_else(none, code),
        if faults.is_empty() { none() } else { faults },
        text(&case.text),
    ]
}

pub(super) fn unknown_shapes(shapes: &[UnknownShape]) -> Option<Section> {
    if shapes.is_empty() {
        return None;
    }
    let note = "Each may have taken effect. One example of each kind:";
    let mut blocks = vec![Block::plain(note)];
    for shape in shapes {
        let status = match shape.status {
            0 => "no status".to_owned(),
            status => format!("status {status}"),
        };
        let times = counted(shape.count, "attempt");
        blocks.push(Block::Paragraph(vec![
            Inline::code(&shape.step),
            Inline::plain(format!(", {status}, {times}: ")),
            Inline::text(&shape.cause),
            Inline::plain("."),
        ]));
        blocks.push(if !shape.example.trim().is_empty() {
            Block::Code {
                language: "text",
                text: shape.example.clone(),
            }
        } else if shape.status == 0 {
            Block::plain("There was no body.")
        } else {
            Block::plain("The body was empty.")
        });
    }
    let title = "Attempts without a certain answer";
    Some(Section::new("unknown", title, blocks))
}
