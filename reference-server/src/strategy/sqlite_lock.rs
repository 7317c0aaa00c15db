//! `sqlite-lock`: check, then act, under the database's write lock.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::Connection;

use super::Strategy;
use super::replica::Replica;
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::rows;
use crate::store::Store;

/// The guard is the lock: every request takes it, those that are refused as well, as with the
/// distributed lock this stands for.
pub(super) struct SqliteLock {
    store: Arc<Store>,
    bugs: Arc<Bugs>,
    /// Only where a bug asks it.
    replica: Option<Replica>,
}

impl SqliteLock {
    pub(super) async fn open(store: Arc<Store>, bugs: Arc<Bugs>) -> Result<Self, sqlx::Error> {
        let replica = if bugs.asks_a_replica() {
            Some(Replica::open(&store).await?)
        } else {
            None
        };
        Ok(Self {
            store,
            bugs,
            replica,
        })
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let old_look = self.old_look(coupon, user).await?;
        let mut writer = self.store.writer().await?;
        let mut locked = writer.begin_with("BEGIN IMMEDIATE").await?;
        let found = rows::look(&mut locked, coupon, user).await?;
        let standing = found.ok_or(IssueError::UnknownCoupon)?;
        let stock = old_look.unwrap_or(standing.stock);
        let holds = match &self.replica {
            Some(replica) => replica.holds(coupon, user).await?,
            None => standing.holds,
        };
        if holds && self.bugs.looks_for_an_earlier_coupon() {
            locked.rollback().await?;
            return Ok(Issue::Duplicate);
        }
        if stock <= 0 {
            locked.rollback().await?;
            return Ok(Issue::SoldOut);
        }
        let left = rows::take(&mut locked, coupon, 1)
            .await?
            .ok_or(IssueError::UnknownCoupon)?;
        if self.bugs.refuses_the_last(left) {
            locked.commit().await?;
            return Ok(Issue::SoldOut);
        }
        let issued = rows::insert(&mut locked, coupon, user, &self.bugs).await?;
        locked.commit().await?;
        Ok(Issue::Issued(issued))
    }

    /// The stock as it was before the lock, if a bug makes that the one to go by.
    async fn old_look(&self, coupon: CouponId, user: &UserId) -> Result<Option<i64>, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(None);
        }
        let found = rows::look(&mut *self.store.reader().await, coupon, user).await?;
        let standing = found.ok_or(IssueError::UnknownCoupon)?;
        self.bugs.remote_check().await;
        Ok(Some(standing.stock))
    }
}

impl Strategy for SqliteLock {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.store.stock(coupon))
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        Box::pin(self.store.create(coupon, stock))
    }

    fn check(&self) -> Vec<Question<'_>> {
        vec![Question::to_database(self.store.check())]
    }

    /// Every answer was committed before it was given.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(std::future::ready(0))
    }
}
