//! The bundled server as a scenario describes it, and the settings that it may give: one row each,
//! from which the decoder, the schema and the command line of `serve` follow.

use std::time::Duration;

use super::position::{At, Position};
use super::value::Count;

/// `target.stack.server`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Server {
    pub(crate) strategy: Option<At<String>>,
    pub(crate) bug: Option<At<String>>,
    pub(crate) replicas: Option<Replicas>,
    pub(crate) settings: Vec<ServerSetting>,
}

/// How many processes there are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Replicas {
    /// Of those that issue coupons.
    Issuing(At<Count>),
    /// By role.
    ByRole(Vec<(&'static str, At<Count>)>),
}

/// A setting that is written, and valid by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerSetting {
    pub(crate) row: &'static Row,
    pub(crate) position: Position,
    /// As `serve` takes it.
    pub(crate) argument: String,
    /// As people read it.
    pub(crate) shown: String,
}

/// A setting that may be written.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: &'static str,
    pub(crate) kind: SettingKind,
    /// What `serve` does without it, as a scenario writes it.
    pub(crate) default: &'static str,
    pub(crate) example: &'static str,
    pub(crate) about: &'static str,
    /// Whose it is; empty for every strategy.
    pub(crate) strategies: &'static [&'static str],
}

/// Which values a setting takes.
#[derive(Debug, PartialEq)]
pub(crate) enum SettingKind {
    Count {
        least: u64,
        most: u64,
    },
    Span {
        unit: Unit,
        least: Duration,
    },
    /// Below the whole.
    Share,
    Flag,
    Words(&'static [(&'static str, &'static str)]),
}

/// In which unit `serve` takes a length of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    Milliseconds,
    Seconds,
}

impl Unit {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Milliseconds => "-ms",
            Self::Seconds => "-s",
        }
    }

    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
        }
    }

    /// `None` if the time is no whole number of them.
    pub(crate) fn whole(self, time: Duration) -> Option<u128> {
        let nanos = match self {
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        };
        let time = time.as_nanos();
        time.is_multiple_of(nanos).then(|| time / nanos)
    }
}

impl Row {
    const fn new(
        key: &'static str,
        kind: SettingKind,
        default: &'static str,
        example: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            key,
            kind,
            default,
            example,
            about,
            strategies: &[],
        }
    }

    const fn only(self, strategies: &'static [&'static str]) -> Self {
        Self { strategies, ..self }
    }

    /// As `serve` calls it: the key with dashes, and with the unit where it takes a number of them.
    pub(crate) fn flag(&self) -> String {
        let suffix = match self.kind {
            SettingKind::Span { unit, .. } => unit.suffix(),
            _ => "",
        };
        format!("--{}{suffix}", self.key.replace('_', "-"))
    }
}

/// What a process can be for, where they are not all alike.
pub(crate) const ROLES: [(&str, &str); 4] = [
    (
        "router",
        "the entry: they count requests, and send users to the queue or on",
    ),
    ("queue", "the queue: they keep the order of those who wait"),
    ("coupon", "asked for coupons: they decide who gets one"),
    ("issuer", "behind the answers: they write the rows"),
];

const ON_REDIS: &[&str] = &[
    "fire-and-forget",
    "queue",
    "redis-kafka",
    "redis-lua",
    "redisson",
    "redlock",
];
const QUEUEING: &[&str] = &[
    "fire-and-forget",
    "memory-kafka",
    "memory-then-sqlite",
    "queue",
    "redis-kafka",
    "redis-lua",
    "redisson",
];
const ON_KAFKA: &[&str] = &[
    "fire-and-forget",
    "memory-kafka",
    "outbox",
    "queue",
    "redis-kafka",
];
const OUTBOX: &[&str] = &["outbox"];
const QUEUE: &[&str] = &["queue"];
const LOCKING: &[&str] = &["redisson", "redlock"];
const REDLOCK: &[&str] = &["redlock"];
const REDISSON: &[&str] = &["redisson"];

