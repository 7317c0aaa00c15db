//! What a run breaks on purpose, when, and for how long.

use std::time::Duration;

use super::link::LinkRule;

/// One entry of the timeline of faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Unique in the plan; reports, thresholds and charts call it so.
    pub name: String,
    /// What is broken.
    pub victim: Victim,
    /// How.
    pub injection: Injection,
    /// When.
    pub trigger: Trigger,
    /// From the moment it is asked for until it is healed. Zero: healed as soon as it was seen to bite,
    /// or it ends by itself.
    pub lasts: Duration,
    /// How often; at least 1.
    pub times: u32,
    /// From one beginning to the next; longer than `lasts`.
    pub every: Duration,
}

/// What is broken: a kind of party, and which of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Victim {
    /// Who.
    pub party: Party,
    /// Which of them.
    pub which: Which,
}

/// Who can be broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// Redis.
    Redis,
    /// MySQL or MariaDB.
    Database,
    /// Kafka.
    Kafka,
    /// Processes of the server with this role; `All` means every process that issues.
    Server(super::Role),
    /// The way between the load and the system.
    Client,
}

impl Party {
    /// Whether an instance of this party is meant by a fault of that one.
    pub fn belongs_to(&self, meant: &Self) -> bool {
        match (self, meant) {
            (Self::Server(role), Self::Server(super::Role::All)) => role.issues(),
            (party, meant) => party == meant,
        }
    }
}

/// Which instances of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them at once.
    All,
    /// The n-th, from 1.
    Number(u16),
    /// One that the plan's seed chooses, another one each time.
    Any,
}

/// How something is broken.
#[derive(Debug, Clone, PartialEq)]
pub enum Injection {
    /// Stopped by the kernel, with all its connections open.
    Freeze,
    /// Killed, and started again when the fault ends.
    Kill,
    /// Asked to stop, and started again when the fault ends.
    Stop,
    /// Each instance in turn: asked to stop, started again, waited for. It ends by itself.
    Restart,
    /// Its processes get no more CPU time.
    CpuLimit {
        /// Of one core: above 0, at most 1.
        share: f64,
    },
    /// It gets no more memory.
    MemoryLimit {
        /// Bytes.
        to: u64,
    },
    /// It takes it to be later or earlier than it is.
    ClockSkew {
        /// Milliseconds; positive is later.
        by_ms: i64,
    },
    /// Nobody reaches it, and it reaches nobody: connections hang.
    Partition,
    /// Bytes on the way to it are held back, cut or lost.
    Link(LinkRule),
    /// Redis answers nobody, or no write; it ends by itself.
    RedisStall {
        /// Reads are answered.
        writes_only: bool,
    },
    /// Redis has no memory left and refuses writes.
    RedisOutOfMemory,
    /// Redis throws keys away for want of memory. They do not come back.
    RedisEvict,
    /// Redis is killed and comes back without what it wrote last.
    RedisLoseWrites {
        /// How much of what was written before the kill is lost.
        of_last: Duration,
    },
    /// The primary of Redis is killed, and Sentinel makes a replica the primary.
    RedisFailover {
        /// For how long before the kill nothing reaches the replicas.
        lose: Duration,
    },
    /// Redis closes all connections, again and again.
    RedisKillClients {
        /// From one time to the next.
        every: Duration,
    },
    /// All connections that Redis gives are taken.
    RedisClientsExhausted,
    /// Nothing can be committed.
    DatabaseCommitStall,
    /// Another transaction holds the row that everybody needs.
    DatabaseHotRow {
        /// The statement that takes the lock; the bundled system's own coupon without one.
        lock: Option<String>,
    },
    /// Sessions are taken until the server gives no more.
    DatabasePoolExhausted {
        /// How many stay free for the system.
        leave: u32,
    },
    /// All sessions of the system are killed, again and again.
    DatabaseKillSessions {
        /// From one time to the next.
        every: Duration,
    },
    /// Writes are refused.
    DatabaseReadOnly,
    /// All replicas must confirm, and a broker is killed.
    KafkaBelowMinIsr,
    /// All brokers are frozen but the one that leads the topic: what it takes nobody confirms.
    KafkaFollowersFrozen,
    /// The kernel drops packets to and from it.
    Loss {
        /// Of a million, from 1 to all of them; each packet by chance.
        per_million: u32,
    },
}

/// The packets of which [`Injection::Loss`] says how many are lost.
pub const MILLION: u32 = 1_000_000;

/// When a fault begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// So long after the load began.
    At(Duration),
    /// So long after another fault was healed for the last time; its index in the plan.
    After {
        /// Index into the plan's faults; smaller than this fault's own.
        fault: usize,
        /// From its heal.
        delay: Duration,
    },
    /// In the first second that satisfies it.
    When(Condition),
}

/// A state of the load; looked at once a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// What is compared.
    pub figure: Figure,
    /// How.
    pub comparison: Comparison,
    /// With what: a count, a share of the stock as a count, or milliseconds.
    pub bound: f64,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Confirmed so far.
    Issued,
    /// The stock less what was confirmed.
    Remaining,
    /// VUs that run.
    Vus,
    /// 50th percentile of the response time of the last second, in milliseconds.
    P50,
    /// As above, 95th.
    P95,
    /// As above, 99th.
    P99,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
}
