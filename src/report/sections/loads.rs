//! Each load with its model, what became of its schedule, and how close together a stampede was.

use crate::measure::milliseconds;
use crate::report::Summary;
use crate::report::document::{Block, Section, Table, code, plain, text};
use crate::report::format::{NO_DATA, count};
use crate::report::loads::{LoadSummary, StampedeSummary};

pub(super) fn section(summary: &Summary) -> Option<Section> {
    if summary.loads.is_empty() {
        return None;
    }
    let rows = summary.loads.iter().map(|load| {
        vec![
            code(&load.load),
            code(&load.executor),
            text(&load.model),
            plain(count(load.iterations)),
            plain(count(load.dropped)),
            plain(match load.lag_p99_ms {
                Some(lag) => format!("{} ms", milliseconds(lag)),
                None if load.model == "open" => NO_DATA.to_owned(),
                None => "–".to_owned(),
            }),
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
    let mut blocks = vec![Block::Table(Table::new(head, "lllrrr", rows))];
    blocks.extend(summary.loads.iter().flat_map(sentences));
    Some(Section::new("loads", "Loads", blocks))
}

/// What a row has no place for.
fn sentences(load: &LoadSummary) -> Vec<Block> {
    let stampede = load.stampede.as_ref().map(StampedeSummary::sentence);
    let told = [load.schedule(), stampede].into_iter().flatten();
    let paragraph = |sentence: String| [code(&load.load), plain(format!(": {sentence}"))].concat();
    told.map(|sentence| Block::Paragraph(paragraph(sentence)))
        .collect()
}