const POOL: SettingKind = SettingKind::Count {
    least: 1,
    most: 1000,
};
/// Longer ones are a mistake in the unit.
pub(crate) const LONGEST: Duration = Duration::from_hours(24);
const ANY_TIME: SettingKind = SettingKind::Span {
    unit: Unit::Milliseconds,
    least: Duration::ZERO,
};
const SOME_TIME: SettingKind = SettingKind::Span {
    unit: Unit::Milliseconds,
    least: Duration::from_millis(1),
};
const ANY_COUNT: SettingKind = SettingKind::Count {
    least: 0,
    most: 4_294_967_295,
};
const LEVEL: SettingKind = SettingKind::Words(&[
    ("off", "nothing"),
    ("error", "what failed"),
    ("warn", "and what is strange"),
    ("info", "and what happens once"),
    ("debug", "and what happens often"),
    ("trace", "and everything else"),
]);

/// Every setting that a scenario may give, by name.
pub(crate) const SETTINGS: [Row; 35] = [
    Row::new(
        "coupon_cache",
        SettingKind::Span {
            unit: Unit::Seconds,
            least: Duration::ZERO,
        },
        "0s",
        "300s",
        "How long Redis keeps what a coupon is, beside its stock; 0: not at all.",
    )
    .only(REDLOCK),
    Row::new(
        "coupon_cache_sold_out",
        SettingKind::Flag,
        "false",
        "true",
        "Whether that cache also says that nothing is left, so that who comes then takes no lock; needs `coupon_cache`.",
    )
    .only(REDLOCK),
    Row::new(
        "database_pool",
        POOL,
        "4",
        "8",
        "Connections of each process to the database, 1 to 1000; with `SQLite` those that read.",
    ),
    Row::new(
        "guard_issue",
        SettingKind::Flag,
        "false",
        "true",
        "Whether coupons are refused to users who are not admitted; without it the queue can be skipped.",
    )
    .only(QUEUE),
    Row::new(
        "indexes",
        SettingKind::Flag,
        "true",
        "false",
        "Whether the tables have their two indexes. A strategy whose guard is one of them refuses to start without.",
    ),
    Row::new(
        "kafka_delivery_timeout",
        SOME_TIME,
        "",
        "5s",
        "Until an event counts as not published: 10 s, and 3 s with fire-and-forget.",
    )
    .only(ON_KAFKA),
    Row::new(
        "kafka_partitions",
        SettingKind::Count {
            least: 1,
            most: 1000,
        },
        "3",
        "12",
        "Partitions of the topic.",
    )
    .only(ON_KAFKA),
    Row::new(
        "lock_drift_factor",
        SettingKind::Share,
        "1%",
        "2%",
        "Part of the time to live by which clocks may differ; below 100 %.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_extend_below",
        ANY_TIME,
        "500ms",
        "1s",
        "A lock that is valid for less than this is extended while it is held; 0: never.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_fallback_database",
        SettingKind::Flag,
        "false",
        "true",
        "Whether a request takes a lock on the coupon's row where the lock in Redis fails.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_lease",
        SOME_TIME,
        "3s",
        "1s",
        "Time after which Redis takes a lock back.",
    )
    .only(REDISSON),
    Row::new(
        "lock_log_level",
        LEVEL,
        "debug",
        "error",
        "The level at which a refused lock is written to the log.",
    )
    .only(LOCKING),
    Row::new(
        "lock_retry_count",
        SettingKind::Count {
            least: 0,
            most: 1000,
        },
        "3",
        "10",
        "Tries for a lock after the first that failed.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_retry_delay",
        ANY_TIME,
        "200ms",
        "500ms",
        "Pause between two tries.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_retry_jitter",
        ANY_TIME,
        "100ms",
        "200ms",
        "Most that chance adds to that pause or takes from it.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_timeout",
        ANY_TIME,
        "5s",
        "1s",
        "Longest wait for the database's lock (whole seconds with MySQL); then the request is refused.",
    ),
    Row::new(
        "lock_ttl",
        SettingKind::Span {
            unit: Unit::Milliseconds,
            least: Duration::from_millis(10),
        },
        "5s",
        "10s",
        "Time to live of a lock in each Redis.",
    )
    .only(REDLOCK),
    Row::new(
        "lock_wait",
        ANY_TIME,
        "3s",
        "1s",
        "Longest wait for a lock; then the request is refused.",
    )
    .only(REDISSON),
    Row::new(
        "lock_work",
        ANY_TIME,
        "0ms",
        "50ms",
        "How long a holder works between reading and writing, as with a call of another service.",
    )
    .only(LOCKING),
    Row::new(
        "log_level",
        LEVEL,
        "info",
        "debug",
        "How much each process writes to its log.",
    ),
    Row::new(
        "outbox_interval",
        SOME_TIME,
        "200ms",
        "5s",
        "Time between two looks of the relay.",
    )
    .only(OUTBOX),
    Row::new(
        "queue",
        SettingKind::Count {
            least: 1,
            most: 10_000_000,
        },
        "10_000",
        "1000",
        "Issued coupons that may wait to be written, or events on their way to Kafka; when it is full, requests are refused.",
    )
    .only(QUEUEING),
    Row::new(
        "queue_expire_interval",
        SOME_TIME,
        "1s",
        "500ms",
        "Time between two looks for those who are gone.",
    )
    .only(QUEUE),
    Row::new(
        "queue_running_timeout",
        SOME_TIME,
        "60s",
        "10s",
        "How long an admitted user may be silent.",
    )
    .only(QUEUE),
    Row::new(
        "queue_threshold",
        ANY_COUNT,
        "100",
        "500",
        "Users who may be admitted at the same time.",
    )
    .only(QUEUE),
    Row::new(
        "queue_traffic_rpm",
        ANY_COUNT,
        "6000",
        "600",
        "Requests for the event page in a minute from which a queue is needed.",
    )
    .only(QUEUE),
    Row::new(
        "queue_transfer_interval",
        SOME_TIME,
        "1s",
        "200ms",
        "Time between two admissions.",
    )
    .only(QUEUE),
    Row::new(
        "queue_transfer_size",
        ANY_COUNT,
        "100",
        "50",
        "Users who are admitted in one interval at most.",
    )
    .only(QUEUE),
    Row::new(
        "queue_waiting_timeout",
        SOME_TIME,
        "30s",
        "10s",
        "How long a waiting user may be silent.",
    )
    .only(QUEUE),
    Row::new(
        "redis_pool",
        POOL,
        "4",
        "10",
        "Connections of each process to each Redis, 1 to 1000, which requests use in turn.",
    )
    .only(ON_REDIS),
    Row::new(
        "stock_preload",
        SettingKind::Words(&[
            (
                "keep",
                "it stays, since rows behind it may not be written yet",
            ),
            ("overwrite", "it is replaced by what the tables say"),
        ]),
        "keep",
        "overwrite",
        "What happens at the start to a stock that Redis has already.",
    )
    .only(REDISSON),
    Row::new(
        "stock_sync",
        SettingKind::Words(&[
            ("off", "only when the server stops"),
            ("periodic", "from time to time, and when the server stops"),
            ("event", "with every batch of rows"),
        ]),
        "periodic",
        "event",
        "How the table's stock follows the one in Redis.",
    )
    .only(REDISSON),
    Row::new(
        "stock_sync_interval",
        SOME_TIME,
        "10s",
        "1s",
        "Time between two periodic syncs.",
    )
    .only(REDISSON),
    Row::new(
        "upstream_connections",
        SettingKind::Count {
            least: 1,
            most: 10_000,
        },
        "256",
        "512",
        "Requests that a router sends to one server at once; more wait for their turn.",
    )
    .only(QUEUE),
    Row::new(
        "upstream_timeout",
        SOME_TIME,
        "5s",
        "10s",
        "Longest time of a forwarded request with its wait; then it is refused.",
    )
    .only(QUEUE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_in_the_order_of_their_names_so_that_people_find_them() {
        let keys: Vec<&str> = SETTINGS.iter().map(|row| row.key).collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(keys, sorted);
    }

    #[test]
    fn a_time_is_given_in_whole_units_or_not_at_all() {
        let table = [
            (Duration::from_secs(5), Some(5000)),
            (Duration::from_millis(1), Some(1)),
            (Duration::ZERO, Some(0)),
            (Duration::from_micros(1500), None),
        ];
        for (time, whole) in table {
            assert_eq!(Unit::Milliseconds.whole(time), whole, "{time:?}");
        }
    }
}
