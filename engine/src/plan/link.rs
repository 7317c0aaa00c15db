//! What can be done to the bytes between two parties, as plain data.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

/// The most that one rule may hold a byte back, and the longest pause between two slices.
pub const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// One fault on a link, and whom it meets. How long it lasts is said when it is applied.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkRule {
    /// What is done.
    pub fault: LinkFault,
    /// To which connections, or calls, and in which direction.
    pub selection: Selection,
}

/// What is done to the bytes between two parties.
///
/// Directions are those of [`Selection::direction`]; what is said of "connections" is true of the
/// selected ones. A connection is *new* when it is accepted while the rule is active.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkFault {
    /// Bytes are held back and then go on in their order. What arrives meanwhile is held too, so
    /// throughput is not limited until a connection holds 1 MiB in a direction.
    Delay {
        /// The mean; at most [`LONGEST_DELAY`].
        by: Duration,
        /// Half of the width when uniform (at most `by`), the standard deviation when normal.
        jitter: Duration,
        /// How delays lie around `by`; each lot of bytes that arrives together draws its own.
        spread: Spread,
    },
    /// All connections of the link together carry so much in each direction (a token bucket that
    /// holds what 10 ms give).
    Rate {
        /// Bytes per second and direction.
        bytes_per_second: NonZeroU64,
    },
    /// Bytes go on in pieces, each in a segment of its own.
    Slice {
        /// The largest piece.
        bytes: NonZeroU32,
        /// Between two pieces of a connection and direction; at most [`LONGEST_DELAY`].
        pause: Duration,
    },
    /// RST to both parties, at once on open connections; while the rule lasts, on new ones when
    /// they are accepted. Has no direction.
    Reset,
    /// Bytes are read and go nowhere, and neither does the end of a stream. Connections stay open,
    /// and new ones are accepted. When the rule ends, a connection that has lost something is
    /// reset, since its stream has a hole; any other goes on.
    BlackHole,
    /// The kernel answers RST to whoever connects, as where nobody listens. Open connections are
    /// left as they are. Meets all connections of the link; has no direction.
    Refuse,
    /// FIN to both parties after so much, and what still comes is thrown away.
    Close {
        /// From when the rule met the connection.
        after: After,
    },
    /// Connections that are open when it is applied: one party gets RST, the other keeps an open
    /// connection on which nothing ever comes and what is written goes nowhere. `to_server` and
    /// `both`: the server's side is gone; `to_client`: the client's. When the rule ends, the side
    /// that is left gets RST. New connections are not met.
    HalfOpen,
    /// A call reaches the server and is carried out, and its reply is swallowed; then both parties
    /// get RST, so that the client knows nothing of this call and of those behind it, and never
    /// takes another's reply for its own. A reply that is an error (RESP, `MySQL`) goes on: nothing
    /// was carried out. [`Selection`] counts calls and not connections. Has no direction.
    DropReply {
        /// Whose reply.
        of: Command,
    },
}

/// How jitter lies around its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Evenly from mean - jitter to mean + jitter.
    Uniform,
    /// A normal distribution, cut off at zero and at four deviations.
    Normal,
}

/// When a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// So many bytes have gone on in the rule's direction (both: added up). None may have: 0 closes
    /// at once.
    Bytes(u64),
    /// So much time has passed.
    Time(Duration),
}

/// Whom a rule meets. Several servers are told apart by links of their own, not here.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The probability to be met, above 0 and at most 1; drawn from the seed for each connection, or
    /// for each call.
    pub share: f64,
    /// Only each n-th connection of the link, counted from its first, or each n-th matching call
    /// since the rule was applied. The draw comes after.
    pub every: Option<NonZeroU32>,
    /// Which bytes.
    pub direction: Direction,
}

/// Which bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// All.
    Both,
    /// From the party that connected.
    ToServer,
    /// To the party that connected.
    ToClient,
}

/// What is spoken on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Anything; single calls are not seen.
    Opaque,
    /// Redis, RESP2 and RESP3.
    Resp,
    /// `MySQL` and `MariaDB`, as long as a connection uses neither TLS nor compression.
    MySql,
    /// Kafka without TLS.
    Kafka,
}

/// A call that a protocol knows by name; only [`Command::new`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    protocol: Protocol,
    name: String,
    /// Kafka's number for it; 0 elsewhere.
    api: i16,
}

/// The longest name of a command, in bytes.
pub const LONGEST_COMMAND: usize = 32;

