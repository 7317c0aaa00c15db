//! Tables of the truth that are read whole: sold seats, a ledger, accounts. The texts of a read stand in
//! one, since a million rows of owned texts would take five times as much.

use std::fmt;

use super::digest::Truth;
use super::{Observations, Settled};
use crate::plan::Table;

/// All of them; what the scenario does not name is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TablesRead {
    /// Sold seats.
    pub seats: TableReads,
    /// Entries of the ledger, in their order.
    pub ledger: TableReads,
    /// Accounts.
    pub balances: TableReads,
}

impl TablesRead {
    /// The reads of this table.
    pub const fn of(&self, table: Table) -> &TableReads {
        match table {
            Table::Seats => &self.seats,
            Table::Ledger => &self.ledger,
            Table::Balances => &self.balances,
        }
    }

    /// The same, to be filled.
    pub const fn of_mut(&mut self, table: Table) -> &mut TableReads {
        match table {
            Table::Seats => &mut self.seats,
            Table::Ledger => &mut self.ledger,
            Table::Balances => &mut self.balances,
        }
    }

    /// The texts that may name somebody or something, for those few that a report shows.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let reads = [&self.seats, &self.ledger, &self.balances].into_iter();
        let tables = reads.flat_map(|reads| [&reads.before, &reads.last]);
        let rows = tables.flatten().flat_map(|read| read.rows.iter());
        rows.flat_map(|[first, second, _]| [first, second])
    }
}

/// A table that was read twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableReads {
    /// Before the load.
    pub before: Option<TableRead>,
    /// Once the system was quiet.
    pub last: Option<TableRead>,
}

/// A table at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableRead {
    /// When the read was complete, nanoseconds since the run's origin.
    pub at_ns: u64,
    /// In the store's order.
    pub rows: TableRows,
}

/// Rows of three texts, of which the last may be empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TableRows {
    texts: String,
    /// Where the texts of each row end.
    ends: Vec<[usize; 3]>,
}

impl TableRows {
    /// Adds a row after the others.
    pub fn push(&mut self, cells: [&str; 3]) {
        let ends = cells.map(|cell| {
            self.texts.push_str(cell);
            self.texts.len()
        });
        self.ends.push(ends);
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows in their order.
    pub fn iter(&self) -> impl Iterator<Item = [&str; 3]> {
        let mut from = 0;
        self.ends.iter().map(move |ends| {
            ends.map(|end| {
                let text = &self.texts[from..end];
                from = end;
                text
            })
        })
    }
}

impl fmt::Debug for TableRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'c> FromIterator<[&'c str; 3]> for TableRows {
    fn from_iter<I: IntoIterator<Item = [&'c str; 3]>>(rows: I) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|row| all.push(row));
        all
    }
}

/// How far tables can be trusted, and why no further, for the end of a sentence.
pub(super) fn truth_of(observations: &Observations, tables: &[Table]) -> (Truth, String) {
    let missing = tables.iter().find(|table| {
        let reads = observations.tables.of(**table);
        reads.last.is_none()
    });
    let (truth, mut why) = match (missing, &observations.settled) {
        (Some(table), _) => {
            let words = format!("there was no final read of `truth.{}`", table.name());
            (Truth::Missing, words)
        }
        (None, Some(Settled::Moving(_))) => (
            Truth::Moving,
            "the state did not become quiet in the time allowed".to_owned(),
        ),
        (None, Some(Settled::Stuck(_))) => (
            Truth::Stuck,
            "something still waited to be written when the time allowed was over".to_owned(),
        ),
        (None, Some(Settled::Quiet) | None) => return (Truth::Final, String::new()),
    };
    let waiting = match &observations.settled {
        Some(Settled::Stuck(waiting) | Settled::Moving(Some(waiting))) => Some(waiting),
        _ => None,
    };
    let known = waiting.into_iter().chain(observations.failures.first());
    let known: Vec<&str> = known.map(String::as_str).collect();
    if !known.is_empty() {
        why = format!("{why} ({})", known.join("; "));
    }
    (truth, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went_in_with_empty_texts_in_any_place() {
        let rows = [["a", "", "-1"], ["", "", ""], ["한", "b", ""]];
        let packed: TableRows = rows.into_iter().collect();
        assert_eq!(packed.iter().collect::<Vec<_>>(), rows);
        assert_eq!(packed.len(), 3);
    }
}
