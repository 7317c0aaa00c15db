//! The planted defects: each is one answer of [`Bugs`], and correct code asks for it by name.
//!
//! | bug | planted in | what public code did |
//! |---|---|---|
//! | `oversell` | [`Bugs::acts_on_an_old_look`] | read the stock, thought, then took without looking |
//! | `double-issue` | [`Bugs::looks_for_an_earlier_coupon`] | had no unique key on user and coupon |
//! | `lost-ack` | [`Bugs::loses_the_row`] | answered before the row was safe |
//! | `last-one-refused` | [`Bugs::refuses_the_last`] | compared with `<=` where `<` was meant |
//! | `lua-compare` | [`Bugs::compares_text_with_number`] | compared what GET returns with a number |
//! | `false-duplicate` | [`Bugs::storage_fails`] | took every insert error for "already issued" |
//! | `early-sold-out` | [`Bugs::keeps_a_refusal`] | kept "sold out" in memory after any answer that gave nothing |
//! | `publish-before-commit` | [`Bugs::publishes_before_the_commit`] | sent the event from within the transaction |
//! | `swallowed-publish` | [`Bugs::swallows_a_failed_publish`] | sent the event after the commit, and logged a failure |
//! | `offset-before-effect` | [`Bugs::commits_before_the_effect`] | let the client commit offsets before the work was done |
//! | `effect-not-idempotent` | [`Bugs::repeats_the_effect`] | took every event that it read for a new one |
//! | `lease-unchecked` | [`Bugs::looks_at_the_lease`] | took a lock that it had once got for one that it still has |

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A defect that can be planted on purpose.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bug {
    /// The stock is read, and taken some milliseconds later without looking again
    Oversell,
    /// Nothing stops a user from getting the same coupon twice
    DoubleIssue,
    /// Some coupons are acknowledged, but their rows are not kept
    LostAck,
    /// The last coupon is taken from the stock, but answered as sold out
    LastOneRefused,
    /// A storage error is answered as "already issued"
    FalseDuplicate,
    /// The script compares the text that Redis returns with a number (only redis-lua)
    LuaCompare,
    /// What was done under a lock is committed, also when the lock has run out (only redlock)
    LeaseUnchecked,
    /// The event is published within the transaction, which may still fail (only outbox)
    PublishBeforeCommit,
    /// The event is published after the commit, once, and a failure is only logged (only outbox)
    SwallowedPublish,
    /// The issuer moves on in the topic before it has written what the events ask for (only
    /// strategies with events)
    OffsetBeforeEffect,
    /// An event that the issuer reads again has its effect again (only strategies with events)
    EffectNotIdempotent,
    /// After any answer that gave nothing, the next 20 users are told that it is sold out
    EarlySoldOut,
}

/// What the planted bug, if any, makes the server do.
#[derive(Debug)]
pub(crate) struct Bugs {
    planted: Option<Bug>,
    chance: Chance,
}

impl Bugs {
    /// Of 1,000 requests, those a bug of chance strikes.
    const STRIKES_PER_MILLE: u64 = 30;

    /// As long as a slow check on another machine takes.
    const REMOTE_CHECK: Duration = Duration::from_millis(20);

    /// As long as a slow call for a batch of events takes.
    const REMOTE_CALL: Duration = Duration::from_millis(300);

    pub(crate) fn new(planted: Option<Bug>, seed: u64) -> Self {
        Self {
            planted,
            chance: Chance {
                seed,
                asked: AtomicU64::new(0),
            },
        }
    }

    /// Whether the stock is taken on the word of a look that is no longer true.
    pub(crate) fn acts_on_an_old_look(&self) -> bool {
        self.planted == Some(Bug::Oversell)
    }

    /// The time between an old look and the act.
    pub(crate) async fn remote_check(&self) {
        tokio::time::sleep(Self::REMOTE_CHECK).await;
    }

    /// The time between the two steps of an issuer that belong together.
    pub(crate) async fn remote_call(&self) {
        tokio::time::sleep(Self::REMOTE_CALL).await;
    }

    /// Whether an event is sent while its transaction may still fail.
    pub(crate) fn publishes_before_the_commit(&self) -> bool {
        self.planted == Some(Bug::PublishBeforeCommit)
    }

    /// Whether an event is sent once behind the commit, whatever becomes of it.
    pub(crate) fn swallows_a_failed_publish(&self) -> bool {
        self.planted == Some(Bug::SwallowedPublish)
    }

