//! The planted defects: what each is, and which strategies have the part that it is planted in.
//!
//! Correct code asks for a defect by name, and [`Bugs`] answers: one question for each.
//!
//! | bug | planted in | what public code did |
//! |---|---|---|
//! | `oversell` | [`Bugs::acts_on_an_old_look`] | read the stock, thought, then took without looking |
//! | `double-issue` | [`Bugs::looks_for_an_earlier_coupon`] | asked nowhere whether the user holds one |
//! | `lost-ack` | [`Bugs::loses_the_row`] | answered before the row was safe |
//! | `last-one-refused` | [`Bugs::refuses_the_last`] | compared with `<=` where `<` was meant |
//! | `false-duplicate` | [`Bugs::storage_fails`] | took every insert error for "already issued" |
//! | `lua-compare` | [`Bugs::compares_text_with_number`] | compared what GET returns with a number |
//! | `lease-unchecked` | [`Bugs::looks_at_the_lease`] | took a lock that it had once got for one that it still has |
//! | `early-sold-out` | [`Bugs::keeps_a_refusal`] | kept "sold out" in memory after any answer that gave nothing |
//! | `publish-before-commit` | [`Bugs::publishes_before_the_commit`] | sent the event from within the transaction |
//! | `swallowed-publish` | [`Bugs::swallows_a_failed_publish`] | sent the event after the commit, and logged a failure |
//! | `offset-before-effect` | [`Bugs::commits_before_the_effect`] | let the client commit offsets before the work was done |
//! | `effect-not-idempotent` | [`Bugs::repeats_the_effect`] | took every event that it read for a new one |
//! | `affected-rows-ignored` | [`Bugs::ignores_the_affected_rows`] | guarded the decrement, and never asked whether it happened |
//! | `lost-update` | [`Bugs::writes_back_what_it_read`] | wrote the number that it had read, less one |
//! | `one-too-many` | [`Bugs::least_stock`] | compared with `>=` where `>` was meant |
//! | `no-unique-key` | [`Bugs::has_a_unique_key`] | looked for an earlier coupon, with no key behind the look |
//! | `duplicate-takes-stock` | [`Bugs::keeps_the_decrement_of_a_duplicate`] | committed decrement and row apart |
//! | `loose-collation` | [`Bugs::takes_names_loosely`] | left names to a collation that ignores case |
//! | `highest-id-answered` | [`Bugs::answers_the_highest_id`] | asked for `MAX(id)` after the insert |
//! | `replica-read` | [`Bugs::asks_a_replica`] | looked for an earlier coupon on a replica that is behind |
//! | `stale-snapshot` | [`Bugs::reads_an_old_snapshot`] | locked the row after its snapshot was taken |
//! | `commit-error-swallowed` | [`Bugs::takes_a_failed_commit_for_done`] | logged the error of COMMIT, and went on |
//! | `retry-without-key` | [`Bugs::retries_blindly`] | did a request again whose answer was lost |
//! | `ghost-duplicate` | [`Bugs::notes_the_user_first`] | noted the user as a holder before there was a coupon |
//! | `stock-returned-twice` | [`Bugs::gives_back_twice`] | gave back in `catch` and again in `finally` |
//! | `full-queue-drops` | [`Bugs::drops_what_finds_no_place`] | let a full queue discard what it was handed |
//! | `preload-twice` | [`Bugs::loads_the_whole_stock`] | set the stock to the total at every start |
//! | `offset-before-write` | [`Bugs::moves_on_before_the_rows`] | committed offsets when it read, not when it had written |
//! | `unknown-given-back` | [`Bugs::gives_back_what_is_unknown`] | took a time-out for a failure, and undid what had happened |
//! | `unlock-not-owner` | [`Bugs::unlocks_for_others`] | deleted the lock without asking whose it is |
//! | `unlock-before-commit` | [`Bugs::unlocks_before_the_commit`] | unlocked inside of the transaction |
//! | `lock-per-user` | [`Bugs::locks_by_user`] | put the user into the lock's key |
//! | `lease-in-milliseconds` | [`Bugs::takes_seconds_for_milliseconds`] | gave a lease in one unit where another was meant |
//! | `local-lock-fallback` | [`Bugs::falls_back_to_a_lock_of_its_own`] | locked in its own memory while Redis was gone |
//! | `stock-from-cache` | [`Bugs::decides_by_the_cache`] | kept the stock in the cache of what a coupon is |
//! | `queue-skipped` | [`Bugs::asks_who_was_admitted`] | asked for the admission where the page is shown, not where coupons are issued |
//! | `admission-over-limit` | [`Bugs::forgets_who_is_inside`] | let in a number in each interval, whoever was still inside |
//! | `ticket-wall-clock` | [`Bugs::takes_places_from_the_clock`] | took `System.currentTimeMillis()` of each server for the score of the queue |

