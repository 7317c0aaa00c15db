//! The ways to issue a coupon, behind one trait.
//!
//! All of them answer in the same precedence: a user who holds the coupon is a duplicate, even
//! when the stock is gone; only then is it sold out.

mod coupon_info;
mod db_conditional;
mod db_pessimistic;
mod false_duplicate;
mod in_flight;
mod leaving;
mod lua;
mod memory_then_sqlite;
mod mysql_table;
mod open;
mod redis_lua;
mod redisson;
mod redlock;
mod settings;
mod sqlite_atomic;
mod sqlite_lock;
mod sqlite_table;
mod stock_keys;
mod stock_options;
mod stock_sync;
mod write_behind;

use std::fmt;
use std::future::Future;

use clap::ValueEnum;
use futures_util::future::BoxFuture;
use sqlx::error::ErrorKind;

use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
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
}

impl StrategyName {
    /// The index this strategy needs, unless a bug takes the guard away.
    pub(crate) fn user_index(self, bugs: &Bugs) -> UserIndex {
        match self {
            Self::SqliteAtomic | Self::DbConditional if bugs.looks_for_an_earlier_coupon() => {
                UserIndex::Unique
            }
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

/// A store that does not answer.
pub(crate) struct Down {
    pub(crate) store: &'static str,
    pub(crate) error: IssueError,
}

impl Down {
    fn database(error: sqlx::Error) -> Self {
        Self {
            store: "database",
            error: error.into(),
        }
    }

    fn redis(error: redis::RedisError) -> Self {
        Self {
            store: "redis",
            error: error.into(),
        }
    }
}

/// Whether a unique key refused a row.
fn is_conflict(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.kind() == ErrorKind::UniqueViolation)
}

/// Finds the answer in a task of its own, which goes on when the one who asked hangs up.
async fn in_a_task(
    answer: impl Future<Output = Result<Issue, IssueError>> + Send + 'static,
) -> Result<Issue, IssueError> {
    let task = tokio::spawn(answer);
    match task.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(answer) => answer,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_cancelled)) => Err(IssueError::Stopping),
    }
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

    /// Asks every store that the strategy needs for a sign of life.
    fn check(&self) -> BoxFuture<'_, Result<(), Down>>;

    /// Refuses further users, writes what is acknowledged, and returns how many rows are lost.
    fn drain(&self) -> BoxFuture<'_, u64>;
}
