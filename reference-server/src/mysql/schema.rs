//! Creates the two tables of a `MySQL` database, their indexes, and the coupon to be issued.

use sqlx::{AssertSqlSafe, MySqlConnection};

use crate::coupon::CouponId;
use crate::schema::UserIndex;

const COUPONS: &str = "CREATE TABLE IF NOT EXISTS fcfs_coupons (
    id BIGINT NOT NULL PRIMARY KEY,
    status VARCHAR(32) NOT NULL,
    stockQuantity BIGINT NOT NULL,
    totalQuantity BIGINT NOT NULL
) ENGINE = InnoDB";

const USER_COUPONS: &str = "CREATE TABLE IF NOT EXISTS user_coupons (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    userId VARCHAR(255) NOT NULL,
    couponId BIGINT NOT NULL,
    createdAt BIGINT NOT NULL
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
    let collation = match user_index {
        UserIndex::Loose => "utf8mb4_general_ci",
        _ => exact_collation(connection).await?,
    };
    execute(connection, COUPONS.to_owned()).await?;
    execute(connection, format!("{USER_COUPONS} COLLATE {collation}")).await?;
    set_indexes(connection, user_index).await?;
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

/// Another strategy, or another setting, may have left other indexes.
async fn set_indexes(
    connection: &mut MySqlConnection,
    user_index: UserIndex,
) -> Result<(), sqlx::Error> {
    let (user, status) = match user_index {
        UserIndex::Unique | UserIndex::Loose => (Some(true), Some(false)),
        UserIndex::Plain => (Some(false), Some(false)),
        UserIndex::Absent => (None, None),
    };
    set_index(connection, &USER_COUPON, user).await?;
    set_index(connection, &COUPON_STATUS, status).await
}

/// An index and where it is.
struct Index {
    table: &'static str,
    name: &'static str,
    columns: &'static str,
}

const USER_COUPON: Index = Index {
    table: "user_coupons",
    name: "idx_user_coupon",
    columns: "userId, couponId",
};

const COUPON_STATUS: Index = Index {
    table: "fcfs_coupons",
    name: "idx_fcfs_coupon_status",
    columns: "status, stockQuantity",
};

/// Makes the index unique or not, or takes it away, in one statement if it is not so already.
async fn set_index(
    connection: &mut MySqlConnection,
    index: &Index,
    unique: Option<bool>,
) -> Result<(), sqlx::Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(NON_UNIQUE AS SIGNED) FROM information_schema.statistics
         WHERE table_schema = DATABASE() AND table_name = ?
         AND index_name = ? AND seq_in_index = 1",
    )
    .bind(index.table)
    .bind(index.name)
    .fetch_optional(&mut *connection)
    .await?;
    if found.map(|non_unique| non_unique == 0) == unique {
        return Ok(());
    }
    let Index {
        table,
        name,
        columns,
    } = index;
    let drop = found.map(|_| format!("DROP INDEX {name}"));
    let add = unique.map(|unique| {
        let kind = if unique { "UNIQUE INDEX" } else { "INDEX" };
        format!("ADD {kind} {name} ({columns})")
    });
    let changes: Vec<String> = drop.into_iter().chain(add).collect();
    let alter = format!("ALTER TABLE {table} {}", changes.join(", "));
    execute(connection, alter).await
}

/// Runs a statement that is put together from constants alone.
async fn execute(connection: &mut MySqlConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}
