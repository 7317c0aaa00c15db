//! A process that the run has not started, with all that it has started: found by its number or by
//! a file that holds it, stopped and let go on, and ended where the scenario says what starts it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::start::start;
use crate::fault::lease::{Hidden, Undo};
use crate::plan::{Process, Secret};
use crate::process::{self, Stat, Table};

/// The first process of a machine, or of a container: all others end with it.
const FIRST: u32 = 1;

/// How long it may take to stop in good order.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How long the kernel may take to end what was killed.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Found again each time that it is broken: it may have been started again since.
#[derive(Debug)]
pub(super) struct OwnProcess {
    place: Place,
    again: Option<Again>,
    /// Those of the last freeze, each with when it started: the one that was found, then its
    /// children. What is let go on is what was stopped, whatever the file says by then.
    meant: Mutex<Vec<(u32, u64)>>,
}

/// How it is started once it is gone.
#[derive(Debug)]
struct Again {
    command: Secret,
    directory: PathBuf,
    file: PathBuf,
}

#[derive(Debug)]
enum Place {
    /// With when it started: another one may get its number.
    Pid(u32, u64),
    File(PathBuf),
}

impl OwnProcess {
    /// It must run, and be one that may be broken.
    pub(super) fn find(
        process: &Process,
        command: Option<&Secret>,
        scenario: &Path,
    ) -> Result<Self, String> {
        let place = match process {
            Process::Pid(pid) => {
                let stat = Stat::of(*pid).ok_or_else(|| format!("process {pid} does not run"))?;
                Place::Pid(*pid, stat.started)
            }
            Process::PidFile(file) => Place::File(scenario.join(file)),
            other => return Err(format!("{other:?} is no process of the system")),
        };
        // Who starts it again may be elsewhere.
        let here = std::env::current_dir().map_err(|error| error.to_string())?;
        let directory = here.join(scenario);
        let again = match (&place, command) {
            (Place::File(file), Some(command)) => Some(Again {
                command: command.clone(),
                file: directory.join(file),
                directory,
            }),
            _ => None,
        };
        let found = Self {
            place,
            again,
            meant: Mutex::default(),
        };
        found.look()?;
        Ok(found)
    }

    /// Its number, and when it started.
    fn look(&self) -> Result<(u32, u64), String> {
        let (pid, known) = match &self.place {
            Place::Pid(pid, started) => (*pid, Some(*started)),
            Place::File(file) => (in_file(file)?, None),
        };
        let stat = Stat::of(pid).filter(|stat| stat.state != 'Z');
        let stat = stat.filter(|stat| known.is_none_or(|known| known == stat.started));
        let stat = stat.ok_or_else(|| format!("process {pid} does not run"))?;
        may_be_broken(pid)?;
        Ok((pid, stat.started))
    }

    /// Whether the kernel lets it run.
    pub(super) fn runs(&self) -> Result<(), String> {
        let pid = match self.meant().first() {
            Some((pid, _)) => *pid,
            None => self.look()?.0,
        };
        match Stat::of(pid).map(|stat| stat.state) {
            None | Some('Z') => Err(format!("process {pid} has ended")),
            Some('T' | 't') => Err(format!("the kernel has stopped process {pid}")),
            Some(_) => Ok(()),
        }
    }

    /// It and all that it has started, each with when it started.
    pub(super) fn family(&self) -> Result<Vec<(u32, u64)>, String> {
        let (root, _) = self.look()?;
        let table = Table::read();
        let family = table.tree(root).into_iter();
        let family = family.filter_map(|pid| Some((pid, table.0.get(&pid)?.started)));
        Ok(family.collect())
    }

    pub(super) fn undo_of_freeze(&self) -> Result<Vec<Undo>, String> {
        let family = self.family()?;
        self.meant().clone_from(&family);
        let undo = family.into_iter();
        Ok(undo
            .map(|(pid, started)| Undo::Continue { pid, started })
            .collect())
    }

    /// The one that was found first, so that it starts no others.
    pub(super) fn freeze(&self) -> Result<(), String> {
        send(self.meant().iter(), Signal::STOP)
    }

    pub(super) fn thaw(&self) -> Result<(), String> {
        send(self.meant().iter().rev(), Signal::CONT)
    }

    pub(super) fn undo_of_end(&self) -> Vec<Undo> {
        let again = self.again.iter();
        let undo = again.map(|again| Undo::StartProcess {
            command: Hidden::new(&again.command),
            directory: again.directory.clone(),
            file: again.file.clone(),
        });
        undo.collect()
    }

    /// With all that it has started: what is left of a program holds its port.
    pub(super) async fn kill(&self) -> Result<(), String> {
        self.again()?;
        let family = self.family()?;
        send(family.iter(), Signal::KILL)?;
        self.forget();
        have_ended(&family, END_WITHIN).await
    }

    /// Only it is asked: how it ends what it has started is its own matter. Nothing if it has ended.
    pub(super) async fn stop(&self) -> Result<(), String> {
        self.again()?;
        let Ok(it) = self.look() else { return Ok(()) };
        send([it].iter(), Signal::TERM)?;
        self.forget();
        have_ended(&[it], STOP_WITHIN).await
    }

