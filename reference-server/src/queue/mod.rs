//! The waiting and the admitted users of each event, in Redis.
//!
//! ```text
//! enter ──> waiting ──transfer──> running ──leave──> (has a coupon, or an answer)
//!              └──────expire─────────┴──> (gone)
//! ```

mod meters;
mod options;
mod schedule;
mod scripts;
mod server;
mod traffic;

use std::sync::Arc;

use redis::{RedisError, Script};
use serde::Deserialize;

use crate::bug::Bugs;
use crate::coupon::{CouponId, UserId};
use crate::redis_store::RedisStore;
use crate::timestamp::Timestamp;

pub use options::QueueOptions;
pub(crate) use server::QueueServer;
pub(crate) use traffic::{Reason, Traffic, Way};

/// The one domain that has a queue; its events are coupons.
pub(crate) const DOMAIN: &str = "COUPON";

/// Settings for events that have none of their own.
const DEFAULTS_KEY: &str = "queue:COUPON:config";

/// Events whose queue is not empty.
const EVENTS_KEY: &str = "queue:COUPON:events";

fn key(event: CouponId, of: &str) -> String {
    format!("queue:{DOMAIN}:{event}:{of}")
}

/// Users in the order of entry: a sorted set whose score is counted.
fn waiting_key(event: CouponId) -> String {
    key(event, "waiting")
}

/// Admitted users: a sorted set whose score is the last sign of life in milliseconds.
fn running_key(event: CouponId) -> String {
    key(event, "running")
}

/// Waiting users by their last sign of life: the score of `waiting` is the order.
fn seen_key(event: CouponId) -> String {
    key(event, "seen")
}

fn settings_key(event: CouponId) -> String {
    key(event, "config")
}

/// What an administrator can change while the servers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    /// Users who may be admitted at the same time.
    pub(crate) threshold: u32,
    /// Users who are admitted at once at most.
    pub(crate) transfer_size: u32,
    /// Requests for the event page in a minute from which a queue is needed.
    pub(crate) traffic_rpm: u32,
}

/// Where a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    /// `rank` users are ahead, of `total` who wait.
    Waiting {
        rank: u64,
        total: u64,
    },
    Admitted,
}

/// What became of a wish to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `ticket` is the place by which users are admitted, the lowest first.
    Entered {
        rank: u64,
        total: u64,
        ticket: u64,
    },
    WaitsAlready,
    AdmittedAlready,
}

/// What one transfer did, and what it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) moved: u64,
    pub(crate) waiting: u64,
    pub(crate) running: u64,
}

/// The queues of all events in one Redis, seen by any number of servers.
pub(crate) struct Queue {
    redis: Arc<RedisStore>,
    /// For what Redis does not say, as after it was emptied.
    own: Settings,
    bugs: Bugs,
    enter: Script,
    order: Script,
    transfer: Script,
    expire: Script,
    traffic: Script,
    admit: Script,
}

impl Queue {
    pub(crate) fn new(redis: Arc<RedisStore>, own: Settings, bugs: Bugs) -> Self {
        Self {
            redis,
            own,
            bugs,
            enter: Script::new(scripts::ENTER),
            order: Script::new(scripts::ORDER),
            transfer: Script::new(scripts::TRANSFER),
            expire: Script::new(scripts::EXPIRE),
            traffic: Script::new(scripts::TRAFFIC),
            admit: Script::new(scripts::ADMIT),
        }
    }

    pub(crate) fn redis(&self) -> &RedisStore {
        &self.redis
    }

    /// Puts a user at the end. Repeated after a lost answer it says that the user waits already.
    pub(crate) async fn enter(&self, event: CouponId, user: &UserId) -> Result<Entry, RedisError> {
        let clock = self.bugs.takes_places_from_the_clock();
        let place = clock.then(|| Timestamp::now().as_micros().to_string());
        let (state, rank, total, ticket): (u8, u64, u64, u64) = self
            .enter
            .key(waiting_key(event))
            .key(running_key(event))
            .key(seen_key(event))
            .key(key(event, "sequence"))
            .key(EVENTS_KEY)
            .arg(user.as_str())
            .arg(event)
            .arg(place.unwrap_or_default())
            .invoke_async(&mut self.redis.connection())
            .await?;
        Ok(match state {
            0 => Entry::Entered {
                rank,
                total,
                ticket,
            },
            1 => Entry::WaitsAlready,
            _ => Entry::AdmittedAlready,
        })
    }

    /// Where a user is; asking is a sign of life.
    pub(crate) async fn standing(
        &self,
        event: CouponId,
        user: &UserId,
    ) -> Result<Standing, RedisError> {
        let (state, rank, total): (u8, u64, u64) = self
            .order
            .key(waiting_key(event))
            .key(running_key(event))
            .key(seen_key(event))
            .arg(user.as_str())
            .invoke_async(&mut self.redis.connection())
            .await?;
        Ok(match state {
            1 => Standing::Waiting { rank, total },
            2 => Standing::Admitted,
            _ => Standing::Unknown,
        })
    }

