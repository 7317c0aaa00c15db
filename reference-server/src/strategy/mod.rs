//! The ways to issue a coupon, behind one trait.
//!
//! All of them answer in the same precedence: a user who holds the coupon is a duplicate, even
//! when the stock is gone; only then is it sold out.

mod false_duplicate;
mod memory_then_sqlite;
mod sqlite_atomic;
mod sqlite_lock;
mod write_behind;

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::schema::UserIndex;
use crate::store::Store;

use false_duplicate::FalseDuplicate;
use memory_then_sqlite::MemoryThenSqlite;
use sqlite_atomic::SqliteAtomic;
use sqlite_lock::SqliteLock;

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
}

impl StrategyName {
    /// The index this strategy needs, unless a bug takes the guard away.
    pub(crate) fn user_index(self, bugs: &Bugs) -> UserIndex {
        match self {
            Self::SqliteAtomic if bugs.looks_for_an_earlier_coupon() => UserIndex::Unique,
            Self::SqliteAtomic | Self::SqliteLock | Self::MemoryThenSqlite => UserIndex::Plain,
        }
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

    /// Reads a coupon, all numbers of the same instant.
    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>>;

    /// Refuses further users, writes what is acknowledged, and returns how many rows are lost.
    fn drain(&self) -> BoxFuture<'_, u64>;
}

/// Builds the strategy on a store whose tables exist.
pub(crate) async fn build(
    name: StrategyName,
    store: Arc<Store>,
    bugs: Arc<Bugs>,
    queue: NonZeroUsize,
) -> Result<Box<dyn Strategy>, IssueError> {
    let strategy: Box<dyn Strategy> = match name {
        StrategyName::SqliteAtomic => Box::new(SqliteAtomic::new(store, Arc::clone(&bugs))),
        StrategyName::SqliteLock => Box::new(SqliteLock::new(store, Arc::clone(&bugs))),
        StrategyName::MemoryThenSqlite => {
            Box::new(MemoryThenSqlite::restore(store, Arc::clone(&bugs), queue).await?)
        }
    };
    Ok(if bugs.takes_errors_for_duplicates() {
        Box::new(FalseDuplicate::new(strategy, bugs))
    } else {
        strategy
    })
}
