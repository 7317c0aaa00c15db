//! `redisson`: stock in Redis, read and written under a lock with a lease; rows behind the answer.
//!
//! ```text
//! start ── preload: tables -> Redis
//! request ── lock ── duplicate? left? ── write what is left ── unlock ── answer
//!                                            └ queue ── rows
//! while running, and at the end ── sync: Redis -> stock of the table
//! ```

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::RedisResult;
use tracing_subscriber::filter::LevelFilter;

use super::mysql_table::{MySqlTable, TableStock};
use super::stock_keys::{self, Preload, left_key};
use super::stock_sync::StockSync;
use super::write_behind::{Taken, WriteBehind};
use super::{StockOptions, Strategy};
use crate::background::Background;
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::health::Question;
use crate::lock::{LockOptions, Redisson, Released, Work, log_refusal};
use crate::metrics::Metrics;
use crate::mysql::{MySqlStore, rows};
use crate::queue::Queue;
use crate::redis_store::{ID_KEY, RedisStore, users_key};
use crate::timestamp::Timestamp;

/// Redis is the authority; rows and stock of the tables follow, each in its own time.
pub(super) struct UnderLease {
    shared: Arc<Shared>,
    sync: Arc<StockSync>,
    how: super::StockSync,
    /// Only while the sync is periodic.
    syncing: Option<Background>,
}

/// What a request needs that must not be cut off.
struct Shared {
    redis: Arc<RedisStore>,
    lock: Redisson,
    store: Arc<MySqlStore>,
    table: Arc<MySqlTable>,
    queue: WriteBehind,
    /// Those that the tables had at the start.
    coupons: HashSet<CouponId>,
    bugs: Arc<Bugs>,
    work: Work,
    refusals: LevelFilter,
}

impl UnderLease {
    /// How long the last sync may take when the server stops.
    const CLOSE_LIMIT: Duration = Duration::from_secs(3);

    /// Preloads the coupons, and starts what runs beside the requests.
    pub(super) async fn open(
        redis: RedisStore,
        store: Arc<MySqlStore>,
        bugs: Arc<Bugs>,
        queue: NonZeroUsize,
        (locks, stocks): (&LockOptions, &StockOptions),
        line: Option<&Arc<Queue>>,
        metrics: &Metrics,
    ) -> Result<Self, IssueError> {
        let redis = Arc::new(redis);
        let coupons = preload_all(&redis, &store, stocks).await?;
        let ids = coupons.iter().copied();
        let lock = Redisson::open(Arc::clone(&redis), ids, locks, &bugs, metrics).await?;
        let stock = match stocks.stock_sync {
            super::StockSync::Event => TableStock::WithRows,
            super::StockSync::Off | super::StockSync::Periodic => TableStock::Elsewhere,
        };
        let table = MySqlTable::new(Arc::clone(&store), Arc::clone(&bugs), stock, line.cloned());
        let table = Arc::new(table);
        let sync = Arc::new(StockSync::new(Arc::clone(&redis), Arc::clone(&store)));
        let syncing = (stocks.stock_sync == super::StockSync::Periodic)
            .then(|| Background::start(Arc::clone(&sync).run_every(stocks.interval())));
        let shared = Arc::new(Shared {
            redis,
            lock,
            store,
            queue: WriteBehind::start(Arc::clone(&table), queue),
            table,
            coupons,
            bugs,
            work: locks.work(),
            refusals: locks.lock_log_level,
        });
        Ok(Self {
            shared,
            sync,
            how: stocks.stock_sync,
            syncing,
        })
    }

    /// Writes the rows that are left, then the stock as it is at the end.
    async fn close(&self) -> u64 {
        let lost = self.shared.queue.drain().await;
        if let Some(syncing) = &self.syncing {
            syncing.stop();
        }
        if self.how != super::StockSync::Event {
            self.sync_at_the_end().await;
        }
        lost
    }

    async fn sync_at_the_end(&self) {
        match tokio::time::timeout(Self::CLOSE_LIMIT, self.sync.run()).await {
            Ok(Ok(coupons)) => tracing::info!(event = "stock_closed", coupons),
            Ok(Err(error)) => tracing::error!(event = "stock_not_closed", %error),
            Err(_) => tracing::error!(
                event = "stock_not_closed",
                limit_s = Self::CLOSE_LIMIT.as_secs()
            ),
        }
    }
}

async fn preload_all(
    redis: &RedisStore,
    store: &MySqlStore,
    options: &StockOptions,
) -> Result<HashSet<CouponId>, IssueError> {
    let mut connection = store.connection().await?;
    let mut coupons = HashSet::new();
    for (id, _) in rows::coupons(&mut connection).await? {
        let stock = rows::stock(&mut connection, id).await?;
        let stock = stock.ok_or(IssueError::UnknownCoupon)?;
        let coupon = Preload {
            id,
            // A server that was killed before its sync leaves a stock behind that is too high:
            // there cannot be more than what has no row yet.
            left: stock.in_table.min(stock.total - stock.issued),
            holders: rows::holders(&mut connection, id).await?,
            highest_id: rows::highest_id(&mut connection).await?,
        };
        let loaded_now = stock_keys::preload(redis, &coupon, options.stock_preload).await?;
        tracing::info!(event = "coupon_loaded", coupon = id, loaded_now);
        coupons.insert(id);
    }
    Ok(coupons)
}

