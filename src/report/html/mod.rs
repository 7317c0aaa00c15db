//! The report as one page that fetches nothing: all that Markdown says, with charts that can be
//! zoomed. Without scripts, and on paper, the still picture stands in their place.

mod banner;
mod blocks;
mod data;
mod escape;
mod template;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::Summary;
use super::document::Section;
use super::format::verdict_word;
use super::sections::{OVER_TIME, sections};
use template::fill;

/// The chart library, as its authors have released it.
const LIBRARY: &str = include_str!("../../../third-party/uplot/uPlot.iife.min.js");
const LIBRARY_STYLE: &str = include_str!("../../../third-party/uplot/uPlot.min.css");
const STYLE: &str = include_str!("style.css");
const EARLY: &str = include_str!("early.js");
const CHARTS: &str = include_str!("charts.js");

/// What is read before the charts; all else comes behind them.
const FIRST: [&str; 3] = ["invariants", "sla", "warnings"];

/// The report as one page.
pub fn html(summary: &Summary) -> String {
    let (first, rest): (Vec<_>, Vec<_>) = sections(summary)
        .into_iter()
        .partition(|section| FIRST.contains(&section.id));
    let (charts, rest): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|section| section.id == OVER_TIME);
    let sections: Vec<Section> = first.into_iter().chain(charts).chain(rest).collect();
    let title = format!("{}: {}", verdict_word(summary.verdict), summary.name);
    fill(include_str!("page.html"), |name| match name {
        "policy" => policy().into(),
        "version" => escape::plain(&summary.environment.version).into(),
        "title" => escape::plain(&title).into(),
        "verdict" => blocks::class_of(summary.verdict).into(),
        "library_style" => LIBRARY_STYLE.into(),
        "style" => STYLE.into(),
        "early" => EARLY.into(),
        "banner" => banner::banner(summary).into(),
        "contents" => sections.iter().map(link).collect::<String>().into(),
        "sections" => {
            let sections = sections.iter();
            let sections = sections.map(|section| blocks::section(section, summary));
            sections.collect::<String>().into()
        }
        "data" => escape::json(&data::data(summary)).into(),
        "library" => LIBRARY.into(),
        "charts" => CHARTS.into(),
        other => unreachable!("the page has no place for {other}"),
    })
}

/// By their titles, but for those that are sentences.
fn link(section: &Section) -> String {
    let title = match section.id {
        "comparison" => "Comparison".to_owned(),
        "warnings" => "Warnings".to_owned(),
        "unknown" => "Unknown answers".to_owned(),
        "setup" => "Setup".to_owned(),
        _ => blocks::line(&section.title),
    };
    format!("<li><a href=\"#{}\">{title}</a></li>", section.id)
}

/// Nothing is fetched, and nothing runs but what is written here: text that came from elsewhere
/// could not become a script even if it became markup.
fn policy() -> String {
    let hash = |text: &str| {
        let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
        format!(" 'sha256-{hash}'")
    };
    let scripts: String = [EARLY, LIBRARY, CHARTS].map(hash).concat();
    let styles: String = [LIBRARY_STYLE, STYLE].map(hash).concat();
    format!(
        "default-src 'none'; script-src{scripts}; style-src{styles}; base-uri 'none'; \
         form-action 'none'"
    )
}

#[cfg(test)]
mod tests;
