//! Reads all events of a topic of Kafka, from the oldest to where the topic ended when it was asked:
//! in no consumer group, so nobody's place in the topic moves.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::error::{Fault, Reason};
use super::time::moment;
use super::{LIMIT, ProbeError};
use crate::check::{End, Event, EventsRead, Range};
use crate::plan::{EventId, Events, EventsOf, OfCoupon, Topic};

/// How long the whole read may take.
const READ_WITHIN: Duration = Duration::from_mins(1);

/// More are not read: each is kept until the verdict.
const MOST_EVENTS: u64 = 2_000_000;

/// The longest key or id in bytes. A longer text is none that could be compared.
const LONGEST_TEXT: usize = 256;

/// How long it takes at most until a read that nobody waits for any more ends.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The library needs a name. It is joined by subscribing, which nothing here does.
const GROUP: &str = "fcfs-bench-reader";

const COMPACT: &str = "compact";

/// One topic, and what is read of each of its events.
#[derive(Clone)]
pub struct EventReader {
    topic: Topic,
    id: EventId,
    sequence: Option<String>,
    coupon: Option<OfCoupon>,
}

impl fmt::Debug for EventReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("EventReader");
        fields.field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// Ends a read that nobody waits for any more.
struct Waited(Arc<AtomicBool>);

impl Drop for Waited {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl EventReader {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When the topic is the bundled server's own, which is only known once that has started.
    pub fn new(events: &Events) -> Result<Self, ProbeError> {
        match &events.of {
            EventsOf::Kafka(topic) => Ok(Self {
                topic: topic.clone(),
                id: events.id.clone(),
                sequence: events.sequence.clone(),
                coupon: events.coupon.clone(),
            }),
            EventsOf::Bundled => {
                let fault = Fault::asked("is only known once the server has started");
                Err(fault.at("the bundled server's own topic"))
            }
        }
    }

    /// Where each partition ends now.
    ///
    /// # Errors
    /// When a broker does not answer within seconds, or knows no such topic.
    pub async fn ends(&self) -> Result<Vec<End>, ProbeError> {
        let found = self.blocking(|this, consumer, _| this.ranges(consumer));
        let ends = found.await?.into_iter().map(|range| End {
            partition: range.partition,
            end: range.to,
        });
        Ok(ends.collect())
    }

    /// All events that are in the topic now. `at_ns` of what is returned is 0.
    ///
    /// # Errors
    /// When a broker is away or silent for [`LIMIT`], the whole takes longer than a minute, there is
    /// no such topic, or it holds more than two million events.
    pub async fn read(&self) -> Result<EventsRead, ProbeError> {
        let read = self.blocking(Self::all);
        let mut read = read.await?;
        read.compacted = self.compacted().await;
        Ok(read)
    }

