//! `sqlite-atomic`: one transaction of a guarded decrement and an insert under a unique index.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

use super::{Strategy, is_conflict};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::rows;
use crate::store::Store;

/// The guards are the condition of the decrement, and the index; no look is relied upon.
pub(super) struct SqliteAtomic {
    store: Arc<Store>,
    bugs: Arc<Bugs>,
}

/// What the look without the write lock says.
enum Early {
    Refused(Issue),
    /// So many, at that time.
    Left(i64),
}

impl SqliteAtomic {
    pub(super) fn new(store: Arc<Store>, bugs: Arc<Bugs>) -> Self {
        Self { store, bugs }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let mut answer = self.decide(coupon, user).await;
        if self.bugs.answers_the_highest_id()
            && let Ok(Issue::Issued(row)) = &mut answer
        {
            // By the time that the rest of the answer is put together, others have inserted as well.
            self.bugs.remote_check().await;
            row.id = rows::next_id(&mut *self.store.reader().await).await? - 1;
        }
        answer
    }

    async fn decide(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let seen = match self.look_early(coupon, user).await? {
            Early::Refused(refusal) => return Ok(refusal),
            Early::Left(stock) => stock,
        };
        if self.bugs.acts_on_an_old_look() {
            self.bugs.remote_check().await;
        }
        let mut writer = self.store.writer().await?;
        let mut transaction = writer.begin().await?;
        match self.take(&mut transaction, coupon, seen).await? {
            None => self.explain(transaction, coupon, user).await,
            Some(left) if self.bugs.refuses_the_last(left) => {
                transaction.commit().await?;
                Ok(Issue::SoldOut)
            }
            Some(_) => self.give(transaction, coupon, user).await,
        }
    }

    /// Takes one, and returns what is left, if there was one. `seen` is what the early look found.
    async fn take(
        &self,
        transaction: &mut SqliteConnection,
        coupon: CouponId,
        seen: i64,
    ) -> Result<Option<i64>, sqlx::Error> {
        if self.bugs.acts_on_an_old_look() {
            return rows::take(transaction, coupon, 1).await;
        }
        if self.bugs.writes_back_what_it_read() {
            return rows::set_left(transaction, coupon, seen - 1).await;
        }
        let least = self.bugs.least_stock();
        let left = rows::take_if_left(transaction, coupon, least).await?;
        if self.bugs.ignores_the_affected_rows() {
            return Ok(left.or(Some(seen - 1)));
        }
        Ok(left)
    }

    /// Answers without the write lock where the committed state already decides. That is
    /// linearizable: the snapshot is taken during the request, no coupon is ever given back, and
    /// whoever holds one holds it for good.
    async fn look_early(&self, coupon: CouponId, user: &UserId) -> Result<Early, IssueError> {
        let found = rows::look(&mut *self.store.reader().await, coupon, user).await?;
        let standing = found.ok_or(IssueError::UnknownCoupon)?;
        let asks_first = self.bugs.looks_for_an_earlier_coupon()
            && !self.bugs.keeps_the_decrement_of_a_duplicate();
        Ok(if standing.holds && asks_first {
            Early::Refused(Issue::Duplicate)
        } else if standing.stock <= self.bugs.least_stock() {
            Early::Refused(Issue::SoldOut)
        } else {
            Early::Left(standing.stock)
        })
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
                if self.bugs.keeps_the_decrement_of_a_duplicate() {
                    transaction.commit().await?;
                } else {
                    // The decrement goes with it: a duplicate costs no stock.
                    transaction.rollback().await?;
                }
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

    fn check(&self) -> Vec<Question<'_>> {
        vec![Question::to_database(self.store.check())]
    }

    /// Every answer was committed before it was given.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(std::future::ready(0))
    }
}
