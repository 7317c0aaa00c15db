//! Brings the stock from Redis back to the table.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::MissedTickBehavior;

use super::stock_keys::{PATTERN, coupon_of, left_key};
use crate::coupon::{CouponId, IssueError};
use crate::mysql::{MySqlStore, rows};
use crate::redis_store::RedisStore;

/// From Redis, which is right, to the table, which is behind.
pub(super) struct StockSync {
    redis: Arc<RedisStore>,
    store: Arc<MySqlStore>,
}

impl StockSync {
    /// Keys that Redis looks at in one step of a scan, while nobody else is served.
    const SCAN_STEP: usize = 100;

    pub(super) fn new(redis: Arc<RedisStore>, store: Arc<MySqlStore>) -> Self {
        Self { redis, store }
    }

    /// Syncs again and again. May be cut at any wait: a sync is one transaction for each coupon.
    pub(super) async fn run_every(self: Arc<Self>, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first comes at once, when there is nothing to sync yet.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            match self.run().await {
                Ok(coupons) => tracing::debug!(event = "stock_synced", coupons),
                Err(error) => tracing::warn!(event = "stock_not_synced", %error),
            }
        }
    }

    /// Syncs every coupon that Redis has, and returns how many the table has too.
    pub(super) async fn run(&self) -> Result<usize, IssueError> {
        let mut synced = 0;
        for coupon in self.coupons().await? {
            synced += usize::from(self.sync(coupon).await?);
        }
        Ok(synced)
    }

    /// Looks at every key of the database, as nothing else says which coupons there are.
    async fn coupons(&self) -> RedisResult<Vec<CouponId>> {
        let mut connection = self.redis.connection();
        let (mut cursor, mut coupons) = (0_u64, Vec::new());
        loop {
            let keys: Vec<String>;
            (cursor, keys) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(PATTERN)
                .arg("COUNT")
                .arg(Self::SCAN_STEP)
                .query_async(&mut connection)
                .await?;
            coupons.extend(keys.iter().filter_map(|key| coupon_of(key)));
            if cursor == 0 {
                return Ok(coupons);
            }
        }
    }

    /// The row first, then Redis: of two servers that sync at once, the one that writes later has
    /// read later.
    async fn sync(&self, coupon: CouponId) -> Result<bool, IssueError> {
        let mut transaction = self.store.begin().await?;
        if rows::lock(&mut transaction, coupon).await?.is_none() {
            return Ok(false);
        }
        let left: Option<i64> = redis::cmd("GET")
            .arg(left_key(coupon))
            .query_async(&mut self.redis.connection())
            .await?;
        let Some(left) = left else {
            return Ok(false);
        };
        rows::set_left(&mut transaction, coupon, left).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
