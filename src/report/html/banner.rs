//! The head of the page: the verdict with its reasons, then the figures that everybody asks for.

use std::fmt::Write as _;

use super::blocks::{class_of, symbol};
use super::escape::{plain, text};
use crate::measure::{grouped, milliseconds};
use crate::report::Summary;
use crate::report::format::{NO_DATA, count, headline, verdict_word};

pub(super) fn banner(summary: &Summary) -> String {
    let verdict = summary.verdict;
    let mut out = format!(
        "<div class=\"banner {}\">\n<div class=\"title\"><span class=\"stamp\">{} {}</span><h1>{}</h1></div>\n",
        class_of(verdict),
        symbol(verdict),
        verdict_word(verdict),
        plain(&summary.name)
    );
    if let Some(about) = &summary.about {
        let _ = writeln!(out, "<p class=\"about\">{}</p>", text(about));
    }
    out += "<ul class=\"reasons\">\n";
    for sentence in &summary.not_healed {
        let sentence = text(sentence);
        let _ = writeln!(out, "<li class=\"broken\">Not healed: {sentence}</li>");
    }
    for reason in summary.other_reasons() {
        let _ = writeln!(out, "<li>{}</li>", text(reason));
    }
    out += "</ul>\n<p class=\"meta\">";
    let exit = format!("Exit code {}: {}", summary.exit_code, summary.exit_meaning);
    let environment = &summary.environment;
    let meta = [
        &exit,
        &headline(summary),
        &environment.target,
        &environment.started,
    ];
    for piece in meta.into_iter().filter(|piece| !piece.is_empty()) {
        let _ = write!(out, "<span>{}</span> ", plain(piece));
    }
    out + "</p>\n</div>\n" + &figures(summary)
}

/// A number with a small unit behind it.
struct Figure {
    name: &'static str,
    value: String,
    unit: &'static str,
}

fn figures(summary: &Summary) -> String {
    let asked = summary.requests > 0;
    let known = |name, value: Option<String>, unit| match value {
        Some(value) => Figure { name, value, unit },
        None => Figure {
            name,
            value: NO_DATA.to_owned(),
            unit: "",
        },
    };
    let all = summary.response_ms.get("all").filter(|all| all.count > 0);
    let time = |name, value: Option<f64>| known(name, value.map(milliseconds), "ms");
    let outcome = |name: &str| summary.outcomes.get(name).copied();
    let when_asked = |value: Option<u64>| value.filter(|_| asked).map(count);
    let figures = [
        known("Requests", Some(count(summary.requests)), ""),
        known("Per second", asked.then(|| grouped(summary.rps, 1)), ""),
        known("Issued", when_asked(outcome("issued")), ""),
        known("Unknown", when_asked(outcome("unknown")), ""),
        time("Response p50", all.map(|all| all.p50)),
        time("Response p95", all.map(|all| all.p95)),
        time("Response p99", all.map(|all| all.p99)),
        known("VUs at most", Some(count(summary.vus_max)), ""),
    ];
    let mut out = "<dl class=\"figures\">\n".to_owned();
    for Figure { name, value, unit } in figures {
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" <small>{unit}</small>")
        };
        let value = plain(&value);
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}{unit}</dd></div>");
    }
    out + "</dl>"
}
