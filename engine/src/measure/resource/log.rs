//! The file of what was read from outside: one line for each source and moment.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Quantities, ResourceKind};

/// What one source said at one moment, or that it said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLine {
    /// Nanoseconds since the run's origin, when the answer was there.
    pub at_ns: u64,
    /// The source's name.
    pub source: String,
    /// Who knows its figures.
    pub kind: ResourceKind,
    /// The figures; none in a gap.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    pub values: Quantities,
    /// Why there are no figures, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
}

/// Appends lines of JSON to a file.
#[derive(Debug)]
pub struct ResourceLog(BufWriter<File>);

impl ResourceLog {
    /// Creates the file.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(BufWriter::new(File::create(path)?)))
    }

    /// Appends what was read at one moment and flushes, so that a killed run keeps it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn append(&mut self, lines: &[ResourceLine]) -> io::Result<()> {
        for line in lines {
            serde_json::to_writer(&mut self.0, line)?;
            self.0.write_all(b"\n")?;
        }
        self.0.flush()
    }
}

/// Reads the file back, line by line; a torn last line is left out.
///
/// # Errors
/// When the file cannot be opened.
pub fn read_resources(path: &Path) -> io::Result<impl Iterator<Item = ResourceLine> + use<>> {
    let lines = BufReader::new(File::open(path)?).lines();
    Ok(lines
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok()))
}

#[cfg(test)]
mod tests {
    use super::super::Quantity;
    use super::*;

    #[test]
    fn lines_come_back_as_they_were_written_and_a_torn_one_is_left_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("resources.jsonl");
        let line = ResourceLine {
            at_ns: 17,
            source: "mysql".to_owned(),
            kind: ResourceKind::Sql,
            values: [(Quantity::RowLockWaits, 3), (Quantity::RowLockTimeMs, 41)].into(),
            gap: None,
        };
        let gap = ResourceLine {
            values: Quantities::new(),
            gap: Some("no answer".to_owned()),
            ..line.clone()
        };
        let lines = vec![line, gap];
        let mut log = ResourceLog::create(&path).expect("creatable");
        log.append(&lines).expect("writable");
        let text = std::fs::read_to_string(&path).expect("readable");
        let first = r#"{"at_ns":17,"source":"mysql","kind":"sql","values":{"row_lock_waits":3,"row_lock_time_ms":41}}"#;
        assert_eq!(text.lines().next(), Some(first));
        for cut in [0, 10] {
            std::fs::write(&path, &text[..text.len() - cut]).expect("writable");
            let read: Vec<_> = read_resources(&path).expect("readable").collect();
            assert_eq!(read, lines[..if cut == 0 { 2 } else { 1 }]);
        }
    }
}
