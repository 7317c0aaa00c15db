//! A file that an output writes lines to: what the disk does not take is counted.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Account;

/// An open file and what became of its lines.
#[derive(Debug)]
pub(super) struct Lines {
    out: BufWriter<File>,
    account: Account,
}

impl Lines {
    /// Creates the file; a relative path is in the run directory.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn create(kind: &str, directory: &Path, file: &str) -> io::Result<Self> {
        let path: PathBuf = directory.join(file);
        let created = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| File::create(&path));
        let created = created.map_err(|error| {
            let words = format!("the output `{}`: {error}", path.display());
            io::Error::new(error.kind(), words)
        })?;
        Ok(Self {
            out: BufWriter::new(created),
            account: Account {
                name: format!("{kind} {file}"),
                ..Account::default()
            },
        })
    }

    /// Writes what counts as so many points.
    pub(super) fn write(
        &mut self,
        points: u64,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) {
        match write(&mut self.out) {
            Ok(()) => self.account.points_written += points,
            Err(error) => {
                self.account.points_dropped += points;
                self.note(&error);
            }
        }
    }

    /// Nothing stays in this process.
    pub(super) fn flush(&mut self) {
        if let Err(error) = self.out.flush() {
            self.note(&error);
        }
    }

    /// Points that the disk has not taken so far.
    pub(super) const fn dropped(&self) -> u64 {
        self.account.points_dropped
    }

    /// What became of the lines.
    pub(super) fn finish(mut self) -> Account {
        self.flush();
        self.account
    }

    fn note(&mut self, error: &io::Error) {
        let first = || error.to_string();
        self.account.last_error.get_or_insert_with(first);
    }
}
