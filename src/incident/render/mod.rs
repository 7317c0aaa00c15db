//! The report as Markdown, in eight parts and with the table of its figures.

mod causes;
mod measures;
mod overview;
mod phenomena;
mod timeline;

use std::fmt::Write as _;

use super::Incident;
use super::evidence::Evidence;
use crate::messages::{Catalog, Fig, Lang, Piece, Said};
use crate::report::escape;

/// The report in a language.
pub fn markdown(incident: &Incident, evidence: &Evidence<'_>, lang: Lang) -> String {
    let page = Page {
        incident,
        evidence,
        catalog: Catalog::of(lang),
    };
    let parts = [
        page.head(),
        overview::overview(&page),
        overview::environment(&page),
        phenomena::part(&page),
        causes::part(&page),
        measures::part(&page),
        timeline::part(&page),
        measures::prevention(&page),
        page.conclusion(),
        page.figures(),
    ];
    parts.join("\n")
}

/// What all parts need.
struct Page<'a> {
    incident: &'a Incident,
    evidence: &'a Evidence<'a>,
    catalog: &'static Catalog,
}

impl Page<'_> {
    fn text(&self, key: &'static str) -> &str {
        self.catalog.text(key)
    }

    fn heading(&self, key: &'static str) -> String {
        format!("## {}\n\n", self.text(key))
    }

    /// A statement without its figures.
    fn sentence(&self, said: &Said) -> String {
        let pieces = self.catalog.pieces(said).into_iter();
        let written = pieces.map(|piece| match piece {
            Piece::Words(text) => text,
            Piece::Code(name) => escape::code(&name),
            Piece::Foreign(text) => escape::text(&text),
        });
        written.collect()
    }

    /// A statement with its figures behind it.
    fn told(&self, said: &Said) -> String {
        let sentence = self.sentence(said);
        match cited(said).as_str() {
            "" => sentence,
            figures => format!("{sentence} {figures}"),
        }
    }

    fn head(&self) -> String {
        let name = escape::text(&self.evidence.summary.name);
        format!("# {}: {name}\n", self.text("part.title"))
    }

    fn conclusion(&self) -> String {
        let mut out = self.heading("part.conclusion");
        for said in &self.incident.conclusion {
            let _ = writeln!(out, "- {}", self.told(said));
        }
        out
    }

    /// Each figure with its file and field; the definitions below make each `[F1]` a link.
    fn figures(&self) -> String {
        let mut out = self.heading("part.figures");
        let _ = writeln!(out, "{}\n", self.text("figures.note"));
        let head = [
            "figures.number",
            "figures.value",
            "figures.file",
            "figures.field",
        ];
        let figures = self.incident.figures.list().iter().enumerate();
        let rows = figures.clone().map(|(at, figure)| {
            let fig = Fig(at);
            vec![
                format!("<a id=\"{}\"></a>{fig}", fig.to_string().to_lowercase()),
                escape::text(&figure.value),
                escape::text(figure.source.file()),
                escape::cell_code(&figure.source.field()),
            ]
        });
        out += &self.table(&head, rows);
        out.push('\n');
        for (at, _) in figures {
            let fig = Fig(at).to_string();
            let _ = writeln!(out, "[{fig}]: #{}", fig.to_lowercase());
        }
        out
    }

    fn table(&self, head: &[&'static str], rows: impl Iterator<Item = Vec<String>>) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let titles: Vec<_> = head.iter().map(|key| self.text(key).to_owned()).collect();
        let rule: Vec<_> = head.iter().map(|_| "---".to_owned()).collect();
        let mut out = line(&titles) + &line(&rule);
        rows.for_each(|row| out += &line(&row));
        out
    }
}

/// `[F1] [F2]`, each once.
fn cited(said: &Said) -> String {
    let mut all: Vec<Fig> = Vec::new();
    for fig in &said.figures {
        if !all.contains(fig) {
            all.push(*fig);
        }
    }
    let all: Vec<_> = all.iter().map(|fig| format!("[{fig}]")).collect();
    all.join(" ")
}
