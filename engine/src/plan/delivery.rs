//! Where the way of an issued row is read: outbox, events, effects; as plain data.

use super::slots::Slot;
use super::truth::Source;

/// Where it is read that what was issued was published, and had its effect.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delivery {
    /// Ids of the outbox rows.
    pub outbox: Option<Source>,
    /// The events.
    pub events: Option<Events>,
    /// Ids of what the consumer of the events has done.
    pub effects: Option<Source>,
}

/// Where events are, and what is read of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Where they are.
    pub of: EventsOf,
    /// What an event is the event of.
    pub id: EventId,
    /// JSON pointer to a whole number or a time that rises within a key; empty: the value itself.
    pub sequence: Option<String>,
    /// Only events of this coupon are looked at.
    pub coupon: Option<OfCoupon>,
}

/// Where an event says of which coupon it is, and the coupon that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfCoupon {
    /// JSON pointer into the message's value; empty: the value itself, as text.
    pub at: String,
    /// Its id.
    pub is: String,
}

/// Where events are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventsOf {
    /// A topic of Kafka.
    Kafka(Topic),
    /// The bundled server's own topic: its brokers are only known when they have started.
    Bundled,
}

/// A topic of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// `HOST:PORT`, several separated by commas.
    pub brokers: String,
    /// Its name.
    pub topic: String,
}

/// Where an event says what it is the event of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventId {
    /// The message's key.
    Key,
    /// JSON pointer into the message's value; empty: the value itself, as text.
    Value(String),
}

impl Delivery {
    /// Whether it is said where anything can be compared with the issued rows.
    pub const fn is_some(&self) -> bool {
        self.outbox.is_some() || self.events.is_some() || self.effects.is_some()
    }

    /// The sources with what `before` has captured.
    ///
    /// # Errors
    /// As [`Source::filled_in`].
    pub fn filled_in(&self, slots: &[Slot], values: &[Option<String>]) -> Result<Self, String> {
        let fill = |source: &Option<Source>| {
            let filled = source.as_ref().map(|one| one.filled_in(slots, values));
            filled.transpose()
        };
        Ok(Self {
            outbox: fill(&self.outbox)?,
            events: self.events.clone(),
            effects: fill(&self.effects)?,
        })
    }
}