impl Shared {
    async fn issue(&self, coupon: CouponId, user: UserId) -> Result<Issue, IssueError> {
        if !self.coupons.contains(&coupon) {
            return Err(IssueError::UnknownCoupon);
        }
        let old_look = self.old_look(coupon).await?;
        let Some(leased) = self.lock.acquire(coupon).await? else {
            let refused = IssueError::Locked("another held the lock for the whole wait");
            log_refusal(self.refusals, "redisson", &refused);
            return Err(refused);
        };
        let answer = self.take(coupon, user, old_look).await;
        match self.lock.release(leased).await {
            Ok(Released::InTime) => {}
            // Too late to take anything back: others may have gone by what was written.
            Ok(Released::TooLate) => tracing::warn!(event = "lease_ran_out", coupon),
            Err(error) => tracing::warn!(event = "not_unlocked", coupon, %error),
        }
        answer
    }

    /// Reads, decides and writes. Only the lock makes these steps one.
    async fn take(
        &self,
        coupon: CouponId,
        user: UserId,
        old_look: Option<i64>,
    ) -> Result<Issue, IssueError> {
        if self.bugs.looks_for_an_earlier_coupon() && self.holds(coupon, &user).await? {
            return Ok(Issue::Duplicate);
        }
        let stock = self.left(coupon).await?.ok_or(IssueError::NotLoaded)?;
        if old_look.unwrap_or(stock) <= 0 {
            return Ok(Issue::SoldOut);
        }
        self.work.run().await;
        // A full queue must be known before anything is taken.
        let place = self.queue.reserve()?;
        let left = stock - 1;
        if self.bugs.refuses_the_last(left) {
            self.set_left(coupon, left).await?;
            place.send(Taken::WithoutRow(coupon));
            return Ok(Issue::SoldOut);
        }
        let created_at = Timestamp::now();
        let id = self.give(coupon, &user, left).await?;
        let issued = UserCoupon {
            id,
            coupon,
            user,
            created_at,
        };
        self.table.expect_one();
        place.send(Taken::WithRow(issued.clone()));
        Ok(Issue::Issued(issued))
    }

    /// The stock as it was before the lock, if a bug makes that the one to go by.
    async fn old_look(&self, coupon: CouponId) -> Result<Option<i64>, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(None);
        }
        let stock = self.left(coupon).await?;
        self.bugs.remote_check().await;
        Ok(stock)
    }

    async fn holds(&self, coupon: CouponId, user: &UserId) -> RedisResult<bool> {
        redis::cmd("SISMEMBER")
            .arg(users_key(coupon))
            .arg(user.as_str())
            .query_async(&mut self.redis.connection())
            .await
    }

    async fn left(&self, coupon: CouponId) -> RedisResult<Option<i64>> {
        redis::cmd("GET")
            .arg(left_key(coupon))
            .query_async(&mut self.redis.connection())
            .await
    }

    async fn set_left(&self, coupon: CouponId, left: i64) -> RedisResult<()> {
        redis::cmd("SET")
            .arg(left_key(coupon))
            .arg(left)
            .query_async(&mut self.redis.connection())
            .await
    }

    /// Writes what is left and who holds one, and returns the id of the row to come. Together, so
    /// that a connection that breaks in between does not take one from the stock for nobody.
    async fn give(&self, coupon: CouponId, user: &UserId, left: i64) -> RedisResult<i64> {
        let (id,): (i64,) = redis::pipe()
            .atomic()
            .set(left_key(coupon), left)
            .ignore()
            .sadd(users_key(coupon), user.as_str())
            .ignore()
            .incr(ID_KEY, 1)
            .query_async(&mut self.redis.connection())
            .await?;
        Ok(id)
    }

    /// Each number is of an instant of its own, as they are in two places.
    async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let stock = self.store.stock(coupon).await?;
        let remaining = self.left(coupon).await?;
        Ok(Stock {
            remaining: remaining.ok_or(IssueError::NotLoaded)?,
            pending: self.table.expected(),
            ..stock
        })
    }

    fn check(&self) -> Vec<Question<'_>> {
        vec![
            Question::to_redis(self.redis.check()),
            Question::to_database(self.store.check()),
        ]
    }
}

impl Strategy for UnderLease {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        // Goes on when the client hangs up: what Redis gave away needs its row, and the lock must
        // be given back.
        Box::pin(super::on_task(
            async move { shared.issue(coupon, user).await },
        ))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.shared.stock(coupon))
    }

    fn check(&self) -> Vec<Question<'_>> {
        self.shared.check()
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(self.close())
    }
}
