//! What the tables of the truth show of one thing, in words.

use crate::check::recorded::Thing;
use crate::check::{Evidence, TableRead};
use crate::history::Key;
use crate::plan::Table;

/// Rows that are named; more are counted.
const MOST_ROWS: usize = 5;

/// When the table was read at last, and what it shows of this; `None` if it was not read.
pub(super) fn shown(evidence: &Evidence<'_>, about: Thing) -> Option<(u64, String)> {
    let tables = &evidence.observations.tables;
    match about {
        Thing::Seat(seat) => {
            let read = tables.of(Table::Seats).last.as_ref()?;
            let words = rows(
                read,
                |[name, ..]| Key::of(name) == seat,
                |[_, owner, _]| format!("owned by `{owner}`"),
            );
            Some((read.at_ns, words))
        }
        Thing::Charge(key) => {
            let read = tables.of(Table::Ledger).last.as_ref()?;
            let words = rows(
                read,
                |[name, ..]| Key::of(name) == key,
                |[_, account, amount]| format!("{amount} of `{account}`"),
            );
            Some((read.at_ns, words))
        }
        Thing::Account(account) => {
            let read = tables.of(Table::Balances).last.as_ref()?;
            let is_of = |[name, ..]: &[&str; 3]| Key::of(name) == account;
            let words = rows(read, is_of, |[_, initial, last]| {
                format!("{initial} at the beginning and {last} now")
            });
            Some((read.at_ns, words))
        }
    }
}

fn rows(
    read: &TableRead,
    is_of: impl Fn(&[&str; 3]) -> bool,
    words: impl Fn([&str; 3]) -> String,
) -> String {
    let mut found: Vec<String> = Vec::new();
    let mut more = 0_u64;
    for row in read.rows.iter().filter(|row| is_of(row)) {
        if found.len() < MOST_ROWS {
            found.push(words(row));
        } else {
            more += 1;
        }
    }
    match (found.len(), more) {
        (0, _) => "no row of it".to_owned(),
        (_, 0) => found.join(" and "),
        (_, more) => format!("{} and {more} more", found.join(", ")),
    }
}
