//! The server's settings, as the command line gives them.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;
use tracing_subscriber::filter::LevelFilter;

use crate::address::StoreUrl;
use crate::bug::Bug;
use crate::jwt::JwtSecret;
use crate::lock::LockOptions;
use crate::period::{Moment, Period};
use crate::queue::QueueOptions;
use crate::role::Role;
use crate::router::RouterOptions;
use crate::strategy::{StockOptions, StrategyName};

/// Everything that can be set about one server.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// Address to listen on; port 0 lets the system choose one
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)))]
    pub listen: SocketAddr,

    /// How a coupon is issued
    #[arg(long, value_enum, default_value_t = StrategyName::SqliteAtomic)]
    pub strategy: StrategyName,

    /// Plant a defect on purpose, to see whether it is found
    #[arg(long, value_enum, value_name = "NAME")]
    pub bug: Option<Bug>,

    /// `SQLite` file with the coupons; created if missing, kept as it is otherwise
    #[arg(long, value_name = "PATH", default_value = "coupons.db")]
    pub database: PathBuf,

    /// MySQL or MariaDB database of the db and redis strategies: mysql://USER:PASSWORD@HOST:PORT/NAME
    ///
    /// In the environment the password is not seen by other users of the machine.
    #[arg(long, value_name = "URL", env = "FCFS_MYSQL", hide_env_values = true)]
    pub mysql: Option<StoreUrl>,

    /// Redis server of the redis strategies, redis://:PASSWORD@HOST:PORT/DB; at most 5 times
    ///
    /// In the environment several are separated by a space.
    #[arg(
        long,
        value_name = "URL",
        env = "FCFS_REDIS",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub redis: Vec<StoreUrl>,

    /// Coupon that exists when the server opens
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub coupon: i64,

    /// Stock of that coupon, if the file does not have it yet
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32))]
    pub stock: u32,

    /// Connections to the database; with `SQLite` those that read, beside the one that writes
    #[arg(long, value_name = "N", default_value = "4")]
    pub database_pool: NonZeroUsize,

    /// Connections to each Redis server, which requests use in turn
    #[arg(long, value_name = "N", default_value = "4")]
    pub redis_pool: NonZeroUsize,

    /// Issued coupons that may wait to be written (memory-then-sqlite, redis-lua, redisson), or be
    /// published; full: 503
    #[arg(long, value_name = "N", default_value = "10000")]
    pub queue: NonZeroUsize,

    /// Longest wait for the database's lock, in milliseconds (whole seconds with MySQL); then 409
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    pub lock_timeout_ms: u32,

    /// Whether the tables have their two indexes: user and coupon, status and stock
    #[arg(long, value_name = "true|false", action = ArgAction::Set, default_value_t = true)]
    pub indexes: bool,

    /// Seconds for which Redis caches what a coupon is, but not its stock; 0: no cache (redlock)
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub coupon_cache_s: u32,

    /// Keep in that cache that nothing is left, and answer it without a lock (redlock)
    #[arg(long, value_name = "true|false", action = ArgAction::Set, default_value_t = false)]
    pub coupon_cache_sold_out: bool,

    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment would become the help of the whole command"
    )]
    pub locks: LockOptions,

    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment would become the help of the whole command"
    )]
    pub stocks: StockOptions,

    /// Seed of the bugs that strike by chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Least severe log level written to stderr: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value_t = LevelFilter::INFO)]
    pub log_level: LevelFilter,

    /// Which part of the system this process is. With a secret in `FCFS_JWT_SECRET`, coupons are
    /// also issued to members with a JWT; routers and queue servers need it
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = Role::All)]
    pub role: Role,

    /// Brokers of the strategies that publish events, HOST:PORT, several separated by commas
    #[arg(long, value_name = "BROKERS", env = "FCFS_KAFKA")]
    pub kafka: Option<String>,

    /// Topic of the events; made if it is missing, with as many replicas as brokers, at most 3
    #[arg(long, value_name = "NAME", default_value = "coupon-issued")]
    pub kafka_topic: String,

    /// Partitions of that topic, if it is made
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub kafka_partitions: u16,

    /// Consumer group of the issuers
    #[arg(long, value_name = "NAME", default_value = "coupon-issuer")]
    pub kafka_group: String,

    /// Longest time until an event counts as not published [default: 10000; fire-and-forget: 3000]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(10..=600_000))]
    pub kafka_delivery_timeout_ms: Option<u32>,

    /// Pause between two looks for events to relay (outbox)
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub outbox_interval_ms: u32,

    /// Stop when stdin ends, so that the server does not outlive the process that started it
    #[arg(long)]
    pub stop_with_stdin: bool,

    /// Secret of the members' tokens; taken from the environment alone
    #[arg(skip = JwtSecret::from_environment())]
    pub jwt_secret: Option<JwtSecret>,

    /// From when coupons are issued: a time like 2026-01-31T09:00:00+09:00, or milliseconds of Unix time
    #[arg(long, value_name = "TIME")]
    pub opens_at: Option<Moment>,

    /// Until when coupons are issued
    #[arg(long, value_name = "TIME")]
    pub closes_at: Option<Moment>,

    /// Where a router forwards to
    #[command(flatten)]
    pub router: RouterOptions,

    /// The queue
    #[command(flatten)]
    pub line: QueueOptions,
}

impl Options {
    pub(crate) fn lock_timeout(&self) -> Duration {
        Duration::from_millis(self.lock_timeout_ms.into())
    }

    pub(crate) fn period(&self) -> Period {
        Period {
            opens: self.opens_at,
            closes: self.closes_at,
        }
    }
}
