//! Stock and guard in the memory of this process, for the strategies that decide there.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::rows;
use crate::store::Store;

/// All coupons.
pub(super) struct Memory {
    coupons: HashMap<CouponId, Shelf>,
    pub(super) next_id: i64,
}

/// One coupon in memory.
pub(super) struct Shelf {
    status: String,
    total: i64,
    in_table: i64,
    pub(super) remaining: i64,
    issued: i64,
    pub(super) pending: i64,
    pub(super) holders: HashSet<UserId>,
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
pub(super) enum Taking {
    IfLeft,
    /// On the word of an earlier look.
    Blindly,
}

impl Taking {
    /// What a look that is no longer true lets one do.
    pub(super) fn after_a_look(remaining: i64) -> Self {
        if remaining > 0 {
            Self::Blindly
        } else {
            Self::IfLeft
        }
    }
}

impl Memory {
    /// Begins with what the tables say.
    pub(super) async fn restore(store: &Store, bugs: &Bugs) -> Result<Self, IssueError> {
        let mut reader = store.reader().await;
        let mut coupons = HashMap::new();
        for coupon in rows::coupons(&mut reader).await? {
            if let Some(stock) = rows::stock(&mut reader, coupon).await? {
                let holders = rows::holders(&mut reader, coupon).await?;
                let mut shelf = Shelf::new(stock, holders);
                if bugs.loads_the_whole_stock() {
                    shelf.remaining = shelf.total;
                }
                coupons.insert(coupon, shelf);
            }
        }
        Ok(Self {
            coupons,
            next_id: rows::next_id(&mut reader).await?,
        })
    }

    pub(super) fn shelf(&mut self, coupon: CouponId) -> Result<&mut Shelf, IssueError> {
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

    /// The answer to a user who gets nothing.
    pub(super) fn refuses(&self, user: &UserId, taking: Taking, bugs: &Bugs) -> Option<Issue> {
        if bugs.looks_for_an_earlier_coupon() && self.holders.contains(user) {
            return Some(Issue::Duplicate);
        }
        (self.remaining <= 0 && taking == Taking::IfLeft).then_some(Issue::SoldOut)
    }

    pub(super) fn stock(&self) -> Stock {
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
