//! Why the server could not start or had to give up.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A failure of the server itself; a refused request is an answer, not one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address could not be bound.
    #[error("failed to listen on {address}: {source}\nhint: choose a free port, or port 0")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system answered.
        source: io::Error,
    },
    /// The database file could not be opened or prepared.
    #[error(
        "failed to open database {}: {source}\nhint: the directory must exist and be writable",
        path.display()
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// What `SQLite` answered.
        source: sqlx::Error,
    },
    /// The database holds two coupons of one user, so the guard against that cannot be created.
    #[error(
        "failed to guard database {database}: some user holds the same coupon twice\n\
         hint: start with a new one, or with the bug that made this one"
    )]
    TwoOfOneUser {
        /// The file, or the address without credentials.
        database: String,
    },
    /// The `MySQL` database could not be opened or prepared.
    #[error(
        "failed to use database {address}: {source}\n\
         hint: it must exist, and the user must be allowed to create tables in it"
    )]
    MySql {
        /// Without credentials.
        address: String,
        /// What the driver or the server answered.
        source: sqlx::Error,
    },
    /// The Redis server could not be used.
    #[error("failed to use {address}: {source}\nhint: it must run, and take this password")]
    Redis {
        /// Without credentials.
        address: String,
        /// What the driver or the server answered.
        source: redis::RedisError,
    },
    /// The strategy needs a store that was not given.
    #[error(
        "strategy {strategy} needs {option} URL\n\
         hint: give {option} {like}, or the URL in the environment as {variable}"
    )]
    MissingStore {
        /// As on the command line.
        strategy: String,
        /// The option that names the store.
        option: &'static str,
        /// The same in the environment.
        variable: &'static str,
        /// How such a URL looks.
        like: &'static str,
    },
    /// Kafka could not be used.
    #[error("failed to use Kafka at {brokers}: {source}\nhint: a broker must run there")]
    Kafka {
        /// As they were given.
        brokers: String,
        /// What the library or a broker answered.
        source: rdkafka::error::KafkaError,
    },
    /// The role has no place in the strategy.
    #[error(
        "role issuer has nothing to do with strategy {strategy}, which publishes no events\n\
         hint: choose --strategy redis-kafka, fire-and-forget or outbox"
    )]
    RoleElsewhere {
        /// As on the command line.
        strategy: String,
    },
    /// More Redis servers than any strategy can use.
    #[error("--redis is given {given} times\nhint: give at most {most} servers")]
    TooManyRedis {
        /// How many.
        given: usize,
        /// How many there may be.
        most: usize,
    },
    /// A setting that does not go together with the others.
    #[error("{option} {value} is not possible: {reason}\nhint: {hint}")]
    Setting {
        /// As on the command line.
        option: &'static str,
        /// What was given; nothing secret.
        value: String,
        /// What it contradicts.
        reason: String,
        /// What would be right.
        hint: String,
    },
    /// The role, or a setting, needs something that was not given.
    #[error("{who} needs {what}\nhint: {hint}")]
    Missing {
        /// The role or the setting, as on the command line.
        who: String,
        /// What is missing.
        what: &'static str,
        /// How to give it.
        hint: &'static str,
    },
    /// The bug has no place in the strategy.
    #[error("bug {bug} cannot be planted here\nhint: choose --strategy {only}")]
    BugElsewhere {
        /// As on the command line.
        bug: String,
        /// The strategies that it can be planted in.
        only: String,
    },
    /// The address could not be announced on stdout.
    #[error("failed to announce the address on stdout: {0}")]
    Announce(io::Error),
    /// The threads could not be started.
    #[error("failed to start: {0}")]
    Runtime(io::Error),
    /// Signals could not be listened to.
    #[error("failed to listen for signals: {0}")]
    Signals(io::Error),
    /// The thread that waits for the end of stdin could not start.
    #[error("failed to watch stdin: {0}")]
    Stdin(io::Error),
    /// The recorder of metrics could not be set up.
    #[error("failed to set up metrics: {0}")]
    Metrics(String),
    /// Another subscriber was installed before.
    #[error("failed to start logging: {0}")]
    Logging(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Acknowledged coupons could not be written before the end.
    #[error("failed to write {rows} acknowledged coupons before stopping")]
    Undrained {
        /// How many rows are missing from the table.
        rows: u64,
    },
}
