//! Where an issuer's rows go: one transaction for each batch, in which an event that has its row
//! already writes none.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{Connection as _, MySql, Sqlite};

use crate::bug::Bugs;
use crate::coupon::{CouponId, IssueError, Stock, UserCoupon};
use crate::mysql::{self, MySqlStore};
use crate::notices;
use crate::rows;
use crate::store::Store;

/// Who takes the coupons of the rows from the table's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableStock {
    /// The issuer, with the rows: the authority is elsewhere.
    FollowsRows,
    /// It was taken when the user was answered.
    Taken,
}

/// The database that has the tables.
#[derive(Clone)]
pub(crate) enum Tables {
    MySql(Arc<MySqlStore>),
    Sqlite(Arc<Store>),
}

impl Tables {
    /// Makes the table of the effects.
    pub(crate) async fn prepare(&self) -> Result<(), IssueError> {
        match self {
            Self::MySql(store) => {
                notices::prepare::<MySql>(&mut *store.connection().await?).await?;
            }
            Self::Sqlite(store) => notices::prepare::<Sqlite>(&mut *store.writer().await?).await?,
        }
        Ok(())
    }

    /// Writes the rows of these events and their effects, all or none.
    pub(crate) async fn write(
        &self,
        events: &[UserCoupon],
        stock: TableStock,
        bugs: &Bugs,
    ) -> Result<(), IssueError> {
        let fresh = Fresh::of(events);
        match self {
            Self::MySql(store) => to_mysql(store, fresh, stock, bugs).await,
            Self::Sqlite(store) => to_sqlite(store, fresh, stock, bugs).await,
        }
    }

    /// Writes the effects of these events by themselves, where a bug does not write them with the
    /// rows.
    pub(crate) async fn write_effects(
        &self,
        events: &[UserCoupon],
        bugs: &Bugs,
    ) -> Result<(), IssueError> {
        let mut fresh = Fresh::of(events);
        let again = || events.iter().collect::<Vec<_>>();
        match self {
            Self::MySql(store) => {
                let mut transaction = store.begin().await?;
                fresh.forget(&notices::among::<MySql>(&mut transaction, &fresh.ids()).await?);
                let due = if bugs.repeats_the_effect() {
                    again()
                } else {
                    fresh.rows()
                };
                notices::insert_all::<MySql>(&mut transaction, &due).await?;
                transaction.commit().await?;
            }
            Self::Sqlite(store) => {
                let mut writer = store.writer().await?;
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
                fresh.forget(&notices::among::<Sqlite>(&mut transaction, &fresh.ids()).await?);
                let due = if bugs.repeats_the_effect() {
                    again()
                } else {
                    fresh.rows()
                };
                notices::insert_all::<Sqlite>(&mut transaction, &due).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Reads a coupon as the tables have it.
    pub(crate) async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        match self {
            Self::MySql(store) => store.stock(coupon).await,
            Self::Sqlite(store) => store.stock(coupon).await,
        }
    }

    /// Whether the database still answers.
    pub(crate) async fn check(&self) -> Result<(), sqlx::Error> {
        match self {
            Self::MySql(store) => store.check().await,
            Self::Sqlite(store) => store.check().await,
        }
    }
}

/// If a row is written by another issuer between the look and the insert, the key refuses it, and
/// the look of the next try finds it.
async fn to_mysql(
    store: &MySqlStore,
    mut fresh: Fresh<'_>,
    stock: TableStock,
    bugs: &Bugs,
) -> Result<(), IssueError> {
    let mut transaction = store.begin().await?;
    fresh.leave_out(mysql::rows::among(&mut transaction, &fresh.ids()).await?);
    mysql::rows::insert_all(&mut transaction, fresh.rows(), bugs).await?;
    if !bugs.splits_the_effect() {
        notices::insert_all::<MySql>(&mut transaction, &fresh.rows()).await?;
    }
    if stock == TableStock::FollowsRows {
        for (coupon, quantity) in fresh.by_coupon() {
            mysql::rows::take(&mut transaction, coupon, quantity).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Under the lock of the one who writes from the look on, so nobody writes in between.
async fn to_sqlite(
    store: &Store,
    mut fresh: Fresh<'_>,
    stock: TableStock,
    bugs: &Bugs,
) -> Result<(), IssueError> {
    let mut writer = store.writer().await?;
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    fresh.leave_out(rows::among(&mut transaction, &fresh.ids()).await?);
    rows::insert_all(&mut transaction, fresh.rows(), bugs).await?;
    if !bugs.splits_the_effect() {
        notices::insert_all::<Sqlite>(&mut transaction, &fresh.rows()).await?;
    }
    if stock == TableStock::FollowsRows {
        for (coupon, quantity) in fresh.by_coupon() {
            rows::take(&mut transaction, coupon, quantity).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Events of a batch by the id of their row, as far as they have none.
struct Fresh<'a>(BTreeMap<i64, &'a UserCoupon>);

impl<'a> Fresh<'a> {
    fn of(events: &'a [UserCoupon]) -> Self {
        let mut fresh = BTreeMap::new();
        for event in events {
            let first = *fresh.entry(event.id).or_insert(event);
            warn_if_another(event, first.user.as_str(), first.coupon);
        }
        Self(fresh)
    }

    fn ids(&self) -> Vec<i64> {
        self.0.keys().copied().collect()
    }

    /// `found` are rows of the table: id, user and coupon.
    fn leave_out(&mut self, found: Vec<(i64, String, CouponId)>) {
        for (id, user, coupon) in found {
            if let Some(event) = self.0.remove(&id) {
                warn_if_another(event, &user, coupon);
            }
        }
    }

    /// Events that have had their effect.
    fn forget(&mut self, ids: &[i64]) {
        for id in ids {
            self.0.remove(id);
        }
    }

    fn rows(&self) -> Vec<&'a UserCoupon> {
        self.0.values().copied().collect()
    }

    fn by_coupon(&self) -> BTreeMap<CouponId, i64> {
        let mut taken = BTreeMap::new();
        for row in self.0.values() {
            *taken.entry(row.coupon).or_default() += 1;
        }
        taken
    }
}

/// Ids begin again only when their store has lost them.
fn warn_if_another(event: &UserCoupon, user: &str, coupon: CouponId) {
    if event.user.as_str() != user || event.coupon != coupon {
        tracing::error!(
            event = "row_lost",
            row = event.id,
            "an acknowledged coupon has the id of another row"
        );
    }
}
