//! A topic of the fault's own, by which is seen whether what one broker takes is confirmed by the
//! others.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication, TopicResult};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::time::timeout;

use super::topic::Topic;
use crate::fault::nemesis::{Effect, Trouble};
use crate::fault::wait::{ANSWER_WITHIN, WHOLE_WITHIN, question, until};

/// Its name; whoever sees it in a cluster knows whose it is.
const NAME: &str = "fcfs-bench-probe";

/// How long the leader may take for a record that it alone confirms.
const ALONE_WITHIN: Duration = Duration::from_millis(250);

/// How long the leader waits for the others.
const OTHERS_WITHIN: Duration = Duration::from_millis(300);

/// The same, with the way there and back.
const ALL_WITHIN: Duration = Duration::from_millis(400);

/// One partition, led by a chosen broker and copied to all others. Its producers are connected
/// before anything is broken.
pub struct ProbeTopic {
    topic: Topic,
    /// The leader's word is enough.
    alone: FutureProducer,
    /// All that are in sync must confirm.
    all: FutureProducer,
}

impl ProbeTopic {
    /// Makes it, and returns when a record was confirmed by all. `at` is `HOST:PORT` of the leader,
    /// whose number comes first in `brokers`.
    ///
    /// # Errors
    /// When the cluster does not make it, or does not confirm a record.
    pub async fn make(at: &str, brokers: &[i32]) -> Result<Self, Trouble> {
        let topic = Topic {
            brokers: at.to_owned(),
            name: NAME.to_owned(),
        };
        let replicas = brokers.to_vec();
        let made = topic.with_client(ANSWER_WITHIN, |client, topic| async move {
            make(&client, &topic, &replicas).await
        });
        made.await?;
        let producer = |acks| producer(at, acks).map_err(|error| topic.trouble(&error));
        let probe = Self {
            alone: producer("1")?,
            all: producer("all")?,
            topic,
        };
        probe.is_confirmed().await?;
        probe.is_taken().await?;
        Ok(probe)
    }

    /// Asks once whether a record that all must confirm stays unconfirmed although the leader has it.
    pub async fn look(&self) -> Effect {
        question(self.ask()).await
    }

    async fn ask(&self) -> Effect {
        let before = match send(&self.alone, ALONE_WITHIN).await {
            Ok(offset) => offset,
            Err(why) => return Effect::NotSeen(format!("the leader takes no record: {why}")),
        };
        let Err(why) = send(&self.all, ALL_WITHIN).await else {
            return Effect::NotSeen("a record with acks=all was confirmed".to_owned());
        };
        let what = format!("a record with acks=all was not confirmed ({why})");
        match send(&self.alone, ALONE_WITHIN).await {
            // Nobody else writes here, so what is between them is that record.
            Ok(after) if after > before + 1 => Effect::Seen(format!(
                "{what}, and is in the leader's log: the next one has the offset {after} after {before}"
            )),
            Ok(_) => Effect::NotSeen(format!("{what}, and is not in the leader's log")),
            Err(why) => Effect::NotSeen(format!("{what}, and the leader takes none: {why}")),
        }
    }

    /// Waits until a record is confirmed by all that are in sync.
    ///
    /// # Errors
    /// When none is within 10 s.
    pub async fn is_confirmed(&self) -> Result<(), Trouble> {
        self.until_sent(&self.all, "a record with acks=all is not confirmed")
            .await
    }

    /// The same by the leader alone.
    async fn is_taken(&self) -> Result<(), Trouble> {
        self.until_sent(&self.alone, "the leader takes no record")
            .await
    }

    async fn until_sent(&self, producer: &FutureProducer, problem: &str) -> Result<(), Trouble> {
        let sent = || async {
            let sent = send(producer, ALL_WITHIN).await;
            sent.map_err(|why| self.topic.trouble(&format!("{problem}: {why}")))
        };
        until(WHOLE_WITHIN, sent).await.map(drop)
    }

    /// Takes it out of the cluster; nothing if it is not there.
    ///
    /// # Errors
    /// When the cluster keeps it.
    pub async fn remove(&self) -> Result<(), Trouble> {
        let removed = || {
            self.topic
                .with_client(ANSWER_WITHIN, |client, topic| async move {
                    let options = AdminOptions::new().request_timeout(Some(ANSWER_WITHIN));
                    let deleted = client.delete_topics(&[&topic.name], &options).await?;
                    accept(deleted, RDKafkaErrorCode::UnknownTopicOrPartition)
                })
        };
        until(WHOLE_WITHIN, removed).await
    }
}

async fn make(
    client: &AdminClient<DefaultClientContext>,
    topic: &Topic,
    replicas: &[i32],
) -> Result<(), KafkaError> {
    let assignment = [replicas];
    let topic = NewTopic::new(&topic.name, 1, TopicReplication::Variable(&assignment));
    let options = AdminOptions::new()
        .request_timeout(Some(ANSWER_WITHIN))
        .operation_timeout(Some(ANSWER_WITHIN));
    let made = client.create_topics([&topic], &options).await?;
    accept(made, RDKafkaErrorCode::TopicAlreadyExists)
}

/// Whether all went well, or there was nothing to do.
fn accept(done: Vec<TopicResult>, nothing_to_do: RDKafkaErrorCode) -> Result<(), KafkaError> {
    let mut codes = done.into_iter().filter_map(|one| Some(one.err()?.1));
    match codes.find(|code| *code != nothing_to_do) {
        Some(code) => Err(KafkaError::AdminOp(code)),
        None => Ok(()),
    }
}

/// One that sends each record once and does not wait for more of them.
fn producer(at: &str, acks: &str) -> Result<FutureProducer, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", at)
        .set("acks", acks)
        .set("retries", "0")
        .set("linger.ms", "0")
        // The leader answers then: it reads nothing else of the connection while it waits.
        .set("request.timeout.ms", OTHERS_WITHIN.as_millis().to_string())
        .set("message.timeout.ms", "1000")
        .set("reconnect.backoff.max.ms", "1000")
        .create()
}

/// The offset of a record that was confirmed, or why it was not.
async fn send(producer: &FutureProducer, limit: Duration) -> Result<i64, String> {
    let record = FutureRecord::<str, str>::to(NAME).partition(0).payload("?");
    match timeout(limit, producer.send(record, Duration::ZERO)).await {
        Ok(Ok(delivery)) => Ok(delivery.offset),
        Ok(Err((error, _))) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
    }
}
