//! The lock of Redisson: a hash with a time to live, and a message to those who wait for it.
//!
//! The hash has one field, whose name is the holder (client and thread) and whose value counts how
//! often it has taken the lock. Who is refused hears for how long the lock will live at most, and
//! waits for a message on the lock's channel or for that time. Nobody stands in a line: whoever
//! asks in the right moment gets it, also one who has just come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{RedisResult, Script};
use tokio::time::Instant;

use super::meter::{LockMeter, NotGot};
use super::options::LockOptions;
use super::random::Random;
use super::wakeup::Wakeups;
use crate::bug::Bugs;
use crate::coupon::CouponId;
use crate::metrics::Metrics;
use crate::redis_store::RedisStore;

/// Takes the lock if it is free or one's own, else says how many milliseconds it has to live.
const LOCK: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return redis.call('PTTL', KEYS[1])
end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return nil
";

/// Nothing for one who does not hold it any more. The last one of a holder frees and tells.
const UNLOCK: &str = "
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return nil end
if redis.call('HINCRBY', KEYS[1], ARGV[1], -1) > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', KEYS[2], '0')
return 1
";

/// The locks of all coupons, as one client sees them.
pub(crate) struct Redisson {
    redis: Arc<RedisStore>,
    /// One for each server.
    client: String,
    threads: AtomicU64,
    wait: Duration,
    lease_ms: u32,
    lock: Script,
    unlock: Script,
    wakeups: Wakeups,
    meter: LockMeter,
}

/// A lock that was given, and that Redis takes back when the lease is over.
pub(crate) struct Leased {
    coupon: CouponId,
    holder: String,
    /// When it was given.
    since: Instant,
}

/// How a lock was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    InTime,
    /// The lease was over before: another may have held the lock meanwhile.
    TooLate,
}

impl Redisson {
    pub(crate) async fn open(
        redis: Arc<RedisStore>,
        coupons: impl Iterator<Item = CouponId>,
        options: &LockOptions,
        bugs: &Bugs,
        metrics: &Metrics,
    ) -> RedisResult<Self> {
        let client = redis.client().clone();
        let lease_ms = if bugs.takes_seconds_for_milliseconds() {
            (options.lock_lease_ms / 1000).max(1)
        } else {
            options.lock_lease_ms
        };
        Ok(Self {
            meter: LockMeter::new(metrics, "redisson"),
            redis,
            client: Random::new().token(),
            threads: AtomicU64::new(0),
            wait: options.wait(),
            lease_ms,
            lock: Script::new(LOCK),
            unlock: Script::new(UNLOCK),
            wakeups: Wakeups::listen(client, coupons.map(channel)).await?,
        })
    }

    /// Waits for the lock. `None`: not within the longest wait.
    pub(crate) async fn acquire(&self, coupon: CouponId) -> RedisResult<Option<Leased>> {
        let asked = Instant::now();
        let answer = self.wait_for(coupon, asked).await;
        let waited = asked.elapsed();
        match &answer {
            Ok(Some(_)) => self.meter.got(waited),
            Ok(None) => self.meter.not_got(waited, NotGot::Held),
            Err(_) => self.meter.not_got(waited, NotGot::Unreachable),
        }
        answer
    }

    async fn wait_for(&self, coupon: CouponId, asked: Instant) -> RedisResult<Option<Leased>> {
        let deadline = asked + self.wait;
        let thread = self.threads.fetch_add(1, Ordering::Relaxed);
        let mut leased = Leased {
            coupon,
            holder: format!("{}:{thread}", self.client),
            since: asked,
        };
        let channel = channel(coupon);
        let mut tries = 0;
        loop {
            let Some(lives_ms) = self.try_once(&leased).await? else {
                leased.since = Instant::now();
                return Ok(Some(leased));
            };
            tries += 1;
            if tries == 1 {
                self.meter.contended(coupon);
            }
            let Some(pause) = pause(lives_ms, deadline - Instant::now()) else {
                return Ok(None);
            };
            self.wakeups.wait(&channel, pause).await;
        }
    }

    /// `None`: the lock is taken. Else it is another's, for this many milliseconds at most.
    async fn try_once(&self, leased: &Leased) -> RedisResult<Option<i64>> {
        self.lock
            .key(key(leased.coupon))
            .arg(&leased.holder)
            .arg(self.lease_ms)
            .invoke_async(&mut self.redis.connection())
            .await
    }

    pub(crate) async fn release(&self, leased: Leased) -> RedisResult<Released> {
        let answer: Option<i64> = self
            .unlock
            .key(key(leased.coupon))
            .key(channel(leased.coupon))
            .arg(&leased.holder)
            .arg(self.lease_ms)
            .invoke_async(&mut self.redis.connection())
            .await?;
        self.meter.given_back(leased.since.elapsed());
        Ok(if answer.is_some() {
            Released::InTime
        } else {
            self.meter.lost();
            Released::TooLate
        })
    }
}

fn key(coupon: CouponId) -> String {
    format!("lock:coupon:{coupon}")
}

fn channel(coupon: CouponId) -> String {
    format!("redisson_lock__channel:{{{}}}", key(coupon))
}

/// How long to wait for a message before asking again: as long as the lock lives, but not longer
/// than the wait has left. `None`: the wait is over.
fn pause(lives_ms: i64, left: Duration) -> Option<Duration> {
    if left.is_zero() {
        return None;
    }
    // Below zero the lock has no end (somebody else's key), or has just ended.
    let lives = u64::try_from(lives_ms).map_or(left, Duration::from_millis);
    Some(lives.max(Duration::from_millis(1)).min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_long_as_the_lock_lives_but_not_longer_than_the_wait_has_left() {
        let cases = [
            (2000, 3000, Some(2000)),
            (3000, 200, Some(200)), // the wait is over before the lease
            (0, 3000, Some(1)),     // in its last millisecond: not a busy loop
            (-1, 3000, Some(3000)), // a key without an end
            (2000, 0, None),        // waited long enough
        ];
        for (lives_ms, left_ms, expected_ms) in cases {
            let expected = expected_ms.map(Duration::from_millis);
            let pause = pause(lives_ms, Duration::from_millis(left_ms));
            assert_eq!(pause, expected, "{lives_ms} {left_ms}");
        }
    }

    #[test]
    fn the_names_are_those_of_redisson() {
        assert_eq!(key(1), "lock:coupon:1");
        assert_eq!(channel(1), "redisson_lock__channel:{lock:coupon:1}");
    }
}