    /// The library's questions block, and so does the end of its client.
    async fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Self, &BaseConsumer, &AtomicBool) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, ProbeError> {
        let stop = Arc::new(AtomicBool::new(false));
        let _waited = Waited(Arc::clone(&stop));
        let this = self.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let consumer = this.consumer().map_err(|error| asked(&error))?;
            ask(&this, &consumer, &stop)
        });
        let asked = asking
            .await
            .unwrap_or_else(|_| Err(Fault::lost("cancelled")));
        asked.map_err(|fault| {
            let place = format!("the topic {} at {}", self.topic.topic, self.topic.brokers);
            fault.at(&place)
        })
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.topic.brokers)
            .set("reconnect.backoff.max.ms", "1000");
        client
    }

    fn consumer(&self) -> Result<BaseConsumer, KafkaError> {
        self.client()
            .set("group.id", GROUP)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            // What a transaction took back was never published.
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "100")
            // What may wait in memory until it is taken.
            .set("queued.max.messages.kbytes", "8192")
            .create()
    }

    /// The first and the last offset of each partition.
    fn ranges(&self, consumer: &BaseConsumer) -> Result<Vec<Range>, Fault> {
        let until = Instant::now() + LIMIT;
        let left = || until.saturating_duration_since(Instant::now());
        let name = &self.topic.topic;
        let metadata = consumer.fetch_metadata(Some(name), left());
        let metadata = metadata.map_err(|error| lost(&error))?;
        let mut ranges = Vec::new();
        for topic in metadata.topics() {
            if let Some(error) = topic.error() {
                let error = RDKafkaErrorCode::from(error);
                return Err(Fault::new(reason_of(error), error.to_string()));
            }
            for partition in topic.partitions() {
                let partition = partition.id();
                let marks = consumer.fetch_watermarks(name, partition, left());
                let (from, to) = marks.map_err(|error| lost(&error))?;
                ranges.push(Range {
                    partition,
                    from,
                    to,
                });
            }
        }
        if ranges.is_empty() {
            return Err(Fault::asked("it has no partitions"));
        }
        Ok(ranges)
    }

    fn all(&self, consumer: &BaseConsumer, stop: &AtomicBool) -> Result<EventsRead, Fault> {
        let partitions = self.ranges(consumer)?;
        let offsets: i64 = partitions.iter().map(|range| range.to - range.from).sum();
        if u64::try_from(offsets).unwrap_or(0) > MOST_EVENTS {
            let words = format!("it holds {offsets} events; at most {MOST_EVENTS} are compared");
            return Err(Fault::asked(words));
        }
        let mut open: HashMap<i32, i64> = HashMap::new();
        let mut from = TopicPartitionList::new();
        for range in partitions.iter().filter(|range| range.from < range.to) {
            open.insert(range.partition, range.to);
            from.add_partition_offset(
                &self.topic.topic,
                range.partition,
                Offset::Offset(range.from),
            )
            .map_err(|error| asked(&error))?;
        }
        let mut read = EventsRead {
            partitions,
            ..EventsRead::default()
        };
        if !open.is_empty() {
            consumer.assign(&from).map_err(|error| asked(&error))?;
            self.take(consumer, &mut open, &mut read, stop)?;
        }
        let place = |event: &Event| (event.partition, event.offset);
        read.events.sort_unstable_by_key(place);
        Ok(read)
    }

    /// Takes events until each open partition has come to its end. What lies before that end may
    /// hold none: markers of transactions have offsets, too. So the end is where a later event comes,
    /// or the library says that there is none.
    fn take(
        &self,
        consumer: &BaseConsumer,
        open: &mut HashMap<i32, i64>,
        read: &mut EventsRead,
        stop: &AtomicBool,
    ) -> Result<(), Fault> {
        let begin = Instant::now();
        let mut heard = begin;
        let mut trouble = None;
        while !open.is_empty() {
            if stop.load(Ordering::Relaxed) {
                return Err(Fault::lost("nobody waits for it any more"));
            }
            if begin.elapsed() > READ_WITHIN {
                return Err(Fault::slow(READ_WITHIN));
            }
            match consumer.poll(LOOK_EVERY) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    let Some(end) = open.get(&partition).copied() else {
                        continue;
                    };
                    if offset < end {
                        match self.event(&message) {
                            Some(event) => read.events.push(event),
                            None => read.others += 1,
                        }
                    }
                    if offset + 1 >= end {
                        open.remove(&partition);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    heard = Instant::now();
                    open.remove(&partition);
                }
                // One broker may be away for a moment.
                Some(Err(error)) => trouble = Some(error),
                None => {}
            }
            if heard.elapsed() > LIMIT {
                return Err(trouble.map_or_else(|| Fault::slow(LIMIT), |error| lost(&error)));
            }
        }
        Ok(())
    }

    /// `None`: it is of another coupon.
    fn event(&self, message: &impl Message) -> Option<Event> {
        let payload = message.payload();
        let wants_json = matches!(&self.id, EventId::Value(at) if !at.is_empty())
            || self.sequence.as_ref().is_some_and(|at| !at.is_empty())
            || self.coupon.as_ref().is_some_and(|of| !of.at.is_empty());
        let json = payload.filter(|_| wants_json);
        let json: Option<serde_json::Value> =
            json.and_then(|bytes| serde_json::from_slice(bytes).ok());
        if let Some(of) = &self.coupon
            && let Some(coupon) = value(payload, json.as_ref(), &of.at)
            && *coupon != *of.is
        {
            return None;
        }
        let key = message.key().and_then(text);
        let id = match &self.id {
            EventId::Key => key.clone(),
            EventId::Value(at) => value(payload, json.as_ref(), at),
        };
        let sequence = self.sequence.as_ref();
        let sequence = sequence.and_then(|at| value(payload, json.as_ref(), at));
        Some(Event {
            partition: message.partition(),
            offset: message.offset(),
            key,
            id,
            sequence: sequence.and_then(|text| rising(&text)),
            at_us: message.timestamp().to_millis().map(|at| at * 1_000),
        })
    }

    /// Whether the topic keeps only the last event of each key; `None` when no broker says so.
    async fn compacted(&self) -> Option<bool> {
        let this = self.clone();
        let runtime = tokio::runtime::Handle::current();
        let asking = tokio::task::spawn_blocking(move || {
            let client: AdminClient<DefaultClientContext> = this.client().create().ok()?;
            let options = AdminOptions::new().request_timeout(Some(LIMIT / 2));
            let topic = [ResourceSpecifier::Topic(&this.topic.topic)];
            let told = runtime.block_on(client.describe_configs(&topic, &options));
            let told = told.ok()?.into_iter().next()?.ok()?;
            let policy = told.get("cleanup.policy")?.value.clone()?;
            Some(policy.split(',').any(|one| one.trim() == COMPACT))
        });
        asking.await.ok().flatten()
    }
}

