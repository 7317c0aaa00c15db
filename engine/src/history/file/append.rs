//! One history behind another: the attempts of a part of a run, their times told on the clock of the
//! whole.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::{HistoryFile, HistoryWriter, names_in};
use crate::history::{Detail, History as _, Operation, Place};

/// How the times of one clock are told on another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shift {
    /// What is added to each time, in nanoseconds.
    pub by_ns: i64,
    /// How far that may be wrong, either way, in nanoseconds: each attempt is taken to have begun so
    /// much earlier and to have ended so much later.
    pub slack_ns: u64,
}

impl Shift {
    /// A moment; none is before the origin.
    pub const fn moment(self, ns: u64) -> u64 {
        ns.saturating_add_signed(self.by_ns)
    }

    const fn begin(self, ns: u64) -> u64 {
        self.moment(ns).saturating_sub(self.slack_ns)
    }

    const fn end(self, ns: u64) -> u64 {
        self.moment(ns).saturating_add(self.slack_ns)
    }

    const fn operation(self, operation: Operation) -> Operation {
        Operation {
            inv_ns: self.begin(operation.inv_ns),
            ret_ns: self.end(operation.ret_ns),
            ..operation
        }
    }
}

impl HistoryWriter {
    /// Appends all that another run directory holds of attempts, one after the other. What it holds of
    /// what they were about is only appended to a writer that keeps it.
    ///
    /// # Errors
    /// When the other history is damaged, or the disk does not take it.
    pub fn append_all(&mut self, directory: &Path, shift: Shift) -> io::Result<()> {
        let other = HistoryFile::open(directory)?;
        for operation in other.operations()? {
            self.append(&[shift.operation(operation?)])?;
        }
        for place in other.places()? {
            let place = place?;
            self.places(&[Place {
                inv_ns: shift.begin(place.inv_ns),
                ret_ns: shift.end(place.ret_ns),
                ..place
            }])?;
        }
        for detail in other.details()? {
            let detail = detail?;
            self.append_details(&[Detail {
                operation: shift.operation(detail.operation),
                ..detail
            }])?;
        }
        // The texts are escaped already. A torn last line must not become one with the next text.
        match File::open(names_in(directory)) {
            Ok(mut names) => {
                io::copy(&mut names, &mut self.names)?;
                self.names.write_all(b"\n")
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cause, Key, OutcomeKind};

    fn operation(user: u64, inv_ns: u64, ret_ns: u64) -> Operation {
        Operation {
            user: Key(user),
            coupon: Key::NONE,
            inv_ns,
            ret_ns,
            lag_us: 3,
            status: 201,
            kind: OutcomeKind::Issued,
            label: 0,
            step: 0,
            cause: Cause::None,
            phase: 0,
            vu: 7,
        }
    }

    fn place(operation: Operation) -> Place {
        Place {
            user: operation.user,
            inv_ns: operation.inv_ns,
            ret_ns: operation.ret_ns,
            ticket: 1,
            ahead: Place::NONE,
            phase: 0,
            step: 0,
            label: 10,
        }
    }

    fn detail(operation: Operation) -> Detail {
        Detail {
            operation,
            seat: Key(4),
            account: Key::NONE,
            key: Key::NONE,
            amount: None,
        }
    }

    fn written(directory: &Path, operation: Operation, name: &str) {
        let writer = HistoryWriter::create(directory).expect("created");
        let mut writer = writer.with_details().expect("created");
        writer.append(&[operation]).expect("written");
        writer.places(&[place(operation)]).expect("written");
        writer
            .append_details(&[detail(operation)])
            .expect("written");
        writer.name(Key::of(name), name).expect("written");
        writer.flush().expect("flushed");
    }

    fn read<T>(records: io::Result<impl Iterator<Item = io::Result<T>>>) -> Vec<T> {
        let records = records.expect("readable");
        records.map(|record| record.expect("whole")).collect()
    }

    #[test]
    fn two_histories_are_one_with_all_times_on_one_clock() {
        let [first, second, both] = [0; 3].map(|_| tempfile::tempdir().expect("a directory"));
        written(first.path(), operation(1, 1_000, 1_200), "kim");
        written(second.path(), operation(2, 500, 900), "lee");
        // The clock of the second began 400 later, and is known to 50.
        let shift = Shift {
            by_ns: 400,
            slack_ns: 50,
        };
        let writer = HistoryWriter::create(both.path()).expect("created");
        let mut writer = writer.with_details().expect("created");
        let appended = writer.append_all(first.path(), Shift::default());
        appended.expect("appended");
        writer.append_all(second.path(), shift).expect("appended");
        writer.flush().expect("flushed");

        let expected = [operation(1, 1_000, 1_200), operation(2, 850, 1_350)];
        let history = HistoryFile::open(both.path()).expect("a history");
        assert_eq!(read(history.operations()), expected);
        assert_eq!(read(history.places()), expected.map(place));
        assert_eq!(read(history.details()), expected.map(detail));
        let keys = ["kim", "lee"].map(|name| (Key::of(name), name.to_owned()));
        let asked: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
        assert_eq!(history.names(&asked).expect("read"), keys);
    }

    #[test]
    fn what_is_damaged_is_no_part_of_anything() {
        let [damaged, whole] = [0; 2].map(|_| tempfile::tempdir().expect("a directory"));
        std::fs::write(damaged.path().join("history.bin"), [7_u8; 64]).expect("written");
        let mut writer = HistoryWriter::create(whole.path()).expect("created");
        let appended = writer.append_all(damaged.path(), Shift::default());
        let error = appended.expect_err("not a history");
        assert!(error.to_string().contains("history.bin"), "{error}");
    }
}