    /// Admits the first of those who wait, as far as there is room. For `alone_ms` after that
    /// no server admits anybody, so that several do not admit more than one would.
    pub(crate) async fn transfer(
        &self,
        event: CouponId,
        alone_ms: u64,
    ) -> Result<Transfer, RedisError> {
        let (moved, waiting, running) = self
            .transfer
            .key(waiting_key(event))
            .key(running_key(event))
            .key(seen_key(event))
            .key(settings_key(event))
            .key(DEFAULTS_KEY)
            .key(key(event, "transferred"))
            .arg(self.own.threshold)
            .arg(self.own.transfer_size)
            .arg(alone_ms)
            .arg(u8::from(!self.bugs.forgets_who_is_inside()))
            .invoke_async(&mut self.redis.connection())
            .await?;
        Ok(Transfer {
            moved,
            waiting,
            running,
        })
    }

    /// Drops who was silent for too long. Gives how many of the waiting and of the admitted.
    pub(crate) async fn expire(
        &self,
        event: CouponId,
        waiting_ms: u32,
        running_ms: u32,
    ) -> Result<(u64, u64), RedisError> {
        self.expire
            .key(waiting_key(event))
            .key(running_key(event))
            .key(seen_key(event))
            .key(EVENTS_KEY)
            .arg(event)
            .arg(waiting_ms)
            .arg(running_ms)
            .invoke_async(&mut self.redis.connection())
            .await
    }

    /// Counts a request for the event page.
    pub(crate) async fn count(
        &self,
        event: CouponId,
        user: &UserId,
    ) -> Result<Traffic, RedisError> {
        let (requests, waiting, running, threshold, rpm_limit, admitted) = self
            .traffic
            .key(key(event, "requests"))
            .key(waiting_key(event))
            .key(running_key(event))
            .key(settings_key(event))
            .key(DEFAULTS_KEY)
            .arg(user.as_str())
            .arg(self.own.threshold)
            .arg(self.own.traffic_rpm)
            .invoke_async(&mut self.redis.connection())
            .await?;
        Ok(Traffic {
            requests,
            waiting,
            running,
            threshold,
            rpm_limit,
            admitted,
        })
    }

    /// Admits a user who need not queue, if there still is room.
    pub(crate) async fn admit(&self, event: CouponId, user: &UserId) -> Result<bool, RedisError> {
        self.admit
            .key(waiting_key(event))
            .key(running_key(event))
            .key(settings_key(event))
            .key(DEFAULTS_KEY)
            .key(EVENTS_KEY)
            .arg(user.as_str())
            .arg(event)
            .arg(self.own.threshold)
            .invoke_async(&mut self.redis.connection())
            .await
    }

    /// Whether this user may be given what is guarded.
    pub(crate) async fn may_get(&self, event: CouponId, user: &UserId) -> Result<bool, RedisError> {
        Ok(!self.bugs.asks_who_was_admitted() || self.is_admitted(event, user).await?)
    }

    async fn is_admitted(&self, event: CouponId, user: &UserId) -> Result<bool, RedisError> {
        let score: Option<f64> = redis::cmd("ZSCORE")
            .arg(running_key(event))
            .arg(user.as_str())
            .query_async(&mut self.redis.connection())
            .await?;
        Ok(score.is_some())
    }

    /// Events with anybody in their queue.
    pub(crate) async fn events(&self) -> Result<Vec<CouponId>, RedisError> {
        redis::cmd("SMEMBERS")
            .arg(EVENTS_KEY)
            .query_async(&mut self.redis.connection())
            .await
    }

    /// Writes this server's own settings for all events, where there are none.
    pub(crate) async fn write_defaults(&self) -> Result<(), RedisError> {
        let mut commands = redis::pipe();
        for (name, value) in fields(self.own) {
            commands.hset_nx(DEFAULTS_KEY, name, value).ignore();
        }
        commands.query_async(&mut self.redis.connection()).await
    }

    pub(crate) async fn settings(&self, event: CouponId) -> Result<Settings, RedisError> {
        type Fields = (Option<u32>, Option<u32>, Option<u32>);
        let names = fields(self.own).map(|(name, _)| name);
        let (of_event, of_all): (Fields, Fields) = redis::pipe()
            .cmd("HMGET")
            .arg(settings_key(event))
            .arg(&names)
            .cmd("HMGET")
            .arg(DEFAULTS_KEY)
            .arg(&names)
            .query_async(&mut self.redis.connection())
            .await?;
        let first = |a: Option<u32>, b: Option<u32>, own| a.or(b).unwrap_or(own);
        Ok(Settings {
            threshold: first(of_event.0, of_all.0, self.own.threshold),
            transfer_size: first(of_event.1, of_all.1, self.own.transfer_size),
            traffic_rpm: first(of_event.2, of_all.2, self.own.traffic_rpm),
        })
    }

    pub(crate) async fn set(&self, event: CouponId, settings: Settings) -> Result<(), RedisError> {
        redis::cmd("HSET")
            .arg(settings_key(event))
            .arg(&fields(settings))
            .query_async(&mut self.redis.connection())
            .await
    }
}

/// As they are called in Redis.
fn fields(settings: Settings) -> [(&'static str, u32); 3] {
    [
        ("threshold", settings.threshold),
        ("transferSize", settings.transfer_size),
        ("trafficRpm", settings.traffic_rpm),
    ]
}

/// Frees the places of admitted users who are done.
pub(crate) async fn leave(
    redis: &RedisStore,
    coupon: CouponId,
    users: &[&str],
) -> Result<(), RedisError> {
    if users.is_empty() {
        return Ok(());
    }
    redis::cmd("ZREM")
        .arg(running_key(coupon))
        .arg(users)
        .query_async(&mut redis.connection())
        .await
}
