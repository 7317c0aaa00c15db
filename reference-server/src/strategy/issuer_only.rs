//! A server that writes rows and answers no users.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Down, KafkaCheck, Strategy};
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::mysql::MySqlStore;

/// What is left to ask of it: numbers and health.
pub(super) struct IssuerOnly {
    store: Arc<MySqlStore>,
    kafka: KafkaCheck,
}

impl IssuerOnly {
    pub(super) fn new(store: Arc<MySqlStore>, kafka: KafkaCheck) -> Self {
        Self { store, kafka }
    }

    async fn ask(&self) -> Result<(), Down> {
        self.store.check().await.map_err(Down::database)?;
        self.kafka.ask().await
    }
}

impl Strategy for IssuerOnly {
    fn issue<'a>(&'a self, _: CouponId, _: &'a UserId) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(std::future::ready(Err(IssueError::OtherRole)))
    }

    /// As the tables have it.
    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.store.stock(coupon))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), Down>> {
        Box::pin(self.ask())
    }

    /// It has acknowledged nothing.
    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(std::future::ready(0))
    }
}
