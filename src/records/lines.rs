//! Lines of bounded length, with their numbers.

use std::io::{BufRead, Read as _};

use super::LONGEST_LINE;

/// Reads lines one after the other.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
}

/// One line without its end.
pub(super) struct Line<'l> {
    pub(super) number: u64,
    pub(super) bytes: &'l [u8],
    /// The file ends without a line break behind it.
    pub(super) is_torn: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn of(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// What is left to be read, before the first line.
    pub(super) fn into_reader(self) -> R {
        self.reader
    }

    /// The next line that is not blank. Errors have their line and a problem in words.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, (u64, String)> {
        let is_torn = loop {
            self.number += 1;
            self.buffer.clear();
            let limit = LONGEST_LINE as u64 + 2;
            let read = (&mut self.reader)
                .take(limit)
                .read_until(b'\n', &mut self.buffer);
            read.map_err(|error| (self.number, format!("it cannot be read: {error}")))?;
            if self.buffer.is_empty() {
                return Ok(None);
            }
            let is_torn = self.buffer.pop_if(|last| *last == b'\n').is_none();
            self.buffer.pop_if(|last| *last == b'\r');
            if self.buffer.len() > LONGEST_LINE {
                let problem = format!("a line is longer than {LONGEST_LINE} bytes");
                return Err((self.number, problem));
            }
            if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                break is_torn;
            }
        };
        Ok(Some(Line {
            number: self.number,
            bytes: &self.buffer,
            is_torn,
        }))
    }
}
