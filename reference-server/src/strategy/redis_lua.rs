//! `redis-lua`: duplicate and stock decided by a script in Redis, rows written behind the answer.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;

use super::lua::{self, Decision, Loaded, Scripts, Taking};
use super::mysql_table::MySqlTable;
use super::write_behind::{Place, Taken, WriteBehind};
use super::{Down, Strategy};
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::mysql::{MySqlStore, rows};
use crate::redis_store::RedisStore;

/// Redis is the authority; the tables follow, and are where an empty Redis begins.
pub(super) struct RedisLua {
    shared: Arc<Shared>,
    queue: WriteBehind,
}

/// What a request needs that must not be cut off.
struct Shared {
    redis: RedisStore,
    store: Arc<MySqlStore>,
    table: Arc<MySqlTable>,
    scripts: Scripts,
    /// Those that the tables had at the start, and those that were made or asked for since.
    coupons: RwLock<HashSet<CouponId>>,
    bugs: Arc<Bugs>,
}

impl RedisLua {
    /// Loads every coupon that Redis does not have.
    pub(super) async fn restore(
        redis: RedisStore,
        store: Arc<MySqlStore>,
        table: MySqlTable,
        bugs: Arc<Bugs>,
        queue: NonZeroUsize,
    ) -> Result<Self, IssueError> {
        let coupons = load_all(&redis, &store).await?;
        let table = Arc::new(table);
        let queue = WriteBehind::start(Arc::clone(&table), queue);
        let shared = Arc::new(Shared {
            redis,
            store,
            table,
            scripts: Scripts::new(&bugs),
            coupons: RwLock::new(coupons),
            bugs,
        });
        Ok(Self { shared, queue })
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        self.shared.check_known(coupon).await?;
        let taking = self.shared.taking(coupon).await?;
        // A full queue must be known before anything is taken.
        let place = self.queue.reserve()?;
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        // A task, which goes on when the client hangs up: what Redis gave away needs its row.
        super::in_a_task(async move { shared.decide(coupon, user, taking, place).await }).await
    }
}

impl Shared {
    /// Another server may have made the coupon meanwhile: then it is in the tables.
    async fn check_known(&self, coupon: CouponId) -> Result<(), IssueError> {
        let known = |coupons: &HashSet<_>| coupons.contains(&coupon);
        if known(&self.coupons.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        self.store.stock(coupon).await?;
        self.know(coupon);
        Ok(())
    }

    fn know(&self, coupon: CouponId) {
        let mut coupons = self.coupons.write().unwrap_or_else(PoisonError::into_inner);
        coupons.insert(coupon);
    }

    /// The row first: a server that starts in between loads the stock from it.
    async fn create(&self, coupon: CouponId, stock: u32) -> Result<bool, IssueError> {
        if !self.store.create(coupon, stock).await? {
            return Ok(false);
        }
        let loaded = Loaded {
            coupon,
            stock: stock.into(),
            holders: Vec::new(),
            highest_id: 0,
        };
        lua::load(&self.redis, &loaded).await?;
        self.know(coupon);
        Ok(true)
    }

    async fn taking(&self, coupon: CouponId) -> Result<Taking, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(Taking::IfLeft);
        }
        let stock = self.redis.stock(coupon).await?;
        self.bugs.remote_check().await;
        Ok(if stock.is_some_and(|stock| stock > 0) {
            Taking::Blindly
        } else {
            Taking::IfLeft
        })
    }

    async fn decide(
        &self,
        coupon: CouponId,
        user: UserId,
        taking: Taking,
        place: Place,
    ) -> Result<Issue, IssueError> {
        let decision = self
            .scripts
            .take(&self.redis, coupon, &user, taking)
            .await?;
        match decision {
            Decision::Duplicate => Ok(Issue::Duplicate),
            Decision::SoldOut => Ok(Issue::SoldOut),
            Decision::Withheld => {
                place.send(Taken::WithoutRow(coupon));
                Ok(Issue::SoldOut)
            }
            Decision::Issued { id, at } => {
                let issued = UserCoupon {
                    id,
                    coupon,
                    user,
                    created_at: at,
                };
                self.table.expect_one();
                place.send(Taken::WithRow(issued.clone()));
                Ok(Issue::Issued(issued))
            }
        }
    }

    /// Each number is of an instant of its own, as they are in two places.
    async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let stock = self.store.stock(coupon).await?;
        let remaining = self.redis.stock(coupon).await?;
        Ok(Stock {
            remaining: remaining.ok_or(IssueError::NotLoaded)?,
            pending: self.table.expected(),
            ..stock
        })
    }

    async fn check(&self) -> Result<(), Down> {
        self.redis.check().await.map_err(Down::redis)?;
        self.store.check().await.map_err(Down::database)
    }
}

async fn load_all(redis: &RedisStore, store: &MySqlStore) -> Result<HashSet<CouponId>, IssueError> {
    let mut connection = store.connection().await?;
    let mut coupons = HashSet::new();
    for (coupon, stock) in rows::coupons(&mut connection).await? {
        let loaded = Loaded {
            coupon,
            stock,
            holders: rows::holders(&mut connection, coupon).await?,
            highest_id: rows::highest_id(&mut connection).await?,
        };
        let loaded_now = lua::load(redis, &loaded).await?;
        tracing::info!(event = "coupon_loaded", coupon, loaded_now);
        coupons.insert(coupon);
    }
    Ok(coupons)
}

impl Strategy for RedisLua {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.shared.stock(coupon))
    }

    fn create(&self, coupon: CouponId, stock: u32) -> BoxFuture<'_, Result<bool, IssueError>> {
        Box::pin(self.shared.create(coupon, stock))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), Down>> {
        Box::pin(self.shared.check())
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(self.queue.drain())
    }
}
