//! Processes of this machine, as Linux knows them: what it says of them in `/proc`, and signals.

pub(crate) mod cpu;
pub(crate) mod data;

use std::collections::BTreeMap;
use std::io;

use rustix::io::Errno;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Pid, Signal, kill_process};

/// One process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// As in proc(5): `R`, `S`, `T` for stopped, `Z` for ended and not waited for.
    pub(crate) state: char,
    pub(crate) parent: u32,
    /// In clock ticks: user and system.
    pub(crate) own_ticks: u64,
    /// The same of children that have ended and were waited for.
    pub(crate) ended_ticks: u64,
    pub(crate) threads: u64,
    /// In clock ticks since the machine started: tells it from another with the same number.
    pub(crate) started: u64,
    pub(crate) resident_pages: u64,
}

impl Stat {
    /// Reads a line of the kernel.
    ///
    /// The second field is the program's name in parentheses, which may hold blanks, parentheses
    /// and line breaks of its own: what counts is behind the last one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (_, behind) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
        // As in proc_pid_stat(5), where the first of these has number 3.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        // Of children and of pages it may be negative, for a moment.
        let signed = |field: usize| Some(fields.get(field - 3)?.parse::<i64>().ok()?.max(0) as u64);
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: u32::try_from(number(4)?).ok()?,
            own_ticks: number(14)? + number(15)?,
            ended_ticks: signed(16)? + signed(17)?,
            threads: signed(20)?,
            started: number(22)?,
            resident_pages: signed(24)?,
        })
    }

    pub(crate) fn of(pid: u32) -> Option<Self> {
        // The name need not be text.
        let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&line))
    }
}

/// Sends a signal, unless another process has got the number in the meantime.
///
/// # Errors
/// When the process is there and cannot be reached; one that is gone is none.
pub(crate) fn send(pid: u32, started: u64, signal: Signal) -> io::Result<()> {
    let same = Stat::of(pid).is_some_and(|stat| stat.started == started && stat.state != 'Z');
    let Some(pid) = Pid::from_raw(pid.cast_signed()).filter(|_| same) else {
        return Ok(());
    };
    match kill_process(pid, signal) {
        Err(Errno::SRCH) => Ok(()),
        sent => Ok(sent?),
    }
}

pub(crate) fn cpu_ns(ticks: u64) -> u64 {
    ticks.saturating_mul(1_000_000_000 / clock_ticks_per_second().max(1))
}

pub(crate) fn bytes(pages: u64) -> u64 {
    pages.saturating_mul(page_size() as u64)
}

/// In the environment of everything that a run starts: which harness it belongs to.
pub(crate) const MARK: &str = "FCFS_BENCH_OF";

/// The value of [`MARK`] for what this process starts.
pub(crate) fn mark() -> String {
    let pid = std::process::id();
    mark_of(pid, Stat::of(pid).map_or(0, |stat| stat.started))
}

/// The value of [`MARK`] for what a process has started.
pub(crate) fn mark_of(pid: u32, started: u64) -> String {
    format!("{pid}-{started}")
}

/// Everything that has this mark: numbers, and when each started.
pub(crate) fn marked(mark: &str) -> Vec<(u32, u64)> {
    let wanted = format!("{MARK}={mark}").into_bytes();
    let has_it = |pid: &u32| {
        let read = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        read.split(|byte| *byte == 0).any(|word| word == wanted)
    };
    let found = pids().filter(has_it);
    found
        .filter_map(|pid| Some((pid, Stat::of(pid)?.started)))
        .collect()
}

/// The children of a process, now.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let is_child = |child: &u32| Stat::of(*child).is_some_and(|stat| stat.parent == pid);
    pids().filter(is_child).collect()
}

/// Open descriptors; `None` if they are somebody else's.
pub(crate) fn open_files(pid: u32) -> Option<u64> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    Some(entries.count() as u64)
}

/// All processes of the machine that can be seen.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) BTreeMap<u32, Stat>);

impl Table {
    pub(crate) fn read() -> Self {
        Self(
            pids()
                .filter_map(|pid| Some((pid, Stat::of(pid)?)))
                .collect(),
        )
    }

    /// The process and all that it has started, directly or not.
    pub(crate) fn tree(&self, root: u32) -> Vec<u32> {
        let mut tree = vec![root];
        let mut next = 0;
        while let Some(&parent) = tree.get(next) {
            let children = self.0.iter().filter(|(_, stat)| stat.parent == parent);
            let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
            // A table that is read while processes come and go may hold a circle.
            tree.extend(
                children
                    .into_iter()
                    .filter(|pid| !tree.contains(pid))
                    .collect::<Vec<_>>(),
            );
            next += 1;
        }
        tree
    }
}

pub(crate) fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(name: &str) -> String {
        format!(
            "4711 ({name}) S 17 4711 4711 0 -1 4194560 2209 0 12 0 250 50 7 3 20 0 9 0 8800 \
             74649600 1300 18446744073709551615 1 1 0 0 0 0 0 4096 17642 0 0 0 17 1 0 0 0 0 0"
        )
    }

    #[test]
    fn a_name_may_hold_whatever_it_likes() {
        let stat = Stat {
            state: 'S',
            parent: 17,
            own_ticks: 300,
            ended_ticks: 10,
            threads: 9,
            started: 8800,
            resident_pages: 1300,
        };
        for name in [
            "mariadbd",
            "tmux: server",
            "(sd-pam)",
            "a) S 1 (b",
            ")",
            "",
            "x\ny",
            "쿠폰",
        ] {
            assert_eq!(Stat::parse(&line(name)), Some(stat), "{name}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_line_at_all_is_nothing() {
        let whole = line("redis-server");
        for text in ["", "4711", "4711 (x)", "4711 (x) S one", &whole[..60]] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_tree_has_children_and_grandchildren_and_ends_in_a_circle() {
        let of = |parent| Stat {
            parent,
            ..Stat::parse(&line("x")).expect("a line")
        };
        let table = Table([(2, of(1)), (3, of(2)), (4, of(3)), (5, of(1)), (1, of(4))].into());
        assert_eq!(table.tree(2), [2, 3, 4, 1, 5]);
        assert_eq!(table.tree(5), [5]);
    }

    #[test]
    fn this_process_is_there_and_has_memory() {
        let table = Table::read();
        let own = table.0.get(&std::process::id()).expect("it runs");
        assert!(own.resident_pages > 0 && own.threads > 0);
        assert!(open_files(std::process::id()) > Some(2));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = Stat::parse(&text);
        }

        #[test]
        fn every_name_is_read_over(name in "[^\0]{0,15}") {
            prop_assert_eq!(Stat::parse(&line(&name)), Stat::parse(&line("x")));
        }
    }
}
