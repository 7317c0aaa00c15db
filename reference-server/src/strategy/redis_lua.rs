//! `redis-lua`: duplicate and stock decided by a script in Redis, rows written behind the answer.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::lua::{Decision, Taking};
use super::mysql_table::MySqlTable;
use super::redis_guard::RedisGuard;
use super::write_behind::{Place, Taken, WriteBehind};
use super::{Strategy, on_task};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::mysql::MySqlStore;
use crate::redis_store::RedisStore;

/// The rows of what Redis decided are in the memory of the server until they are written.
pub(super) struct RedisLua {
    shared: Arc<Shared>,
    queue: WriteBehind,
}

/// What a request needs that must not be cut off.
struct Shared {
    guard: RedisGuard,
    table: Arc<MySqlTable>,
}

impl RedisLua {
    /// Loads every coupon that Redis does not have.
    pub(super) async fn restore(
        redis: RedisStore,
        store: Arc<MySqlStore>,
        table: MySqlTable,
        bugs: Arc<Bugs>,
        queue: NonZeroUsize,
    ) -> Result<Self, IssueError> {
        let guard = RedisGuard::restore(redis, store, bugs).await?;
        let table = Arc::new(table);
        let queue = WriteBehind::start(Arc::clone(&table), queue);
        let shared = Arc::new(Shared { guard, table });
        Ok(Self { shared, queue })
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let taking = self.shared.guard.taking(coupon).await?;
        // A full queue must be known before anything is taken.
        let place = self.queue.reserve()?;
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        // A task, which goes on when the client hangs up: what Redis gave away needs its row.
        on_task(async move { shared.decide(coupon, user, taking, place).await }).await
    }
}

impl Shared {
    async fn decide(
        &self,
        coupon: CouponId,
        user: UserId,
        taking: Taking,
        place: Place,
    ) -> Result<Issue, IssueError> {
        match self.guard.take(coupon, &user, taking).await? {
            Decision::Duplicate => Ok(Issue::Duplicate),
            Decision::SoldOut => Ok(Issue::SoldOut),
            Decision::Withheld => {
                place.send(Taken::WithoutRow(coupon));
                Ok(Issue::SoldOut)
            }
            Decision::Issued { id, at } => {
                let issued = UserCoupon {
                    id,
                    coupon,
                    user,
                    created_at: at,
                };
                self.table.expect_one();
                place.send(Taken::WithRow(issued.clone()));
                Ok(Issue::Issued(issued))
            }
        }
    }

    /// Of what is on its way, only what this very server has to write.
    async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        Ok(Stock {
            pending: self.table.expected(),
            ..self.guard.stock(coupon).await?
        })
    }
}

impl Strategy for RedisLua {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.shared.stock(coupon))
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        Box::pin(self.shared.guard.create(coupon, stock))
    }

    fn check(&self) -> Vec<Question<'_>> {
        self.shared.guard.check()
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(self.queue.drain())
    }
}
