//! A strategy in front of which users are noted as holders before they are: a planted bug.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::{Down, Strategy};
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};

/// Wraps any strategy. The note is made first, so that two requests of one user do not meet behind
/// it, and it stays when the coupon could not be given: that user is locked out for ever.
pub(super) struct GhostDuplicate {
    inner: Box<dyn Strategy>,
    noted: Mutex<HashSet<(CouponId, UserId)>>,
}

impl GhostDuplicate {
    pub(super) fn new(inner: Box<dyn Strategy>) -> Self {
        Self {
            inner,
            noted: Mutex::default(),
        }
    }

    /// Whether it is the first request of this user.
    fn note(&self, coupon: CouponId, user: &UserId) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert((coupon, user.clone()))
    }
}

impl Strategy for GhostDuplicate {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        if self.note(coupon, user) {
            self.inner.issue(coupon, user)
        } else {
            Box::pin(std::future::ready(Ok(Issue::Duplicate)))
        }
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        self.inner.stock(coupon)
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        self.inner.create(coupon, stock)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), Down>> {
        self.inner.check()
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        self.inner.drain()
    }
}
