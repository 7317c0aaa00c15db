//! `memory-kafka`: stock and guard in memory, answered when every replica of Kafka has the event.
//!
//! A restart rebuilds the memory from the table, where events that no issuer has written yet are
//! missing. Their users may get a second coupon, their coupons go to others, and the ids of their
//! rows are given out again: of two events with one id the first has the row, and the other is
//! logged as `row_lost`. So restart only when `pending` is 0. For the same reason there can only be
//! one process that decides.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use super::gate::{Gate, Inside};
use super::memory::{Memory, Taking, lock};
use super::{KafkaCheck, Strategy, on_task};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::kafka::publisher::{Publisher, Unpublished};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Memory is the authority while it runs; an acknowledged coupon is in Kafka, from where an issuer
/// takes it to the tables.
pub(super) struct MemoryKafka {
    shared: Arc<Shared>,
    store: Arc<Store>,
    kafka: KafkaCheck,
    gate: Gate,
}

/// What a request needs that must not be cut off.
struct Shared {
    memory: Mutex<Memory>,
    publisher: Publisher,
    bugs: Arc<Bugs>,
}

impl MemoryKafka {
    /// Starts from what the tables say.
    pub(super) async fn restore(
        store: Arc<Store>,
        publisher: Publisher,
        kafka: KafkaCheck,
        bugs: Arc<Bugs>,
    ) -> Result<Self, IssueError> {
        let memory = Mutex::new(Memory::restore(&store, &bugs).await?);
        let shared = Shared {
            memory,
            publisher,
            bugs,
        };
        Ok(Self {
            shared: Arc::new(shared),
            store,
            kafka,
            gate: Gate::default(),
        })
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let inside = self.gate.enter().await?;
        let taking = self.shared.taking(coupon).await?;
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        // What is taken needs its event, also when the client hangs up.
        on_task(async move { shared.issue(coupon, user, taking, inside).await }).await
    }

    /// Memory has what is left, and the table what the issuer has written.
    async fn read(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let stock = self.store.stock(coupon).await?;
        let remaining = lock(&self.shared.memory).shelf(coupon)?.remaining;
        Ok(Stock {
            remaining,
            pending: (stock.in_table - remaining).max(0),
            ..stock
        })
    }
}

impl Shared {
    async fn taking(&self, coupon: CouponId) -> Result<Taking, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(Taking::IfLeft);
        }
        let remaining = lock(&self.memory).shelf(coupon)?.remaining;
        self.bugs.remote_check().await;
        Ok(Taking::after_a_look(remaining))
    }

    async fn issue(
        &self,
        coupon: CouponId,
        user: UserId,
        taking: Taking,
        _inside: Inside,
    ) -> Result<Issue, IssueError> {
        let decided = self.decide(coupon, user, taking)?;
        let Issue::Issued(issued) = &decided else {
            return Ok(decided);
        };
        match self.publisher.publish(issued).await {
            Ok(()) => Ok(decided),
            Err(failure) => Err(self.undo(issued, failure)),
        }
    }

    fn decide(&self, coupon: CouponId, user: UserId, taking: Taking) -> Result<Issue, IssueError> {
        let mut memory = lock(&self.memory);
        let id = memory.next_id;
        let shelf = memory.shelf(coupon)?;
        if let Some(refusal) = shelf.refuses(&user, taking, &self.bugs) {
            return Ok(refusal);
        }
        shelf.remaining -= 1;
        if self.bugs.refuses_the_last(shelf.remaining) {
            return Ok(Issue::SoldOut);
        }
        shelf.holders.insert(user.clone());
        memory.next_id += 1;
        Ok(Issue::Issued(UserCoupon {
            id,
            coupon,
            user,
            created_at: Timestamp::now(),
        }))
    }

    /// Gives back what nobody will hear of. An event that may be there stays taken: its row may
    /// come, and given back it would be one too many.
    fn undo(&self, taken: &UserCoupon, failure: Unpublished) -> IssueError {
        let error = match failure {
            Unpublished::Certainly(error) => error,
            Unpublished::Perhaps(error) if self.bugs.gives_back_what_is_unknown() => error,
            Unpublished::Perhaps(error) => {
                tracing::warn!(event = "event_unknown", row = taken.id, %error);
                return IssueError::Kafka(error);
            }
        };
        if let Ok(shelf) = lock(&self.memory).shelf(taken.coupon) {
            shelf.remaining += if self.bugs.gives_back_twice() { 2 } else { 1 };
            shelf.holders.remove(&taken.user);
        }
        IssueError::NotPublished(error)
    }
}

impl Strategy for MemoryKafka {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.read(coupon))
    }

    fn check(&self) -> Vec<Question<'_>> {
        vec![
            Question::to_database(self.store.check()),
            Question::to_kafka(self.kafka.ask()),
        ]
    }

    /// Every answer waited for its event, which no end of this server can lose.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(async {
            self.gate.close().await;
            0
        })
    }
}
