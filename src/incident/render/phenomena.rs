//! The phenomena, one section each.

use std::fmt::Write as _;

use super::Page;
use crate::incident::phenomenon::{Example, Expected, Phenomenon};
use crate::report::escape;

pub(super) fn part(page: &Page<'_>) -> String {
    let mut out = page.heading("part.phenomena");
    if !page.evidence.has_seconds() {
        let _ = writeln!(out, "{}\n", page.text("phenomena.no_seconds"));
    }
    if page.incident.phenomena.is_empty() {
        let _ = writeln!(out, "{}", page.text("phenomena.none"));
        return out;
    }
    let sections = page.incident.phenomena.iter().enumerate();
    let sections = sections.map(|(at, one)| section(page, at, one));
    out + &sections.collect::<Vec<_>>().join("\n")
}

fn section(page: &Page<'_>, at: usize, phenomenon: &Phenomenon) -> String {
    let title = page.sentence(&phenomenon.title);
    let severity = phenomenon.severity;
    let mut out = format!("### 3.{} ({severity}) {title}\n\n", at + 1);
    match &phenomenon.example {
        Example::Answer(text) => out += &example(page, "phenomena.answer", text),
        Example::Rule(text) => out += &example(page, "phenomena.rule", text),
        Example::Sentence(text) => out += &example(page, "phenomena.sentence", text),
        Example::None => {}
    }
    let mut list = |key, said: &[crate::messages::Said]| {
        let told: Vec<_> = said.iter().map(|one| page.told(one)).collect();
        let _ = writeln!(out, "- **{}**: {}", page.text(key), told.join(" "));
    };
    list("phenomena.period", &phenomenon.period);
    list("phenomena.effect", &phenomenon.effect);
    let why = page.told(&phenomenon.severity_why);
    let _ = writeln!(
        out,
        "- **{}**: {severity}. {why}",
        page.text("phenomena.severity")
    );
    let word = match phenomenon.expected {
        Expected::Yes(_) => "word.yes",
        Expected::No(_) => "word.no",
    };
    let why = page.told(phenomenon.expected.why());
    let _ = writeln!(
        out,
        "- **{}**: {}. {why}",
        page.text("phenomena.expected"),
        page.text(word)
    );
    out
}

fn example(page: &Page<'_>, key: &'static str, text: &str) -> String {
    format!("{}\n\n{}\n", page.text(key), escape::block("text", text))
}
