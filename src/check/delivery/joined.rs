//! The reads of all places joined by id. Memory: a few words for each row, event and effect.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::check::{Event, EventsRead, Ids, IssuedRead, Observations, RowView};
use crate::history::Key;
use crate::plan::Identity;

/// What is where. A place that was not read is `None`.
pub(super) struct Joined<'d> {
    /// Every issued row of any read.
    pub(super) rows: HashMap<Key, Held>,
    /// Rows of the final read that name no coupon, where coupons are compared.
    pub(super) nameless: u64,
    pub(super) outbox: Option<Place>,
    pub(super) events: Option<Topic<'d>>,
    pub(super) effects: Option<Place>,
}

/// An issued row, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) user: Key,
    pub(super) created_us: Option<i64>,
    /// The final read has it, and the one before the load did not.
    pub(super) is_new: bool,
}

/// How often each id is there.
pub(super) struct Place {
    pub(super) counts: HashMap<Key, u32>,
    /// Before the load; `None`: that was not read.
    pub(super) before: Option<HashMap<Key, u32>>,
}

/// The events of a topic.
pub(super) struct Topic<'d> {
    pub(super) read: &'d EventsRead,
    /// All ids, of events from before the load as well.
    pub(super) ids: HashSet<Key>,
    /// Where each partition ended before the load; `None`: that was not read.
    pub(super) ends: Option<BTreeMap<i32, i64>>,
}

impl<'d> Joined<'d> {
    pub(super) fn of(observations: &'d Observations, by: Identity) -> Self {
        let deliveries = &observations.deliveries;
        let (rows, nameless) = rows(observations, by);
        let ends = deliveries.ends.as_ref();
        let ends: Option<BTreeMap<i32, i64>> =
            ends.map(|ends| ends.iter().map(|one| (one.partition, one.end)).collect());
        let events = deliveries.events.as_ref();
        Self {
            rows,
            nameless,
            outbox: Place::of(&deliveries.outbox),
            events: events.map(|read| Topic {
                ids: read.events.iter().filter_map(id_of).collect(),
                read,
                ends,
            }),
            effects: Place::of(&deliveries.effects),
        }
    }

    pub(super) fn new_rows(&self) -> usize {
        self.rows.values().filter(|row| row.is_new).count()
    }

    /// What must be published: the new rows, and what is new in the outbox.
    pub(super) fn source(&self) -> HashSet<Key> {
        let rows = self.rows.iter().filter(|(_, row)| row.is_new);
        let outbox = self.outbox.iter().flat_map(Place::new_ids);
        rows.map(|(id, _)| *id).chain(outbox).collect()
    }
}

impl Place {
    fn of(ids: &Ids) -> Option<Self> {
        Some(Self {
            counts: counted(ids.last.as_ref()?),
            before: ids.before.as_deref().map(counted),
        })
    }

    /// How often it was there before the load, as far as is known.
    pub(super) fn before(&self, id: Key) -> u32 {
        let before = self.before.as_ref();
        before.and_then(|before| before.get(&id)).map_or(0, |n| *n)
    }

    /// Those that were not there before the load.
    pub(super) fn new_ids(&self) -> impl Iterator<Item = Key> {
        let ids = self.counts.keys().copied();
        ids.filter(|id| self.before(*id) == 0)
    }
}

impl Topic<'_> {
    /// Whether it was published since the load began, as far as is known.
    pub(super) fn is_new(&self, event: &Event) -> bool {
        event.offset >= self.end_before(event.partition)
    }

    /// Where the partition ended before the load; one that was not there began at 0.
    pub(super) fn end_before(&self, partition: i32) -> i64 {
        let ends = self.ends.as_ref();
        ends.and_then(|ends| ends.get(&partition)).map_or(0, |n| *n)
    }

    /// Each id that was published since the load began, with its first event.
    pub(super) fn new_ids(&self) -> HashMap<Key, &Event> {
        let mut first = HashMap::new();
        for event in self.read.events.iter().filter(|one| self.is_new(one)) {
            if let Some(id) = id_of(event) {
                first.entry(id).or_insert(event);
            }
        }
        first
    }
}

pub(super) fn id_of(event: &Event) -> Option<Key> {
    event.id.as_deref().map(Key::of)
}

fn rows(observations: &Observations, by: Identity) -> (HashMap<Key, Held>, u64) {
    let mut rows: HashMap<Key, Held> = HashMap::new();
    let mut nameless = 0;
    let baseline = observations.baseline.as_ref();
    let reads: [(Option<&IssuedRead>, bool); 3] = [
        (baseline, false),
        (observations.last.as_ref(), true),
        (observations.second.as_ref(), false),
    ];
    for (read, is_new) in reads {
        for row in read.iter().flat_map(|read| read.rows.iter()) {
            let Some(id) = identity(&row, by) else {
                nameless += u64::from(is_new);
                continue;
            };
            rows.entry(id).or_insert_with(|| Held {
                user: Key::of(row.user),
                created_us: row.created_us,
                is_new,
            });
        }
    }
    (rows, nameless)
}

fn identity(row: &RowView<'_>, by: Identity) -> Option<Key> {
    match by {
        Identity::Coupon => row.id.map(Key::of),
        Identity::User => Some(Key::of(row.user)),
    }
}

fn counted(ids: impl AsRef<[String]>) -> HashMap<Key, u32> {
    let mut counts = HashMap::new();
    for id in ids.as_ref() {
        *counts.entry(Key::of(id)).or_default() += 1;
    }
    counts
}
