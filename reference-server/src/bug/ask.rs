//! What correct code asks about the planted defect: one question for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Bug;

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
        self.has(Bug::Oversell)
    }

    /// The time between an old look and the act.
    pub(crate) async fn remote_check(&self) {
        tokio::time::sleep(Self::REMOTE_CHECK).await;
    }

    /// Whether anything, code or index, asks if the user already holds the coupon.
    pub(crate) fn looks_for_an_earlier_coupon(&self) -> bool {
        !self.has(Bug::DoubleIssue)
    }

    /// Whether the row of this acknowledged coupon is dropped.
    pub(crate) fn loses_the_row(&self) -> bool {
        self.has(Bug::LostAck) && self.chance.strikes(Self::STRIKES_PER_MILLE)
    }

    /// Whether a coupon that was taken counts as sold out, given what is `left` after it.
    pub(crate) fn refuses_the_last(&self, left: i64) -> bool {
        self.has(Bug::LastOneRefused) && left <= 0
    }

    /// Whether [`Self::refuses_the_last`] can be true: where what is left costs a query, only
    /// then is it asked for.
    pub(crate) fn may_refuse_the_last(&self) -> bool {
        self.has(Bug::LastOneRefused)
    }

    /// Whether the script asks if a text equals the number 0, which no text does.
    pub(crate) fn compares_text_with_number(&self) -> bool {
        self.has(Bug::LuaCompare)
    }

    /// Whether a holder asks before the commit if the lock is still its own.
    pub(crate) fn looks_at_the_lease(&self) -> bool {
        !self.has(Bug::LeaseUnchecked)
    }

    /// Whether a refusal is kept as "sold out", and given to the next who ask.
    pub(crate) fn keeps_a_refusal(&self) -> bool {
        self.has(Bug::EarlySoldOut)
    }

    /// Whether every storage error is answered as a duplicate.
    pub(crate) fn takes_errors_for_duplicates(&self) -> bool {
        self.has(Bug::FalseDuplicate)
    }

    /// Whether the storage is made to fail for this request.
    pub(crate) fn storage_fails(&self) -> bool {
        self.takes_errors_for_duplicates() && self.chance.strikes(Self::STRIKES_PER_MILLE)
    }

    /// Whether a decrement counts as done, whatever number of rows it changed.
    pub(crate) fn ignores_the_affected_rows(&self) -> bool {
        self.has(Bug::AffectedRowsIgnored)
    }

    /// Whether the stock is set to what was read less one, instead of being decremented.
    pub(crate) fn writes_back_what_it_read(&self) -> bool {
        self.has(Bug::LostUpdate)
    }

    /// The stock at and below which nothing is left.
    pub(crate) fn least_stock(&self) -> i64 {
        if self.has(Bug::OneTooMany) { -1 } else { 0 }
    }

    /// Whether a unique key refuses a second row, where the strategy has one.
    pub(crate) fn has_a_unique_key(&self) -> bool {
        self.looks_for_an_earlier_coupon() && !self.relies_on_a_look()
    }

    /// Whether a look for an earlier coupon takes the place of the unique key.
    pub(crate) fn relies_on_a_look(&self) -> bool {
        self.has(Bug::NoUniqueKey)
    }

    /// Whether the decrement is committed, also when the row is refused as a duplicate. Whoever
    /// does that leaves it to the key to find duplicates.
    pub(crate) fn keeps_the_decrement_of_a_duplicate(&self) -> bool {
        self.has(Bug::DuplicateTakesStock)
    }

    /// Whether upper and lower case are the same to the key on users.
    pub(crate) fn takes_names_loosely(&self) -> bool {
        self.has(Bug::LooseCollation)
    }

    /// Whether the id of an answer is the highest of the table at that moment.
    pub(crate) fn answers_the_highest_id(&self) -> bool {
        self.has(Bug::HighestIdAnswered)
    }

    /// Whether an earlier coupon is looked for on a replica.
    pub(crate) fn asks_a_replica(&self) -> bool {
        self.has(Bug::ReplicaRead)
    }

    /// Whether a transaction reads a snapshot, and takes it before the lock.
    pub(crate) fn reads_an_old_snapshot(&self) -> bool {
        self.has(Bug::StaleSnapshot)
    }

    /// Whether an error of COMMIT is taken for the end of a good transaction.
    pub(crate) fn takes_a_failed_commit_for_done(&self) -> bool {
        self.has(Bug::CommitErrorSwallowed)
    }

    /// Whether a transaction whose COMMIT failed is done again without a look.
    pub(crate) fn retries_blindly(&self) -> bool {
        self.has(Bug::RetryWithoutKey)
    }

    /// Whether a user is kept as a holder from the first request on.
    pub(crate) fn notes_the_user_first(&self) -> bool {
        self.has(Bug::GhostDuplicate)
    }

    /// Whether what could not be given is put back twice.
    pub(crate) fn gives_back_twice(&self) -> bool {
        self.has(Bug::StockReturnedTwice)
    }

    /// Whether a row for which the queue has no place is dropped without a word.
    pub(crate) fn drops_what_finds_no_place(&self) -> bool {
        self.has(Bug::FullQueueDrops)
    }

    /// Whether a start takes the total for what is left, and puts it over what is there.
    pub(crate) fn loads_the_whole_stock(&self) -> bool {
        self.has(Bug::PreloadTwice)
    }

    /// Whether the place in the topic moves on when events are read.
    pub(crate) fn moves_on_before_the_rows(&self) -> bool {
        self.has(Bug::OffsetBeforeWrite)
    }

    /// Whether a coupon is given back whose event may be there.
    pub(crate) fn gives_back_what_is_unknown(&self) -> bool {
        self.has(Bug::UnknownGivenBack)
    }

    /// The time between the two steps of an issuer that belong together.
    pub(crate) async fn remote_call(&self) {
        tokio::time::sleep(Self::REMOTE_CALL).await;
    }

    /// Whether an event is sent while its transaction may still fail.
    pub(crate) fn publishes_before_the_commit(&self) -> bool {
        self.has(Bug::PublishBeforeCommit)
    }

    /// Whether an event is sent once behind the commit, whatever becomes of it.
    pub(crate) fn swallows_a_failed_publish(&self) -> bool {
        self.has(Bug::SwallowedPublish)
    }

    /// Whether the issuer commits its place before it has done what the events ask for.
    pub(crate) fn commits_before_the_effect(&self) -> bool {
        self.has(Bug::OffsetBeforeEffect)
    }

    /// Whether the issuer does not ask if an event had its effect already.
    pub(crate) fn repeats_the_effect(&self) -> bool {
        self.has(Bug::EffectNotIdempotent)
    }

    /// Whether effects are written by themselves, and not with the rows of their events.
    pub(crate) fn splits_the_effect(&self) -> bool {
        self.commits_before_the_effect() || self.repeats_the_effect()
    }

    /// Whether a lock is deleted without a look at whose it is.
    pub(crate) fn unlocks_for_others(&self) -> bool {
        self.has(Bug::UnlockNotOwner)
    }

    /// Whether the lock is given back inside of the transaction.
    pub(crate) fn unlocks_before_the_commit(&self) -> bool {
        self.has(Bug::UnlockBeforeCommit)
    }

    /// Whether the lock is one of coupon and user.
    pub(crate) fn locks_by_user(&self) -> bool {
        self.has(Bug::LockPerUser)
    }

    /// Whether the number of milliseconds of a lease is divided by 1,000.
    pub(crate) fn takes_seconds_for_milliseconds(&self) -> bool {
        self.has(Bug::LeaseInMilliseconds)
    }

    /// Whether a lock of this process stands in for the one in Redis.
    pub(crate) fn falls_back_to_a_lock_of_its_own(&self) -> bool {
        self.has(Bug::LocalLockFallback)
    }

    /// Whether the cached stock decides.
    pub(crate) fn decides_by_the_cache(&self) -> bool {
        self.has(Bug::StockFromCache)
    }

    /// Whether a guarded coupon is for admitted users only.
    pub(crate) fn asks_who_was_admitted(&self) -> bool {
        !self.has(Bug::QueueSkipped)
    }

    /// Whether users are admitted as if nobody were inside.
    pub(crate) fn forgets_who_is_inside(&self) -> bool {
        self.has(Bug::AdmissionOverLimit)
    }

    /// Whether a place in the queue is what the server's clock says.
    pub(crate) fn takes_places_from_the_clock(&self) -> bool {
        self.has(Bug::TicketWallClock)
    }

    fn has(&self, bug: Bug) -> bool {
        self.planted == Some(bug)
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
        assert!(!bugs.keeps_a_refusal() && bugs.has_a_unique_key() && bugs.least_stock() == 0);
        assert!(!bugs.splits_the_effect());
        assert!(!bugs.publishes_before_the_commit() && !bugs.swallows_a_failed_publish());
        assert!(bugs.asks_who_was_admitted() && !bugs.forgets_who_is_inside());
        assert!(!bugs.takes_places_from_the_clock());
        assert!(strikes(&bugs).iter().all(|struck| !struck));
    }
}