/// The requests of Kafka's clients by name (Kafka protocol guide, "API keys"). `Produce` has a
/// reply unless it was sent with `acks=0`.
const KAFKA_APIS: [(&str, i16); 20] = [
    ("Produce", 0),
    ("Fetch", 1),
    ("ListOffsets", 2),
    ("Metadata", 3),
    ("OffsetCommit", 8),
    ("OffsetFetch", 9),
    ("FindCoordinator", 10),
    ("JoinGroup", 11),
    ("Heartbeat", 12),
    ("LeaveGroup", 13),
    ("SyncGroup", 14),
    ("ApiVersions", 18),
    ("CreateTopics", 19),
    ("DeleteTopics", 20),
    ("InitProducerId", 22),
    ("AddPartitionsToTxn", 24),
    ("AddOffsetsToTxn", 25),
    ("EndTxn", 26),
    ("TxnOffsetCommit", 28),
    ("ConsumerGroupHeartbeat", 68),
];

impl Command {
    /// A command by name, in any case: RESP, the first word of a command (`EVALSHA`, `SET`);
    /// `MySQL`, the first word of a statement, prepared or not (`COMMIT`, `INSERT`); Kafka, the name
    /// of an API (`Produce`, `OffsetCommit`).
    ///
    /// # Errors
    /// In words, when the protocol has no such calls.
    pub fn new(protocol: Protocol, name: &str) -> Result<Self, String> {
        let (name, api) = match protocol {
            Protocol::Opaque => {
                return Err(format!(
                    "`{name}` cannot be told from other bytes where the protocol is not known"
                ));
            }
            Protocol::Kafka => kafka_api(name)?,
            Protocol::Resp | Protocol::MySql => (word(name)?, 0),
        };
        Ok(Self {
            protocol,
            name,
            api,
        })
    }

    /// Where it is known.
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// In capital letters, or as Kafka writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Kafka's number for it; 0 elsewhere.
    pub const fn api(&self) -> i16 {
        self.api
    }
}

fn word(name: &str) -> Result<String, String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=LONGEST_COMMAND).contains(&name.len()) && name.bytes().all(letter) {
        return Ok(name.to_ascii_uppercase());
    }
    Err(format!(
        "`{name}` is no command: write its first word, of 1 to {LONGEST_COMMAND} letters, \
         as in `EVALSHA` or `COMMIT`"
    ))
}

fn kafka_api(name: &str) -> Result<(String, i16), String> {
    let known = KAFKA_APIS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some((known, api)) = known {
        return Ok(((*known).to_owned(), *api));
    }
    let names: Vec<_> = KAFKA_APIS.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    Err(format!("Kafka has no `{name}` here, but {names}"))
}

impl Default for Selection {
    /// Everything.
    fn default() -> Self {
        Self {
            share: 1.0,
            every: None,
            direction: Direction::Both,
        }
    }
}

impl Selection {
    /// Whether nothing is left out.
    fn is_everything(&self) -> bool {
        self.share >= 1.0 && self.every.is_none_or(|every| every.get() == 1)
    }
}

impl LinkRule {
    /// The fault on all connections or calls, both ways.
    pub fn of(fault: LinkFault) -> Self {
        Self {
            fault,
            selection: Selection::default(),
        }
    }

    /// What is wrong with the rule on a link that speaks `protocol`, in words; nothing when it can
    /// be applied.
    pub fn problem(&self, protocol: Protocol) -> Option<String> {
        let share = self.selection.share;
        if !(share > 0.0 && share <= 1.0) {
            return Some(format!("a share of {share} is not above 0 and at most 1"));
        }
        if !self.fault.has_direction() && self.selection.direction != Direction::Both {
            let kind = self.fault.kind();
            return Some(format!("{kind} has no direction: leave it out"));
        }
        self.problem_of_fault(protocol)
    }

    fn problem_of_fault(&self, protocol: Protocol) -> Option<String> {
        match &self.fault {
            LinkFault::Delay { by, jitter, spread } => problem_of_delay(*by, *jitter, *spread),
            LinkFault::Slice { pause, .. } => too_long("a pause", *pause),
            LinkFault::Refuse if !self.selection.is_everything() => Some(
                "refuse meets all connections, since the kernel answers: leave share and every out"
                    .to_owned(),
            ),
            LinkFault::DropReply { of } if of.protocol != protocol => Some(format!(
                "{of} is a call of {}, and the link speaks {protocol}",
                of.protocol
            )),
            _ => None,
        }
    }
}

