//! Creates the two tables, their indexes, and the coupon that is to be issued.

use sqlx::{Connection, SqliteConnection};

use crate::coupon::CouponId;

/// The index on user and coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserIndex {
    /// It is the guard against a second coupon for the same user.
    Unique,
    /// The same, but users whose names differ in case alone are one to it: only a bug wants that.
    Loose,
    /// It only makes the look for an earlier coupon fast.
    Plain,
    /// There is none, and none on the status of a coupon either: every look reads the table.
    Absent,
}

impl UserIndex {
    /// Whether it refuses a second row.
    pub(crate) fn is_unique(self) -> bool {
        matches!(self, Self::Unique | Self::Loose)
    }
}

const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS fcfs_coupons (
        id INTEGER PRIMARY KEY,
        status TEXT NOT NULL,
        stockQuantity INTEGER NOT NULL,
        totalQuantity INTEGER NOT NULL
    )",
    "CREATE TABLE IF NOT EXISTS user_coupons (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        userId TEXT NOT NULL,
        couponId INTEGER NOT NULL,
        createdAt INTEGER NOT NULL
    )",
];

/// Brings the file to what the strategy relies on. A coupon that exists keeps its stock.
pub(crate) async fn prepare(
    writer: &mut SqliteConnection,
    user_index: UserIndex,
    coupon: CouponId,
    stock: u32,
) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    for statement in TABLES {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    set_status_index(&mut transaction, user_index).await?;
    set_user_index(&mut transaction, user_index).await?;
    create_coupon(&mut transaction, coupon, stock).await?;
    transaction.commit().await
}

/// Says whether the coupon is new; one that exists keeps its stock.
pub(crate) async fn create_coupon(
    writer: &mut SqliteConnection,
    coupon: CouponId,
    stock: u32,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO fcfs_coupons (id, status, stockQuantity, totalQuantity)
         VALUES (?1, 'ACTIVE', ?2, ?2) ON CONFLICT (id) DO NOTHING",
    )
    .bind(coupon)
    .bind(stock)
    .execute(writer)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn set_status_index(
    writer: &mut SqliteConnection,
    user_index: UserIndex,
) -> Result<(), sqlx::Error> {
    let statement = match user_index {
        UserIndex::Absent => "DROP INDEX IF EXISTS idx_fcfs_coupon_status",
        UserIndex::Unique | UserIndex::Loose | UserIndex::Plain => {
            "CREATE INDEX IF NOT EXISTS idx_fcfs_coupon_status
             ON fcfs_coupons (status, stockQuantity)"
        }
    };
    sqlx::query(statement).execute(writer).await?;
    Ok(())
}

/// Another strategy may have left the other kind of index; building one anew takes seconds on a
/// large table, so it is only done when needed.
async fn set_user_index(
    writer: &mut SqliteConnection,
    wanted: UserIndex,
) -> Result<(), sqlx::Error> {
    let create = match wanted {
        UserIndex::Unique => {
            Some("CREATE UNIQUE INDEX idx_user_coupon ON user_coupons (userId, couponId)")
        }
        UserIndex::Loose => Some(
            "CREATE UNIQUE INDEX idx_user_coupon ON user_coupons (userId COLLATE NOCASE, couponId)",
        ),
        UserIndex::Plain => Some("CREATE INDEX idx_user_coupon ON user_coupons (userId, couponId)"),
        UserIndex::Absent => None,
    };
    // The file keeps the statement as it was written.
    let found = sqlx::query_scalar::<_, String>(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = 'idx_user_coupon'",
    )
    .fetch_optional(&mut *writer)
    .await?;
    if found.as_deref() == create {
        return Ok(());
    }
    sqlx::query("DROP INDEX IF EXISTS idx_user_coupon")
        .execute(&mut *writer)
        .await?;
    if let Some(create) = create {
        sqlx::query(create).execute(&mut *writer).await?;
    }
    Ok(())
}
