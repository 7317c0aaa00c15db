//! `outbox`: a guarded decrement, a reservation under a unique key and its event in one transaction
//! of `MySQL`; a relay takes the event to Kafka.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{MySql, Transaction};

use super::relay::Relay;
use super::{Strategy, is_conflict};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::kafka::publisher::Publisher;
use crate::mysql::{MySqlStore, outbox, rows};

/// The database is the authority: what is committed there is issued, and its event is not lost
/// whatever becomes of Kafka or of this server.
pub(super) struct Outbox {
    store: Arc<MySqlStore>,
    relay: Relay,
    /// For the bugs that do without the relay.
    publisher: Arc<Publisher>,
    bugs: Arc<Bugs>,
}

impl Outbox {
    pub(super) fn new(
        store: Arc<MySqlStore>,
        relay: Relay,
        publisher: Arc<Publisher>,
        bugs: Arc<Bugs>,
    ) -> Self {
        Self {
            store,
            relay,
            publisher,
            bugs,
        }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let there_was_some = self.there_was_some(coupon).await?;
        let mut transaction = self.store.begin().await?;
        let taken = if there_was_some {
            rows::take(&mut transaction, coupon, 1).await?
        } else {
            rows::take_if_left(&mut transaction, coupon, 0).await?
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
        self.reserve(transaction, coupon, user).await
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

    async fn reserve(
        &self,
        mut transaction: Transaction<'_, MySql>,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<Issue, IssueError> {
        match outbox::reserve(&mut transaction, coupon, user).await {
            Ok(reserved) => {
                self.publish_too_early(&mut transaction, &reserved).await?;
                transaction.commit().await?;
                self.publish_and_hope(&reserved).await;
                Ok(Issue::Issued(reserved))
            }
            Err(error) if is_conflict(&error) => {
                // The decrement goes with it: a duplicate costs no stock.
                transaction.rollback().await?;
                Ok(Issue::Duplicate)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The bugs leave nothing to the relay, for which the event counts as published.
    async fn publish_too_early(
        &self,
        transaction: &mut Transaction<'_, MySql>,
        reserved: &UserCoupon,
    ) -> Result<(), IssueError> {
        let early = self.bugs.publishes_before_the_commit();
        if early || self.bugs.swallows_a_failed_publish() {
            outbox::mark(transaction, &[reserved.id]).await?;
        }
        if early {
            let published = self.publisher.publish(reserved).await;
            published.map_err(|failure| IssueError::Kafka(failure.into_error()))?;
            self.bugs.remote_check().await;
        }
        Ok(())
    }

    async fn publish_and_hope(&self, reserved: &UserCoupon) {
        if self.bugs.swallows_a_failed_publish()
            && let Err(failure) = self.publisher.publish(reserved).await
        {
            let error = failure.into_error();
            tracing::error!(event = "event_lost", row = reserved.id, %error);
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
            && outbox::holds(&mut transaction, coupon, user).await?;
        transaction.rollback().await?;
        found.ok_or(IssueError::UnknownCoupon)?;
        Ok(if holds {
            Issue::Duplicate
        } else {
            Issue::SoldOut
        })
    }

    async fn read_stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let mut connection = self.store.connection().await?;
        let found = outbox::stock(&mut connection, coupon).await?;
        found.ok_or(IssueError::UnknownCoupon)
    }
}

impl Strategy for Outbox {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.read_stock(coupon))
    }

    /// Kafka is not asked: without it users are answered, and events wait.
    fn check(&self) -> Vec<Question<'_>> {
        vec![Question::to_database(self.store.check())]
    }

    /// What is not relayed is in the database, for the next relay.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(async {
            self.relay.stop().await;
            0
        })
    }
}