mod ask;

use clap::ValueEnum as _;

use crate::strategy::StrategyName;

pub(crate) use ask::Bugs;

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
    /// The script compares the text that Redis returns with a number (where a script in Redis decides)
    LuaCompare,
    /// What was done under a lock is committed, also when the lock has run out (redlock)
    LeaseUnchecked,
    /// After any answer that gave nothing, the next 20 users are told that it is sold out
    EarlySoldOut,
    /// The event is published within the transaction, which may still fail (outbox)
    PublishBeforeCommit,
    /// The event is published after the commit, once, and a failure is only logged (outbox)
    SwallowedPublish,
    /// The issuer moves on in the topic before it has written what the events ask for (where an issuer writes the rows)
    OffsetBeforeEffect,
    /// An event that the issuer reads again has its effect again (where an issuer writes the rows)
    EffectNotIdempotent,
    /// The decrement has its condition, but nobody asks whether it changed a row (sqlite-atomic, db-conditional)
    AffectedRowsIgnored,
    /// The stock is written as what was read less one, whatever it is by now (sqlite-atomic, db-conditional)
    LostUpdate,
    /// A stock of nothing counts as one more (sqlite-atomic, db-conditional)
    OneTooMany,
    /// An earlier coupon is looked for, and no key refuses what the look missed (sqlite-atomic, db-conditional)
    NoUniqueKey,
    /// The decrement stays when the row is refused as a duplicate (sqlite-atomic, db-conditional)
    DuplicateTakesStock,
    /// Users whose names differ in upper and lower case are one user to the key (sqlite-atomic, db-conditional)
    LooseCollation,
    /// The answer names the highest id of the table, whoever's it is by then (sqlite-atomic)
    HighestIdAnswered,
    /// An earlier coupon is looked for on a replica that is half a second behind (sqlite-lock)
    ReplicaRead,
    /// An earlier coupon is looked for in a snapshot from before the lock (db-pessimistic)
    StaleSnapshot,
    /// A COMMIT that failed is answered as issued (db-pessimistic, db-conditional)
    CommitErrorSwallowed,
    /// When the answer to COMMIT is lost, the coupon is issued again without a look (db-pessimistic)
    RetryWithoutKey,
    /// A user counts as a holder from the moment of asking, whatever the answer was
    GhostDuplicate,
    /// What could not be given is put back into the stock twice (memory-then-sqlite, memory-kafka)
    StockReturnedTwice,
    /// A row that finds the write queue full is dropped, and its user told that it is issued (memory-then-sqlite)
    FullQueueDrops,
    /// Every start puts the whole stock back (memory-then-sqlite, and where a script in Redis decides)
    PreloadTwice,
    /// The issuer's place in the topic moves on before the rows are written (where an issuer writes them)
    OffsetBeforeWrite,
    /// A coupon whose event may have arrived is given back (redis-kafka, memory-kafka, queue)
    UnknownGivenBack,
    /// Whoever is done deletes the lock, also one who did not get it (redlock)
    UnlockNotOwner,
    /// The lock is given back before the transaction is committed (redlock)
    UnlockBeforeCommit,
    /// Each user has a lock of their own (redlock)
    LockPerUser,
    /// The lease is taken for a thousandth of what was said (redisson)
    LeaseInMilliseconds,
    /// While Redis does not answer, each server locks in its own memory (redlock)
    LocalLockFallback,
    /// The stock is the one that the cache has kept (redlock with --coupon-cache-s)
    StockFromCache,
    /// Whoever asks for a coupon gets one, admitted or not (queue with --guard-issue true)
    QueueSkipped,
    /// Each interval admits as many as may be inside, whoever still is (queue)
    AdmissionOverLimit,
    /// The place in the queue is the time of the server that was asked (queue)
    TicketWallClock,
}

