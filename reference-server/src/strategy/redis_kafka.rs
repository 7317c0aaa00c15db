//! `redis-kafka`: duplicate and stock decided by a script in Redis, answered when every replica of
//! Kafka has the event.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::gate::{Gate, Inside};
use super::lua::{Decision, Taking};
use super::redis_guard::RedisGuard;
use super::{KafkaCheck, Strategy, on_task};
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::kafka::publisher::{Publisher, Unpublished};

/// Redis is the authority; an acknowledged coupon is in Kafka, from where an issuer takes it to
/// the tables.
pub(super) struct RedisKafka {
    shared: Arc<Shared>,
    kafka: KafkaCheck,
    gate: Gate,
}

/// What a request needs that must not be cut off.
struct Shared {
    guard: RedisGuard,
    publisher: Publisher,
}

impl RedisKafka {
    pub(super) fn new(guard: RedisGuard, publisher: Publisher, kafka: KafkaCheck) -> Self {
        Self {
            shared: Arc::new(Shared { guard, publisher }),
            kafka,
            gate: Gate::default(),
        }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let inside = self.gate.enter().await?;
        let taking = self.shared.guard.taking(coupon).await?;
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        // What Redis gave away needs its event, also when the client hangs up.
        on_task(async move { shared.decide(coupon, user, taking, inside).await }).await
    }
}

impl Shared {
    async fn decide(
        &self,
        coupon: CouponId,
        user: UserId,
        taking: Taking,
        _inside: Inside,
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
                match self.publisher.publish(&issued).await {
                    Ok(()) => Ok(Issue::Issued(issued)),
                    Err(failure) => Err(self.undo(&issued, failure).await),
                }
            }
        }
    }

    /// Gives back what nobody will hear of. An event that may be there stays taken: its row may
    /// come, and given back it would be one too many.
    async fn undo(&self, taken: &UserCoupon, failure: Unpublished) -> IssueError {
        let error = match failure {
            Unpublished::Certainly(error) => error,
            Unpublished::Perhaps(error) if self.guard.gives_back_what_is_unknown() => error,
            Unpublished::Perhaps(error) => {
                tracing::warn!(event = "event_unknown", row = taken.id, %error);
                return IssueError::Kafka(error);
            }
        };
        match self.guard.give_back(taken.coupon, &taken.user).await {
            Ok(()) => IssueError::NotPublished(error),
            Err(problem) => {
                tracing::error!(event = "not_given_back", row = taken.id, %problem);
                IssueError::Kafka(error)
            }
        }
    }
}

impl Strategy for RedisKafka {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.shared.guard.stock(coupon))
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        Box::pin(self.shared.guard.create(coupon, stock))
    }

    fn check(&self) -> Vec<Question<'_>> {
        let mut questions = self.shared.guard.check();
        questions.push(Question::to_kafka(self.kafka.ask()));
        questions
    }

    /// Every answer waited for its event, which no end of this server can lose.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(async {
            self.gate.close().await;
            0
        })
    }
}
