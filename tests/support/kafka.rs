//! A Kafka broker for tests of what reads from one.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{Service, free_port, program, run};

/// A broker that is its own controller, with nothing in it.
pub(crate) fn start() -> Service {
    let mut brokers = start_some(1);
    brokers.pop().expect("there is one")
}

/// The same on a port of one's own, with the one that its clients are told.
pub(crate) fn start_on(port: u16, advertised: u16) -> Service {
    start_one(port, &settings(0, &[(port, free_port())], advertised))
}

fn start_one(port: u16, settings: &str) -> Service {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("server.properties"), settings).expect("a file");
    let mut format = java(directory.path(), "kafka.tools.StorageTool");
    format.args(["format", "-t", "AAAAAAAAAAAAAAAAAAAAAA"]);
    run(format.args(["-c", "server.properties"]));
    Service::start(directory, port, Signal::KILL, |directory| {
        let mut broker = java(directory, "kafka.Kafka");
        broker.arg("server.properties");
        broker
    })
}

/// Brokers of one cluster, with nothing in it.
pub(crate) fn start_some(brokers: usize) -> Vec<Service> {
    let ports = (0..brokers).map(|_| (free_port(), free_port()));
    let ports: Vec<_> = ports.collect();
    let start = |(index, (port, _)): (usize, &(u16, u16))| {
        start_one(*port, &settings(index, &ports, *port))
    };
    // A broker opens its port when most of the controllers are there.
    std::thread::scope(|scope| {
        let starting = ports.iter().enumerate();
        let starting: Vec<_> = starting
            .map(|one| scope.spawn(move || start(one)))
            .collect();
        let started = starting
            .into_iter()
            .map(|one| one.join().expect("it starts"));
        started.collect()
    })
}

fn settings(index: usize, ports: &[(u16, u16)], advertised: u16) -> String {
    let (port, controller) = ports[index];
    let (brokers, number) = (ports.len(), index + 1);
    let voters = ports.iter().zip(1..);
    let voters: Vec<_> = voters
        .map(|((_, controller), number)| format!("{number}@127.0.0.1:{controller}"))
        .collect();
    let voters = voters.join(",");
    format!(
        "process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
log.dirs=data
num.partitions=3
offsets.topic.num.partitions=1
offsets.topic.replication.factor={brokers}
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor={brokers}
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
"
    )
}

fn java(home: &Path, class: &str) -> Command {
    let mut command = Command::new(program("java"));
    command.current_dir(home);
    command.args(["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC"]);
    command.args(["-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]);
    command.arg("-Djava.io.tmpdir=.").arg("-cp");
    command.arg(jars().join("*")).arg(class);
    command
}

/// Where `scripts/services` puts them, or where the user says.
fn jars() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let Some(home) = set("FCFS_KAFKA_HOME") {
        let libs = home.join("libs");
        return if libs.is_dir() { libs } else { home };
    }
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
    let data = data.expect("HOME is set").join("fcfs-bench");
    let entries = std::fs::read_dir(&data).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("kafka-"))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    let place = data.display();
    found
        .pop()
        .unwrap_or_else(|| panic!("no Kafka in {place}; run: scripts/services"))
}
