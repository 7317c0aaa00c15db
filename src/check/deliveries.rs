//! What was read of the way of an issued row: the outbox, the events of a topic, the effects of
//! their consumer.

use serde::{Deserialize, Serialize};

/// All of it; what the scenario does not name is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deliveries {
    /// Ids of the outbox rows.
    pub outbox: Ids,
    /// Ids of the consumer's effects, each as often as it is there.
    pub effects: Ids,
    /// Where each partition ended before the load; `None`: that was not read.
    pub ends: Option<Vec<End>>,
    /// The events, read to the end that the topic had then.
    pub events: Option<EventsRead>,
}

impl Deliveries {
    /// The texts behind the ids, for those few that a report shows.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let events = self.events.iter().flat_map(|read| &read.events);
        let ids = [&self.outbox.last, &self.effects.last];
        let ids = ids.into_iter().flatten().flatten().map(String::as_str);
        ids.chain(events.filter_map(|event| event.id.as_deref()))
    }
}

/// Ids that were read twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    /// Before the load.
    pub before: Option<Vec<String>>,
    /// Once the system was quiet.
    pub last: Option<Vec<String>>,
}

/// Where a partition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its number.
    pub partition: i32,
    /// The offset that the next event would get.
    pub end: i64,
}

/// All events that a topic held at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsRead {
    /// When the read was complete, nanoseconds since the run's origin.
    pub at_ns: u64,
    /// What was read of each partition.
    pub partitions: Vec<Range>,
    /// Whether the topic throws away what a later event of the same key replaces; `None`: the
    /// brokers did not say.
    pub compacted: Option<bool>,
    /// Events of other coupons, which are not kept.
    pub others: u64,
    /// In the order of each partition.
    pub events: Vec<Event>,
}

/// The offsets of one partition, of which some may hold no event: markers of transactions, and what
/// was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Its number.
    pub partition: i32,
    /// The first offset that was still there.
    pub from: i64,
    /// The offset behind the last.
    pub to: i64,
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The partition that it is in.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// The message's key, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Box<str>>,
    /// What it is the event of; `None`: the message does not say where the scenario says it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// Its place among those of the same key, where the scenario names one and the message has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// When it was published, microseconds of Unix time, as exact as a millisecond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_us: Option<i64>,
}