    pub(super) async fn start_again(&self) -> Result<(), String> {
        let again = self.again()?;
        start(&again.command, &again.directory, &again.file).await
    }

    fn again(&self) -> Result<&Again, String> {
        let unknown = || "nothing says what starts it again".to_owned();
        self.again.as_ref().ok_or_else(unknown)
    }

    /// Those of an earlier freeze are others than will be there.
    fn forget(&self) {
        self.meant().clear();
    }

    fn meant(&self) -> MutexGuard<'_, Vec<(u32, u64)>> {
        self.meant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until all of them are gone.
async fn have_ended(family: &[(u32, u64)], within: Duration) -> Result<(), String> {
    let give_up = Instant::now() + within;
    let there = |(pid, started): &&(u32, u64)| {
        let stat = Stat::of(*pid).filter(|stat| stat.state != 'Z');
        stat.is_some_and(|stat| stat.started == *started)
    };
    while let Some((pid, _)) = family.iter().find(there) {
        if Instant::now() >= give_up {
            let limit = within.as_secs();
            return Err(format!("process {pid} has not ended after {limit} s"));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// To all of them, also when one of them cannot be reached.
fn send<'a>(family: impl Iterator<Item = &'a (u32, u64)>, signal: Signal) -> Result<(), String> {
    let mut first = Ok(());
    for (pid, started) in family {
        let sent = process::send(*pid, *started, signal);
        first = first.and(sent.map_err(|error| format!("process {pid}: {error}")));
    }
    first
}

pub(super) fn in_file(file: &Path) -> Result<u32, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let number = text.trim().parse().ok();
    let number = number.filter(|pid| (1..=i32::MAX.cast_unsigned()).contains(pid));
    number.ok_or_else(|| format!("{shown} does not hold the number of a process"))
}

/// Neither the first process, nor this one, nor those that it has started, nor those that have
/// started it: a harness that is stopped heals nothing.
fn may_be_broken(pid: u32) -> Result<(), String> {
    if pid == FIRST {
        return Err("process 1 holds all others of its machine".to_owned());
    }
    let (own, table) = (std::process::id(), Table::read());
    if table.tree(own).contains(&pid) {
        return Err(format!("process {pid} belongs to this run"));
    }
    if table.tree(pid).contains(&own) {
        return Err(format!("process {pid} has started this run"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::process::Command;

    use super::*;

    /// A shell with a program below it, whose parent is gone: nobody here has started them.
    struct Stranger(u32);

    impl Stranger {
        fn start() -> Self {
            let script = "sh -c 'sleep 600; true' >/dev/null 2>&1 & echo $!";
            let started = Command::new("sh").args(["-c", script]).output().unwrap();
            let pid = String::from_utf8(started.stdout).unwrap().trim().parse();
            let stranger = Self(pid.unwrap());
            while Table::read().tree(stranger.0).len() < 2 {
                std::thread::yield_now();
            }
            stranger
        }

        fn states(&self) -> Vec<char> {
            let table = Table::read();
            let family = table.tree(self.0).into_iter();
            family.map(|pid| table.0[&pid].state).collect()
        }
    }

    impl Drop for Stranger {
        fn drop(&mut self) {
            for pid in Table::read().tree(self.0) {
                let started = Stat::of(pid).map_or(0, |stat| stat.started);
                let _ = process::send(pid, started, Signal::KILL);
            }
        }
    }

    #[test]
    fn what_holds_this_harness_or_belongs_to_it_is_never_broken() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let parent = Stat::of(std::process::id()).unwrap().parent;
        let cases = [
            (1, "holds all others"),
            (std::process::id(), "belongs to this run"),
            (child.id(), "belongs to this run"),
            (parent, "has started this run"),
            (u32::MAX >> 1, "does not run"),
        ];
        for (pid, words) in cases {
            let found = OwnProcess::find(&Process::Pid(pid), None, Path::new("."));
            let error = found.unwrap_err();
            assert!(error.contains(words), "{pid}: {error}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_is_stopped_with_its_children_and_goes_on_though_the_file_names_another() {
        let stranger = Stranger::start();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.pid");
        std::fs::write(&file, format!("{}\n", stranger.0)).unwrap();
        let named = Process::PidFile("app.pid".to_owned());
        let found = OwnProcess::find(&named, None, directory.path()).unwrap();
        found.runs().unwrap();
        assert_eq!(found.undo_of_freeze().unwrap().len(), 2);
        found.freeze().unwrap();
        while stranger.states() != ['T', 'T'] {
            std::thread::yield_now();
        }
        assert!(found.runs().unwrap_err().contains("has stopped"));
        std::fs::write(&file, "4711000\n").unwrap();
        found.thaw().unwrap();
        while stranger.states().contains(&'T') {
            std::thread::yield_now();
        }
        found.runs().unwrap();
    }
}
