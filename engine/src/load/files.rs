//! A table of open files for each load thread, where that of the process has no room for all
//! connections: the limit of open files is one of a table, and a thread need not share its process's
//! (`unshare(2)` with `CLONE_FILES`).
//!
//! A file is known by its number in a table. What was open before is in both tables under one number,
//! what is opened later only in that of the thread which opened it. So:
//!
//! - A runtime is woken by a write to a file of its own. Those that wake a load thread, and those that
//!   it wakes, are made before it leaves, and it keeps what they wake by.
//! - What is opened on a load thread is closed there, and what was opened before is closed by who opened
//!   it: a runtime goes back to be given up.
//! - A handler of signals writes to a file too, so a thread with a table of its own takes no signals.
//! - All else is closed in the new table at once: a pipe or connection that the process closes would
//!   otherwise stay open until the load ends.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::RawFd;

/// Whose limit of open files the connections of the load count against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// All of them against that of the process, with all else that it has open.
    OfProcess,
    /// Those of each load thread against a limit of its own, which is as high.
    OfThread,
}

impl Files {
    /// Whether threads can have tables of their own here: some sandboxes of containers forbid it.
    pub fn can_be_of_threads() -> bool {
        let tried = || numbers().is_ok() && table::split_off().is_ok();
        let thread = std::thread::Builder::new().spawn(tried);
        thread.is_ok_and(|thread| thread.join().unwrap_or(false))
    }
}

/// What a thread with a table of its own keeps open.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(BTreeSet<RawFd>);

impl Kept {
    /// Does this, and keeps what it opens. What others open meanwhile is kept as well.
    ///
    /// # Errors
    /// Its own, and where the system does not say what is open.
    pub(super) fn what_opens<T>(&mut self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let before = numbers()?;
        let opened = open()?;
        self.0.extend(numbers()?.difference(&before));
        Ok(opened)
    }

    /// Gives the calling thread a table of its own with what is kept, the standard streams, and what
    /// runtimes wait and are woken by.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn leave(&self) -> io::Result<()> {
        table::take_no_signals()?;
        table::split_off()?;
        for number in numbers()? {
            if number > STREAMS && !self.0.contains(&number) && !wakes(number) {
                table::close(number);
            }
        }
        Ok(())
    }
}

/// The last of the standard streams: what a panic says goes there.
const STREAMS: RawFd = 2;

const TABLE: &str = "/proc/thread-self/fd";

/// What is open on the calling thread.
fn numbers() -> io::Result<BTreeSet<RawFd>> {
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(TABLE)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    // What it was read from was open as well, and is not any more.
    numbers.retain(|number| fs::symlink_metadata(format!("{TABLE}/{number}")).is_ok());
    Ok(numbers)
}

fn wakes(number: RawFd) -> bool {
    let is = fs::read_link(format!("{TABLE}/{number}")).unwrap_or_default();
    let is = is.as_os_str();
    is == "anon_inode:[eventpoll]" || is == "anon_inode:[eventfd]"
}

/// What the system is asked for.
#[cfg(target_os = "linux")]
mod table {
    use std::io;
    use std::os::fd::RawFd;

    use nix::sched::{CloneFlags, unshare};
    use nix::sys::signal::{SigSet, Signal};

    pub(super) fn split_off() -> io::Result<()> {
        Ok(unshare(CloneFlags::CLONE_FILES)?)
    }

    /// The process's other threads take them. Those of what a thread itself does wrong stay its own.
    pub(super) fn take_no_signals() -> io::Result<()> {
        let mut others = SigSet::all();
        for own in [
            Signal::SIGABRT,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGSEGV,
            Signal::SIGTRAP,
        ] {
            others.remove(own);
        }
        Ok(others.thread_block()?)
    }

    /// Nothing in this table has a use for it, whatever its end says.
    pub(super) fn close(number: RawFd) {
        let _ = nix::unistd::close(number);
    }
}

/// Nobody has been asked elsewhere.
#[cfg(not(target_os = "linux"))]
mod table {
    use std::io;
    use std::os::fd::RawFd;

    pub(super) fn split_off() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn take_no_signals() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn close(_number: RawFd) {}
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    /// Whether the calling thread's table has this file.
    fn has(path: &std::path::Path) -> bool {
        let open = numbers().expect("it says");
        let mut links = open
            .iter()
            .map(|number| fs::read_link(format!("{TABLE}/{number}")));
        links.any(|link| link.is_ok_and(|link| link == path))
    }

    #[test]
    fn a_thread_that_has_left_has_what_it_keeps_and_nothing_else_of_the_process() {
        assert!(Files::can_be_of_threads());
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().canonicalize().expect("a path").join(name);
        let file = |name: &str| File::create(path(name));
        let mut kept = Kept::default();
        let _kept = kept.what_opens(|| file("kept")).expect("a file");
        let _other = file("other").expect("a file");
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let (tell, told) = std::sync::mpsc::channel();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let here = [path("kept"), path("other"), path("own")];
        let there = here.clone();
        let thread = std::thread::spawn(move || {
            kept.leave().expect("a table of its own");
            let _own = File::create(&there[2]).expect("a file");
            tell.send(there.map(|path| has(&path))).expect("a listener");
            // Until it is let go.
            let _ = wait.recv();
        });
        assert_eq!(told.recv().expect("it says"), [true, false, true]);
        assert_eq!(here.map(|path| has(&path)), [true, true, false]);
        // The last end of the process is the last end.
        drop(writer);
        let rest = reader.read_to_end(&mut Vec::new());
        assert_eq!(rest.expect("an end"), 0);
        drop(go);
        thread.join().expect("no panic");
    }
}
