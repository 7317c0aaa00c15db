//! Creates the two tables of a `MySQL` database, their indexes, and the coupon to be issued.

use sqlx::{AssertSqlSafe, MySqlConnection};

use crate::coupon::CouponId;
use crate::schema::UserIndex;

const COUPONS: &str = "CREATE TABLE IF NOT EXISTS fcfs_coupons (
    id BIGINT NOT NULL PRIMARY KEY,
    status VARCHAR(32) NOT NULL,
    stockQuantity BIGINT NOT NULL,
    totalQuantity BIGINT NOT NULL,
    INDEX idx_fcfs_coupon_status (status, stockQuantity)
) ENGINE = InnoDB";

const USER_COUPONS: &str = "CREATE TABLE IF NOT EXISTS user_coupons (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    userId VARCHAR(255) NOT NULL,
    couponId BIGINT NOT NULL,
    createdAt BIGINT NOT NULL,
    INDEX idx_user_coupon (userId, couponId)
) ENGINE = InnoDB CHARACTER SET utf8mb4";

/// Brings the database to what the strategy relies on. A coupon that exists keeps its stock.
pub(crate) async fn prepare(
    connection: &mut MySqlConnection,
    user_index: UserIndex,
    coupon: CouponId,
    stock: u32,
) -> Result<(), sqlx::Error> {
    // Several servers may start on the same database at once.
    execute(connection, "DO GET_LOCK('fcfs_schema', 60)".to_owned()).await?;
    let prepared = prepare_alone(connection, user_index, coupon, stock).await;
    execute(connection, "DO RELEASE_LOCK('fcfs_schema')".to_owned()).await?;
    prepared
}

async fn prepare_alone(
    connection: &mut MySqlConnection,
    user_index: UserIndex,
    coupon: CouponId,
    stock: u32,
) -> Result<(), sqlx::Error> {
    let collation = exact_collation(connection).await?;
    execute(connection, COUPONS.to_owned()).await?;
    execute(connection, format!("{USER_COUPONS} COLLATE {collation}")).await?;
    set_user_index(connection, user_index).await?;
    create_coupon(connection, coupon, stock).await?;
    Ok(())
}

/// Says whether the coupon is new; one that exists keeps its stock.
pub(crate) async fn create_coupon(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    stock: u32,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO fcfs_coupons (id, status, stockQuantity, totalQuantity)
         VALUES (?, 'ACTIVE', ?, ?)",
    )
    .bind(coupon)
    .bind(stock)
    .bind(stock)
    .execute(connection)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_conflict(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a unique key refused a row: nothing else may pass as a coupon that is there.
fn is_conflict(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The collation in which users are the same only if every byte is. The usual ones take `Kim`
/// for `kim`, and even the binary ones that pad take `kim ` for `kim`.
async fn exact_collation(connection: &mut MySqlConnection) -> Result<&'static str, sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT VERSION()")
        .fetch_one(connection)
        .await?;
    Ok(if version.contains("MariaDB") {
        "utf8mb4_nopad_bin"
    } else {
        "utf8mb4_0900_bin"
    })
}

/// Another strategy may have left the other kind of index.
async fn set_user_index(
    connection: &mut MySqlConnection,
    wanted: UserIndex,
) -> Result<(), sqlx::Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(NON_UNIQUE AS SIGNED) FROM information_schema.statistics
         WHERE table_schema = DATABASE() AND table_name = 'user_coupons'
         AND index_name = 'idx_user_coupon' AND seq_in_index = 1",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let drop = match found {
        Some(0) if wanted == UserIndex::Unique => return Ok(()),
        Some(1) if wanted == UserIndex::Plain => return Ok(()),
        Some(_) => "DROP INDEX idx_user_coupon, ",
        None => "",
    };
    let kind = match wanted {
        UserIndex::Unique => "UNIQUE INDEX",
        UserIndex::Plain => "INDEX",
    };
    let alter =
        format!("ALTER TABLE user_coupons {drop}ADD {kind} idx_user_coupon (userId, couponId)");
    execute(connection, alter).await
}

/// Runs a statement that is put together from constants alone.
async fn execute(connection: &mut MySqlConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}
