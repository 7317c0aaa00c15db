//! The append-only history file: fixed-size records after a short header.
//!
//! A killed run leaves at most one torn record at the end, which the reader leaves out.

mod append;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::place::{Place, places_of};
use super::{Detail, History, Key, Operation};
pub use append::Shift;

const MAGIC: [u8; 8] = *b"fcfshist";
const MAGIC_OF_DETAILS: [u8; 8] = *b"fcfsdtls";
const VERSION: u32 = 1;
const HEADER: usize = 16;

/// Appends operations to a history file; beside it the texts of hashed user keys, and what users were
/// told of their places in a queue.
#[derive(Debug)]
pub struct HistoryWriter {
    records: BufWriter<File>,
    names: BufWriter<File>,
    /// `None` until there is a first one.
    places: Option<BufWriter<File>>,
    directory: PathBuf,
    /// Only where some step's attempts are about something.
    details: Option<BufWriter<File>>,
}

impl HistoryWriter {
    /// Creates `history.bin` and `names.tsv` in the directory.
    ///
    /// # Errors
    /// When a file cannot be created.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let records = begun(&records_in(directory), MAGIC, Operation::SIZE)?;
        let names = BufWriter::new(File::create(names_in(directory))?);
        Ok(Self {
            records,
            names,
            places: None,
            directory: directory.to_owned(),
            details: None,
        })
    }

    /// Creates `details.bin` as well, for what attempts are about.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn with_details(self) -> io::Result<Self> {
        let details = begun(&details_in(&self.directory), MAGIC_OF_DETAILS, Detail::SIZE)?;
        Ok(Self {
            details: Some(details),
            ..self
        })
    }

    /// Appends what attempts were about; nothing without [`Self::with_details`].
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn append_details(&mut self, details: &[Detail]) -> io::Result<()> {
        let Some(file) = &mut self.details else {
            return Ok(());
        };
        let mut details = details.iter();
        details.try_for_each(|detail| file.write_all(&detail.to_bytes()))
    }

    /// Appends a batch.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn append(&mut self, operations: &[Operation]) -> io::Result<()> {
        operations
            .iter()
            .try_for_each(|operation| self.records.write_all(&operation.to_bytes()))
    }

    /// Appends the text behind a hashed key. Line breaks in it are escaped.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn name(&mut self, key: Key, text: &str) -> io::Result<()> {
        writeln!(self.names, "{:016x}\t{}", key.0, text.escape_debug())
    }

    /// Appends what users were told of their places, to `queue.bin`, which is made with the first.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn places(&mut self, places: &[Place]) -> io::Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let file = if let Some(file) = &mut self.places {
            file
        } else {
            let file = File::create(places_in(&self.directory))?;
            let file = self.places.insert(BufWriter::with_capacity(1 << 18, file));
            file.write_all(&Place::header())?;
            file
        };
        places
            .iter()
            .try_for_each(|place| file.write_all(&place.to_bytes()))
    }

    /// Hands everything to the operating system, where it outlives a killed process.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.records.flush()?;
        self.places.as_mut().map_or(Ok(()), Write::flush)?;
        if let Some(details) = &mut self.details {
            details.flush()?;
        }
        self.names.flush()
    }
}

fn begun(path: &Path, magic: [u8; 8], size: usize) -> io::Result<BufWriter<File>> {
    let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
    file.write_all(&magic)?;
    file.write_all(&VERSION.to_le_bytes())?;
    file.write_all(&(size as u32).to_le_bytes())?;
    file.flush()?;
    Ok(file)
}

/// A history on disk.
#[derive(Debug, Clone)]
pub struct HistoryFile {
    directory: PathBuf,
}

impl HistoryFile {
    /// The history of a run directory.
    ///
    /// # Errors
    /// When there is none, or it is not of this version.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let path = records_in(directory);
        let read = File::open(&path).and_then(operations_of);
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        drop(read.map_err(named)?);
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// How many whole records there are.
    ///
    /// # Errors
    /// When the file cannot be asked.
    pub fn records(&self) -> io::Result<u64> {
        let bytes = std::fs::metadata(records_in(&self.directory))?.len();
        Ok(bytes.saturating_sub(HEADER as u64) / Operation::SIZE as u64)
    }
}

impl History for HistoryFile {
    fn operations(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Operation>> + '_>> {
        let file = BufReader::with_capacity(1 << 18, File::open(records_in(&self.directory))?);
        Ok(Box::new(operations_of(file)?))
    }