    /// Whether the issuer commits its place before it has done what the events ask for.
    pub(crate) fn commits_before_the_effect(&self) -> bool {
        self.planted == Some(Bug::OffsetBeforeEffect)
    }

    /// Whether the issuer does not ask if an event had its effect already.
    pub(crate) fn repeats_the_effect(&self) -> bool {
        self.planted == Some(Bug::EffectNotIdempotent)
    }

    /// Whether effects are written by themselves, and not with the rows of their events.
    pub(crate) fn splits_the_effect(&self) -> bool {
        self.commits_before_the_effect() || self.repeats_the_effect()
    }

    /// Whether anything, code or index, asks if the user already holds the coupon.
    pub(crate) fn looks_for_an_earlier_coupon(&self) -> bool {
        self.planted != Some(Bug::DoubleIssue)
    }

    /// Whether the row of this acknowledged coupon is dropped.
    pub(crate) fn loses_the_row(&self) -> bool {
        self.planted == Some(Bug::LostAck) && self.chance.strikes(Self::STRIKES_PER_MILLE)
    }

    /// Whether a coupon that was taken counts as sold out, given what is `left` after it.
    pub(crate) fn refuses_the_last(&self, left: i64) -> bool {
        self.planted == Some(Bug::LastOneRefused) && left <= 0
    }

    /// Whether [`Self::refuses_the_last`] can be true: where what is left costs a query, only
    /// then is it asked for.
    pub(crate) fn may_refuse_the_last(&self) -> bool {
        self.planted == Some(Bug::LastOneRefused)
    }

    /// Whether the script asks if a text equals the number 0, which no text does.
    pub(crate) fn compares_text_with_number(&self) -> bool {
        self.planted == Some(Bug::LuaCompare)
    }

    /// Whether a holder asks before the commit if the lock is still its own.
    pub(crate) fn looks_at_the_lease(&self) -> bool {
        self.planted != Some(Bug::LeaseUnchecked)
    }

    /// Whether a refusal is kept as "sold out", and given to the next who ask.
    pub(crate) fn keeps_a_refusal(&self) -> bool {
        self.planted == Some(Bug::EarlySoldOut)
    }

    /// Whether every storage error is answered as a duplicate.
    pub(crate) fn takes_errors_for_duplicates(&self) -> bool {
        self.planted == Some(Bug::FalseDuplicate)
    }

    /// Whether the storage is made to fail for this request.
    pub(crate) fn storage_fails(&self) -> bool {
        self.takes_errors_for_duplicates() && self.chance.strikes(Self::STRIKES_PER_MILLE)
    }
}

/// Decides by seed and by how often it was asked, so that a run can be repeated.
#[derive(Debug)]
struct Chance {
    seed: u64,
    asked: AtomicU64,
}

impl Chance {
    fn strikes(&self, per_mille: u64) -> bool {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed);
        scatter(self.seed.wrapping_add(scatter(nth))) % 1000 < per_mille
    }
}

/// Spreads neighbouring numbers over the whole range (the finaliser of `SplitMix64`).
fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(bugs: &Bugs) -> Vec<bool> {
        (0..10_000).map(|_| bugs.loses_the_row()).collect()
    }

    #[test]
    fn strikes_about_three_times_in_a_hundred() {
        let struck = strikes(&Bugs::new(Some(Bug::LostAck), 7))
            .iter()
            .filter(|&&s| s)
            .count();
        assert!((200..400).contains(&struck), "{struck} of 10,000");
    }

    #[test]
    fn strikes_the_same_requests_for_the_same_seed() {
        let of = |seed| strikes(&Bugs::new(Some(Bug::LostAck), seed));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn changes_nothing_when_none_is_planted() {
        let bugs = Bugs::new(None, 7);
        assert!(bugs.looks_for_an_earlier_coupon() && bugs.looks_at_the_lease());
        assert!(!bugs.acts_on_an_old_look() && !bugs.refuses_the_last(0) && !bugs.storage_fails());
        assert!(!bugs.keeps_a_refusal() && !bugs.splits_the_effect());
        assert!(!bugs.publishes_before_the_commit() && !bugs.swallows_a_failed_publish());
        assert!(strikes(&bugs).iter().all(|struck| !struck));
    }
}
