//! `memory-then-sqlite`: stock and guard in memory, answered before the row is written.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::sqlite_table::SqliteTable;
use super::write_behind::{Taken, WriteBehind};
use super::{Down, Strategy};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::rows;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Memory is the authority while it runs; the tables follow, and are the start of the next run.
pub(super) struct MemoryThenSqlite {
    store: Arc<Store>,
    memory: Arc<Mutex<Memory>>,
    queue: WriteBehind,
    bugs: Arc<Bugs>,
}

/// What is decided here is put into the queue under the same lock, so ids are in queue order.
pub(super) struct Memory {
    coupons: HashMap<CouponId, Shelf>,
    next_id: i64,
}

/// One coupon in memory.
struct Shelf {
    status: String,
    total: i64,
    in_table: i64,
    remaining: i64,
    issued: i64,
    pending: i64,
    holders: HashSet<UserId>,
}

/// What became of one coupon's part of a batch.
#[derive(Clone, Copy, Default)]
pub(super) struct Done {
    /// Taken from the table's stock.
    pub(super) taken: i64,
    /// Rows that were acknowledged.
    pub(super) accepted: i64,
    /// Of these, rows that reached the table.
    pub(super) written: i64,
}

/// How the stock is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    IfLeft,
    /// On the word of an earlier look.
    Blindly,
}

impl MemoryThenSqlite {
    /// Starts from what the tables say.
    pub(super) async fn restore(
        store: Arc<Store>,
        bugs: Arc<Bugs>,
        queue: NonZeroUsize,
    ) -> Result<Self, IssueError> {
        let memory = Arc::new(Mutex::new(Memory::restore(&store).await?));
        let table = SqliteTable::new(Arc::clone(&store), Arc::clone(&bugs), Arc::clone(&memory));
        let queue = WriteBehind::start(Arc::new(table), queue);
        Ok(Self {
            store,
            memory,
            queue,
            bugs,
        })
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return self.decide(coupon, user, Taking::IfLeft);
        }
        let remaining = lock(&self.memory).shelf(coupon)?.remaining;
        self.bugs.remote_check().await;
        if remaining > 0 {
            self.decide(coupon, user, Taking::Blindly)
        } else {
            self.decide(coupon, user, Taking::IfLeft)
        }
    }

    fn decide(&self, coupon: CouponId, user: &UserId, taking: Taking) -> Result<Issue, IssueError> {
        let mut memory = lock(&self.memory);
        let id = memory.next_id;
        let shelf = memory.shelf(coupon)?;
        if self.bugs.looks_for_an_earlier_coupon() && shelf.holders.contains(user) {
            return Ok(Issue::Duplicate);
        }
        if shelf.remaining <= 0 && taking == Taking::IfLeft {
            return Ok(Issue::SoldOut);
        }
        // A full queue must be known before anything is taken.
        let place = self.queue.reserve()?;
        shelf.remaining -= 1;
        if self.bugs.refuses_the_last(shelf.remaining) {
            place.send(Taken::WithoutRow(coupon));
            return Ok(Issue::SoldOut);
        }
        let issued = UserCoupon {
            id,
            coupon,
            user: user.clone(),
            created_at: Timestamp::now(),
        };
        shelf.holders.insert(user.clone());
        shelf.pending += 1;
        place.send(Taken::WithRow(issued.clone()));
        memory.next_id += 1;
        Ok(Issue::Issued(issued))
    }
}

impl Memory {
    async fn restore(store: &Store) -> Result<Self, IssueError> {
        let mut reader = store.reader().await;
        let mut coupons = HashMap::new();
        for coupon in rows::coupons(&mut reader).await? {
            if let Some(stock) = rows::stock(&mut reader, coupon).await? {
                let holders = rows::holders(&mut reader, coupon).await?;
                coupons.insert(coupon, Shelf::new(stock, holders));
            }
        }
        Ok(Self {
            coupons,
            next_id: rows::next_id(&mut reader).await?,
        })
    }

    fn shelf(&mut self, coupon: CouponId) -> Result<&mut Shelf, IssueError> {
        self.coupons
            .get_mut(&coupon)
            .ok_or(IssueError::UnknownCoupon)
    }

    /// Notes what left the queue.
    pub(super) fn note(&mut self, coupon: CouponId, done: Done) {
        if let Some(shelf) = self.coupons.get_mut(&coupon) {
            shelf.in_table -= done.taken;
            shelf.pending -= done.accepted;
            shelf.issued += done.written;
        }
    }

    /// Rows of all coupons that are not yet written.
    pub(super) fn pending(&self) -> i64 {
        self.coupons.values().map(|shelf| shelf.pending).sum()
    }
}

impl Shelf {
    fn new(stock: Stock, holders: HashSet<UserId>) -> Self {
        let Stock {
            status,
            total,
            in_table,
            remaining,
            issued,
            pending,
        } = stock;
        Self {
            status,
            total,
            in_table,
            remaining,
            issued,
            pending,
            holders,
        }
    }

    fn stock(&self) -> Stock {
        Stock {
            status: self.status.clone(),
            total: self.total,
            in_table: self.in_table,
            remaining: self.remaining,
            issued: self.issued,
            pending: self.pending,
        }
    }
}

/// Nothing under this lock leaves it half done when it panics, so a poisoned one is still good.
pub(super) fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Strategy for MemoryThenSqlite {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(async move { Ok(lock(&self.memory).shelf(coupon)?.stock()) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), Down>> {
        Box::pin(async { self.store.check().await.map_err(Down::database) })
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(self.queue.drain())
    }
}