    fn details(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Detail>> + '_>> {
        let file = match File::open(details_in(&self.directory)) {
            Ok(file) => file,
            // No scenario asked for it then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Box::new(std::iter::empty()));
            }
            Err(error) => return Err(error),
        };
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(Box::new(details_of(file)?))
    }

    fn places(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Place>> + '_>> {
        let file = match File::open(places_in(&self.directory)) {
            Ok(file) => BufReader::with_capacity(1 << 18, file),
            // Nobody was told of a place, or none had reached the disk.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Box::new(std::iter::empty()));
            }
            Err(error) => return Err(error),
        };
        match places_of(file) {
            Ok(places) => Ok(Box::new(places)),
            // Killed before its header was whole.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Ok(Box::new(std::iter::empty()))
            }
            Err(error) => Err(io::Error::new(error.kind(), format!("queue.bin: {error}"))),
        }
    }

    fn names(&self, keys: &[Key]) -> io::Result<Vec<(Key, String)>> {
        let mut missing: HashSet<Key> = keys.iter().copied().collect();
        let mut found = Vec::new();
        let Ok(file) = File::open(names_in(&self.directory)) else {
            return Ok(found);
        };
        for line in BufReader::new(file).lines() {
            let line = line?;
            let Some((key, text)) = line.split_once('\t') else {
                continue;
            };
            let Ok(key) = u64::from_str_radix(key, 16) else {
                continue;
            };
            if missing.remove(&Key(key)) {
                found.push((Key(key), text.to_owned()));
            }
        }
        Ok(found)
    }
}

/// The operations of a history file from its header on, one after the other: memory does not grow
/// with the file. What is torn at the end is left out.
///
/// # Errors
/// When the header is none of this version; an item when it cannot be read on, or is none of ours.
pub fn operations_of(
    mut file: impl Read,
) -> io::Result<impl Iterator<Item = io::Result<Operation>>> {
    header(&mut file, MAGIC, Operation::SIZE, "history")?;
    Ok(std::iter::from_fn(move || {
        let record = next_record(&mut file).transpose()?;
        let damaged = || invalid("a damaged record in history.bin");
        Some(record.and_then(|bytes| Operation::from_bytes(&bytes).ok_or_else(damaged)))
    }))
}

/// The records of `details.bin` from its header on, as [`operations_of`].
///
/// # Errors
/// As [`operations_of`].
pub fn details_of(mut file: impl Read) -> io::Result<impl Iterator<Item = io::Result<Detail>>> {
    header(&mut file, MAGIC_OF_DETAILS, Detail::SIZE, "file of details")?;
    Ok(std::iter::from_fn(move || {
        let record = next_record(&mut file).transpose()?;
        let damaged = || invalid("a damaged record in details.bin");
        Some(record.and_then(|bytes| Detail::from_bytes(&bytes).ok_or_else(damaged)))
    }))
}

fn header(file: &mut impl Read, magic: [u8; 8], size: usize, kind: &str) -> io::Result<()> {
    let mut header = [0_u8; HEADER];
    file.read_exact(&mut header)?;
    let size = (size as u32).to_le_bytes();
    if header[..8] != magic || header[8..12] != VERSION.to_le_bytes() || header[12..] != size {
        return Err(invalid(&format!("not a {kind} of version {VERSION}")));
    }
    Ok(())
}

