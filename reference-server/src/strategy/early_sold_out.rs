//! A strategy in front of which a flag says "sold out" too early: a planted bug.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::BoxFuture;

use super::Strategy;
use super::wrapper::Wrapper;
use crate::coupon::{CouponId, Issue, IssueError, UserId};

/// Wraps any strategy. An answer that gave nothing is taken for the end of the stock, a duplicate's
/// as well, and the next users are told so without a look.
pub(super) struct EarlySoldOut {
    inner: Box<dyn Strategy>,
    /// How many more are answered by the flag.
    flagged: AtomicU32,
}

impl EarlySoldOut {
    /// The flag is forgotten after so many: other instances never had it.
    const ANSWERS: u32 = 20;

    pub(super) fn new(inner: Box<dyn Strategy>) -> Self {
        Self {
            inner,
            flagged: AtomicU32::new(0),
        }
    }

    fn is_flagged(&self) -> bool {
        let taken = self
            .flagged
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        taken.is_ok()
    }
}

impl Wrapper for EarlySoldOut {
    fn inner(&self) -> &dyn Strategy {
        self.inner.as_ref()
    }

    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(async move {
            if self.is_flagged() {
                return Ok(Issue::SoldOut);
            }
            let answer = self.inner.issue(coupon, user).await;
            if let Ok(Issue::Duplicate | Issue::SoldOut) = answer {
                self.flagged.store(Self::ANSWERS, Ordering::Relaxed);
            }
            answer
        })
    }
}
