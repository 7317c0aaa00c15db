//! The cluster of Kafka that a run starts, whoever runs its brokers: its id, and whether one answers.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::outside::Figures;
use super::settings::{KAFKA_GROUP, KAFKA_TOPIC};
use crate::plan::{ConsumerGroup, Process, ResourceOf, Topic};

/// How long a broker may take to answer one question.
const ANSWER_WITHIN: Duration = Duration::from_millis(1500);

/// What a client is told first.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// Random, so that nobody else knows it.
    pub(super) id: String,
    pub(super) brokers: u8,
}

impl Cluster {
    pub(super) fn new(brokers: u8) -> io::Result<Self> {
        let id = id()?;
        Ok(Self { id, brokers })
    }

    /// Asks the broker on a port once. A broker lists the others when all have registered.
    pub(super) async fn ask(&self, port: u16) -> Result<(), String> {
        let asked = tokio::task::spawn_blocking(move || look(&at(port)));
        let (found, there) = asked.await.map_err(|error| error.to_string())??;
        if found.as_ref() != Some(&self.id) {
            return Err("another Kafka answers".to_owned());
        }
        if there != usize::from(self.brokers) {
            return Err(format!("{there} of {} brokers are there", self.brokers));
        }
        Ok(())
    }
}

/// Asks a broker that nobody else can stand in for once whether it answers.
///
/// # Errors
/// In words, when it does not.
pub(super) async fn answers(port: u16) -> Result<(), String> {
    answers_at(at(port)).await
}

/// The same of a broker at any `HOST:PORT`.
///
/// # Errors
/// In words, when it does not.
pub(super) async fn answers_at(address: String) -> Result<(), String> {
    let asked = tokio::task::spawn_blocking(move || look(&address));
    asked.await.map_err(|error| error.to_string())?.map(drop)
}

/// As clients take the addresses of brokers on these ports.
pub(super) fn bootstrap(ports: impl Iterator<Item = u16>) -> String {
    let addresses: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    addresses.join(",")
}

/// Those who write the rows of the events.
pub(super) fn issuers(bootstrap: &str) -> ConsumerGroup {
    ConsumerGroup {
        brokers: bootstrap.to_owned(),
        group: KAFKA_GROUP.to_owned(),
        topic: KAFKA_TOPIC.to_owned(),
    }
}

/// Where the events are.
pub(super) fn events(bootstrap: &str) -> Topic {
    Topic {
        brokers: bootstrap.to_owned(),
        topic: KAFKA_TOPIC.to_owned(),
    }
}

/// Each broker as a process; the first also says how far the issuers are behind.
pub(super) fn figures(
    bootstrap: &str,
    processes: impl Iterator<Item = Option<Process>>,
) -> Vec<Figures> {
    let brokers = processes.zip(1..).map(|(process, number)| Figures {
        name: format!("kafka-{number}"),
        process,
        of: (number == 1).then(|| ResourceOf::Kafka(issuers(bootstrap))),
    });
    brokers.collect()
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The cluster's id and its number of brokers, as the one at this address knows them.
fn look(address: &str) -> Result<(Option<String>, usize), String> {
    let words = |error: rdkafka::error::KafkaError| error.to_string();
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .create()
        .map_err(words)?;
    let metadata = client.fetch_metadata(None, ANSWER_WITHIN).map_err(words)?;
    // Known since the answer before.
    let cluster = client.client().fetch_cluster_id(ANSWER_WITHIN);
    Ok((cluster, metadata.brokers().len()))
}

/// 16 random bytes, written as Kafka does.
fn id() -> io::Result<String> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    // The tool takes one that begins with a hyphen for an option.
    bytes[0] &= 0x7f;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