fn next_record<const SIZE: usize>(file: &mut impl Read) -> io::Result<Option<[u8; SIZE]>> {
    let mut bytes = [0_u8; SIZE];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn invalid(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

fn records_in(directory: &Path) -> PathBuf {
    directory.join("history.bin")
}

fn places_in(directory: &Path) -> PathBuf {
    directory.join("queue.bin")
}

fn details_in(directory: &Path) -> PathBuf {
    directory.join("details.bin")
}

fn names_in(directory: &Path) -> PathBuf {
    directory.join("names.tsv")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cause, OutcomeKind};
    use proptest::prelude::*;
    use std::fs::OpenOptions;

    fn operation(user: u64) -> Operation {
        Operation {
            user: Key(user),
            coupon: Key::NONE,
            inv_ns: 1,
            ret_ns: 2,
            lag_us: 0,
            status: 201,
            kind: OutcomeKind::Issued,
            label: 0,
            step: 0,
            cause: Cause::None,
            phase: 0,
            vu: 0,
        }
    }

    fn read(directory: &Path) -> Vec<Operation> {
        let history = HistoryFile::open(directory).expect("a history");
        history
            .operations()
            .expect("readable")
            .map(|record| record.expect("whole"))
            .collect()
    }

    #[test]
    fn a_torn_record_at_the_end_is_left_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = HistoryWriter::create(directory.path()).expect("created");
        writer
            .append(&[operation(1), operation(2)])
            .expect("written");
        writer.flush().expect("flushed");
        let path = records_in(directory.path());
        let whole = std::fs::metadata(&path).expect("there").len();
        OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("open")
            .set_len(whole - 5)
            .expect("cut");
        assert_eq!(read(directory.path()), [operation(1)]);
        let history = HistoryFile::open(directory.path()).expect("a history");
        assert_eq!(history.records().expect("asked"), 1);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_by_name() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(records_in(directory.path()), [7_u8; 64]).expect("written");
        let error = HistoryFile::open(directory.path()).expect_err("not a history");
        assert!(error.to_string().contains("history.bin"), "{error}");
    }

    #[test]
    fn places_are_read_back_without_a_torn_one_and_are_none_where_nobody_had_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = HistoryWriter::create(directory.path()).expect("created");
        writer.flush().expect("flushed");
        let history = HistoryFile::open(directory.path()).expect("a history");
        assert_eq!(history.places().expect("none").count(), 0);
        let places = [1, 2, 3].map(|number| Place {
            user: Key(number),
            inv_ns: number,
            ret_ns: 9,
            ticket: number,
            ahead: Place::NONE,
            phase: 0,
            step: 1,
            label: 10,
        });
        writer.places(&places[..1]).expect("written");
        writer.places(&places[1..]).expect("written");
        writer.flush().expect("flushed");
        let path = places_in(directory.path());
        let whole = std::fs::metadata(&path).expect("there").len();
        let file = OpenOptions::new().write(true).open(&path).expect("open");
        file.set_len(whole - 1).expect("cut");
        let read = history.places().expect("readable");
        let read: Vec<Place> = read.map(|place| place.expect("whole")).collect();
        assert_eq!(read, places[..2]);
    }

    #[test]
    fn the_text_of_a_hashed_key_is_found_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = HistoryWriter::create(directory.path()).expect("created");
        writer.name(Key::of("kim-1"), "kim-1").expect("written");
        writer.flush().expect("flushed");
        let history = HistoryFile::open(directory.path()).expect("a history");
        let names = history.names(&[Key::of("kim-1"), Key(5)]).expect("read");
        assert_eq!(names, [(Key::of("kim-1"), "kim-1".to_owned())]);
    }

    fn detail(user: u64) -> Detail {
        Detail {
            operation: operation(user),
            seat: Key(user),
            account: Key::NONE,
            key: Key::NONE,
            amount: None,
        }
    }

    #[test]
    fn what_attempts_are_about_is_read_without_its_torn_end_and_absent_where_nobody_asked() {
        let directory = tempfile::tempdir().expect("a directory");
        let read = || -> Vec<Detail> {
            let history = HistoryFile::open(directory.path()).expect("a history");
            let details = history.details().expect("readable");
            details.map(|record| record.expect("whole")).collect()
        };
        let writer = HistoryWriter::create(directory.path()).expect("created");
        assert_eq!(read(), []);
        let mut writer = writer.with_details().expect("created");
        let both = [detail(1), detail(2)];
        writer.append_details(&both).expect("written");
        writer.flush().expect("flushed");
        assert_eq!(read(), both);
        let path = details_in(directory.path());
        let whole = std::fs::read(&path).expect("there");
        std::fs::write(&path, &whole[..whole.len() - 1]).expect("cut");
        assert_eq!(read(), both[..1]);
        let history = std::fs::read(records_in(directory.path())).expect("there");
        assert!(details_of(history.as_slice()).is_err(), "another kind");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_and_never_more_than_there_are(
            bytes in prop::collection::vec(0_u8..12, 0..300),
            has_header: bool,
        ) {
            let mut file = Vec::new();
            if has_header {
                file.extend_from_slice(&MAGIC);
                file.extend_from_slice(&VERSION.to_le_bytes());
                file.extend_from_slice(&(Operation::SIZE as u32).to_le_bytes());
            }
            file.extend_from_slice(&bytes);
            match operations_of(file.as_slice()) {
                Ok(operations) => {
                    prop_assert!(has_header);
                    let whole = bytes.len() / Operation::SIZE;
                    let read = operations.take_while(Result::is_ok).count();
                    prop_assert!(read <= whole, "{} of {}", read, whole);
                }
                Err(_) => prop_assert!(!has_header),
            }
        }
    }
}
