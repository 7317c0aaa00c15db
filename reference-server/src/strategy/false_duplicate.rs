//! A strategy whose storage errors are answered as "already issued": a planted bug.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Strategy;
use super::wrapper::Wrapper;
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, UserId};

/// Wraps any strategy, and makes its storage fail now and then.
pub(super) struct FalseDuplicate {
    inner: Box<dyn Strategy>,
    bugs: Arc<Bugs>,
}

impl FalseDuplicate {
    pub(super) fn new(inner: Box<dyn Strategy>, bugs: Arc<Bugs>) -> Self {
        Self { inner, bugs }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        if self.bugs.storage_fails() {
            return Err(IssueError::Storage(sqlx::Error::Io(
                std::io::ErrorKind::Other.into(),
            )));
        }
        self.inner.issue(coupon, user).await
    }
}

impl Wrapper for FalseDuplicate {
    fn inner(&self) -> &dyn Strategy {
        self.inner.as_ref()
    }

    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(async move {
            match self.try_issue(coupon, user).await {
                Err(
                    IssueError::Storage(_)
                    | IssueError::Redis(_)
                    | IssueError::NotPublished(_)
                    | IssueError::Kafka(_),
                ) => Ok(Issue::Duplicate),
                answer => answer,
            }
        })
    }
}
