//! A strategy in front of which users are noted as holders before they are: a planted bug.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::Strategy;
use super::wrapper::Wrapper;
use crate::coupon::{CouponId, Issue, IssueError, UserId};

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

impl Wrapper for GhostDuplicate {
    fn inner(&self) -> &dyn Strategy {
        self.inner.as_ref()
    }

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
}
