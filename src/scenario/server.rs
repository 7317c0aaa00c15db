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
    Count { least: u64, most: u64 },
    Span { unit: Unit, most: Duration },
    Words(&'static [(&'static str, &'static str)]),
}

/// In which unit `serve` takes a length of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    Milliseconds,
}

impl Unit {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Milliseconds => "-ms",
        }
    }

    /// `None` if the time is no whole number of them.
    pub(crate) fn whole(self, time: Duration) -> Option<u128> {
        let nanos = match self {
            Self::Milliseconds => 1_000_000,
        };
        let time = time.as_nanos();
        time.is_multiple_of(nanos).then(|| time / nanos)
    }
}

impl Row {
    /// As `serve` calls it: the key with dashes, and with the unit where it takes a number of them.
    pub(crate) fn flag(&self) -> String {
        let suffix = match self.kind {
            SettingKind::Span { unit, .. } => unit.suffix(),
            _ => "",
        };
        format!("--{}{suffix}", self.key.replace('_', "-"))
    }
}

const ON_REDIS: &[&str] = &["redis-lua"];
const WRITING_BEHIND: &[&str] = &["memory-then-sqlite", "redis-lua"];

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

/// Every setting that a scenario may give, by name.
pub(crate) const SETTINGS: [Row; 5] = [
    Row {
        key: "database_pool",
        kind: SettingKind::Count {
            least: 1,
            most: 1000,
        },
        default: "4",
        example: "8",
        about: "Connections of each process to the database, 1 to 1000; with `SQLite` those that read.",
        strategies: &[],
    },
    Row {
        key: "lock_timeout",
        kind: SettingKind::Span {
            unit: Unit::Milliseconds,
            most: Duration::from_hours(1),
        },
        default: "5s",
        example: "1s",
        about: "Longest wait for the database's lock (whole seconds with MySQL); then the request is refused.",
        strategies: &[],
    },
    Row {
        key: "log_level",
        kind: SettingKind::Words(&[
            ("off", "nothing"),
            ("error", "what failed"),
            ("warn", "and what is strange"),
            ("info", "and what happens once"),
            ("debug", "and what happens often"),
            ("trace", "and everything else"),
        ]),
        default: "info",
        example: "debug",
        about: "How much each process writes to its log.",
        strategies: &[],
    },
    Row {
        key: "queue",
        kind: SettingKind::Count {
            least: 1,
            most: 10_000_000,
        },
        default: "10_000",
        example: "1000",
        about: "Issued coupons that may wait to be written; when it is full, requests are refused.",
        strategies: WRITING_BEHIND,
    },
    Row {
        key: "redis_pool",
        kind: SettingKind::Count {
            least: 1,
            most: 1000,
        },
        default: "4",
        example: "10",
        about: "Connections of each process to each Redis, 1 to 1000, which requests use in turn.",
        strategies: ON_REDIS,
    },
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
