//! A strategy whose users leave the queue of the event with their answer.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Strategy;
use super::wrapper::Wrapper;
use crate::coupon::{CouponId, Issue, IssueError, UserId};
use crate::queue::{self, Queue};

/// When the row of an issued coupon is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    BeforeTheAnswer,
    /// Whoever writes the rows lets their users leave.
    Later,
}

/// Wraps any strategy.
pub(super) struct Leaving {
    inner: Box<dyn Strategy>,
    queue: Arc<Queue>,
    rows: Rows,
}

impl Leaving {
    pub(super) fn new(inner: Box<dyn Strategy>, queue: Arc<Queue>, rows: Rows) -> Self {
        Self { inner, queue, rows }
    }

    /// Who got nothing is done as well: until the silence is noticed, nobody could have the place.
    fn is_done(&self, answer: &Result<Issue, IssueError>) -> bool {
        match answer {
            Ok(Issue::Issued(_)) => self.rows == Rows::BeforeTheAnswer,
            Ok(Issue::SoldOut | Issue::Duplicate) => true,
            Err(_) => false,
        }
    }
}

/// Lets users leave. One who could not is dropped for silence later.
pub(super) async fn leave(queue: &Queue, coupon: CouponId, users: &[&str]) {
    if let Err(error) = queue::leave(queue.redis(), coupon, users).await {
        tracing::warn!(event = "users_not_left", coupon, users = users.len(), %error);
    }
}

impl Wrapper for Leaving {
    fn inner(&self) -> &dyn Strategy {
        self.inner.as_ref()
    }

    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(async move {
            let answer = self.inner.issue(coupon, user).await;
            if self.is_done(&answer) {
                leave(&self.queue, coupon, &[user.as_str()]).await;
            }
            answer
        })
    }
}
