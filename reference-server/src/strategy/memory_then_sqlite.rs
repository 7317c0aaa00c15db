//! `memory-then-sqlite`: stock and guard in memory, answered before the row is written.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use super::Strategy;
use super::memory::{Memory, Taking, lock};
use super::sqlite_table::SqliteTable;
use super::write_behind::{Place, Taken, WriteBehind};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Memory is the authority while it runs; the tables follow, and are the start of the next run.
pub(super) struct MemoryThenSqlite {
    store: Arc<Store>,
    memory: Arc<Mutex<Memory>>,
    queue: WriteBehind,
    bugs: Arc<Bugs>,
}

impl MemoryThenSqlite {
    /// Starts from what the tables say.
    pub(super) async fn restore(
        store: Arc<Store>,
        bugs: Arc<Bugs>,
        queue: NonZeroUsize,
    ) -> Result<Self, IssueError> {
        let memory = Arc::new(Mutex::new(Memory::restore(&store, &bugs).await?));
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
        self.decide(coupon, user, Taking::after_a_look(remaining))
    }

    /// Into the queue under the same lock as the decision, so that ids are in its order.
    fn decide(&self, coupon: CouponId, user: &UserId, taking: Taking) -> Result<Issue, IssueError> {
        let mut memory = lock(&self.memory);
        let id = memory.next_id;
        let shelf = memory.shelf(coupon)?;
        if let Some(refusal) = shelf.refuses(user, taking, &self.bugs) {
            return Ok(refusal);
        }
        // A full queue must be known before anything is taken.
        let place = match self.queue.reserve() {
            Ok(place) => Some(place),
            Err(IssueError::QueueFull) if self.bugs.drops_what_finds_no_place() => None,
            Err(full) => {
                if self.bugs.gives_back_twice() {
                    // Once for the one that was not even taken yet.
                    shelf.remaining += 1;
                }
                return Err(full);
            }
        };
        shelf.remaining -= 1;
        if self.bugs.refuses_the_last(shelf.remaining) {
            put(place, Taken::WithoutRow(coupon));
            return Ok(Issue::SoldOut);
        }
        let issued = UserCoupon {
            id,
            coupon,
            user: user.clone(),
            created_at: Timestamp::now(),
        };
        shelf.holders.insert(user.clone());
        shelf.pending += i64::from(place.is_some());
        put(place, Taken::WithRow(issued.clone()));
        memory.next_id += 1;
        Ok(Issue::Issued(issued))
    }
}

/// Without a place, which only a bug goes on with, it is gone.
fn put(place: Option<Place>, taken: Taken) {
    if let Some(place) = place {
        place.send(taken);
    }
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

    fn check(&self) -> Vec<Question<'_>> {
        vec![Question::to_database(self.store.check())]
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(self.queue.drain())
    }
}
