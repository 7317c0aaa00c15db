//! Clocks that can be set: programs of this machine that are started with libfaketime, which adds to
//! the time what a file says. Only where the plan has such a fault: each look at the clock costs more.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::NotReady;
use crate::plan::Plan;
use crate::plan::fault::{Injection, Party};

/// Where packages put it: Debian and Ubuntu, Fedora, Arch and Alpine.
const PLACES: [&str; 7] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/lib",
    "/usr/local/lib/faketime",
    "/usr/local/lib",
];

/// The one for programs with several threads.
const LIBRARY: &str = "libfaketimeMT.so.1";

/// Where its semaphores and its shared memory are.
const SHARED: &str = "/dev/shm";

/// Whose clocks a plan sets.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    library: Option<PathBuf>,
    set: Vec<Party>,
}

/// The clock of one program.
#[derive(Debug, Clone)]
pub struct Clock {
    library: PathBuf,
    /// Absolute.
    file: PathBuf,
}

impl Clocks {
    /// # Errors
    /// When a clock is to be set, and the library is not there.
    pub(super) fn of(plan: &Plan) -> Result<Self, NotReady> {
        let faults = plan.faults.iter();
        let faults = faults.filter(|fault| matches!(fault.injection, Injection::ClockSkew { .. }));
        let set: Vec<Party> = faults.map(|fault| fault.victim.party.clone()).collect();
        if set.is_empty() {
            return Ok(Self::default());
        }
        let places = PLACES.iter().map(|place| Path::new(place).join(LIBRARY));
        let library = Some(find(places)?);
        Ok(Self { library, set })
    }

    /// The clock of a program of a party, right so far; `None` where no fault sets it. The file is in
    /// this directory.
    pub(super) fn of_party(
        &self,
        party: &Party,
        directory: &Path,
        name: &str,
    ) -> io::Result<Option<Clock>> {
        let is_set = self.set.iter().any(|meant| party.belongs_to(meant));
        let Some(library) = self.library.clone().filter(|_| is_set) else {
            return Ok(None);
        };
        let file = directory.canonicalize()?.join(format!("{name}.clock"));
        let clock = Clock { library, file };
        clock.set(0)?;
        Ok(Some(clock))
    }
}

fn find(mut places: impl Iterator<Item = PathBuf>) -> Result<PathBuf, NotReady> {
    let found = places.find(|place| place.is_file());
    found.ok_or(NotReady::Library {
        fault: "clock_skew",
        library: LIBRARY,
        command: "apt-get install libfaketime",
    })
}

impl Clock {
    /// How far it is off: positive is ahead, in milliseconds.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&self, by_ms: i64) -> io::Result<()> {
        write(&self.file, by_ms)
    }

    /// What says how far it is off.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What a program must find in its environment.
    pub(super) fn environment(&self) -> [(&'static str, OsString); 5] {
        [
            ("LD_PRELOAD", self.preload()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            // The file is read again in each new second; without any cache at each look at the clock.
            ("FAKETIME_CACHE_DURATION", "0".into()),
            // Timeouts and pauses stay what they are.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            // So do the times of files.
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    /// With the C library behind it, so that memory comes from there: jemalloc, with which Redis is
    /// linked, asks for the time when it begins, and libfaketime for memory.
    fn preload(&self) -> OsString {
        let mut libraries = OsString::from(&self.library);
        libraries.push(":libc.so.6");
        libraries
    }

    /// Words that start a program with it, whoever else starts them.
    pub(super) fn started_with(&self, program: Vec<OsString>) -> Vec<OsString> {
        let variables = self.environment().map(|(name, value)| {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            word
        });
        let words = std::iter::once(OsString::from("env")).chain(variables);
        words.chain(program).collect()
    }

    /// Takes the names of what the library shares with children that this program does not have:
    /// killed, it would leave them behind.
    pub(super) fn unshare(pid: u32) {
        for name in [
            format!("sem.faketime_sem_{pid}"),
            format!("faketime_shm_{pid}"),
        ] {
            // Another version of the library may have none.
            let _ = fs::remove_file(Path::new(SHARED).join(name));
        }
    }
}

/// Sets a clock by its file; nothing if the place of the file is gone.
///
/// # Errors
/// When the file cannot be written.
pub fn set_clock(file: &Path, by_ms: i64) -> io::Result<()> {
    match write(file, by_ms) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        written => written,
    }
}

/// Whole at any moment: who reads it meanwhile reads the old one.
fn write(file: &Path, by_ms: i64) -> io::Result<()> {
    let new = file.with_extension("clock.new");
    fs::write(&new, said(by_ms))?;
    fs::rename(new, file)
}

/// Seconds with a sign, which the library takes for *so much beside the time that it is*.
fn said(by_ms: i64) -> String {
    let sign = if by_ms < 0 { '-' } else { '+' };
    let ms = by_ms.unsigned_abs();
    format!("{sign}{}.{:03}\n", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn an_offset_has_a_sign_and_three_decimals() {
        let table = [
            (0, "+0.000\n"),
            (-30_000, "-30.000\n"),
            (1_250, "+1.250\n"),
            (-7, "-0.007\n"),
        ];
        for (by_ms, words) in table {
            assert_eq!(said(by_ms), words);
        }
    }

    #[test]
    fn a_clock_is_set_by_its_file_and_one_whose_place_is_gone_needs_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("redis-1.clock");
        set_clock(&file, 1500).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "+1.500\n");
        set_clock(&file, 0).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "+0.000\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        drop(directory);
        set_clock(&file, 0).unwrap();
    }

    #[test]
    fn a_library_that_is_missing_is_named_with_the_command_that_installs_it() {
        let error = find(std::iter::once(PathBuf::from("/nowhere/x"))).unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("`clock_skew` needs libfaketimeMT.so.1"),
            "{words}"
        );
        assert!(
            words.ends_with("hint: apt-get install libfaketime"),
            "{words}"
        );
    }
}