/// A text that is short enough to be an id.
fn text(bytes: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && text.len() <= LONGEST_TEXT).then(|| Box::from(text))
}

/// What a message says at a place of its value; the value itself may be plain text.
fn value(payload: Option<&[u8]>, json: Option<&serde_json::Value>, at: &str) -> Option<Box<str>> {
    if at.is_empty() {
        let bytes = payload?;
        // A string in quotes is the same id as one without.
        let quoted: Option<String> = serde_json::from_slice(bytes).ok();
        return quoted.map_or_else(|| text(bytes), |string| text(string.as_bytes()));
    }
    match json?.pointer(at)? {
        serde_json::Value::String(string) => text(string.as_bytes()),
        serde_json::Value::Number(number) => text(number.to_string().as_bytes()),
        _ => None,
    }
}

/// A whole number, or a time that leaves no doubt.
fn rising(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| moment(text).map(|at| at.at_us))
}

fn asked(error: &KafkaError) -> Fault {
    Fault::asked(error.to_string())
}

fn lost(error: &KafkaError) -> Fault {
    let reason = error.rdkafka_error_code().map_or(Reason::Lost, reason_of);
    Fault::new(reason, error.to_string())
}

const fn reason_of(error: RDKafkaErrorCode) -> Reason {
    use RDKafkaErrorCode::{
        InvalidTopic, TopicAuthorizationFailed, UnknownTopic, UnknownTopicOrPartition,
    };
    match error {
        InvalidTopic | TopicAuthorizationFailed | UnknownTopic | UnknownTopicOrPartition => {
            Reason::Asked
        }
        RDKafkaErrorCode::OperationTimedOut => Reason::Slow,
        _ => Reason::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_where_it_is_said_to_be() {
        // The message's value; the pointer; the id.
        let table: [(&str, &str, Option<&str>); 11] = [
            (r#"{"id":7}"#, "/id", Some("7")),
            (r#"{"event":{"id":"a-1"}}"#, "/event/id", Some("a-1")),
            (
                r#"{"id":18446744073709551615}"#,
                "/id",
                Some("18446744073709551615"),
            ),
            (r#"{"id":null}"#, "/id", None),
            (r#"{"id":[7]}"#, "/id", None),
            (r#"{"other":7}"#, "/id", None),
            ("not JSON", "/id", None),
            ("kim", "", Some("kim")),
            ("17", "", Some("17")),
            (r#""kim""#, "", Some("kim")),
            ("", "", None),
        ];
        for (payload, at, id) in table {
            let json = serde_json::from_str(payload).ok();
            let found = value(Some(payload.as_bytes()), json.as_ref(), at);
            assert_eq!(found.as_deref(), id, "{payload} at {at:?}");
        }
        assert_eq!(value(None, None, ""), None, "a tombstone");
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert_eq!(text(long.as_bytes()), None);
        assert_eq!(text(&[0xff]), None, "not UTF-8");
    }

    #[test]
    fn what_rises_is_a_number_or_a_time() {
        let table = [
            ("-3", Some(-3)),
            (" 1740700800000001 ", Some(1_740_700_800_000_001)),
            ("2025-02-28T00:00:00.000001Z", Some(1_740_700_800_000_001)),
            ("2025-02-28T00:00:00", None), // of which zone?
            ("later", None),
        ];
        for (text, at) in table {
            assert_eq!(rising(text), at, "{text}");
        }
    }
}
