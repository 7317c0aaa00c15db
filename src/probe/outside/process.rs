//! CPU time, memory, threads and open files of a process with all that it has started.

use std::path::{Path, PathBuf};

use super::port;
use crate::measure::{Quantities, Quantity};
use crate::plan::Process;
use crate::process::{Stat, Table, bytes, cpu_ns, open_files};

/// One process, found again at each reading.
#[derive(Debug)]
pub(super) struct ProcessMeter {
    pub(super) name: String,
    finder: Finder,
    /// Number and start of the process that was found last: numbers are given out again.
    found: Option<(u32, u64)>,
}

#[derive(Debug)]
enum Finder {
    Harness,
    Pid(u32),
    ChildOf(u32),
    File(PathBuf),
    Port(u16),
}

impl ProcessMeter {
    pub(super) fn new(name: String, process: &Process, scenario: &Path) -> Self {
        let finder = match process {
            Process::Harness => Finder::Harness,
            Process::Pid(pid) => Finder::Pid(*pid),
            Process::ChildOf(pid) => Finder::ChildOf(*pid),
            Process::PidFile(file) => Finder::File(scenario.join(file)),
            Process::Port(port) => Finder::Port(*port),
        };
        Self {
            name,
            finder,
            found: None,
        }
    }

    fn read(&mut self, table: &Table) -> Result<Quantities, String> {
        let (root, stat) = self.find(table)?;
        let tree = match self.finder {
            Finder::Harness => vec![root],
            _ => table.tree(root),
        };
        let mut values = figures(&tree, table);
        if matches!(self.finder, Finder::Harness) {
            // What it has started and waited for is not the harness.
            values.insert(Quantity::CpuNs, cpu_ns(stat.own_ticks));
        }
        Ok(values)
    }

    fn find(&mut self, table: &Table) -> Result<(u32, Stat), String> {
        if table.0.is_empty() {
            return Err("this system does not say what its processes do (no /proc)".to_owned());
        }
        let pid = match &self.finder {
            Finder::Harness => std::process::id(),
            Finder::Pid(pid) => *pid,
            Finder::ChildOf(keeper) => self.child(*keeper, table)?,
            Finder::File(file) => in_file(file)?,
            Finder::Port(port) => self.listener(*port, table)?,
        };
        let stat = table.0.get(&pid).copied();
        let stat = stat.ok_or_else(|| format!("process {pid} has ended"))?;
        let (found, is_fixed) = ((pid, stat.started), matches!(self.finder, Finder::Pid(_)));
        if is_fixed && self.found.is_some_and(|before| before != found) {
            return Err(format!("process {pid} has ended"));
        }
        self.found = Some(found);
        Ok((pid, stat))
    }

    /// It keeps its number, so it is looked for once.
    fn child(&self, keeper: u32, table: &Table) -> Result<u32, String> {
        let is_child = |pid: &u32| table.0.get(pid).is_some_and(|stat| stat.parent == keeper);
        let known = self.found.map(|(pid, _)| pid).filter(is_child);
        let found = known.or_else(|| table.0.keys().copied().find(is_child));
        found.ok_or_else(|| "it has ended".to_owned())
    }

    /// To look through the descriptors of all processes is much work, so it is done again only
    /// when the one that was found is gone.
    fn listener(&self, port: u16, table: &Table) -> Result<u32, String> {
        let is_same = |(pid, started): &(u32, u64)| {
            let stat = table.0.get(pid);
            stat.is_some_and(|stat| stat.started == *started)
        };
        if let Some((pid, _)) = self.found.filter(is_same) {
            return Ok(pid);
        }
        let nobody = || format!("no process that may be looked at listens on port {port}");
        port::listener(port, table).ok_or_else(nobody)
    }
}

fn in_file(file: &Path) -> Result<u32, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let number = text.trim().parse();
    number.map_err(|_| format!("{shown} does not hold the number of a process"))
}

/// Of all these processes together.
fn figures(tree: &[u32], table: &Table) -> Quantities {
    let stats = || tree.iter().filter_map(|pid| table.0.get(pid));
    let ticks = stats().map(|stat| stat.own_ticks + stat.ended_ticks).sum();
    let pages = stats().map(|stat| stat.resident_pages).sum();
    let mut values = Quantities::from([
        (Quantity::CpuNs, cpu_ns(ticks)),
        (Quantity::MemoryBytes, bytes(pages)),
        (Quantity::Threads, stats().map(|stat| stat.threads).sum()),
    ]);
    // Of somebody else's process they cannot be seen: then there is no figure, not a small one.
    let files: Option<u64> = tree.iter().map(|pid| open_files(*pid)).sum();
    values.extend(files.map(|files| (Quantity::OpenFiles, files)));
    values
}

/// One look at all of them.
pub(super) fn read_all(meters: &mut [ProcessMeter]) -> Vec<Result<Quantities, String>> {
    let table = Table::read();
    meters.iter_mut().map(|meter| meter.read(&table)).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn read(process: &Process) -> Result<Quantities, String> {
        let mut meters = [ProcessMeter::new("app".to_owned(), process, Path::new(""))];
        read_all(&mut meters).remove(0)
    }

    /// A shell with a program below it, which does nothing until its input ends.
    fn family() -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; true"]).stdin(Stdio::piped());
        command.spawn().expect("a shell")
    }

    #[test]
    fn a_process_that_is_not_there_is_a_gap_and_no_zero() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("app.pid");
        std::fs::write(&file, "no number\n").expect("writable");
        let file = file.display().to_string();
        let gone = u32::MAX - 1;
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = nobody.local_addr().expect("bound").port();
        drop(nobody);
        for (process, words) in [
            (Process::Pid(gone), "has ended"),
            (Process::ChildOf(gone), "it has ended"),
            (Process::PidFile(file), "app.pid does not hold the number"),
            (
                Process::PidFile("/nowhere/app.pid".to_owned()),
                "/nowhere/app.pid: ",
            ),
            (Process::Port(port), "listens on port"),
        ] {
            let error = read(&process).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_a_process_has_started_belongs_to_it() {
        let mut shell = family();
        let pid = shell.id();
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("app.pid");
        std::fs::write(&file, format!("{pid}\n")).expect("writable");
        let file = Process::PidFile(file.display().to_string());
        let whole = |process: &Process| {
            let values = read(process).expect("it runs");
            assert!(values[&Quantity::MemoryBytes] > 0);
            assert!(values[&Quantity::OpenFiles] > 2);
            values[&Quantity::Threads]
        };
        // The shell forks once it has read its command.
        while whole(&Process::Pid(pid)) < 2 {
            std::thread::yield_now();
        }
        assert_eq!(whole(&file), 2);
        drop(shell.stdin.take());
        shell.wait().expect("it ends");
        assert!(read(&file).expect_err("it has ended").contains("has ended"));
    }

    #[test]
    fn the_harness_is_measured_without_its_children() {
        let mut shell = family();
        let values = read(&Process::Harness).expect("it runs");
        let own = Stat::of(std::process::id()).expect("it runs");
        assert!(values[&Quantity::CpuNs] <= cpu_ns(own.own_ticks));
        drop(shell.stdin.take());
        shell.wait().expect("it ends");
    }

    #[test]
    fn a_process_is_found_by_the_port_that_it_listens_on() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                // A machine without IPv6.
                assert_eq!(address, "[::1]:0");
                continue;
            };
            let port = listener.local_addr().expect("bound").port();
            let values = read(&Process::Port(port)).expect("this process listens");
            assert!(values[&Quantity::MemoryBytes] > 0);
        }
    }
}
