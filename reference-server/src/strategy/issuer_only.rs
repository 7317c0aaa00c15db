//! A server that writes rows and answers no users.

use futures_util::future::BoxFuture;

use super::{KafkaCheck, Strategy};
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::tables::Tables;

/// What is left to ask of it: numbers and health.
pub(super) struct IssuerOnly {
    tables: Tables,
    kafka: KafkaCheck,
}

impl IssuerOnly {
    pub(super) fn new(tables: Tables, kafka: KafkaCheck) -> Self {
        Self { tables, kafka }
    }
}

impl Strategy for IssuerOnly {
    fn issue<'a>(&'a self, _: CouponId, _: &'a UserId) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(std::future::ready(Err(IssueError::OtherRole)))
    }

    /// As the tables have it.
    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.tables.stock(coupon))
    }

    fn check(&self) -> Vec<Question<'_>> {
        vec![
            Question::to_database(self.tables.check()),
            Question::to_kafka(self.kafka.ask()),
        ]
    }

    /// It has acknowledged nothing.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(std::future::ready(0))
    }
}
