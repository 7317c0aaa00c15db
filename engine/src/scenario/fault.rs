//! `faults` as they were written.

use super::position::{At, Position};
use super::value::{Count, Name, Span};

/// One entry of the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) name: At<Name>,
    pub(crate) what: What,
    pub(crate) which: Option<At<String>>,
    pub(crate) start: Start,
    pub(crate) lasts: Option<At<Span>>,
    pub(crate) every: Option<At<Span>>,
    pub(crate) times: Option<At<Count>>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    One(Blow),
    /// At each beginning one of these, chosen by the seed.
    Chaos {
        position: Position,
        pick: Vec<Blow>,
    },
}

/// Something is broken somehow: `redis: { delay: 200ms }`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blow {
    pub(crate) party: At<String>,
    /// One of [`KINDS`] that fits the party.
    pub(crate) kind: At<&'static str>,
    /// What is said about it, each by its name; all that must be said is there.
    pub(crate) settings: Vec<(&'static str, At<String>)>,
}

/// A kind of fault: what it is called, to whom it can be done, and what can be said about it.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) parties: &'static [&'static str],
    /// Must be said; the first may stand alone, as in `{ delay: 200ms }`.
    pub(crate) needed: &'static [&'static str],
    /// Exactly one of these must be said; the first may stand alone.
    pub(crate) either: &'static [&'static str],
    /// May be said; where nothing must be said, the first may stand alone.
    pub(crate) other: &'static [&'static str],
}

impl Kind {
    const fn of(name: &'static str, parties: &'static [&'static str]) -> Self {
        Self {
            name,
            parties,
            needed: &[],
            either: &[],
            other: &[],
        }
    }

    const fn needs(self, needed: &'static [&'static str]) -> Self {
        Self { needed, ..self }
    }

    const fn either(self, either: &'static [&'static str]) -> Self {
        Self { either, ..self }
    }

    const fn takes(self, other: &'static [&'static str]) -> Self {
        Self { other, ..self }
    }

    /// Whether its name alone says everything.
    pub(crate) const fn is_a_word(&self) -> bool {
        self.needed.is_empty() && self.either.is_empty()
    }

    /// Whether anything can be said about it.
    pub(crate) const fn has_settings(&self) -> bool {
        !self.is_a_word() || !self.other.is_empty()
    }

    /// What a value without a name stands for.
    pub(crate) fn alone(&self) -> Option<&'static str> {
        let all = [self.needed, self.either, self.other];
        all.into_iter().find_map(<[_]>::first).copied()
    }
}

const PROCESSES: &[&str] = &[
    "redis", "database", "kafka", "server", "coupon", "issuer", "queue", "router",
];
const CLOCKS: &[&str] = &[
    "redis", "database", "server", "coupon", "issuer", "queue", "router",
];
const LINKS: &[&str] = &["redis", "database", "kafka", "client"];
/// Which connections or calls of a link are met, and which bytes.
const SOME: &[&str] = &["share", "every"];
const SOME_BYTES: &[&str] = &["share", "every", "direction"];

/// All kinds.
pub(crate) const KINDS: [Kind; 32] = [
    Kind::of("freeze", PROCESSES),
    Kind::of("kill", PROCESSES),
    Kind::of("stop", PROCESSES),
    Kind::of("restart", PROCESSES),
    Kind::of("cpu_limit", PROCESSES).needs(&["share"]),
    Kind::of("memory_limit", PROCESSES).needs(&["to"]),
    Kind::of("clock_skew", CLOCKS).needs(&["by"]),
    Kind::of("partition", LINKS),
    Kind::of("delay", LINKS).needs(&["by"]).takes(&[
        "jitter",
        "spread",
        "share",
        "every",
        "direction",
    ]),
    Kind::of("rate", LINKS)
        .needs(&["bytes_per_second"])
        .takes(SOME_BYTES),
    Kind::of("slice", LINKS)
        .needs(&["bytes"])
        .takes(&["pause", "share", "every", "direction"]),
    Kind::of("reset", LINKS).takes(SOME),
    Kind::of("black_hole", LINKS).takes(SOME_BYTES),
    Kind::of("refuse", LINKS),
    Kind::of("close", LINKS)
        .either(&["after", "bytes"])
        .takes(SOME_BYTES),
    Kind::of("half_open", LINKS).takes(SOME_BYTES),
    Kind::of("drop_reply", &["redis", "database", "kafka"])
        .needs(&["of"])
        .takes(SOME),
    Kind::of("stall", &["redis"]).takes(&["of"]),
    Kind::of("out_of_memory", &["redis"]),
    Kind::of("evict", &["redis"]),
    Kind::of("lose_writes", &["redis"]).takes(&["of_last"]),
    Kind::of("failover", &["redis"]).takes(&["lose"]),
    Kind::of("kill_clients", &["redis"]).takes(&["every"]),
    Kind::of("clients_exhausted", &["redis"]),
    Kind::of("commit_stall", &["database"]),
    Kind::of("hot_row", &["database"]).takes(&["lock"]),
    Kind::of("pool_exhausted", &["database"]).takes(&["leave"]),
    Kind::of("kill_sessions", &["database"]).takes(&["every"]),
    Kind::of("read_only", &["database"]),
    Kind::of("below_min_isr", &["kafka"]),
    Kind::of("followers_frozen", &["kafka"]),
    Kind::of("loss", PROCESSES).needs(&["share"]),
];

/// A fault of the field that is another one for those who speak TCP.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) name: &'static str,
    /// What it comes to.
    pub(crate) why: &'static str,
    /// What is written in its place.
    pub(crate) hint: &'static str,
}

/// All of them: refused, with what says the same.
pub(crate) const KINDS_ELSEWHERE: [Elsewhere; 4] = [
    Elsewhere {
        name: "netem",
        why: "it is a part of the kernel that does several things",
        hint: "for packets that are lost write `loss: 10%`, for a slow way `delay: { by: 20ms, jitter: 20ms }`",
    },
    Elsewhere {
        name: "duplicate",
        why: "TCP throws away what comes twice, so the parties see at most a delay",
        hint: "write `delay: { by: 20ms, jitter: 20ms }`, on the way to a server under `client`",
    },
    Elsewhere {
        name: "reorder",
        why: "TCP puts packets into their order again, so the parties see a delay",
        hint: "write `delay: { by: 20ms, jitter: 20ms }`, on the way to a server under `client`",
    },
    Elsewhere {
        name: "corrupt",
        why: "a packet that fails its checksum is thrown away, so the parties see that it is lost",
        hint: "write `loss: 10%`",
    },
];

/// When it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Start {
    /// `hold + 30s`
    At(At<String>),
    After(At<Span>),
    /// `issued >= 50%`
    When(At<String>),
}