fn problem_of_delay(by: Duration, jitter: Duration, spread: Spread) -> Option<String> {
    if spread == Spread::Uniform && jitter > by {
        return Some(format!(
            "a uniform jitter of {jitter:?} is more than the delay of {by:?}"
        ));
    }
    too_long("a delay", by).or_else(|| too_long("a jitter", jitter))
}

fn too_long(what: &str, time: Duration) -> Option<String> {
    (time > LONGEST_DELAY).then(|| format!("{what} of {time:?} is more than {LONGEST_DELAY:?}"))
}

impl LinkFault {
    /// As a scenario calls it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::Rate { .. } => "rate",
            Self::Slice { .. } => "slice",
            Self::Reset => "reset",
            Self::BlackHole => "black_hole",
            Self::Refuse => "refuse",
            Self::Close { .. } => "close",
            Self::HalfOpen => "half_open",
            Self::DropReply { .. } => "drop_reply",
        }
    }

    /// Whether it can meet one direction alone.
    pub const fn has_direction(&self) -> bool {
        !matches!(self, Self::Reset | Self::Refuse | Self::DropReply { .. })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opaque => "any protocol",
            Self::Resp => "RESP",
            Self::MySql => "MySQL",
            Self::Kafka => "Kafka",
        })
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(by: u64, jitter: u64, spread: Spread) -> LinkFault {
        LinkFault::Delay {
            by: Duration::from_secs(by),
            jitter: Duration::from_secs(jitter),
            spread,
        }
    }

    fn with(fault: LinkFault, share: f64, every: u32, direction: Direction) -> LinkRule {
        let every = NonZeroU32::new(every);
        let selection = Selection {
            share,
            every,
            direction,
        };
        LinkRule { fault, selection }
    }

    #[test]
    fn rules_that_cannot_be_carried_out_are_refused_in_words() {
        use {Direction::*, LinkFault::*, Spread::*};
        let commit = Command::new(Protocol::MySql, "commit").unwrap();
        let drop = DropReply { of: commit };
        let table = [
            ("no share", with(Reset, 0.0, 0, Both), "share"),
            ("more than all", with(Reset, 1.5, 0, Both), "share"),
            ("not a number", with(BlackHole, f64::NAN, 0, Both), "share"),
            ("reset one way", with(Reset, 1.0, 0, ToClient), "direction"),
            ("refuse some", with(Refuse, 0.5, 0, Both), "kernel"),
            ("refuse each second", with(Refuse, 1.0, 2, Both), "kernel"),
            ("below zero", LinkRule::of(delay(1, 2, Uniform)), "jitter"),
            ("too long", LinkRule::of(delay(61, 0, Uniform)), "60s"),
            ("too wide", LinkRule::of(delay(60, 61, Normal)), "61s"),
            ("other protocol", LinkRule::of(drop), "link speaks RESP"),
        ];
        for (case, rule, word) in table {
            let problem = rule.problem(Protocol::Resp).unwrap_or_default();
            assert!(problem.contains(word), "{case}: {problem}");
        }
    }

    #[test]
    fn rules_at_the_edge_are_taken() {
        use {Direction::*, LinkFault::*, Spread::*};
        for rule in [
            with(Reset, 0.001, 7, Both),
            with(Refuse, 1.0, 1, Both),
            with(BlackHole, 1.0, 0, ToClient),
            LinkRule::of(delay(60, 60, Uniform)),
            LinkRule::of(delay(0, 1, Normal)),
        ] {
            assert_eq!(rule.problem(Protocol::Opaque), None, "{rule:?}");
        }
    }

    #[test]
    fn commands_are_known_in_any_case() {
        let table = [
            (Protocol::Resp, "evalSha", Ok("EVALSHA")),
            (Protocol::MySql, "commit", Ok("COMMIT")),
            (Protocol::Kafka, "produce", Ok("Produce")),
            (Protocol::Kafka, "OFFSETCOMMIT", Ok("OffsetCommit")),
            (Protocol::Kafka, "Consume", Err("Produce, Fetch")),
            (Protocol::Resp, "", Err("first word")),
            (Protocol::MySql, "INSERT INTO", Err("first word")),
            (Protocol::Opaque, "SET", Err("not known")),
        ];
        for (protocol, name, expected) in table {
            match (Command::new(protocol, name), expected) {
                (Ok(command), Ok(name)) => assert_eq!(command.name(), name),
                (Err(words), Err(part)) => assert!(words.contains(part), "{words}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
    }
}
