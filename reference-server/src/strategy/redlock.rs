//! `redlock`: check and act in one transaction of `MySQL`, under a lock over several Redis.
//!
//! The transaction itself takes no lock on what it has read, and no condition on what it writes:
//! with two holders at once it oversells. That is the design it stands for, which has no fencing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{MySql, Transaction};
use tracing_subscriber::filter::LevelFilter;

use super::Strategy;
use super::coupon_info::CouponInfos;
use super::in_flight::InFlight;
use crate::bug::Bugs;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserId};
use crate::health::Question;
use crate::lock::{Held, Redlock, Work, log_refusal};
use crate::mysql::{MySqlStore, rows};

/// The guard is the lock, from before the first look to after the commit.
pub(super) struct UnderRedlock {
    shared: Arc<Shared>,
    in_flight: InFlight,
}

/// What a request needs that must not be cut off.
pub(super) struct Shared {
    pub(super) lock: Redlock,
    pub(super) store: Arc<MySqlStore>,
    pub(super) infos: CouponInfos,
    pub(super) bugs: Arc<Bugs>,
    pub(super) work: Work,
    /// Whether a lock of the database is taken where the one in Redis failed.
    pub(super) falls_back: bool,
    pub(super) refusals: LevelFilter,
    /// A lock of this process alone, which only a bug takes.
    pub(super) own: tokio::sync::Mutex<()>,
}

/// What keeps the others away.
#[derive(Clone, Copy)]
enum Guard<'h> {
    Lock(&'h Held),
    /// The row of the coupon, locked by the transaction itself. It keeps away those who fell back
    /// too, and nobody who holds the lock in Redis.
    Row,
    /// This process alone keeps away its own.
    Own,
}

impl Guard<'_> {
    fn is_valid(self) -> bool {
        match self {
            Self::Lock(held) => held.is_valid(),
            Self::Row | Self::Own => true,
        }
    }
}

impl UnderRedlock {
    /// How long those may take who still wait for the lock when the server stops.
    const DRAIN_LIMIT: Duration = Duration::from_secs(10);

    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
            in_flight: InFlight::open(),
        }
    }

    async fn try_issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let entered = self.in_flight.enter()?;
        let (shared, user) = (Arc::clone(&self.shared), user.clone());
        // Goes on when the client hangs up: a lock that nobody gives back keeps all others away.
        super::on_task(async move {
            let answer = shared.issue(coupon, &user).await;
            drop(entered);
            answer
        })
        .await
    }

    /// Every answer was committed before it was given. Who got none may still be at it.
    async fn close(&self) -> u64 {
        self.in_flight.drain(Self::DRAIN_LIMIT).await;
        0
    }
}

impl Shared {
    async fn issue(&self, coupon: CouponId, user: &UserId) -> Result<Issue, IssueError> {
        let info = self.infos.expect(coupon).await?;
        if info.sold_out {
            return Ok(Issue::SoldOut);
        }
        let answer = self.decide(coupon, user, info.stock_quantity).await;
        if matches!(answer, Ok(Issue::SoldOut)) {
            self.infos.none_left(coupon, info).await;
        }
        answer
    }

    /// `cached` is the stock that the cache has kept, if a bug decides by it.
    async fn decide(
        &self,
        coupon: CouponId,
        user: &UserId,
        cached: Option<i64>,
    ) -> Result<Issue, IssueError> {
        let old_look = self.old_look(coupon).await?.or(cached);
        let key = if self.bugs.locks_by_user() {
            format!("locks:coupon:{coupon}:{user}")
        } else {
            format!("locks:coupon:{coupon}")
        };
        let refused = match self.lock.acquire(&key, coupon).await {
            Ok(held) => {
                let work = self.transact(coupon, user, old_look, Guard::Lock(&held));
                let answer = self.lock.hold(&held, work).await;
                self.lock.release(&held).await;
                return answer;
            }
            Err(refused) => refused,
        };
        log_refusal(self.refusals, "redlock", &refused);
        if self.bugs.falls_back_to_a_lock_of_its_own() && self.lock.check().await.is_err() {
            let _held = self.own.lock().await;
            return self.transact(coupon, user, old_look, Guard::Own).await;
        }
        if self.falls_back {
            self.transact(coupon, user, old_look, Guard::Row).await
        } else {
            Err(refused.into())
        }
    }

    /// An early return with an error gives the connection back, which rolls back.
    async fn transact(
        &self,
        coupon: CouponId,
        user: &UserId,
        old_look: Option<i64>,
        guard: Guard<'_>,
    ) -> Result<Issue, IssueError> {
        let mut transaction = self.store.begin().await?;
        let found = match guard {
            Guard::Lock(_) | Guard::Own => rows::left(&mut transaction, coupon).await?,
            Guard::Row => rows::lock(&mut transaction, coupon).await?,
        };
        let stock = found.ok_or(IssueError::UnknownCoupon)?;
        if self.bugs.looks_for_an_earlier_coupon()
            && rows::holds(&mut transaction, coupon, user).await?
        {
            transaction.rollback().await?;
            return Ok(Issue::Duplicate);
        }
        if old_look.unwrap_or(stock) <= 0 {
            transaction.rollback().await?;
            return Ok(Issue::SoldOut);
        }
        self.work.run().await;
        let left = stock - 1;
        if self.bugs.refuses_the_last(left) {
            rows::set_left(&mut transaction, coupon, left).await?;
            self.commit(transaction, guard).await?;
            return Ok(Issue::SoldOut);
        }
        let issued = rows::insert(&mut transaction, coupon, user, &self.bugs).await?;
        rows::set_left(&mut transaction, coupon, left).await?;
        self.commit(transaction, guard).await?;
        Ok(Issue::Issued(issued))
    }

    /// Commits unless the lock is known to be lost. It may still be lost on the way to the
    /// database, which nobody can know without fencing.
    async fn commit(
        &self,
        transaction: Transaction<'_, MySql>,
        guard: Guard<'_>,
    ) -> Result<(), IssueError> {
        if self.bugs.unlocks_before_the_commit()
            && let Guard::Lock(held) = guard
        {
            self.lock.release(held).await;
            // Whoever wraps a method with a lock in a transaction has more to do before its end.
            self.bugs.remote_check().await;
        }
        if self.bugs.looks_at_the_lease() && !guard.is_valid() {
            transaction.rollback().await?;
            return Err(IssueError::Locked("the lock ran out before the commit"));
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The stock as it was before the lock, if a bug makes that the one to go by.
    async fn old_look(&self, coupon: CouponId) -> Result<Option<i64>, IssueError> {
        if !self.bugs.acts_on_an_old_look() {
            return Ok(None);
        }
        let stock = rows::left(&mut *self.store.connection().await?, coupon).await?;
        self.bugs.remote_check().await;
        Ok(stock)
    }

    fn check(&self) -> Vec<Question<'_>> {
        vec![
            Question::to_redis(self.lock.check()),
            Question::to_database(self.store.check()),
        ]
    }
}

impl Strategy for UnderRedlock {
    fn issue<'a>(
        &'a self,
        coupon: CouponId,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Issue, IssueError>> {
        Box::pin(self.try_issue(coupon, user))
    }

    fn stock(&self, coupon: CouponId) -> BoxFuture<'_, Result<Stock, IssueError>> {
        Box::pin(self.shared.store.stock(coupon))
    }

    fn check(&self) -> Vec<Question<'_>> {
        self.shared.check()
    }

    fn drain(&self) -> BoxFuture<'_, u64> {
        Box::pin(self.close())
    }
}
