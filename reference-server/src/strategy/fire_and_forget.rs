//! `fire-and-forget`: as `redis-kafka`, but the answer does not wait for the event, whose loss is a
//! line in the log. It is the defect, not a bug planted in something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;

use super::gate::{Gate, Inside};
use super::lua::{Decision, Taking};
use super::redis_guard::RedisGuard;
use super::{Strategy, on_task};
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::kafka::publisher::{Publisher, Underway, Unpublished};

/// Redis is the authority; that an acknowledged coupon reaches Kafka is hoped for.
pub(super) struct FireAndForget {
    shared: Arc<Shared>,
    gate: Gate,
}

/// What a request needs that must not be cut off.
struct Shared {
    guard: RedisGuard,
    publisher: Publisher,
    /// Acknowledged coupons whose events did not arrive, as far as is known.
    lost: AtomicU64,
}

impl FireAndForget {
    pub(super) fn new(guard: RedisGuard, publisher: Publisher) -> Self {
        let shared = Shared {
            guard,
            publisher,
            lost: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
            gate: Gate::default(),
        }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let inside = self.gate.enter().await?;
        let taking = self.shared.guard.taking(coupon).await?;
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        on_task(async move { shared.decide(coupon, user, taking, inside).await }).await
    }
}

impl Shared {
    async fn decide(
        self: Arc<Self>,
        coupon: CouponId,
        user: UserId,
        taking: Taking,
        inside: Inside,
    ) -> Result<Issue, IssueError> {
        match self.guard.take(coupon, &user, taking).await? {
            Decision::Duplicate => Ok(Issue::Duplicate),
            Decision::SoldOut | Decision::Withheld => Ok(Issue::SoldOut),
            Decision::Issued { id, at } => {
                let issued = UserCoupon {
                    id,
                    coupon,
                    user,
                    created_at: at,
                };
                self.fire(&issued, inside);
                Ok(Issue::Issued(issued))
            }
        }
    }

    /// Sends the event; what becomes of it is only counted. The number of those that wait is
    /// bounded by the publisher's queue.
    fn fire(self: Arc<Self>, issued: &UserCoupon, inside: Inside) {
        let id = issued.id;
        match self.publisher.send(issued) {
            Ok(underway) => {
                tokio::spawn(async move { self.forget(id, underway, inside).await });
            }
            Err(failure) => self.note_lost(id, &failure),
        }
    }

    async fn forget(&self, id: i64, underway: Underway, _inside: Inside) {
        if let Err(failure) = underway.delivered().await {
            self.note_lost(id, &failure);
        }
    }

    fn note_lost(&self, id: i64, failure: &Unpublished) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        tracing::error!(event = "event_lost", row = id, error = %failure.error());
    }
}

impl Strategy for FireAndForget {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    /// Those that are lost stay on their way for ever.
    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.shared.guard.stock(coupon))
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        Box::pin(self.shared.guard.create(coupon, stock))
    }

    /// Kafka is not asked: users are answered without it.
    fn check(&self) -> Vec<Question<'_>> {
        self.shared.guard.check()
    }

    /// Waits for the events that are on their way, each up to the limit of the publisher.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(async {
            self.gate.close().await;
            self.shared.lost.load(Ordering::Relaxed)
        })
    }
}
