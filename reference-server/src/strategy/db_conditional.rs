//! `db-conditional`: one transaction of `MySQL`, a guarded decrement and an insert under a
//! unique key.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{MySql, MySqlConnection, Transaction};

use super::{Strategy, commit, is_conflict};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::mysql::{MySqlStore, rows};

/// The guards are the condition of the decrement, and the key; no look is relied upon.
pub(super) struct DbConditional {
    store: Arc<MySqlStore>,
    bugs: Arc<Bugs>,
}

impl DbConditional {
    pub(super) fn new(store: Arc<MySqlStore>, bugs: Arc<Bugs>) -> Self {
        Self { store, bugs }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let there_was_some = self.there_was_some(coupon).await?;
        let mut transaction = self.store.begin().await?;
        if self.bugs.relies_on_a_look() && rows::holds(&mut transaction, coupon, user).await? {
            transaction.rollback().await?;
            return Ok(Issue::Duplicate);
        }
        let taken = if there_was_some {
            rows::take(&mut transaction, coupon, 1).await?
        } else {
            self.take(&mut transaction, coupon).await?
        };
        if !taken {
            return self.explain(transaction, coupon, user).await;
        }
        if self.bugs.may_refuse_the_last() {
            let left = rows::left(&mut transaction, coupon).await?;
            if left.is_some_and(|left| self.bugs.refuses_the_last(left)) {
                transaction.commit().await?;
                return Ok(Issue::SoldOut);
            }
        }
        self.give(transaction, coupon, user).await
    }

    /// Takes one, and says whether there was one.
    async fn take(
        &self,
        transaction: &mut MySqlConnection,
        coupon: CouponId,
    ) -> Result<bool, sqlx::Error> {
        if self.bugs.writes_back_what_it_read() {
            let seen = rows::left(transaction, coupon).await?.unwrap_or(0);
            if seen > 0 {
                rows::set_left(transaction, coupon, seen - 1).await?;
            }
            return Ok(seen > 0);
        }
        let least = self.bugs.least_stock();
        let taken = rows::take_if_left(transaction, coupon, least).await?;
        Ok(taken || self.bugs.ignores_the_affected_rows())
    }

    /// Whether a look found stock some time ago, if a bug makes that enough.
    async fn there_was_some(&self, coupon: CouponId) -> Result<bool, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(false);
        }
        let stock = rows::left(&mut *self.store.connection().await?, coupon).await?;
        self.bugs.remote_check().await;
        Ok(stock.is_some_and(|stock| stock > 0))
    }

    async fn give(
        &self,
        mut transaction: Transaction<'_, MySql>,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<Issue, IssueError> {
        match rows::insert(&mut transaction, coupon, user, &self.bugs).await {
            Ok(issued) => {
                commit(transaction, &self.bugs).await?;
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

    /// Nothing was taken: a holder is a duplicate, and for anybody else it is sold out.
    async fn explain(
        &self,
        mut transaction: Transaction<'_, MySql>,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<Issue, IssueError> {
        let found = rows::left(&mut transaction, coupon).await?;
        let holds = self.bugs.looks_for_an_earlier_coupon()
            && rows::holds(&mut transaction, coupon, user).await?;
        transaction.rollback().await?;
        found.ok_or(IssueError::UnknownCoupon)?;
        Ok(if holds {
            Issue::Duplicate
        } else {
            Issue::SoldOut
        })
    }
}

impl Strategy for DbConditional {
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
