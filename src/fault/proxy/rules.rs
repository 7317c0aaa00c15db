//! A rule while it is active on a link: whom it meets, and what its connections share.

use std::cell::Cell;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::chance;
use crate::plan::{Direction, LinkRule, Selection, mix};

/// The number of a rule on its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub(super) u64);

/// Where bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    Server,
    Client,
}

/// A rule with what all connections of the link share of it.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) id: RuleId,
    pub(super) rule: LinkRule,
    /// The draws of this rule follow from it.
    pub(super) key: u64,
    /// Ends it when its time is over.
    pub(super) timer: AbortHandle,
    /// Matching calls so far.
    calls: Cell<u64>,
    /// When the next byte may go, to the server and to the client.
    buckets: [Cell<Option<Instant>>; 2],
}

impl Drop for Active {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

impl Active {
    pub(super) fn new(id: RuleId, rule: LinkRule, seed: u64, timer: AbortHandle) -> Self {
        Self {
            id,
            rule,
            key: mix(seed ^ mix(id.0)),
            timer,
            calls: Cell::new(0),
            buckets: [const { Cell::new(None) }; 2],
        }
    }

    /// Whether the rule is for the connection of this number; they count from 1.
    pub(super) fn meets(&self, connection: u64) -> bool {
        chosen(&self.rule.selection, self.key, connection)
    }

    /// Whether the rule is for the matching call that has just come.
    pub(super) fn meets_call(&self) -> bool {
        self.calls.update(|calls| calls + 1);
        chosen(&self.rule.selection, self.key, self.calls.get())
    }

    /// Whether the rule is for bytes that go there.
    pub(super) fn is_for(&self, towards: Towards) -> bool {
        match self.rule.selection.direction {
            Direction::Both => true,
            Direction::ToServer => towards == Towards::Server,
            Direction::ToClient => towards == Towards::Client,
        }
    }

    /// Takes so many bytes of the link's rate: when they may go.
    pub(super) fn reserve(&self, bytes: usize, rate: u64, towards: Towards) -> Instant {
        const BURST: Duration = Duration::from_millis(10);
        let now = Instant::now();
        let bucket = &self.buckets[towards as usize];
        let full = now.checked_sub(BURST).unwrap_or(now);
        let goes = bucket.get().map_or(full, |next| next.max(full));
        bucket.set(Some(
            goes + Duration::from_secs_f64(bytes as f64 / rate as f64),
        ));
        goes
    }
}

fn chosen(selection: &Selection, key: u64, number: u64) -> bool {
    let every = selection.every.map_or(1, |every| u64::from(every.get()));
    number.is_multiple_of(every) && chance::unit(key ^ mix(number)) < selection.share
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn met(share: f64, every: u32, seed: u64) -> Vec<u64> {
        let every = NonZeroU32::new(every);
        let selection = Selection {
            share,
            every,
            ..Selection::default()
        };
        let chosen = |number: &u64| chosen(&selection, mix(seed), *number);
        (1..=1_000).filter(chosen).collect()
    }

    #[test]
    fn a_share_is_met_by_chance_and_by_the_seed_alone() {
        assert_eq!(met(1.0, 0, 1).len(), 1_000);
        let some = met(0.2, 0, 1);
        // Five deviations of 12.6.
        assert!((137..=263).contains(&some.len()), "{}", some.len());
        assert_eq!(some, met(0.2, 0, 1));
        assert_ne!(some, met(0.2, 0, 2));
    }

    #[test]
    fn each_nth_begins_with_the_nth() {
        assert_eq!(met(1.0, 400, 7), [400, 800]);
        assert!(met(0.5, 2, 7).iter().all(|number| number % 2 == 0));
    }
}
