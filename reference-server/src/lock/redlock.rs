//! Redlock: a lock that is held once more than half of some independent Redis say so.
//!
//! ```text
//! ask all at once ── quorum in time ── held ── validity runs low ── extend on a quorum
//!       │                               │                                │ not in time
//!       │ else                          └ release on all                 └ lost
//!       └ release on all, pause, ask again
//! ```
//!
//! There is no fencing: whoever holds a lock whose validity is over does not know that another
//! holds it too, and what the lock protects does not ask.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::RedisResult;
use redis::aio::ConnectionManager;
use tokio::time::Instant;

use super::meter::{LockMeter, NotGot};
use super::options::LockOptions;
use super::quorum::{Pause, Tally, Timing, quorum};
use super::random::Random;
use crate::bug::Bugs;
use crate::coupon::CouponId;
use crate::metrics::Metrics;
use crate::redis_store::RedisStore;

/// Only the holder may give a lock longer life; somebody else's is left alone.
const EXTEND: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
";

/// Only the holder may delete a lock, as it may have run out and be another's by now.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
";

/// What a bug does in its place.
const RELEASE_ANY: &str = "return redis.call('DEL', KEYS[1])";

/// The instances, and how they are asked.
pub(crate) struct Redlock {
    instances: Vec<Arc<RedisStore>>,
    timing: Timing,
    retry_count: u32,
    pause: Pause,
    extend_below: Duration,
    random: Random,
    release: &'static str,
    meter: LockMeter,
}

/// One lock as its holder knows it.
pub(crate) struct Held {
    key: String,
    token: String,
    /// One of each instance for the life of the lock: what is asked on one connection comes in
    /// order, so that a release cannot overtake the question that it takes back.
    connections: Vec<ConnectionManager>,
    valid_until: Mutex<Instant>,
    /// When the try that got it began.
    since: Instant,
}

impl Held {
    /// Whether the lock still counts as held at this instant.
    pub(crate) fn is_valid(&self) -> bool {
        Instant::now() < self.valid_until()
    }

    fn valid_until(&self) -> Instant {
        *self.lock_until()
    }

    fn lock_until(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.valid_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Too few instances agreed, or too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "ResourceLockedError: The operation was applied to: {applied} of the {of} requested resources."
)]
pub(crate) struct NoQuorum {
    pub(crate) applied: usize,
    pub(crate) of: usize,
}

impl Redlock {
    pub(crate) fn new(
        instances: Vec<Arc<RedisStore>>,
        timing: Timing,
        of: &LockOptions,
        bugs: &Bugs,
        metrics: &Metrics,
    ) -> Self {
        Self {
            meter: LockMeter::new(metrics, "redlock"),
            instances,
            timing,
            retry_count: of.lock_retry_count,
            pause: Pause {
                delay: of.retry_delay(),
                jitter: of.retry_jitter(),
            },
            extend_below: of.extend_below(),
            random: Random::new(),
            release: if bugs.unlocks_for_others() {
                RELEASE_ANY
            } else {
                RELEASE
            },
        }
    }

    /// Tries until the lock is held or the tries are used up; the refusal is that of the last.
    /// `coupon` is what the lock protects.
    pub(crate) async fn acquire(&self, key: &str, coupon: CouponId) -> Result<Held, NoQuorum> {
        let asked = Instant::now();
        let mut last = self.try_once(key).await;
        if last.is_err() {
            self.meter.contended(coupon);
        }
        for _ in 0..self.retry_count {
            if last.is_ok() {
                break;
            }
            tokio::time::sleep(self.pause.draw(self.random.number())).await;
            last = self.try_once(key).await;
        }
        match last {
            Ok(held) => {
                self.meter.got(asked.elapsed());
                Ok(held)
            }
            Err(tally) => {
                let why = if tally.too_few_answered() {
                    NotGot::Unreachable
                } else {
                    NotGot::Held
                };
                self.meter.not_got(asked.elapsed(), why);
                Err(NoQuorum {
                    applied: tally.applied(),
                    of: self.instances.len(),
                })
            }
        }
    }

    async fn try_once(&self, key: &str) -> Result<Held, Tally> {
        let asked = Instant::now();
        let connections = self.instances.iter().map(|redis| redis.connection());
        let held = Held {
            key: key.to_owned(),
            token: self.random.token(),
            connections: connections.collect(),
            valid_until: Mutex::new(asked),
            since: asked,
        };
        let tally = self.ask_all(&held, |redis| self.set(redis, &held)).await;
        if self.renew(&held, asked, tally) {
            return Ok(held);
        }
        // Those who agreed would keep everybody away until the time to live is over.
        self.take_back(&held).await;
        Err(tally)
    }

