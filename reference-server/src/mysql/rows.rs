//! The SQL statements of the strategies on `MySQL`.

use sqlx::MySqlConnection;

use crate::bug::Bugs;
use crate::coupon::{CouponId, Stock, UserCoupon, UserId};
use crate::timestamp::Timestamp;

/// Locks the coupon's row until the transaction ends, and reads the stock. `None`: no such coupon.
pub(crate) async fn lock(
    connection: &mut MySqlConnection,
    coupon: CouponId,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT stockQuantity FROM fcfs_coupons WHERE id = ? FOR UPDATE")
        .bind(coupon)
        .fetch_optional(connection)
        .await
}

/// Reads the stock without a lock.
pub(crate) async fn left(
    connection: &mut MySqlConnection,
    coupon: CouponId,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT stockQuantity FROM fcfs_coupons WHERE id = ?")
        .bind(coupon)
        .fetch_optional(connection)
        .await
}

/// Reads what a coupon is, as against how many there are: status and stock at the beginning.
pub(crate) async fn details(
    connection: &mut MySqlConnection,
    coupon: CouponId,
) -> Result<Option<(String, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT status, totalQuantity FROM fcfs_coupons WHERE id = ?")
        .bind(coupon)
        .fetch_optional(connection)
        .await
}

/// Whether the user has a row already.
pub(crate) async fn holds(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    user: &UserId,
) -> Result<bool, sqlx::Error> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM user_coupons WHERE userId = ? AND couponId = ?)",
    )
    .bind(user.as_str())
    .bind(coupon)
    .fetch_one(connection)
    .await?;
    Ok(found == 1)
}

/// Takes one coupon if there are more than `least`, and says whether there were.
pub(crate) async fn take_if_left(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    least: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE fcfs_coupons SET stockQuantity = stockQuantity - 1
         WHERE id = ? AND stockQuantity > ?",
    )
    .bind(coupon)
    .bind(least)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes coupons whether or not there are any, and says whether the coupon exists.
pub(crate) async fn take(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    quantity: i64,
) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("UPDATE fcfs_coupons SET stockQuantity = stockQuantity - ? WHERE id = ?")
            .bind(quantity)
            .bind(coupon)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what is left, whatever the table had before.
pub(crate) async fn set_left(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    left: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE fcfs_coupons SET stockQuantity = ? WHERE id = ?")
        .bind(left)
        .bind(coupon)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes a row with the next free id.
pub(crate) async fn insert(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    user: &UserId,
    bugs: &Bugs,
) -> Result<UserCoupon, sqlx::Error> {
    let created_at = Timestamp::now();
    let done =
        sqlx::query("INSERT INTO user_coupons (userId, couponId, createdAt) VALUES (?, ?, ?)")
            .bind(user.as_str())
            .bind(coupon)
            .bind(created_at.as_micros())
            .execute(&mut *connection)
            .await?;
    let id = i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX);
    if bugs.loses_the_row() {
        sqlx::query("DELETE FROM user_coupons WHERE id = ?")
            .bind(id)
            .execute(connection)
            .await?;
    }
    Ok(UserCoupon {
        id,
        coupon,
        user: user.clone(),
        created_at,
    })
}

/// Writes rows that have their ids already.
pub(crate) async fn insert_all(
    connection: &mut MySqlConnection,
    mut rows: Vec<&UserCoupon>,
    bugs: &Bugs,
) -> Result<(), sqlx::Error> {
    rows.retain(|_| !bugs.loses_the_row());
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::MySql>::new(
        "INSERT INTO user_coupons (id, userId, couponId, createdAt) ",
    );
    statement.push_values(rows, |mut row, issued| {
        row.push_bind(issued.id)
            .push_bind(issued.user.as_str())
            .push_bind(issued.coupon)
            .push_bind(issued.created_at.as_micros());
    });
    // Its text depends on the number of rows: not worth a place in the statement cache.
    statement
        .build()
        .persistent(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Those of these ids that are in the table: id, user and coupon.
pub(crate) async fn among(
    connection: &mut MySqlConnection,
    ids: &[i64],
) -> Result<Vec<(i64, String, CouponId)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::MySql>::new(
        "SELECT id, userId, couponId FROM user_coupons WHERE id IN (",
    );
    let mut list = statement.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    list.push_unseparated(")");
    // As above.
    let statement = statement.build_query_as().persistent(false);
    statement.fetch_all(connection).await
}

/// Whether exactly this row is in the table.
pub(crate) async fn is_written(
    connection: &mut MySqlConnection,
    row: &UserCoupon,
) -> Result<bool, sqlx::Error> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM user_coupons WHERE id = ? AND userId = ? AND couponId = ?)",
    )
    .bind(row.id)
    .bind(row.user.as_str())
    .bind(row.coupon)
    .fetch_one(connection)
    .await?;
    Ok(found == 1)
}

/// Reads a coupon and counts its rows in one statement, hence of the same instant.
pub(crate) async fn stock(
    connection: &mut MySqlConnection,
    coupon: CouponId,
) -> Result<Option<Stock>, sqlx::Error> {
    let found: Option<(String, i64, i64, i64)> = sqlx::query_as(
        "SELECT status, totalQuantity, stockQuantity,
                (SELECT COUNT(*) FROM user_coupons WHERE couponId = fcfs_coupons.id)
         FROM fcfs_coupons WHERE id = ?",
    )
    .bind(coupon)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(status, total, remaining, issued)| Stock {
        status,
        total,
        in_table: remaining,
        remaining,
        issued,
        pending: 0,
    }))
}

/// Every coupon in the database with its stock.
pub(crate) async fn coupons(
    connection: &mut MySqlConnection,
) -> Result<Vec<(CouponId, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT id, stockQuantity FROM fcfs_coupons")
        .fetch_all(connection)
        .await
}

/// Everyone who holds a coupon.
pub(crate) async fn holders(
    connection: &mut MySqlConnection,
    coupon: CouponId,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT userId FROM user_coupons WHERE couponId = ?")
        .bind(coupon)
        .fetch_all(connection)
        .await
}

/// The highest id in the table.
pub(crate) async fn highest_id(connection: &mut MySqlConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM user_coupons")
        .fetch_one(connection)
        .await
}
