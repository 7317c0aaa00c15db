//! Nothing that a run has started is left when it ends, whichever services it needs and however it
//! ends: no process, no listening port, nothing in the directory for temporary files.

#[path = "support/harness/mod.rs"]
mod harness;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::scenario::Scenario;
use harness::{Bench, Running, shipped, wait_until};
use rustix::process::Signal;

/// A keeper gives a program 20 s to end.
const LIMIT: Duration = Duration::from_mins(1);

/// How a run ends while its users ask.
#[derive(Debug, Clone, Copy)]
enum End {
    Interrupted,
    Killed,
}

type Left = (Vec<(u32, String)>, Vec<Socket>, Vec<PathBuf>);

/// A run in a place of its own, with a directory for temporary files in it.
struct Run {
    bench: Bench,
    scenario: String,
    provider: &'static str,
    more: Vec<&'static str>,
}

impl Run {
    fn of(scenario: &Scenario) -> Self {
        let bench = Bench::with(scenario);
        Self::at(bench, "scenario.yaml".to_owned(), Vec::new())
    }

    /// One of `scenarios/documents`, whose load is long.
    fn document(name: &str, more: &[&'static str]) -> Self {
        let scenario = shipped(&format!("scenarios/documents/{name}.yaml"));
        Self::at(Bench::new(), scenario, more.to_vec())
    }

    fn at(bench: Bench, scenario: String, more: Vec<&'static str>) -> Self {
        std::fs::create_dir(bench.path("tmp")).expect("a directory");
        let run = Self {
            bench,
            scenario,
            provider: "local",
            more,
        };
        assert_eq!(run.processes(), Vec::new(), "before it begins");
        run
    }

    fn start(&self) -> Running {
        let mut args = vec!["run", &self.scenario, "--out", "run"];
        args.extend(["--provider", self.provider]);
        args.extend(&self.more);
        let temporary = self.bench.path("tmp");
        self.bench.start_with(&args, |command| {
            command.env("TMPDIR", temporary);
        })
    }

    /// Numbers and command lines of all that works for this run. Whoever it started has inherited
    /// the name of the place, even if neither its command line nor its directory shows it.
    fn processes(&self) -> Vec<(u32, String)> {
        let here = self.bench.path("");
        let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
        let numbers = entries.flatten().filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            is_of(&entry.path(), &here).map(|line| (number, line))
        });
        numbers.collect()
    }

    /// The sockets on which processes of this run wait for connections.
    fn listening(&self) -> BTreeSet<Socket> {
        let numbers = self.processes().into_iter().map(|(number, _)| number);
        let held: BTreeSet<u64> = numbers.flat_map(sockets_of).collect();
        let mut all = listening();
        all.retain(|socket| held.contains(&socket.inode));
        all
    }

    fn temporary(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.bench.path("tmp")).expect("a directory");
        entries.flatten().map(|entry| entry.path()).collect()
    }

    /// Processes, those of the sockets that are still open, and temporary files.
    fn left(&self, sockets: &BTreeSet<Socket>) -> Left {
        let open = listening().intersection(sockets).copied().collect();
        (self.processes(), open, self.temporary())
    }

    /// Waits until everything is gone, and says what is not.
    #[track_caller]
    fn nothing_is_left(&self, sockets: &BTreeSet<Socket>, how: &str) {
        let begin = Instant::now();
        while self.left(sockets) != Left::default() && begin.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.left(sockets), Left::default(), "{how}");
    }
}

