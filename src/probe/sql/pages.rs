//! Reads the rows of a query piece by piece: each statement gives the rows of one interval of a key.
//!
//! ```text
//!  keys        1  1  2  3  3  3  4  7  7  9      pages of 3 rows
//!  intervals  (......2](......3](......7](...    the row in third place behind the last end
//! ```
//!
//! The end of an interval is asked for first, then its rows: `NOT (k > last) ... AND NOT (k > end)`
//! are exact complements for the same two values, however the database compares them (a collation
//! that ignores case, a number that its text rounds). So each row with a key is in one interval and
//! no other, rows that share a key come together, and a row that is added while others are read
//! cannot move a row from one interval to another. Rows without a key come first, with one
//! statement of their own.

use super::{Cells, Dialect, Reader, Rows, SqlProbe};
use crate::check::IssuedRow;
use crate::plan::Pages;
use crate::probe::error::{Fault, Reason};

/// How far a read in pages has come.
#[derive(Debug, Default)]
pub(in crate::probe) struct Progress {
    at: Place,
    /// Rows that were given so far.
    given: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing was read.
    #[default]
    Start,
    /// The rows without a key were read, and those up to this key, as the database writes it.
    Behind(Option<String>),
    /// All rows were read.
    End,
}

impl SqlProbe {
    /// The next rows; `None` when all were given. After an error the same rows can be asked for
    /// again.
    pub(in crate::probe) async fn next(
        &self,
        progress: &mut Progress,
    ) -> Result<Option<Vec<IssuedRow>>, Fault> {
        let Some(pages) = &self.pages else {
            return self.all(progress).await;
        };
        let (rows, at) = match &progress.at {
            Place::Start => {
                let without = self.statement(&self.without_key(pages));
                (self.rows_of(&without, 0).await?, Place::Behind(None))
            }
            Place::Behind(last) => {
                self.interval(pages, last.as_deref(), progress.given)
                    .await?
            }
            Place::End => return Ok(None),
        };
        progress.given += rows.len();
        progress.at = at;
        Ok(Some(rows))
    }

    async fn all(&self, progress: &mut Progress) -> Result<Option<Vec<IssuedRow>>, Fault> {
        if progress.at == Place::End {
            return Ok(None);
        }
        let rows = self.rows_of(&self.query, 0).await?;
        progress.at = Place::End;
        Ok(Some(rows))
    }

    async fn rows_of(&self, query: &str, given: usize) -> Result<Vec<IssuedRow>, Fault> {
        let mut rows = Rows {
            given,
            rows: Vec::new(),
        };
        self.read(query, &mut rows).await?;
        Ok(rows.rows)
    }

    /// The rows behind one key up to the next end.
    async fn interval(
        &self,
        pages: &Pages,
        last: Option<&str>,
        given: usize,
    ) -> Result<(Vec<IssuedRow>, Place), Fault> {
        let key = &pages.key;
        let behind = match last {
            None => self.with_key(pages),
            Some(last) => format!("t.{key} > {last}"),
        };
        let nth = pages.rows.saturating_sub(1);
        let asks_end = format!(
            "SELECT t.{key} FROM ({}\n) AS t WHERE {behind} ORDER BY t.{key} LIMIT 1 OFFSET {nth}",
            self.query
        );
        let mut end = Literal::default();
        self.read(&asks_end, &mut end).await?;
        let Some(end) = end.0 else {
            let rows = self.rows_of(&self.statement(&behind), given).await?;
            return Ok((rows, Place::End));
        };
        if last == Some(end.as_str()) {
            let words = format!(
                "the rows cannot be read in pages by {key}: {end} does not compare like the value \
                 it was read from; name another column"
            );
            return Err(Fault::asked(words));
        }
        let within = format!("{behind} AND NOT (t.{key} > {end})");
        let rows = self.rows_of(&self.statement(&within), given).await?;
        Ok((rows, Place::Behind(Some(end))))
    }

    fn statement(&self, condition: &str) -> String {
        // The line break ends a comment at the query's end.
        format!("SELECT t.* FROM ({}\n) AS t WHERE {condition}", self.query)
    }

    /// `MySQL` answers `IS NULL` with yes for dates of zeros, and for the last number that was given
    /// out.
    fn without_key(&self, pages: &Pages) -> String {
        match self.options.dialect() {
            Dialect::MySql => format!("t.{} <=> NULL", pages.key),
            Dialect::Sqlite | Dialect::Postgres => format!("t.{} IS NULL", pages.key),
        }
    }

    fn with_key(&self, pages: &Pages) -> String {
        format!("NOT ({})", self.without_key(pages))
    }
}

/// The first column of the first row, as the database reads it back.
#[derive(Default)]
struct Literal(Option<String>);

impl Reader for Literal {
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault> {
        let literal = row.literal(0)?;
        let null = || {
            Fault::new(
                Reason::Answer,
                "the key of a row went away while it was read",
            )
        };
        self.0 = Some(literal.ok_or_else(null)?);
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
