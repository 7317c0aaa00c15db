//! Reads the users' records when a run begins: from a file or a database, each line checked.

mod csv;
mod json_lines;
mod sql;
mod table;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::load::Records;
use crate::plan::{Plan, RecordSource};
use crate::probe::ProbeError;
use table::{Problem, Table};

/// Why the records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FeederError {
    /// The file cannot be opened.
    #[error("failed to read the users from {}: {source}\n  hint: `users.from` is relative to the scenario's directory", file.display())]
    Open {
        /// As it was looked for.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of it is wrong.
    #[error("{}{}: {problem}", file.display(), at(*.line))]
    Line {
        /// Which file.
        file: PathBuf,
        /// Counted from 1; `None` for the file as a whole.
        line: Option<u64>,
        /// In words.
        problem: String,
    },
    /// A row of the query is wrong.
    #[error("the users cannot be read: row {row} of `users.from.sql`: {problem}")]
    Row {
        /// Counted from 1; 0 where there is none.
        row: u64,
        /// In words.
        problem: String,
    },
    /// The database does not answer, or with something else than records.
    #[error(
        "the users cannot be read: {0}\n  hint: correct `users.from.sql`, or make it reachable"
    )]
    Sql(#[from] ProbeError),
    /// There are fewer records than `users.pool` asks for.
    #[error(
        "`users.pool` asks for {wanted} users, but there are {found} records\n  hint: remove `pool` to use all of them"
    )]
    TooFew {
        /// As written.
        wanted: u64,
        /// Records.
        found: u64,
    },
}

fn at(line: Option<u64>) -> String {
    line.map_or(String::new(), |line| format!(":{line}"))
}

/// What looking at the records before a run has come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Looked {
    /// The columns that the scenario uses are there, or there is nothing to look at.
    Fine,
    /// The file is not there, so its columns are not known.
    NotThere(PathBuf),
}

/// Looks at the columns of a file without reading its records.
///
/// # Errors
/// When the file has not the columns that the scenario uses.
pub fn look(plan: &Plan, directory: &Path) -> Result<Looked, FeederError> {
    let Some(source) = plan.users.records.as_ref().map(|records| &records.source) else {
        return Ok(Looked::Fine);
    };
    let Some(path) = path(source, directory) else {
        return Ok(Looked::Fine);
    };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Looked::NotThere(path));
        }
        file => file.map_err(|source| FeederError::Open {
            file: path.clone(),
            source,
        })?,
    };
    let mut table = Table::new(plan, Some(0));
    read_file(source, file, &mut table)
        .map(|()| Looked::Fine)
        .map_err(|problem| wrong(&path, problem))
}

/// Reads all records. Relative files are looked for in `directory`, which is the scenario's.
///
/// # Errors
/// When something is wrong with any of them; `None` if the plan's users have none.
pub async fn read(plan: &Plan, directory: &Path) -> Result<Option<Records>, FeederError> {
    let Some(records) = &plan.users.records else {
        return Ok(None);
    };
    let mut table = Table::new(plan, records.most);
    if let RecordSource::Sql { url, query } = &records.source {
        sql::read(url, query, &mut table).await?;
        let rows = table.finish().map_err(|(row, problem)| FeederError::Row {
            row: row.unwrap_or_default(),
            problem,
        })?;
        return enough(rows, records.most).map(Some);
    }
    let Some(path) = path(&records.source, directory) else {
        return Ok(None);
    };
    let file = File::open(&path).map_err(|source| FeederError::Open {
        file: path.clone(),
        source,
    })?;
    let read = read_file(&records.source, file, &mut table).and_then(|()| table.finish());
    enough(read.map_err(|problem| wrong(&path, problem))?, records.most).map(Some)
}

fn read_file(source: &RecordSource, file: File, table: &mut Table<'_>) -> Result<(), Problem> {
    match source {
        RecordSource::Csv(_) => csv::read(file, table),
        RecordSource::JsonLines(_) => json_lines::read(file, table),
        RecordSource::Sql { .. } => Ok(()),
    }
}

fn path(source: &RecordSource, directory: &Path) -> Option<PathBuf> {
    match source {
        RecordSource::Csv(file) | RecordSource::JsonLines(file) => Some(directory.join(file)),
        RecordSource::Sql { .. } => None,
    }
}

fn wrong(file: &Path, (line, problem): Problem) -> FeederError {
    FeederError::Line {
        file: file.to_owned(),
        line,
        problem,
    }
}

fn enough(records: Records, most: Option<u64>) -> Result<Records, FeederError> {
    match most {
        Some(wanted) if wanted > records.count() => Err(FeederError::TooFew {
            wanted,
            found: records.count(),
        }),
        _ => Ok(records),
    }
}

#[cfg(test)]
mod tests;
