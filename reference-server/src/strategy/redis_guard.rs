//! Duplicate and stock decided by a script in Redis, for the strategies that write rows later.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::lua::{self, Decision, Loaded, Scripts, Taking};
use crate::bug::Bugs;
use crate::coupon::{CouponId, IssueError, Stock, UserId};
use crate::health::Question;
use crate::mysql::{MySqlStore, rows};
use crate::redis_store::RedisStore;

/// Redis is the authority; the tables follow, and are where an empty Redis begins.
pub(super) struct RedisGuard {
    redis: RedisStore,
    store: Arc<MySqlStore>,
    scripts: Scripts,
    /// Those that the tables had at the start, and those that were made or asked for since.
    coupons: RwLock<HashSet<CouponId>>,
    bugs: Arc<Bugs>,
}

impl RedisGuard {
    /// Loads every coupon that Redis does not have.
    pub(super) async fn restore(
        redis: RedisStore,
        store: Arc<MySqlStore>,
        bugs: Arc<Bugs>,
    ) -> Result<Self, IssueError> {
        let coupons = load_all(&redis, &store, &bugs).await?;
        Ok(Self {
            redis,
            store,
            scripts: Scripts::new(&bugs),
            coupons: RwLock::new(coupons),
            bugs,
        })
    }

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

    /// Makes a coupon, and says whether it is new. The row first: a server that starts in between
    /// loads the stock from it.
    pub(super) async fn create(&self, coupon: CouponId, stock: u32) -> Result<bool, IssueError> {
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

    /// How the stock of a coupon that there is will be taken.
    pub(super) async fn taking(&self, coupon: CouponId) -> Result<Taking, IssueError> {
        self.check_known(coupon).await?;
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

    pub(super) async fn take(
        &self,
        coupon: CouponId,
        user: &UserId,
        taking: Taking,
    ) -> Result<Decision, IssueError> {
        self.scripts.take(&self.redis, coupon, user, taking).await
    }

    /// Whether a bug undoes also what may have happened.
    pub(super) fn gives_back_what_is_unknown(&self) -> bool {
        self.bugs.gives_back_what_is_unknown()
    }

    /// Undoes what was taken for a user.
    pub(super) async fn give_back(
        &self,
        coupon: CouponId,
        user: &UserId,
    ) -> Result<(), IssueError> {
        lua::give_back(&self.redis, coupon, user).await?;
        Ok(())
    }

    /// Each number is of an instant of its own, as they are in two places. What Redis has given
    /// away and the table does not miss yet is on its way.
    pub(super) async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let stock = self.store.stock(coupon).await?;
        let remaining = self.redis.stock(coupon).await?;
        let remaining = remaining.ok_or(IssueError::NotLoaded)?;
        Ok(Stock {
            remaining,
            pending: (stock.in_table - remaining).max(0),
            ..stock
        })
    }

    pub(super) fn check(&self) -> Vec<Question<'_>> {
        vec![
            Question::to_redis(self.redis.check()),
            Question::to_database(self.store.check()),
        ]
    }
}

async fn load_all(
    redis: &RedisStore,
    store: &MySqlStore,
    bugs: &Bugs,
) -> Result<HashSet<CouponId>, IssueError> {
    let mut connection = store.connection().await?;
    let mut coupons = HashSet::new();
    for (coupon, stock) in rows::coupons(&mut connection).await? {
        let stock = if bugs.loads_the_whole_stock() {
            lua::forget_stock(redis, coupon).await?;
            let found = rows::stock(&mut connection, coupon).await?;
            found.map_or(stock, |found| found.total)
        } else {
            stock
        };
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
