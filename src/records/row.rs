//! One record as its format has it: an object of JSON, or a row of CSV with the names of its columns.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::StringRecord;
use serde_json::Value;

use super::lines::Lines;
use super::{Format, LONGEST_LINE, Settings};

/// One record.
pub(super) enum Row {
    /// Names are keys, or JSON pointers if they begin with a slash.
    Object(Value),
    /// Names are tags, or JSON pointers into the whole line.
    Point(Value),
    /// Names are those of columns.
    Csv(Rc<StringRecord>, StringRecord),
}

impl Row {
    /// The field's text; objects and lists as JSON.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Csv(head, row) => {
                let at = head.iter().position(|column| column == name)?;
                return row.get(at).map(str::to_owned);
            }
            Self::Object(value) | Self::Point(value) if name.starts_with('/') => {
                value.pointer(name)?
            }
            Self::Object(value) => value.get(name)?,
            Self::Point(value) => value.get("data")?.get("tags")?.get(name)?,
        };
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// Reads rows one after the other.
pub(super) enum Rows<R> {
    Lines(Lines<R>),
    Csv {
        head: Rc<StringRecord>,
        reader: Box<csv::Reader<Limited<R>>>,
        budget: Rc<Cell<usize>>,
    },
}

/// What was read.
pub(super) struct Next {
    /// The row and its line; `None` at the end.
    pub(super) row: Option<(u64, Row)>,
    /// The last line was cut off and left out.
    pub(super) cut_off: bool,
}

/// The line and the problem in words.
type Problem = (u64, String);

impl<R: BufRead> Rows<R> {
    pub(super) fn of(settings: &Settings, lines: Lines<R>) -> Result<Self, Problem> {
        match settings.format {
            Format::K6 | Format::Jsonl => Ok(Self::Lines(lines)),
            Format::Jmeter | Format::Locust => Self::csv(settings, lines.into_reader()),
        }
    }

    fn csv(settings: &Settings, reader: R) -> Result<Self, Problem> {
        let budget = Rc::new(Cell::new(LONGEST_LINE));
        let limited = Limited {
            reader,
            budget: Rc::clone(&budget),
        };
        let mut reader = csv::Reader::from_reader(limited);
        let head = reader.headers().map_err(|error| problem(&error))?.clone();
        let has = |column: &str| head.iter().any(|known| known == column);
        if settings.format == Format::Locust && (has("Request Count") || has("User Count")) {
            let words = "these are Locust's statistics, which are sums: who was told what, and \
                         when, is not in them. Write a row for each request from its `request` \
                         event (see docs/import-results.md)";
            return Err((1, words.to_owned()));
        }
        let missing: Vec<&str> = settings
            .columns()
            .into_iter()
            .filter(|name| !has(name))
            .collect();
        if !missing.is_empty() {
            let columns: Vec<&str> = head.iter().collect();
            let words = format!(
                "the head has no column `{}`; it has {}",
                missing.join("`, `"),
                columns.join(", ")
            );
            return Err((1, words));
        }
        Ok(Self::Csv {
            head: Rc::new(head),
            reader: Box::new(reader),
            budget,
        })
    }

    pub(super) fn next(&mut self, format: Format) -> Result<Next, Problem> {
        let lines = match self {
            Self::Lines(lines) => lines,
            Self::Csv {
                head,
                reader,
                budget,
            } => {
                budget.set(LONGEST_LINE);
                let mut row = StringRecord::new();
                let is_read = reader
                    .read_record(&mut row)
                    .map_err(|error| problem(&error))?;
                let line = row.position().map_or(0, csv::Position::line);
                let row = is_read.then(|| (line, Row::Csv(Rc::clone(head), row)));
                return Ok(Next {
                    row,
                    cut_off: false,
                });
            }
        };
        let end = Next {
            row: None,
            cut_off: false,
        };
        let Some(line) = lines.next()? else {
            return Ok(end);
        };
        let read: Result<Value, _> = serde_json::from_slice(line.bytes);
        let value = match read {
            Ok(value @ Value::Object(_)) => value,
            Err(_) if line.is_torn && format == Format::K6 => {
                return Ok(Next {
                    cut_off: true,
                    ..end
                });
            }
            Ok(_) => return Err((line.number, "it is no JSON object".to_owned())),
            Err(error) => return Err((line.number, format!("it is no JSON object: {error}"))),
        };
        let row = match format {
            Format::K6 => Row::Point(value),
            _ => Row::Object(value),
        };
        Ok(Next {
            row: Some((line.number, row)),
            cut_off: false,
        })
    }
}

fn problem(error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    let words = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("it has {len} columns, and the head has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    };
    (line, words)
}

/// A quotation mark that is never closed makes one row of a whole file: after so many bytes for one
/// row reading ends.
pub(super) struct Limited<R> {
    reader: R,
    budget: Rc<Cell<usize>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.get();
        if left == 0 {
            let words = format!("a row is longer than {LONGEST_LINE} bytes: is a \" missing?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        let most = room.len().min(left);
        let count = self.reader.read(&mut room[..most])?;
        self.budget.set(left - count);
        Ok(count)
    }
}
