//! Sections and what is in them as HTML.

use std::fmt::Write as _;

use super::escape::{block, code, plain, text};
use super::template::fill;
use crate::report::document::{Block, Inline, Line, Section, Table};
use crate::report::{Summary, chart};
use crate::verdict::Verdict;

/// A table with more columns than these is set closer.
const WIDE: usize = 9;

pub(super) fn section(section: &Section, summary: &Summary) -> String {
    let (id, title) = (section.id, line(&section.title));
    let inside = blocks(&section.blocks, summary);
    let warnings = if id == "warnings" {
        " class=\"warnings\""
    } else {
        ""
    };
    format!(
        "<section id=\"{id}\"{warnings} aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{inside}</section>\n"
    )
}

fn blocks(all: &[Block], summary: &Summary) -> String {
    all.iter().map(|block| one(block, summary)).collect()
}

fn one(one: &Block, summary: &Summary) -> String {
    match one {
        Block::Heading(level, title) => format!("<h{level}>{}</h{level}>\n", line(title)),
        Block::Paragraph(words) => format!("<p>{}</p>\n", line(words)),
        Block::List(items) => list(items, "<li>"),
        Block::Warnings(items) => list(items, "<li class=\"warning\">"),
        Block::Table(rows) => table(rows),
        Block::Code { text, .. } => format!("<pre><code>{}</code></pre>\n", block(text)),
        Block::Chart { about } => fill(include_str!("charts.html"), |name| match name {
            "about" => plain(about).into(),
            _ => chart(summary).into(),
        }),
        Block::Picture { about, svg, .. } => format!(
            "<figure class=\"picture\" role=\"img\" aria-label=\"{}\"><div class=\"scroll\">{svg}</div></figure>\n",
            plain(about)
        ),
        Block::Details { title, blocks: all } => format!(
            "<details><summary>{}</summary>\n{}</details>\n",
            plain(title),
            blocks(all, summary)
        ),
    }
}

fn list(items: &[Line], item: &str) -> String {
    let mut out = "<ul>\n".to_owned();
    for words in items {
        let _ = writeln!(out, "{item}{}</li>", line(words));
    }
    out + "</ul>\n"
}

/// It scrolls within its own box; who has no mouse reaches the box by the keyboard.
fn table(table: &Table) -> String {
    let headless = table.head.iter().all(|name| name.is_empty());
    let wide = if table.head.len() > WIDE { " wide" } else { "" };
    let mut out = format!(
        "<div class=\"scroll{wide}\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">",
        plain(&if headless {
            "facts".to_owned()
        } else {
            format!("table: {}", table.head.join(", "))
        })
    );
    // A claim with its verdict is read as one piece where a row has no room.
    let claims = table.align.ends_with('c');
    out += match (headless, claims) {
        (true, _) => "<table class=\"facts\">\n",
        (_, true) => "<table class=\"claims\">\n",
        _ => "<table>\n",
    };
    if !headless {
        let cells = table.head.iter().zip(table.align.chars());
        let cells = cells.map(|(name, align)| {
            let class = class(align, false);
            format!("<th scope=\"col\"{class}>{}</th>", plain(name))
        });
        let _ = writeln!(out, "<thead><tr>{}</tr></thead>", cells.collect::<String>());
    }
    out += "<tbody>\n";
    for row in &table.rows {
        let cells = row.iter().zip(table.align.chars()).zip(&table.head);
        let cells = cells.enumerate().map(|(at, ((cell, align), head))| {
            let class = class(align, is_long(cell));
            let words = line(cell);
            if at == 0 && !words.is_empty() {
                format!("<th scope=\"row\"{class}>{words}</th>")
            } else if claims {
                let head = plain(head);
                format!("<td{class} data-head=\"{head}\">{words}</td>")
            } else {
                format!("<td{class}>{words}</td>")
            }
        });
        let _ = writeln!(out, "<tr>{}</tr>", cells.collect::<String>());
    }
    out + "</tbody>\n</table></div>\n"
}

fn class(align: char, long: bool) -> &'static str {
    match (align, long) {
        ('r', _) => " class=\"r\"",
        ('c', _) => " class=\"c\"",
        (_, true) => " class=\"long\"",
        _ => "",
    }
}

/// A sentence needs room for some words in a line.
fn is_long(cell: &Line) -> bool {
    let letters = cell.iter().map(|piece| match piece {
        Inline::Plain(words) | Inline::Text(words) | Inline::Code(words) => words.chars().count(),
        Inline::Verdict(_) | Inline::Symbol(_) | Inline::File(_) => 0,
    });
    letters.sum::<usize>() > 30
}

pub(super) fn line(line: &Line) -> String {
    let piece = |piece: &Inline| match piece {
        Inline::Plain(words) => plain(words),
        Inline::Text(words) => text(words),
        Inline::Code(name) => code(name),
        Inline::Verdict(verdict) => {
            let (class, symbol) = (class_of(*verdict), symbol(*verdict));
            format!("<span class=\"verdict {class}\">{symbol} {verdict}</span>")
        }
        Inline::Symbol(verdict) => {
            let (class, symbol) = (class_of(*verdict), symbol(*verdict));
            format!("<span class=\"symbol {class}\">{symbol}</span>")
        }
        Inline::File(name) => format!("<a href=\"{}\">{}</a>", plain(name), plain(name)),
    };
    line.iter().map(piece).collect()
}

pub(super) const fn class_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
    }
}

/// Beside a word that says the same.
pub(super) const fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✔",
        Verdict::Unknown => "?",
        Verdict::Fail => "✘",
    }
}
