//! What another load tool has written down: from lines to attempts with a user, two times and an
//! answer. Knows no scenario and decides no outcome.
//!
//! One record is in memory at a time, and no line may be longer than [`LONGEST_LINE`].

mod field;
mod lines;
mod row;
mod settings;
mod stamp;
#[cfg(test)]
mod tests;

use std::io::BufRead;

use crate::history::{Cause, OutcomeKind};
use lines::Lines;
use row::{Row, Rows};

pub use field::{Field, Filter};
pub use settings::{Asked, Format, Settings, SettingsError};
pub use stamp::Unit;

/// Bytes of a line, or of one row of a CSV file.
pub const LONGEST_LINE: usize = 1 << 20;

/// One attempt as the other tool saw it. Times are nanoseconds of Unix time; the real ones lie
/// between them, however coarsely they were written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who asked.
    pub user: String,
    /// Not after the first byte was sent.
    pub start_ns: u64,
    /// Not before the answer was complete, or the attempt was given up.
    pub end_ns: u64,
    /// The HTTP status; 0 without an answer.
    pub status: u16,
    /// Why there is none, and whether the attempt can have happened all the same.
    pub failure: Option<(OutcomeKind, Cause)>,
    /// The answer's body, where it was written down.
    pub body: Option<String>,
    /// The outcome's name, where the records name it.
    pub outcome: Option<String>,
    /// The coupon that the answer named, where the records name it.
    pub coupon: Option<String>,
    /// Where it stands: a line of the file, from 1.
    pub line: u64,
}

/// Why records cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct RecordError {
    /// As it was given.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// What was left out on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Records that are of something else: another metric, or not what `--only` says.
    pub others: u64,
    /// The last line of a k6 output was cut off: the tool was ended while it wrote.
    pub cut_off: bool,
}

/// Reads records one after the other.
pub struct Records<'s, R> {
    settings: &'s Settings,
    file: String,
    rows: Rows<R>,
    left_out: LeftOut,
}

impl<'s, R: BufRead> Records<'s, R> {
    /// Begins to read; `file` is what messages call it.
    ///
    /// # Errors
    /// When the head of a CSV file lacks a column, or is that of statistics without requests.
    pub fn of(settings: &'s Settings, file: &str, reader: R) -> Result<Self, RecordError> {
        let named = |(line, problem)| RecordError {
            file: file.to_owned(),
            line,
            problem,
        };
        let rows = Rows::of(settings, Lines::of(reader)).map_err(named)?;
        Ok(Self {
            settings,
            file: file.to_owned(),
            rows,
            left_out: LeftOut::default(),
        })
    }

    /// What was left out so far.
    pub const fn left_out(&self) -> LeftOut {
        self.left_out
    }

    fn read(&mut self) -> Result<Option<Record>, (u64, String)> {
        loop {
            let next = self.rows.next(self.settings.format)?;
            let Some((line, row)) = next.row else {
                self.left_out.cut_off = next.cut_off;
                return Ok(None);
            };
            if !self.settings.wants(&row) {
                self.left_out.others += 1;
                continue;
            }
            let record = self.settings.record(&row, line);
            return record.map(Some).map_err(|problem| (line, problem));
        }
    }
}

impl<R: BufRead> Iterator for Records<'_, R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().map_err(|(line, problem)| RecordError {
            file: self.file.clone(),
            line,
            problem,
        });
        read.transpose()
    }
}

/// What no answer means: whether the attempt can have happened.
fn without_answer(words: &str) -> (OutcomeKind, Cause) {
    use OutcomeKind::{NotSent, Unknown};
    let has = |word: &str| words.contains(word);
    // Classes of Java as JMeter names them, and of Python as Locust does.
    if has("UnknownHostException") || has("NoRouteToHostException") || has("gaierror") {
        (NotSent, Cause::ConnectFailed)
    } else if has("ConnectTimeoutException") || has("ConnectTimeout") {
        (NotSent, Cause::ConnectTimeout)
    } else if has("HttpHostConnectException")
        || has("java.net.ConnectException")
        || has("ConnectionRefusedError")
    {
        (NotSent, Cause::ConnectRefused)
    } else if has("SSLHandshakeException") {
        (NotSent, Cause::TlsFailed)
    } else if has("imeout") {
        (Unknown, Cause::Timeout)
    } else {
        (Unknown, Cause::ConnectionLost)
    }
}

/// The same by k6's `error_code` (grafana/k6, `lib/netext/httpext/error_codes.go`): 11xx are of
/// DNS, 121x of dialling and 13xx of TLS, before anything of the request was sent.
fn without_answer_in_k6(code: &str) -> (OutcomeKind, Cause) {
    use OutcomeKind::{NotSent, Unknown};
    match code.parse::<u16>() {
        Ok(1050) => (Unknown, Cause::Timeout),
        Ok(1211) => (NotSent, Cause::ConnectTimeout),
        Ok(1212) => (NotSent, Cause::ConnectRefused),
        Ok(1100..1200 | 1210..1220) => (NotSent, Cause::ConnectFailed),
        Ok(1300..1400) => (NotSent, Cause::TlsFailed),
        _ => (Unknown, Cause::ConnectionLost),
    }
}

/// A row of any format, asked for its fields.
trait Fields {
    /// The field's text; `None` where it is not there, null or empty.
    fn text(&self, name: &str) -> Option<String>;
}

impl Fields for Row {
    fn text(&self, name: &str) -> Option<String> {
        Self::text(self, name).filter(|text| !text.is_empty())
    }
}
