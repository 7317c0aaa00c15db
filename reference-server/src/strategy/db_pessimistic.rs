//! `db-pessimistic`: everything in one transaction of `MySQL` under the lock of the coupon's row.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Strategy, commit};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::mysql::{MySqlStore, rows};

/// The guard is the row's lock, held from the first look to the commit.
pub(super) struct DbPessimistic {
    store: Arc<MySqlStore>,
    bugs: Arc<Bugs>,
}

impl DbPessimistic {
    pub(super) fn new(store: Arc<MySqlStore>, bugs: Arc<Bugs>) -> Self {
        Self { store, bugs }
    }

    /// An early return with an error gives the connection back, which rolls back.
    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let old_look = self.old_look(coupon).await?;
        let mut locked = self.store.begin().await?;
        if self.bugs.reads_an_old_snapshot() {
            // The first read takes the snapshot for all that follow, but for the lock.
            rows::details(&mut locked, coupon).await?;
        }
        let found = rows::lock(&mut locked, coupon).await?;
        let stock = found.ok_or(IssueError::UnknownCoupon)?;
        if self.bugs.looks_for_an_earlier_coupon() && rows::holds(&mut locked, coupon, user).await?
        {
            locked.rollback().await?;
            return Ok(Issue::Duplicate);
        }
        if old_look.unwrap_or(stock) <= 0 {
            locked.rollback().await?;
            return Ok(Issue::SoldOut);
        }
        if self.bugs.refuses_the_last(stock - 1) {
            rows::take(&mut locked, coupon, 1).await?;
            locked.commit().await?;
            return Ok(Issue::SoldOut);
        }
        // The design that this stands for reads them here, which makes everybody wait longer.
        rows::details(&mut locked, coupon).await?;
        let issued = rows::insert(&mut locked, coupon, user, &self.bugs).await?;
        rows::take(&mut locked, coupon, 1).await?;
        match commit(locked, &self.bugs).await {
            Ok(()) => Ok(Issue::Issued(issued)),
            Err(error) if self.bugs.retries_blindly() => {
                tracing::warn!(event = "commit_retried", %error);
                self.issue_again(coupon, user).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All that the first try did but the look, as if nothing of that had happened.
    async fn issue_again(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let mut locked = self.store.begin().await?;
        rows::lock(&mut locked, coupon).await?;
        let issued = rows::insert(&mut locked, coupon, user, &self.bugs).await?;
        rows::take(&mut locked, coupon, 1).await?;
        locked.commit().await?;
        Ok(Issue::Issued(issued))
    }

    /// The stock as it was before the lock, if a bug makes that the one to go by.
    async fn old_look(&self, coupon: CouponId) -> Result<Option<i64>, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(None);
        }
        let stock = rows::left(&mut *self.store.connection().await?, coupon).await?;
        self.bugs.remote_check().await;
        Ok(stock)
    }
}

impl Strategy for DbPessimistic {
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
