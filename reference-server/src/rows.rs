//! The SQL statements on coupons and their holders, shared by all strategies.

use std::collections::HashSet;

use sqlx::SqliteConnection;

use crate::bug::Bugs;
use crate::coupon::{CouponId, Stock, UserCoupon, UserId};
use crate::timestamp::Timestamp;

/// What one snapshot says about one user and one coupon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) stock: i64,
    pub(crate) holds: bool,
}

/// Reads stock and holder in one statement, hence of the same instant. `None`: no such coupon.
pub(crate) async fn look(
    connection: &mut SqliteConnection,
    coupon: CouponId,
    user: &UserId,
) -> Result<Option<Standing>, sqlx::Error> {
    let found: Option<(i64, bool)> = sqlx::query_as(
        "SELECT stockQuantity,
                EXISTS (SELECT 1 FROM user_coupons WHERE userId = ?2 AND couponId = ?1)
         FROM fcfs_coupons WHERE id = ?1",
    )
    .bind(coupon)
    .bind(user.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(stock, holds)| Standing { stock, holds }))
}

/// Takes one coupon if there are more than `least`, and returns what is left after it.
pub(crate) async fn take_if_left(
    connection: &mut SqliteConnection,
    coupon: CouponId,
    least: i64,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE fcfs_coupons SET stockQuantity = stockQuantity - 1
         WHERE id = ? AND stockQuantity > ? RETURNING stockQuantity",
    )
    .bind(coupon)
    .bind(least)
    .fetch_optional(connection)
    .await
}

/// Takes coupons whether or not there are any, and returns what is left after them.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    coupon: CouponId,
    quantity: i64,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE fcfs_coupons SET stockQuantity = stockQuantity - ?2
         WHERE id = ?1 RETURNING stockQuantity",
    )
    .bind(coupon)
    .bind(quantity)
    .fetch_optional(connection)
    .await
}

/// Writes what is left, whatever the table had before, and returns it.
pub(crate) async fn set_left(
    connection: &mut SqliteConnection,
    coupon: CouponId,
    left: i64,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE fcfs_coupons SET stockQuantity = ?2 WHERE id = ?1 RETURNING stockQuantity",
    )
    .bind(coupon)
    .bind(left)
    .fetch_optional(connection)
    .await
}

/// Writes a row with the next free id.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    coupon: CouponId,
    user: &UserId,
    bugs: &Bugs,
) -> Result<UserCoupon, sqlx::Error> {
    let created_at = Timestamp::now();
    let id = sqlx::query("INSERT INTO user_coupons (userId, couponId, createdAt) VALUES (?, ?, ?)")
        .bind(user.as_str())
        .bind(coupon)
        .bind(created_at.as_micros())
        .execute(&mut *connection)
        .await?
        .last_insert_rowid();
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

/// Writes rows that have their ids already, and returns how many were written.
pub(crate) async fn insert_all(
    connection: &mut SqliteConnection,
    mut rows: Vec<&UserCoupon>,
    bugs: &Bugs,
) -> Result<u64, sqlx::Error> {
    rows.retain(|_| !bugs.loses_the_row());
    if rows.is_empty() {
        return Ok(0);
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
        "INSERT INTO user_coupons (id, userId, couponId, createdAt) ",
    );
    statement.push_values(rows, |mut row, issued| {
        row.push_bind(issued.id)
            .push_bind(issued.user.as_str())
            .push_bind(issued.coupon)
            .push_bind(issued.created_at.as_micros());
    });
    // Its text depends on the number of rows: not worth a place in the statement cache.
    Ok(statement
        .build()
        .persistent(false)
        .execute(connection)
        .await?
        .rows_affected())
}

/// Those of these ids that are in the table: id, user and coupon.
pub(crate) async fn among(
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> Result<Vec<(i64, String, CouponId)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
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

/// Reads a coupon and counts its rows in one statement, hence of the same instant.
pub(crate) async fn stock(
    connection: &mut SqliteConnection,
    coupon: CouponId,
) -> Result<Option<Stock>, sqlx::Error> {
    let found: Option<(String, i64, i64, i64)> = sqlx::query_as(
        "SELECT status, totalQuantity, stockQuantity,
                (SELECT count(*) FROM user_coupons WHERE couponId = ?1)
         FROM fcfs_coupons WHERE id = ?1",
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

/// Every coupon in the file.
pub(crate) async fn coupons(
    connection: &mut SqliteConnection,
) -> Result<Vec<CouponId>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM fcfs_coupons")
        .fetch_all(connection)
        .await
}

/// Everyone who holds a coupon.
pub(crate) async fn holders(
    connection: &mut SqliteConnection,
    coupon: CouponId,
) -> Result<HashSet<UserId>, sqlx::Error> {
    let users: Vec<String> =
        sqlx::query_scalar("SELECT userId FROM user_coupons WHERE couponId = ?")
            .bind(coupon)
            .fetch_all(connection)
            .await?;
    // Texts that no request could carry cannot ask a second time either.
    Ok(users.iter().filter_map(|user| UserId::new(user)).collect())
}

/// The id after the highest that was ever written.
pub(crate) async fn next_id(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let highest: i64 = sqlx::query_scalar(
        "SELECT max(coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'user_coupons'), 0),
                    coalesce((SELECT max(id) FROM user_coupons), 0))",
    )
    .fetch_one(connection)
    .await?;
    Ok(highest + 1)
}
