//! A replica of the `SQLite` file that is behind: what a planted bug asks in the place of the file.

use std::time::Duration;

use sqlx::SqliteConnection;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::coupon::{CouponId, UserId};
use crate::rows;
use crate::store::Store;

/// A connection inside of a read transaction: it sees the file as it was when that began.
pub(super) struct Replica(Mutex<Behind>);

struct Behind {
    connection: SqliteConnection,
    since: Instant,
}

impl Replica {
    /// How far it falls behind before it catches up.
    const LAG: Duration = Duration::from_millis(500);

    pub(super) async fn open(store: &Store) -> Result<Self, sqlx::Error> {
        let mut connection = store.another_reader().await?;
        begin(&mut connection).await?;
        let since = Instant::now();
        Ok(Self(Mutex::new(Behind { connection, since })))
    }

    /// Whether the user held the coupon some time ago.
    pub(super) async fn holds(&self, coupon: CouponId, user: &UserId) -> Result<bool, sqlx::Error> {
        let mut behind = self.0.lock().await;
        let Behind { connection, since } = &mut *behind;
        if since.elapsed() >= Self::LAG {
            sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
            begin(connection).await?;
            *since = Instant::now();
        }
        let standing = rows::look(connection, coupon, user).await?;
        Ok(standing.is_some_and(|standing| standing.holds))
    }
}

/// The snapshot is taken by the first statement that reads.
async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    rows::coupons(connection).await?;
    Ok(())
}