const BY_SCRIPT: [StrategyName; 4] = [
    StrategyName::RedisLua,
    StrategyName::RedisKafka,
    StrategyName::FireAndForget,
    StrategyName::Queue,
];

impl Bug {
    /// The strategies that have the part in which it is planted. `None`: all of them have it.
    pub fn strategies(self) -> Option<&'static [StrategyName]> {
        use StrategyName::{
            DbConditional, DbPessimistic, FireAndForget, MemoryKafka, MemoryThenSqlite, Outbox,
            Queue, RedisKafka, RedisLua, Redisson, Redlock, SqliteAtomic, SqliteLock,
        };
        Some(match self {
            Self::Oversell
            | Self::DoubleIssue
            | Self::LostAck
            | Self::LastOneRefused
            | Self::FalseDuplicate
            | Self::EarlySoldOut
            | Self::GhostDuplicate => return None,
            Self::LuaCompare => &BY_SCRIPT,
            Self::AffectedRowsIgnored
            | Self::LostUpdate
            | Self::OneTooMany
            | Self::NoUniqueKey
            | Self::DuplicateTakesStock
            | Self::LooseCollation => &[SqliteAtomic, DbConditional],
            Self::HighestIdAnswered => &[SqliteAtomic],
            Self::ReplicaRead => &[SqliteLock],
            Self::StaleSnapshot | Self::RetryWithoutKey => &[DbPessimistic],
            Self::CommitErrorSwallowed => &[DbPessimistic, DbConditional],
            Self::StockReturnedTwice => &[MemoryThenSqlite, MemoryKafka],
            Self::FullQueueDrops => &[MemoryThenSqlite],
            Self::PreloadTwice => &[MemoryThenSqlite, RedisLua, RedisKafka, FireAndForget, Queue],
            Self::PublishBeforeCommit | Self::SwallowedPublish => &[Outbox],
            Self::OffsetBeforeWrite | Self::OffsetBeforeEffect | Self::EffectNotIdempotent => {
                &[MemoryKafka, RedisKafka, FireAndForget, Outbox, Queue]
            }
            Self::UnknownGivenBack => &[RedisKafka, MemoryKafka, Queue],
            Self::LeaseUnchecked
            | Self::UnlockNotOwner
            | Self::UnlockBeforeCommit
            | Self::LockPerUser
            | Self::LocalLockFallback
            | Self::StockFromCache => &[Redlock],
            Self::LeaseInMilliseconds => &[Redisson],
            Self::QueueSkipped | Self::AdmissionOverLimit | Self::TicketWallClock => &[Queue],
        })
    }

    /// Whether the strategy has the part in which it is planted.
    pub fn fits(self, strategy: StrategyName) -> bool {
        self.strategies()
            .is_none_or(|strategies| strategies.contains(&strategy))
    }
}

/// As it is written on the command line.
impl std::fmt::Display for Bug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_has_a_place_in_some_strategy_and_says_in_its_help_which() {
        for bug in Bug::value_variants() {
            let Some(strategies) = bug.strategies() else {
                assert!(bug.fits(StrategyName::SqliteAtomic), "{bug}");
                continue;
            };
            assert!(!strategies.is_empty(), "{bug}");
            let value = bug.to_possible_value().expect("none is hidden");
            let help = value.get_help().expect("all have one").to_string();
            let (_, named) = help.rsplit_once('(').expect("what it needs, in brackets");
            let all = strategies
                .iter()
                .all(|one| named.contains(&one.to_string()));
            let where_ = named.contains("where a script") || named.contains("where an issuer");
            assert!(all || where_, "{bug}: {help}");
        }
    }
}
