//! What a coupon is, beside how many there are, read through a cache in Redis.
//!
//! The stock is not cached: what is true for five minutes is no ground to give away the last one.

use std::sync::Arc;

use metrics::{Counter, counter, describe_counter};
use redis::RedisResult;
use serde::{Deserialize, Serialize};

use crate::bug::Bugs;
use crate::coupon::{CouponId, IssueError};
use crate::metrics::Metrics;
use crate::mysql::{MySqlStore, rows};
use crate::redis_store::RedisStore;

/// What does not change while a coupon is given out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CouponInfo {
    status: String,
    total_quantity: i64,
    /// Only with the bug that decides by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stock_quantity: Option<i64>,
}

/// Looks into Redis first, if it may, and into the table else.
pub(super) struct CouponInfos {
    store: Arc<MySqlStore>,
    redis: Arc<RedisStore>,
    /// Seconds.
    keep_s: u32,
    bugs: Arc<Bugs>,
    meters: Option<CacheMeters>,
}

/// Of a cache that is on.
struct CacheMeters {
    requests: Counter,
    hits: Counter,
}

impl CacheMeters {
    fn new(metrics: &Metrics) -> Self {
        metrics.with(|| {
            describe_counter!("cache_requests_total", "Questions to a cache.");
            describe_counter!("cache_hits_total", "Questions that a cache has answered.");
            Self {
                requests: counter!("cache_requests_total", "cache" => "coupon_info"),
                hits: counter!("cache_hits_total", "cache" => "coupon_info"),
            }
        })
    }
}

impl CouponInfos {
    pub(super) fn new(
        store: Arc<MySqlStore>,
        redis: Arc<RedisStore>,
        keep_s: u32,
        bugs: Arc<Bugs>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            meters: (keep_s > 0).then(|| CacheMeters::new(metrics)),
            store,
            redis,
            keep_s,
            bugs,
        }
    }

    /// Fails if there is no such coupon, and returns the stock if a bug has it in the cache. A Redis
    /// that fails costs the cache, not the answer.
    pub(super) async fn expect(&self, coupon: CouponId) -> Result<Option<i64>, IssueError> {
        let Some(meters) = &self.meters else {
            return Ok(self.read(coupon).await?.stock_quantity);
        };
        meters.requests.increment(1);
        match self.cached(coupon).await {
            Ok(Some(info)) => {
                meters.hits.increment(1);
                return Ok(info.stock_quantity);
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(event = "cache_unread", coupon, %error),
        }
        let info = self.read(coupon).await?;
        if let Err(error) = self.keep(coupon, &info).await {
            tracing::debug!(event = "cache_unwritten", coupon, %error);
        }
        Ok(info.stock_quantity)
    }

    async fn read(&self, coupon: CouponId) -> Result<CouponInfo, IssueError> {
        let mut connection = self.store.connection().await?;
        let found = rows::details(&mut connection, coupon).await?;
        let stock_quantity = if self.bugs.decides_by_the_cache() {
            rows::left(&mut connection, coupon).await?
        } else {
            None
        };
        let (status, total_quantity) = found.ok_or(IssueError::UnknownCoupon)?;
        Ok(CouponInfo {
            status,
            total_quantity,
            stock_quantity,
        })
    }

    /// A text that is none of ours counts as none.
    async fn cached(&self, coupon: CouponId) -> RedisResult<Option<CouponInfo>> {
        let text: Option<String> = redis::cmd("GET")
            .arg(key(coupon))
            .query_async(&mut self.redis.connection())
            .await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    async fn keep(&self, coupon: CouponId, info: &CouponInfo) -> RedisResult<()> {
        // Text and number: nothing that cannot be written.
        let text = serde_json::to_string(info).unwrap_or_default();
        redis::cmd("SET")
            .arg(key(coupon))
            .arg(text)
            .arg("EX")
            .arg(self.keep_s)
            .query_async(&mut self.redis.connection())
            .await
    }
}

fn key(coupon: CouponId) -> String {
    format!("coupon:{coupon}:info")
}
