//! What a coupon is, beside how many there are, read through a cache in Redis.
//!
//! The stock is not cached: what is true for five minutes is no ground to give away the last one. That
//! nothing is left may be: where no coupon comes back it stays true, and it gives nothing away.

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
pub(super) struct CouponInfo {
    status: String,
    total_quantity: i64,
    /// Somebody has read, under the guard, that nothing is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) sold_out: bool,
    /// Only with the bug that decides by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stock_quantity: Option<i64>,
}

/// Looks into Redis first, if it may, and into the table else.
pub(super) struct CouponInfos {
    store: Arc<MySqlStore>,
    redis: Arc<RedisStore>,
    keeping: Keeping,
    bugs: Arc<Bugs>,
    meters: Option<CacheMeters>,
}

/// What is kept, and for how long.
#[derive(Clone, Copy)]
pub(super) struct Keeping {
    /// Seconds; 0: nothing is kept.
    pub(super) for_s: u32,
    /// Also that nothing is left.
    pub(super) sold_out: bool,
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
        keeping: Keeping,
        bugs: Arc<Bugs>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            meters: (keeping.for_s > 0).then(|| CacheMeters::new(metrics)),
            store,
            redis,
            keeping,
            bugs,
        }
    }

    /// Fails if there is no such coupon. A Redis that fails costs the cache, not the answer.
    pub(super) async fn expect(&self, coupon: CouponId) -> Result<CouponInfo, IssueError> {
        let Some(meters) = &self.meters else {
            return self.read(coupon).await;
        };
        meters.requests.increment(1);
        match self.cached(coupon).await {
            Ok(Some(info)) => {
                meters.hits.increment(1);
                return Ok(info);
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(event = "cache_unread", coupon, %error),
        }
        let info = self.read(coupon).await?;
        self.keep(coupon, &info).await;
        Ok(info)
    }

    /// Keeps of this coupon, if that is to be kept, what somebody has just read under the guard: that
    /// nothing is left.
    pub(super) async fn none_left(&self, coupon: CouponId, info: CouponInfo) {
        if self.meters.is_some() && self.keeping.sold_out {
            let sold_out = true;
            self.keep(coupon, &CouponInfo { sold_out, ..info }).await;
        }
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
            sold_out: false,
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

    async fn keep(&self, coupon: CouponId, info: &CouponInfo) {
        // Text and number: nothing that cannot be written.
        let text = serde_json::to_string(info).unwrap_or_default();
        let kept: RedisResult<()> = redis::cmd("SET")
            .arg(key(coupon))
            .arg(text)
            .arg("EX")
            .arg(self.keeping.for_s)
            .query_async(&mut self.redis.connection())
            .await;
        if let Err(error) = kept {
            tracing::debug!(event = "cache_unwritten", coupon, %error);
        }
    }
}

fn key(coupon: CouponId) -> String {
    format!("coupon:{coupon}:info")
}
