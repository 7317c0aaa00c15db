//! One row of a query for each user.

use super::table::Table;
use crate::plan::Secret;
use crate::probe::{ProbeError, RowReader, read_table};

/// Reads all rows, or the first ones until the table is full.
pub(super) async fn read(
    url: &Secret,
    query: &str,
    table: &mut Table<'_>,
) -> Result<(), ProbeError> {
    let mut rows = Rows { table, row: 0 };
    read_table(url, query, &mut rows).await
}

struct Rows<'t, 'p> {
    table: &'t mut Table<'p>,
    row: u64,
}

impl RowReader for Rows<'_, '_> {
    fn take(&mut self, names: &[String], values: &[Option<String>]) -> Result<bool, String> {
        self.row += 1;
        let said = |(_, problem): (Option<u64>, String)| problem;
        if !self.table.has_columns() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.table.columns(self.row, &names).map_err(said)?;
        }
        if self.table.is_full() {
            return Ok(false);
        }
        let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        let taken = self.table.row(self.row, &values);
        taken.map_err(|problem| format!("row {}: {}", self.row, said(problem)))?;
        Ok(true)
    }
}
