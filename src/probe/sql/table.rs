//! Hands over whole rows as texts with the names of their columns.

use super::{Cells, Reader, SqlProbe, trimmed};
use crate::plan::Secret;
use crate::probe::error::{Fault, ProbeError, place};

/// Takes the rows of a query.
pub trait RowReader: Send {
    /// Takes a row with the names of its columns; `false`: the rest is not needed.
    ///
    /// # Errors
    /// With words on what is wrong with it.
    fn take(&mut self, names: &[String], values: &[Option<String>]) -> Result<bool, String>;
}

/// Reads the rows of a single SELECT in a session that cannot write.
///
/// # Errors
/// When the database does not answer, or the reader does not take a row.
pub async fn read_table(
    url: &Secret,
    query: &str,
    reader: &mut dyn RowReader,
) -> Result<(), ProbeError> {
    let url = url.reveal();
    let read = async {
        let probe = SqlProbe::open(url, query, None).await?;
        let mut rows = Rows {
            reader,
            names: Vec::new(),
            values: Vec::new(),
        };
        probe.read(trimmed(query), &mut rows).await?;
        probe.close().await;
        Ok(())
    };
    let read: Result<(), Fault> = read.await;
    read.map_err(|fault| fault.at(&place(url)))
}

struct Rows<'r> {
    reader: &'r mut dyn RowReader,
    names: Vec<String>,
    values: Vec<Option<String>>,
}

impl Reader for Rows<'_> {
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault> {
        if self.names.is_empty() {
            self.names = (0..row.width()).map(|column| row.name(column)).collect();
        }
        self.values.clear();
        for column in 0..row.width() {
            self.values.push(row.cell(column)?);
        }
        self.reader
            .take(&self.names, &self.values)
            .map_err(Fault::answer)
    }
}