    /// Counts the lock as held from `asked` on, if enough agreed while there is time left.
    fn renew(&self, held: &Held, asked: Instant, tally: Tally) -> bool {
        let left = self.timing.left(asked.elapsed());
        let is_held = tally.has_quorum() && left.is_some();
        if is_held {
            *held.lock_until() = asked + self.timing.validity();
        }
        is_held
    }

    /// Asks every instance at once, and counts who agreed: with a quorum not all of them, as nobody
    /// waits for the rest.
    async fn ask_all<'a, F>(
        &self,
        held: &'a Held,
        question: impl Fn(&'a ConnectionManager) -> F,
    ) -> Tally
    where
        F: Future<Output = RedisResult<bool>>,
    {
        let limit = self.timing.answer_limit();
        let asked = held.connections.iter().map(question);
        let mut answers: FuturesUnordered<_> = asked
            .map(|answer| tokio::time::timeout(limit, answer))
            .collect();
        let mut tally = Tally::new(held.connections.len());
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(Ok(agrees)) => tally.count(agrees),
                Ok(Err(_)) | Err(_) => tally.count_silent(),
            }
            if tally.has_quorum() {
                break;
            }
        }
        tally
    }

    async fn set(&self, redis: &ConnectionManager, held: &Held) -> RedisResult<bool> {
        let answer: Option<String> = redis::cmd("SET")
            .arg(&held.key)
            .arg(&held.token)
            .arg("NX")
            .arg("PX")
            .arg(self.ttl_ms())
            .query_async(&mut redis.clone())
            .await?;
        Ok(answer.is_some())
    }

    /// Runs `work` and keeps the lock meanwhile. It runs to its end also when the lock is lost:
    /// only the work knows up to when it can still be taken back.
    pub(crate) async fn hold<T>(&self, held: &Held, work: impl Future<Output = T>) -> T {
        let kept = async {
            self.keep(held).await;
            std::future::pending().await
        };
        tokio::select! {
            biased;
            done = work => done,
            never = kept => never,
        }
    }

    /// Extends the lock again and again, and ends when it is lost.
    async fn keep(&self, held: &Held) {
        if self.extend_below.is_zero() {
            return;
        }
        while held.is_valid() {
            let now = Instant::now();
            let due = held.valid_until().checked_sub(self.extend_below);
            tokio::time::sleep_until(due.unwrap_or(now)).await;
            if !self.extend(held).await {
                tokio::time::sleep(self.pause.draw(self.random.number())).await;
            }
        }
        self.meter.lost();
        tracing::warn!(event = "lock_lost", key = held.key);
    }

    async fn extend(&self, held: &Held) -> bool {
        let asked = Instant::now();
        let tally = self
            .ask_all(held, |redis| self.run(EXTEND, redis, held))
            .await;
        self.renew(held, asked, tally)
    }

    /// Gives the lock back wherever it is.
    pub(crate) async fn release(&self, held: &Held) {
        self.take_back(held).await;
        self.meter.given_back(held.since.elapsed());
    }

    /// The same after a failed try, which held nothing.
    async fn take_back(&self, held: &Held) {
        self.ask_all(held, |redis| self.run(self.release, redis, held))
            .await;
    }

    /// Sends the script itself and not its hash: an instance that does not know the hash would
    /// have to be asked a second time, when a quorum of others may have ended the waiting.
    async fn run(&self, script: &str, redis: &ConnectionManager, held: &Held) -> RedisResult<bool> {
        redis::cmd("EVAL")
            .arg(script)
            .arg(1)
            .arg(&held.key)
            .arg(&held.token)
            .arg(self.ttl_ms())
            .query_async(&mut redis.clone())
            .await
    }

    fn ttl_ms(&self) -> u64 {
        u64::try_from(self.timing.ttl.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether enough instances answer for a lock to be possible; the error is that of one which
    /// does not.
    pub(crate) async fn check(&self) -> RedisResult<()> {
        enough(signs_of_life(&self.instances).await)
    }
}

/// What every instance answers to a sign of life, in their order.
pub(crate) async fn signs_of_life(instances: &[Arc<RedisStore>]) -> Vec<RedisResult<()>> {
    futures_util::future::join_all(instances.iter().map(|redis| redis.check())).await
}

/// Fails with the first failure, unless those that answered are a quorum.
pub(crate) fn enough(answers: Vec<RedisResult<()>>) -> RedisResult<()> {
    let alive = answers.iter().filter(|answer| answer.is_ok()).count();
    if alive >= quorum(answers.len()) {
        return Ok(());
    }
    answers.into_iter().collect()
}
