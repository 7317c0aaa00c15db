//! The planted defects of the bundled server, and which strategies have what they break.

use super::Overrides;
use super::target::check_name;
use crate::scenario::{At, Report, did_you_mean};

/// Decided in a script in Redis.
const BY_SCRIPT: &[&str] = &["redis-lua", "redis-kafka", "fire-and-forget", "queue"];

/// One statement and a unique key.
const BY_CONDITION: &[&str] = &["sqlite-atomic", "db-conditional"];

/// Rows are written by an issuer.
const WITH_EVENTS: &[&str] = &[
    "memory-kafka",
    "redis-kafka",
    "fire-and-forget",
    "outbox",
    "queue",
];

/// Every bug, with the strategies that it can be planted in; none stands for all of them.
const BUGS: [(&str, &[&str]); 38] = [
    ("oversell", &[]),
    ("double-issue", &[]),
    ("lost-ack", &[]),
    ("last-one-refused", &[]),
    ("false-duplicate", &[]),
    ("lua-compare", BY_SCRIPT),
    ("lease-unchecked", &["redlock"]),
    ("early-sold-out", &[]),
    ("publish-before-commit", &["outbox"]),
    ("swallowed-publish", &["outbox"]),
    ("offset-before-effect", WITH_EVENTS),
    ("effect-not-idempotent", WITH_EVENTS),
    ("affected-rows-ignored", BY_CONDITION),
    ("lost-update", BY_CONDITION),
    ("one-too-many", BY_CONDITION),
    ("no-unique-key", BY_CONDITION),
    ("duplicate-takes-stock", BY_CONDITION),
    ("loose-collation", BY_CONDITION),
    ("highest-id-answered", &["sqlite-atomic"]),
    ("replica-read", &["sqlite-lock"]),
    ("stale-snapshot", &["db-pessimistic"]),
    (
        "commit-error-swallowed",
        &["db-pessimistic", "db-conditional"],
    ),
    ("retry-without-key", &["db-pessimistic"]),
    ("ghost-duplicate", &[]),
    (
        "stock-returned-twice",
        &["memory-then-sqlite", "memory-kafka"],
    ),
    ("full-queue-drops", &["memory-then-sqlite"]),
    (
        "preload-twice",
        &[
            "memory-then-sqlite",
            "redis-lua",
            "redis-kafka",
            "fire-and-forget",
            "queue",
        ],
    ),
    ("offset-before-write", WITH_EVENTS),
    (
        "unknown-given-back",
        &["redis-kafka", "memory-kafka", "queue"],
    ),
    ("unlock-not-owner", &["redlock"]),
    ("unlock-before-commit", &["redlock"]),
    ("lock-per-user", &["redlock"]),
    ("lease-in-milliseconds", &["redisson"]),
    ("local-lock-fallback", &["redlock"]),
    ("stock-from-cache", &["redlock"]),
    ("queue-skipped", &["queue"]),
    ("admission-over-limit", &["queue"]),
    ("ticket-wall-clock", &["queue"]),
];

/// What the strategy is where none is written.
const USUAL_STRATEGY: &str = "sqlite-atomic";

pub(super) fn check(
    strategy: Option<&At<String>>,
    bug: Option<&At<String>>,
    overrides: &Overrides,
    report: &mut Report<'_>,
) {
    let names = BUGS.map(|(name, _)| name);
    check_name("bug", bug, &names, report);
    if let Some(bug) = &overrides.bug
        && !names.contains(&bug.as_str())
    {
        let hint = did_you_mean(bug, &names);
        report.argument(format!("--bug {bug}"), "unknown bug".to_owned(), Some(hint));
    }
    at_home(strategy, bug, overrides, report);
}

/// A bug of a script or of a lock needs a strategy that has one.
fn at_home(
    strategy: Option<&At<String>>,
    bug: Option<&At<String>>,
    overrides: &Overrides,
    report: &mut Report<'_>,
) {
    let planted = match (&overrides.bug, bug) {
        (Some(bug), _) => bug,
        (None, Some(bug)) => &bug.value,
        (None, None) => return,
    };
    let of_it = BUGS.iter().find(|(name, _)| name == planted);
    let Some((name, [home, more @ ..])) = of_it else {
        return;
    };
    let chosen = strategy.map_or(USUAL_STRATEGY, |strategy| strategy.value.as_str());
    if chosen == *home || more.contains(&chosen) {
        return;
    }
    let message = format!("`{name}` is a bug of the strategy `{home}`");
    let hint = format!("write `server: {{ strategy: {home} }}`, or plant another bug");
    match (&overrides.bug, bug) {
        (None, Some(bug)) => report.error_hint(bug.position, message, hint),
        _ => report.argument(format!("--bug {name}"), message, Some(hint)),
    }
}
