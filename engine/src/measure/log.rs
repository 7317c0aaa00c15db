//! One-second histograms on disk, in the `HdrHistogram` interval log format.
//!
//! A line is `Tag=<trend>.<phase>.<step>.<label>,<start>,<length>,<max>,<base64 of V2>`; times in
//! seconds since the start of the load, the maximum and the histogram in microseconds, those of
//! captured numbers in thousandths. Every tool that reads `HdrHistogram` logs reads it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, IntervalLogWriterBuilder, IntervalLogWriterError,
    LogEntry, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2Serializer};

use super::{NO_INDEX, SeriesId, Totals, Trend};

/// Appends intervals.
pub struct IntervalLog {
    file: BufWriter<File>,
    serializer: V2Serializer,
}

impl IntervalLog {
    /// Creates the file and writes what its columns mean.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(
            b"#[Tag: trend.phase.step.label, the numbers of the plan, - for none]\n\
              #[Times in seconds since the start of the load, values in microseconds, captured ones in thousandths]\n\
              \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        )?;
        Ok(Self {
            file,
            serializer: V2Serializer::new(),
        })
    }

    /// Appends what one series measured from `start` for `length`. It is safe on disk after the
    /// next [`Self::flush`].
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn append(
        &mut self,
        start: Duration,
        length: Duration,
        id: SeriesId,
        histogram: &Histogram<u64>,
    ) -> io::Result<()> {
        // The crate's writer borrows file and serializer; without headers it writes nothing when
        // it begins, so one that lives for a line costs a line.
        let mut line =
            IntervalLogWriterBuilder::new().begin_log_with(&mut self.file, &mut self.serializer)?;
        let tag = tag_of(id);
        line.write_histogram(histogram, start, length, Tag::new(&tag))
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
            })
    }

    /// Hands everything to the operating system, so that a killed run keeps it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl std::fmt::Debug for IntervalLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntervalLog").finish_non_exhaustive()
    }
}

/// What one series measured in one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Since the start of the load.
    pub start: Duration,
    /// How long it is.
    pub length: Duration,
    /// What was measured.
    pub id: SeriesId,
    /// As its trend says.
    pub histogram: Histogram<u64>,
}

/// Reads the intervals in the order in which they were written, one at a time. A torn last line
/// is left out; a damaged line before it is an error.
///
/// # Errors
/// When the file cannot be opened.
pub fn intervals(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Interval>> + use<>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    let mut deserializer = Deserializer::new();
    let mut number = 0_u64;
    let mut next = move || -> io::Result<Option<Interval>> {
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line)?;
            // Every whole line ends with a line feed: without one, it is the end or torn.
            if line.last() != Some(&b'\n') {
                return Ok(None);
            }
            number += 1;
            let damaged = || {
                let message = format!("line {number} of the interval log is damaged");
                io::Error::new(io::ErrorKind::InvalidData, message)
            };
            match IntervalLogIterator::new(&line).next() {
                Some(Ok(LogEntry::Interval(entry))) => {
                    return read_interval(&entry, &mut deserializer)
                        .map(Some)
                        .ok_or_else(damaged);
                }
                None | Some(Ok(LogEntry::StartTime(_) | LogEntry::BaseTime(_))) => {}
                Some(Err(_)) => return Err(damaged()),
            }
        }
    };
    let mut failed = false;
    Ok(std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let item = next().transpose();
        failed = matches!(item, Some(Err(_)));
        item
    }))
}

/// Reads all intervals into totals; only the trends are filled.
///
/// # Errors
/// When the file cannot be opened or read, or a line before the last is damaged.
pub fn read_intervals(path: &Path) -> io::Result<Totals> {
    let mut totals = Totals::default();
    for interval in intervals(path)? {
        let Interval { id, histogram, .. } = interval?;
        totals.add(id, &histogram);
    }
    Ok(totals)
}

fn read_interval(
    entry: &IntervalLogHistogram<'_>,
    deserializer: &mut Deserializer,
) -> Option<Interval> {
    let id = id_of(entry.tag()?.as_str())?;
    let bytes = STANDARD.decode(entry.encoded_histogram()).ok()?;
    Some(Interval {
        start: entry.start_timestamp(),
        length: entry.duration(),
        id,
        histogram: deserializer.deserialize(&mut bytes.as_slice()).ok()?,
    })
}

fn tag_of(id: SeriesId) -> String {
    let index = |index: u8| match index {
        NO_INDEX => "-".to_owned(),
        index => index.to_string(),
    };
    let (step, label) = (index(id.step), index(id.label));
    format!("{}.{}.{step}.{label}", trend_name(id.trend), id.phase)
}

fn id_of(tag: &str) -> Option<SeriesId> {
    let mut parts = tag.split('.');
    let (trend, phase) = (parts.next()?, parts.next()?.parse().ok()?);
    let mut index = || match parts.next()? {
        "-" => Some(NO_INDEX),
        number => number.parse().ok(),
    };
    let (step, label) = (index()?, index()?);
    let trend = Trend::ALL
        .into_iter()
        .find(|known| trend_name(*known) == trend)?;
    parts.next().is_none().then_some(SeriesId {
        trend,
        phase,
        step,
        label,
    })
}