/// The command line of a process, if it is of the run at this place.
fn is_of(process: &Path, here: &Path) -> Option<String> {
    let read = |name: &str| {
        let bytes = std::fs::read(process.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let line = read("cmdline");
    let at = std::fs::read_link(process.join("cwd")).unwrap_or_default();
    let name = here.to_str().expect("a text");
    let ours = at.starts_with(here) || line.contains(name) || read("environ").contains(name);
    // One that has ended and is not waited for has no command line.
    (ours && !line.is_empty()).then_some(line)
}

/// A socket that waits for connections: its port, and a number that no other socket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Socket {
    port: u16,
    inode: u64,
}

/// All of this machine.
fn listening() -> BTreeSet<Socket> {
    let read = |name: &str| std::fs::read_to_string(name).unwrap_or_default();
    let tables = read("/proc/net/tcp") + &read("/proc/net/tcp6");
    tables.lines().filter_map(socket_in).collect()
}

/// A line of the kernel's table: number, local address, remote address, state, ..., inode.
fn socket_in(line: &str) -> Option<Socket> {
    const LISTEN: &str = "0A";
    let words: Vec<_> = line.split_whitespace().collect();
    let (_, port) = words.get(1)?.rsplit_once(':')?;
    if *words.get(3)? != LISTEN {
        return None;
    }
    Some(Socket {
        port: u16::from_str_radix(port, 16).ok()?,
        inode: words.get(9)?.parse().ok()?,
    })
}

/// What `/proc/NUMBER/fd` says: `socket:[INODE]`.
fn sockets_of(process: u32) -> Vec<u64> {
    let entries = std::fs::read_dir(format!("/proc/{process}/fd"));
    let links = entries.into_iter().flatten().flatten().filter_map(|entry| {
        let link = std::fs::read_link(entry.path()).ok()?;
        let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        inode.parse().ok()
    });
    links.collect()
}

/// Ends a run in the middle of its load. `processes` are words of command lines, each with how many
/// have it; `ports` is how many they listen on.
#[track_caller]
fn ends_clean(run: &Run, end: End, processes: &[(&str, usize)], ports: usize) {
    let mut running = run.start();
    running.wait_until_it_says(" VUs ");
    let there = run.processes();
    for (words, count) in processes {
        let is_it = |line: &str| line.contains(words) && !line.contains(" keep ");
        let found = there.iter().filter(|(_, line)| is_it(line)).count();
        assert_eq!(found, *count, "{words}: {there:?}");
    }
    let sockets = run.listening();
    assert_eq!(sockets.len(), ports, "{sockets:?} of {there:?}");
    match end {
        End::Interrupted => {
            running.signal(Signal::INT);
            running.wait().expect(105);
        }
        End::Killed => {
            running.signal(Signal::KILL);
            running.wait();
        }
    }
    run.nothing_is_left(&sockets, &format!("{end:?}"));
}

const REDLOCK: [(&str, usize); 3] = [("redis-server", 4), ("mariadbd", 1), (" serve ", 1)];

const QUEUE: [(&str, usize); 7] = [
    ("redis-server", 1),
    ("mariadbd", 1),
    ("kafka.Kafka", 1),
    ("--role router", 1),
    ("--role queue", 1),
    ("--role coupon", 1),
    ("--role issuer", 1),
];

/// The scenario with all four roles, with few users.
fn queue() -> Run {
    Run::document("c-queue-4500", &["--scale", "vus=0.01"])
}

#[test]
fn a_process_and_a_socket_that_are_left_are_seen() {
    let run = Run::of(&Scenario::long());
    let mut left = Command::new("sleep");
    let left = left.arg("600").env("TMPDIR", run.bench.path("tmp"));
    let mut left = left.current_dir("/").spawn().expect("sleep");
    wait_until("it is seen", || run.processes().len() == 1);
    left.kill().expect("it runs");
    left.wait().expect("it was ours");
    assert_eq!(run.processes(), Vec::new());

    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let ours = sockets_of(std::process::id());
    let found = |socket: &Socket| socket.port == port && ours.contains(&socket.inode);
    let seen: BTreeSet<_> = listening().into_iter().filter(found).collect();
    assert_eq!(seen.len(), 1, "{ours:?}");
    drop(socket);
    // A child of another test may have it for a moment, until it becomes another program.
    wait_until("it is gone", || listening().is_disjoint(&seen));
}

#[test]
fn a_run_of_all_roles_that_ends_by_itself_leaves_nothing() {
    let more = [
        "--scale",
        "time=0.01,vus=0.01",
        "--set",
        "subject.coupon.stock=20",
        // Without a queue: a few dozen users are all let in at once.
        "--set",
        "thresholds={}",
        "--set",
        "invariants=[stock, one_per_user, acknowledged]",
    ];
    let run = Run::document("c-queue-4500", &more);
    let mut running = run.start();
    running.wait_until_it_says(" VUs ");
    let sockets = run.listening();
    assert!(!sockets.is_empty());
    running.wait().expect(0);
    // At once: a run that ends in good order has waited for everybody.
    assert_eq!(run.left(&sockets), Left::default());
}

#[test]
fn all_roles_end_with_an_interrupt() {
    ends_clean(&queue(), End::Interrupted, &QUEUE, 8);
}

#[test]
fn all_roles_end_with_a_harness_that_is_killed() {
    ends_clean(&queue(), End::Killed, &QUEUE, 8);
}

#[test]
fn four_redis_end_with_an_interrupt_and_with_a_harness_that_is_killed() {
    for end in [End::Interrupted, End::Killed] {
        let run = Run::document("a-redlock-after", &["--scale", "vus=0.02"]);
        ends_clean(&run, end, &REDLOCK, 6);
    }
}

#[test]
fn processes_of_one_role_end_with_a_harness_that_is_killed() {
    let processes = [("kafka.Kafka", 1), (" serve ", 2)];
    let run = Run::of(&Scenario::long().strategy("redis-kafka"));
    ends_clean(&run, End::Killed, &processes, 6);
}

#[test]
fn brokers_in_the_harness_end_with_it() {
    for (end, brokers) in [(End::Interrupted, 1), (End::Killed, 3)] {
        let run = Run {
            provider: "embedded",
            more: match brokers {
                1 => Vec::new(),
                _ => vec!["--set", "target.stack.kafka.brokers=3"],
            },
            ..Run::of(&Scenario::long().strategy("memory-kafka"))
        };
        let processes = [("kafka.Kafka", 0), (" serve ", 2)];
        ends_clean(&run, end, &processes, 2 + brokers);
    }
}

#[test]
fn a_run_on_brokers_in_the_harness_that_ends_by_itself_leaves_nothing() {
    let scenario = Scenario::short().strategy("memory-kafka").quiet("2s");
    let run = Run {
        provider: "embedded",
        ..Run::of(&scenario.think("100ms"))
    };
    let mut running = run.start();
    running.wait_until_it_says(" VUs ");
    let sockets = run.listening();
    assert_eq!(sockets.len(), 3, "{sockets:?}");
    running.wait().expect(0);
    // At once: a run that ends in good order has waited for everybody.
    assert_eq!(run.left(&sockets), Left::default());
}
