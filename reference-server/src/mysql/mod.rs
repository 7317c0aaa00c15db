//! The connections to one `MySQL` or `MariaDB` database.

pub(crate) mod outbox;
pub(crate) mod rows;
pub(crate) mod schema;

use std::num::NonZeroUsize;
use std::time::Duration;

use metrics::{describe_gauge, gauge};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, MySql, MySqlConnection, MySqlPool, Transaction};

use crate::address::StoreUrl;
use crate::coupon::{CouponId, IssueError, Stock};
use crate::metrics::Metrics;

/// What a transaction sees of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Every statement sees what was committed before it: a snapshot that is older than the lock
    /// would hide the row of the one who had the lock before.
    ReadCommitted,
    /// The database's own default, with which a bug is planted.
    RepeatableRead,
}

impl Isolation {
    fn statement(self) -> &'static str {
        match self {
            Self::ReadCommitted => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            Self::RepeatableRead => "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        }
    }
}

/// A pool of connections. One that is given back in the middle of a transaction rolls it back.
#[derive(Debug)]
pub(crate) struct MySqlStore {
    pool: MySqlPool,
}

impl MySqlStore {
    /// Opens all of the connections. The first is made outside of the pool, which would only
    /// say that it waited too long, and not why.
    pub(crate) async fn open(
        url: &StoreUrl,
        connections: NonZeroUsize,
        lock_timeout: Duration,
        isolation: Isolation,
    ) -> Result<Self, sqlx::Error> {
        let options = parse(url)?;
        options.connect().await?.close().await?;
        let seconds = whole_seconds(lock_timeout);
        let count = u32::try_from(connections.get()).unwrap_or(u32::MAX);
        let pool = MySqlPoolOptions::new()
            .max_connections(count)
            // A wait for a connection is a wait for the locks of those who have one.
            .acquire_timeout(Duration::from_secs(seconds.into()))
            // The health of a connection is asked when it is given back.
            .test_before_acquire(false)
            .idle_timeout(None)
            .after_connect(move |connection, _| {
                Box::pin(set_session(connection, seconds, isolation))
            })
            .connect_lazy_with(options);
        let store = Self { pool };
        store.fill(connections).await?;
        Ok(store)
    }

    /// The first requests should not pay for the connections.
    async fn fill(&self, connections: NonZeroUsize) -> Result<(), sqlx::Error> {
        let mut opened = Vec::new();
        for _ in 0..connections.get() {
            opened.push(self.pool.acquire().await?);
        }
        Ok(())
    }

    /// Shows how many connections there may be, and how many are in use, as `pool`.
    pub(crate) fn watch(&self, metrics: &Metrics, pool: &'static str) {
        let (size, active) = metrics.with(|| {
            describe_gauge!("mysql_connection_pool_size", "Connections there may be.");
            describe_gauge!("mysql_connection_pool_active", "Connections in use.");
            (
                gauge!("mysql_connection_pool_size", "pool" => pool),
                gauge!("mysql_connection_pool_active", "pool" => pool),
            )
        });
        let connections = self.pool.clone();
        metrics.read_at_scrape(move || {
            size.set(connections.options().get_max_connections());
            let open = connections.size() as usize;
            active.set(open.saturating_sub(connections.num_idle()) as f64);
        });
    }

    pub(crate) async fn connection(&self) -> Result<PoolConnection<MySql>, sqlx::Error> {
        self.pool.acquire().await
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, MySql>, sqlx::Error> {
        self.pool.begin().await
    }

    /// Reads a coupon as the tables have it.
    pub(crate) async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let found = rows::stock(&mut *self.connection().await?, coupon).await?;
        found.ok_or(IssueError::UnknownCoupon)
    }

    /// Makes a new coupon, and says whether it is new.
    pub(crate) async fn create(&self, coupon: CouponId, stock: u32) -> Result<bool, IssueError> {
        let mut connection = self.connection().await?;
        Ok(schema::create_coupon(&mut connection, coupon, stock).await?)
    }

    /// Whether the database still answers.
    pub(crate) async fn check(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT 1 FROM fcfs_coupons LIMIT 1")
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }
}

fn parse(url: &StoreUrl) -> Result<MySqlConnectOptions, sqlx::Error> {
    let wrong = |words: &str| sqlx::Error::Configuration(words.into());
    if !["mysql://", "mariadb://"]
        .iter()
        .any(|scheme| url.reveal().starts_with(scheme))
    {
        return Err(wrong("the URL must begin with mysql:// or mariadb://"));
    }
    let options: MySqlConnectOptions = url.reveal().parse()?;
    if options.get_database().is_none() {
        return Err(wrong("the URL names no database, as in mysql://HOST/shop"));
    }
    Ok(options.disable_statement_logging())
}

/// The server counts the wait for a lock in whole seconds, of which it takes at least one.
fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000).max(1)).unwrap_or(u32::MAX)
}

async fn set_session(
    connection: &mut MySqlConnection,
    lock_wait_s: u32,
    isolation: Isolation,
) -> Result<(), sqlx::Error> {
    for statement in [
        isolation.statement().to_owned(),
        format!("SET SESSION innodb_lock_wait_timeout = {lock_wait_s}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_whole_seconds_and_never_none() {
        for (ms, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (5000, 5)] {
            assert_eq!(whole_seconds(Duration::from_millis(ms)), seconds, "{ms} ms");
        }
    }
}
