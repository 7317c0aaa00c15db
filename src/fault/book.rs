//! The leases of one run, in a file that outlives it: what is in it, and still there, has to be undone.
//!
//! Each change replaces the file at once, and is on the disk before it counts: a machine that loses
//! its power finds a file that is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lease::Undo;
use crate::process::Stat;

/// What one run has broken and not healed yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Page {
    /// The run directory, for people.
    pub(super) run: String,
    /// The harness that heals by itself as long as it lives.
    pub(super) owner: Owner,
    /// Oldest first.
    pub(super) leases: Vec<Lease>,
}

/// A process, told from any other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Its number.
    pub(super) pid: u32,
    /// In the kernel's ticks since the boot.
    pub(super) started: u64,
    /// Which boot.
    pub(super) boot: String,
}

/// One fault at one victim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lease {
    /// Unique in the file.
    pub(super) id: u64,
    /// The fault's name.
    pub(super) fault: String,
    /// As reports call it.
    pub(super) victim: String,
    /// What heals it, in order.
    pub(super) undo: Vec<Undo>,
    /// When it was to be healed, in milliseconds of Unix time.
    pub(super) until_unix_ms: u64,
}

/// The open file of a run.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    page: Page,
    next: u64,
}

impl Book {
    /// Begins a file of its own in the directory of all leases.
    ///
    /// # Errors
    /// When it has no place.
    pub(super) fn open(run: &Path) -> io::Result<Self> {
        let directory = directory();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        let pid = std::process::id();
        let owner = Owner {
            pid,
            started: Stat::of(pid).map_or(0, |stat| stat.started),
            boot: boot(),
        };
        let book = Self {
            path: directory.join(format!("{pid}-{}.json", owner.started)),
            page: Page {
                run: fs::canonicalize(run)
                    .unwrap_or_else(|_| run.to_owned())
                    .display()
                    .to_string(),
                owner,
                leases: Vec::new(),
            },
            next: 1,
        };
        book.write()?;
        Ok(book)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes leases down, and gives the id of each. Only then may anything be broken.
    ///
    /// # Errors
    /// When the disk does not take them; then they are not held.
    pub(super) fn take(&mut self, leases: Vec<Lease>) -> io::Result<Vec<u64>> {
        let before = self.page.leases.len();
        let mut ids = Vec::new();
        for lease in leases {
            ids.push(self.next);
            self.page.leases.push(Lease {
                id: self.next,
                ..lease
            });
            self.next += 1;
        }
        if let Err(error) = self.write() {
            self.page.leases.truncate(before);
            return Err(error);
        }
        Ok(ids)
    }

    /// Takes healed leases off.
    ///
    /// # Errors
    /// When the disk does not take it: they would be undone once more, which does no harm.
    pub(super) fn give_back(&mut self, ids: &[u64]) -> io::Result<()> {
        self.page.leases.retain(|lease| !ids.contains(&lease.id));
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        write(&self.path, &self.page)
    }
}

impl Drop for Book {
    /// A file without leases is of no use to anybody.
    fn drop(&mut self) {
        if self.page.leases.is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Replaces a file of leases.
///
/// # Errors
/// When the disk does not take it.
pub(super) fn write(path: &Path, page: &Page) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&new)?;
    serde_json::to_writer(&mut file, page)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// Removes a file of leases, and what its harness was writing in its place when it was killed.
///
/// # Errors
/// When it stays there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    // Most have none.
    let _ = fs::remove_file(path.with_extension("new"));
    fs::remove_file(path)
}

/// Reads a file of leases.
///
/// # Errors
/// When it is not there, or not whole.
pub(super) fn read(path: &Path) -> io::Result<Page> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// All files of leases whose harness is gone.
///
/// # Errors
/// When their directory cannot be read.
pub(super) fn orphans() -> io::Result<Vec<(PathBuf, Page)>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(directory()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && let Ok(page) = read(&path)
            && !page.owner.lives()
        {
            found.push((path, page));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

impl Owner {
    fn lives(&self) -> bool {
        let same = Stat::of(self.pid)
            .is_some_and(|stat| stat.started == self.started && stat.state != 'Z');
        self.boot == boot() && same
    }
}

/// `$XDG_STATE_HOME/fcfs-bench/leases`, by default below `~/.local/state`; only its owner may look
/// into it.
fn directory() -> PathBuf {
    let of_home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.filter(|path| path.is_absolute()).or_else(of_home);
    let state = state.unwrap_or_else(std::env::temp_dir);
    state.join("fcfs-bench/leases")
}

/// The kernel's name for this boot: after another one, no process of before lives.
fn boot() -> String {
    let read = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.unwrap_or_default().trim().to_owned()
}
