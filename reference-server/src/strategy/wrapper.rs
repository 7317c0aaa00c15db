//! A strategy in front of another one: it changes what issuing means, and leaves the rest as it is.

use futures_util::future::BoxFuture;

use super::Strategy;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;

/// Every wrapper is a strategy itself, so that wrappers can be put in front of wrappers.
pub(super) trait Wrapper: Send + Sync {
    /// The strategy behind it.
    fn inner(&self) -> &dyn Strategy;

    /// As [`Strategy::issue`].
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>>;
}

impl<W: Wrapper> Strategy for W {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Wrapper::issue(self, coupon, user)
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        self.inner().stock(coupon)
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        self.inner().create(coupon, stock)
    }

    fn check(&self) -> Vec<Question<'_>> {
        self.inner().check()
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        self.inner().drain()
    }
}