const fn trend_name(trend: Trend) -> &'static str {
    match trend {
        Trend::Duration => "duration",
        Trend::ResponseTime => "response_time",
        Trend::Blocked => "blocked",
        Trend::Connecting => "connecting",
        Trend::TlsHandshaking => "tls_handshaking",
        Trend::Sending => "sending",
        Trend::Waiting => "waiting",
        Trend::Receiving => "receiving",
        Trend::ScheduleLag => "schedule_lag",
        Trend::IterationDuration => "iteration_duration",
        Trend::PollDuration => "poll_duration",
        Trend::Value => "value",
        Trend::Sum => "sum",
        Trend::LeftOut => "left_out",
        Trend::Release => "release",
        Trend::Unconnected => "unconnected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: SeriesId = SeriesId {
        trend: Trend::Duration,
        phase: 3,
        step: 0,
        label: 2,
    };

    fn histogram(digits: u8, values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new(digits).expect("valid digits");
        for value in values {
            histogram.record(*value).expect("it grows");
        }
        histogram
    }

    fn write(path: &Path, intervals: &[(u64, SeriesId, Histogram<u64>)]) {
        let mut log = IntervalLog::create(path).expect("a temporary directory");
        let second = Duration::from_secs(1);
        for (start, id, histogram) in intervals {
            log.append(Duration::from_secs(*start), second, *id, histogram)
                .expect("the disk takes it");
        }
        log.flush().expect("the disk takes it");
    }

    #[test]
    fn what_was_written_is_read_back_and_added_up() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("intervals.hlog");
        let lag = SeriesId {
            trend: Trend::ScheduleLag,
            phase: 1,
            step: NO_INDEX,
            label: NO_INDEX,
        };
        write(
            &path,
            &[
                (0, ID, histogram(3, &[100, 200])),
                (0, lag, histogram(2, &[7])),
                (1, ID, histogram(3, &[3_000_000])),
            ],
        );

        let totals = read_intervals(&path).expect("readable");
        assert_eq!(totals.trends[&ID], histogram(3, &[100, 200, 3_000_000]));
        assert_eq!(totals.trends[&lag], histogram(2, &[7]));

        let starts = intervals(&path).expect("readable");
        let starts: Vec<_> = starts
            .map(|item| item.expect("whole").start.as_secs())
            .collect();
        assert_eq!(starts, [0, 0, 1]);
    }

    #[test]
    fn any_reader_of_the_format_reads_the_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("intervals.hlog");
        write(&path, &[(5, ID, histogram(3, &[100]))]);
        let bytes = std::fs::read(&path).expect("readable");
        let entries: Result<Vec<_>, _> = IntervalLogIterator::new(&bytes).collect();
        let entries = entries.expect("no line is out of the format");
        let [LogEntry::Interval(entry)] = entries.as_slice() else {
            panic!("one interval: {entries:?}");
        };
        assert_eq!(entry.tag().map(|tag| tag.as_str()), Some("duration.3.0.2"));
        assert_eq!(entry.start_timestamp(), Duration::from_secs(5));
    }

    #[test]
    fn a_file_cut_anywhere_is_readable_up_to_its_last_whole_line() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("intervals.hlog");
        write(
            &path,
            &[
                (0, ID, histogram(3, &[1, 2])),
                (1, ID, histogram(3, &[3, 4])),
            ],
        );
        let bytes = std::fs::read(&path).expect("readable");
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).expect("writable");
            let whole = bytes[..length].split(|byte| *byte == b'\n').count() - 1;
            let totals = read_intervals(&path).expect("a torn line is no error");
            let samples = totals.count(Trend::Duration, |_| true);
            let headers = 3;
            assert_eq!(
                samples,
                2 * whole.saturating_sub(headers) as u64,
                "{length}"
            );
        }
    }

    #[test]
    fn a_damaged_line_is_an_error_with_its_number() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("intervals.hlog");
        for line in [
            "nonsense",
            "Tag=duration.0.0.0,1.000,1.000,1.000,%%%%",
            "Tag=duration.0.0.0,1.000,1.000,1.000,AAAA",
            "Tag=none.0.0.0,1.000,1.000,1.000,AAAA",
            "1.000,1.000,1.000,AAAA",
        ] {
            std::fs::write(&path, format!("#comment\n{line}\n")).expect("writable");
            let error = read_intervals(&path).expect_err(line);
            assert_eq!(error.to_string(), "line 2 of the interval log is damaged");
        }
    }

    proptest! {
        #[test]
        fn every_series_survives_its_tag(
            trend in 0..Trend::ALL.len(), phase: u16, step: u8, label: u8,
        ) {
            let id = SeriesId { trend: Trend::ALL[trend], phase, step, label };
            prop_assert_eq!(id_of(&tag_of(id)), Some(id));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), bytes).expect("writable");
            let _ = read_intervals(file.path());
        }
    }
}
