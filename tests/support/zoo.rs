//! The table of the bug zoo: which defect, in which scenario and strategy, is caught by which check.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};

/// One line of `scenarios/zoo/zoo.csv`.
pub(crate) struct Row {
    /// Empty where the strategy itself is the defect.
    pub(crate) bug: String,
    pub(crate) scenario: String,
    pub(crate) strategy: String,
    /// Empty where the same strategy without the bug is right.
    pub(crate) right: String,
    pub(crate) fault: String,
    pub(crate) invariant: String,
    pub(crate) part: String,
    /// Empty where the defect is there in every run.
    pub(crate) chance: String,
    pub(crate) known_from: String,
}

impl Row {
    /// What the row is about, for messages.
    pub(crate) fn name(&self) -> &str {
        if self.bug.is_empty() {
            &self.strategy
        } else {
            &self.bug
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        folder().join(format!("{}.yaml", self.scenario))
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/zoo")
}

pub(crate) fn rows() -> Vec<Row> {
    let path = folder().join("zoo.csv");
    let mut table = csv::Reader::from_path(&path).expect("the table of the zoo");
    let heads = "bug,scenario,strategy,right,fault,invariant,part,chance,known_from";
    let found = table.headers().expect("a first line").iter();
    assert_eq!(found.collect::<Vec<_>>().join(","), heads);
    let row = |record: csv::StringRecord| {
        let cell = |nth: usize| record[nth].to_owned();
        Row {
            bug: cell(0),
            scenario: cell(1),
            strategy: cell(2),
            right: cell(3),
            fault: cell(4),
            invariant: cell(5),
            part: cell(6),
            chance: cell(7),
            known_from: cell(8),
        }
    };
    let records = table.records();
    records.map(|record| row(record.expect("a line"))).collect()
}
