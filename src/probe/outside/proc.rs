//! What Linux says of processes in `/proc/<pid>/stat`.

use std::collections::BTreeMap;

use rustix::param::{clock_ticks_per_second, page_size};

/// One process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) parent: u32,
    /// In clock ticks: user and system.
    pub(super) own_ticks: u64,
    /// The same of children that have ended and were waited for.
    pub(super) ended_ticks: u64,
    pub(super) threads: u64,
    /// In clock ticks since the machine started: tells it from another with the same number.
    pub(super) started: u64,
    pub(super) resident_pages: u64,
}

impl Stat {
    /// Reads a line of the kernel.
    ///
    /// The second field is the program's name in parentheses, which may hold blanks, parentheses
    /// and line breaks of its own: what counts is behind the last one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (_, behind) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
        // As in proc_pid_stat(5), where the first of these has number 3.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        // Of children and of pages it may be negative, for a moment.
        let signed = |field: usize| Some(fields.get(field - 3)?.parse::<i64>().ok()?.max(0) as u64);
        Some(Self {
            parent: u32::try_from(number(4)?).ok()?,
            own_ticks: number(14)? + number(15)?,
            ended_ticks: signed(16)? + signed(17)?,
            threads: signed(20)?,
            started: number(22)?,
            resident_pages: signed(24)?,
        })
    }

    pub(super) fn of(pid: u32) -> Option<Self> {
        // The name need not be text.
        let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&line))
    }
}

/// When a process started, in the kernel's ticks since the boot; `None`: there is no such process.
pub(crate) fn started(pid: u32) -> Option<u64> {
    Stat::of(pid).map(|stat| stat.started)
}

pub(super) fn cpu_ns(ticks: u64) -> u64 {
    ticks.saturating_mul(1_000_000_000 / clock_ticks_per_second().max(1))
}

pub(super) fn bytes(pages: u64) -> u64 {
    pages.saturating_mul(page_size() as u64)
}

/// Open descriptors; `None` if they are somebody else's.
pub(super) fn open_files(pid: u32) -> Option<u64> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    Some(entries.count() as u64)
}

/// All processes of the machine that can be seen.
#[derive(Debug, Default)]
pub(super) struct Table(pub(super) BTreeMap<u32, Stat>);

impl Table {
    pub(super) fn read() -> Self {
        Self(
            pids()
                .filter_map(|pid| Some((pid, Stat::of(pid)?)))
                .collect(),
        )
    }

    /// The process and all that it has started, directly or not.
    pub(super) fn tree(&self, root: u32) -> Vec<u32> {
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

pub(super) fn pids() -> impl Iterator<Item = u32> {
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
