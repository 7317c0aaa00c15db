//! One Kafka broker for tests, which can be killed and started again where it was.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tempfile::TempDir;

use super::{Service, free_port, program};

/// A broker that is its own controller.
pub(crate) struct Broker {
    service: Option<Service>,
    /// Of the broker, which outlives its processes.
    home: TempDir,
    port: u16,
}

/// The broker that other tests are on at the moment, or a new one.
pub(crate) fn broker() -> Arc<Broker> {
    static RUNNING: Mutex<Weak<Broker>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(broker) = running.upgrade() {
        return broker;
    }
    let broker = Arc::new(Broker::start());
    *running = Arc::downgrade(&broker);
    broker
}

impl Broker {
    /// A new one that no other test is on.
    pub(crate) fn start() -> Self {
        let (port, home) = (free_port(), tempfile::tempdir().unwrap());
        std::fs::write(home.path().join("server.properties"), settings(port)).unwrap();
        let mut format = java(home.path(), "kafka.tools.StorageTool");
        format.args(["format", "-t", "AAAAAAAAAAAAAAAAAAAAAA"]);
        let output = format.args(["-c", "server.properties"]).output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "format: {words}");
        let mut broker = Self {
            service: None,
            home,
            port,
        };
        broker.start_again();
        broker
    }

    /// On the same port, with the data that it had.
    pub(crate) fn start_again(&mut self) {
        let mut command = java(self.home.path(), "kafka.Kafka");
        command.arg("server.properties");
        let log = tempfile::tempdir().unwrap();
        self.service = Some(Service::start(log, self.port, command));
    }

    /// At once, without a word to anybody.
    pub(crate) fn kill(&mut self) {
        self.service = None;
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Events of the topic that the group has not finished.
    pub(crate) fn lag(&self, topic: &str, group: &str) -> i64 {
        let limit = Duration::from_secs(30);
        let asker: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.address())
            .set("group.id", group)
            .create()
            .unwrap();
        let metadata = asker.fetch_metadata(Some(topic), limit).unwrap();
        let mut partitions = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            partitions.add_partition(topic, partition.id());
        }
        let committed = asker.committed_offsets(partitions, limit).unwrap();
        let lag = committed.elements().into_iter().map(|partition| {
            let number = partition.partition();
            let (low, high) = asker.fetch_watermarks(topic, number, limit).unwrap();
            match partition.offset() {
                Offset::Offset(next) => high - next,
                _ => high - low,
            }
        });
        lag.sum()
    }
}

fn settings(port: u16) -> String {
    let controller = free_port();
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs=data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
"
    )
}

fn java(home: &Path, class: &str) -> Command {
    let mut command = Command::new(program("java", "openjdk-17-jre-headless"));
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
