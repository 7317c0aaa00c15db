//! Comma-separated values with a header line (RFC 4180).

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use ::csv::{ByteRecord, Error, ErrorKind, ReaderBuilder};

use super::table::{Problem, Table};

/// Reads the file up to its end, or until the table is full.
pub(super) fn read(file: impl Read, table: &mut Table<'_>) -> Result<(), Problem> {
    let is_open = Rc::new(Cell::new(false));
    let quotes = Quotes {
        file: BufReader::new(file),
        is_open: Rc::clone(&is_open),
    };
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(quotes);
    let header = reader
        .byte_headers()
        .map_err(|error| failed(&error))?
        .clone();
    if header.is_empty() {
        return Err((None, "it is empty".to_owned()));
    }
    let names = texts(&header, 1)?;
    table.columns(1, &names)?;
    let mut record = ByteRecord::new();
    let mut line = 1;
    while !table.is_full()
        && reader
            .read_byte_record(&mut record)
            .map_err(|error| failed(&error))?
    {
        line = record.position().map_or(line + 1, ::csv::Position::line);
        let values = texts(&record, line)?;
        if values.len() != names.len() {
            let problem = if is_open.get() {
                "a quote is not closed".to_owned()
            } else {
                format!(
                    "the record has {} columns, the header has {}",
                    values.len(),
                    names.len()
                )
            };
            return Err((Some(line), problem));
        }
        let values: Vec<Option<&str>> = values.into_iter().map(Some).collect();
        table.row(line, &values)?;
    }
    // An open quote takes everything behind it into its value.
    if !table.is_full() && is_open.get() {
        return Err((Some(line), "a quote is not closed".to_owned()));
    }
    Ok(())
}

fn texts(record: &ByteRecord, line: u64) -> Result<Vec<&str>, Problem> {
    let text =
        |value| std::str::from_utf8(value).map_err(|_| (Some(line), "it is not UTF-8".to_owned()));
    record.iter().map(text).collect()
}

fn failed(error: &Error) -> Problem {
    let line = error.position().map(::csv::Position::line);
    match error.kind() {
        ErrorKind::Io(error) => (line, format!("failed to read it: {error}")),
        _ => (line, error.to_string()),
    }
}

/// Sees whether the quotes so far are in pairs: the library takes an open one to the file's end.
struct Quotes<R> {
    file: R,
    is_open: Rc<Cell<bool>>,
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        for _ in buffer[..count].iter().filter(|byte| **byte == b'"') {
            self.is_open.set(!self.is_open.get());
        }
        Ok(count)
    }
}
