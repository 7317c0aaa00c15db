//! The ways to issue a coupon, behind one trait.
//!
//! All of them answer in the same precedence: a user who holds the coupon is a duplicate, even
//! when the stock is gone; only then is it sold out.

mod coupon_info;
mod db_conditional;
mod db_pessimistic;
mod early_sold_out;
mod false_duplicate;
mod fire_and_forget;
mod gate;
mod ghost_duplicate;
mod in_flight;
mod issuer_only;
mod leaving;
mod lua;
mod memory;
mod memory_kafka;
mod memory_then_sqlite;
mod mysql_table;
mod open;
mod open_kafka;
mod open_memory;
mod outbox;
mod redis_guard;
mod redis_kafka;
mod redis_lua;
mod redisson;
mod redlock;
mod relay;
mod replica;
mod settings;
mod sqlite_atomic;
mod sqlite_lock;
mod sqlite_table;
mod stock_keys;
mod stock_options;
mod stock_sync;
mod wrapper;
mod write_behind;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use clap::ValueEnum;
use futures_util::future::BoxFuture;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use sqlx::error::ErrorKind;
use tokio::task::JoinError;

use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::kafka::{self, Place};
use crate::schema::UserIndex;

pub(crate) use open::{Opened, open};
pub use stock_options::{StockOptions, StockPreload, StockSync};

/// How a coupon is issued.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrategyName {
    /// One transaction: a guarded decrement, and a unique index
    SqliteAtomic,
    /// Check, then act, under the database's write lock
    SqliteLock,
    /// Stock and guard in memory, rows written behind the answer
    MemoryThenSqlite,
    /// Stock and guard in memory; answered when Kafka has the event, from which an issuer writes the
    /// row to `SQLite`. A restart forgets events that have no row yet
    MemoryKafka,
    /// Check, then act, under the lock of the coupon's row in `MySQL`
    DbPessimistic,
    /// One `MySQL` transaction: a guarded decrement, and a unique key
    DbConditional,
    /// Stock and guard in a script in Redis, rows written to `MySQL` behind the answer
    RedisLua,
    /// Check, then act, in a `MySQL` transaction under a lock over several Redis
    Redlock,
    /// Stock in Redis, read and written under a lock with a lease, rows written behind the answer
    Redisson,
    /// The same script; answered when Kafka has the event, from which an issuer writes the row
    RedisKafka,
    /// The same script; the event is sent, and nobody waits to see whether it arrives
    FireAndForget,
    /// One `MySQL` transaction of reservation and event, which a relay sends to Kafka
    Outbox,
    /// As redis-kafka, behind a router and a queue that are processes of their own
    Queue,
}

impl StrategyName {
    /// Whether an issuer writes its rows.
    pub(crate) fn publishes_events(self) -> bool {
        matches!(
            self,
            Self::MemoryKafka | Self::RedisKafka | Self::FireAndForget | Self::Outbox | Self::Queue
        )
    }

    /// The index this strategy needs, unless a bug takes the guard away.
    pub(crate) fn user_index(self, bugs: &Bugs) -> UserIndex {
        match self {
            Self::SqliteAtomic | Self::DbConditional if !bugs.has_a_unique_key() => {
                UserIndex::Plain
            }
            Self::SqliteAtomic | Self::DbConditional if bugs.takes_names_loosely() => {
                UserIndex::Loose
            }
            Self::SqliteAtomic | Self::DbConditional => UserIndex::Unique,
            _ => UserIndex::Plain,
        }
    }
}

/// As it is written on the command line.
impl fmt::Display for StrategyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Asks Kafka for a sign of life.
#[derive(Clone)]
struct KafkaCheck {
    asker: Arc<BaseConsumer>,
    place: Place,
}

impl KafkaCheck {
    fn new(asker: Arc<BaseConsumer>, place: Place) -> Self {
        Self { asker, place }
    }

    async fn ask(&self) -> Result<(), KafkaError> {
        kafka::check(&self.asker, &self.place).await
    }
}

/// Runs a part of a request to its end, also when nobody waits for it any more.
async fn on_task(
    part: impl Future<Output = Result<Issue, IssueError>> + Send + 'static,
) -> Result<Issue, IssueError> {
    match tokio::spawn(part).await.map_err(JoinError::try_into_panic) {
        Ok(answer) => answer,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_cancelled)) => Err(IssueError::Stopping),
    }
}

/// Commits, unless a bug takes the error for the end of a good transaction.
async fn commit(
    transaction: sqlx::Transaction<'_, sqlx::MySql>,
    bugs: &Bugs,
) -> Result<(), sqlx::Error> {
    match transaction.commit().await {
        Err(error) if bugs.takes_a_failed_commit_for_done() => {
            tracing::warn!(event = "commit_failed", %error);
            Ok(())
        }
        committed => committed,
    }
}

/// Whether a unique key refused a row.
fn is_conflict(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.kind() == ErrorKind::UniqueViolation)
}

/// Decides who gets a coupon.
pub(crate) trait Strategy: Send + Sync {
    /// Answers one user. Dropping the future leaves the coupon issued as a whole or not at all.
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>>;

    /// Reads a coupon, all numbers of the same instant where they are in one store.
    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>>;

    /// Makes a new coupon, and says whether it is new. One that is there keeps its stock.
    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        let _ = (coupon, stock);
        Box::pin(std::future::ready(Err(IssueError::CannotCreate)))
    }

    /// What to ask every store that the strategy needs for a sign of life.
    fn check(&self) -> Vec<Question<'_>>;

    /// Refuses further users, writes what is acknowledged, and returns how many rows are lost.
    fn drain(&self) -> BoxFuture<'_, u64>;
}
