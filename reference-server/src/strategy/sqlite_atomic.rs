//! `sqlite-atomic`: one transaction of a guarded decrement and an insert under a unique index.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{Connection, Sqlite, Transaction};

use super::{Down, Strategy, is_conflict};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::rows;
use crate::store::Store;

/// The guards are the condition of the decrement, and the index; no look is relied upon.
pub(super) struct SqliteAtomic {
    store: Arc<Store>,
    bugs: Arc<Bugs>,
}

impl SqliteAtomic {
    pub(super) fn new(store: Arc<Store>, bugs: Arc<Bugs>) -> Self {
        Self { store, bugs }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        if let Some(refusal) = self.refuse_early(coupon, user).await? {
            return Ok(refusal);
        }
        if self.bugs.acts_on_an_old_look() {
            self.bugs.remote_check().await;
        }
        let mut writer = self.store.writer().await?;
        let mut transaction = writer.begin().await?;
        let left = if self.bugs.acts_on_an_old_look() {
            rows::take(&mut transaction, coupon, 1).await?
        } else {
            rows::take_if_left(&mut transaction, coupon).await?
        };
        match left {
            None => self.explain(transaction, coupon, user).await,
            Some(left) if self.bugs.refuses_the_last(left) => {
                transaction.commit().await?;
                Ok(Issue::SoldOut)
            }
            Some(_) => self.give(transaction, coupon, user).await,
        }
    }

    /// Answers without the write lock where the committed state already decides. That is
    /// linearizable: the snapshot is taken during the request, no coupon is ever given back, and
    /// whoever holds one holds it for good.
    async fn refuse_early(
        &self,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<Option<Issue>, IssueError> {
        let found = rows::look(&mut *self.store.reader().await, coupon, user).await?;
        let standing = found.ok_or(IssueError::UnknownCoupon)?;
        Ok(
            if standing.holds && self.bugs.looks_for_an_earlier_coupon() {
                Some(Issue::Duplicate)
            } else if standing.stock <= 0 {
                Some(Issue::SoldOut)
            } else {
                None
            },
        )
    }

    async fn give(
        &self,
        mut transaction: Transaction<'_, Sqlite>,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<Issue, IssueError> {
        match rows::insert(&mut transaction, coupon, user, &self.bugs).await {
            Ok(issued) => {
                transaction.commit().await?;
                Ok(Issue::Issued(issued))
            }
            Err(error) if is_conflict(&error) => {
                // The decrement goes with it: a duplicate costs no stock.
                transaction.rollback().await?;
                Ok(Issue::Duplicate)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Nothing was left. The same user's other request may have taken it a moment ago, and then
    /// this one is a duplicate.
    async fn explain(
        &self,
        mut transaction: Transaction<'_, Sqlite>,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<Issue, IssueError> {
        let found = rows::look(&mut transaction, coupon, user).await?;
        transaction.rollback().await?;
        let standing = found.ok_or(IssueError::UnknownCoupon)?;
        Ok(
            if standing.holds && self.bugs.looks_for_an_earlier_coupon() {
                Issue::Duplicate
            } else {
                Issue::SoldOut
            },
        )
    }
}

impl Strategy for SqliteAtomic {
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

    fn check(&self) -> BoxFuture<'_, Result<(), Down>> {
        Box::pin(async { self.store.check().await.map_err(Down::database) })
    }

    /// Every answer was committed before it was given.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(std::future::ready(0))
    }
}
