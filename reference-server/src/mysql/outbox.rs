//! The tables of the strategy `outbox`: who is to get a coupon, and the events that say so.

use sqlx::{AssertSqlSafe, MySqlConnection};

use crate::bug::Bugs;
use crate::coupon::{CouponId, Stock, UserCoupon, UserId};
use crate::timestamp::Timestamp;

const EVENTS: &str = "CREATE TABLE IF NOT EXISTS outbox_events (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    reservationId BIGINT NOT NULL,
    createdAt BIGINT NOT NULL,
    publishedAt BIGINT NULL,
    UNIQUE INDEX idx_outbox_reservation (reservationId),
    INDEX idx_outbox_published (publishedAt, id)
) ENGINE = InnoDB";

/// Makes the tables. Rows from elsewhere count as reservations without an event: their users hold
/// the coupon, and their ids are given away.
pub(crate) async fn prepare(
    connection: &mut MySqlConnection,
    bugs: &Bugs,
) -> Result<(), sqlx::Error> {
    // Several servers may start on the same database at once.
    execute(connection, "DO GET_LOCK('fcfs_schema', 60)").await?;
    let prepared = prepare_alone(connection, bugs).await;
    execute(connection, "DO RELEASE_LOCK('fcfs_schema')").await?;
    prepared
}

async fn prepare_alone(connection: &mut MySqlConnection, bugs: &Bugs) -> Result<(), sqlx::Error> {
    // The columns with their collations, and the two keys, one of them plain.
    execute(
        connection,
        "CREATE TABLE IF NOT EXISTS coupon_reservations LIKE user_coupons",
    )
    .await?;
    let kind = if bugs.has_a_unique_key() {
        "UNIQUE INDEX"
    } else {
        "INDEX"
    };
    let index = format!(
        "ALTER TABLE coupon_reservations DROP INDEX idx_user_coupon,
         ADD {kind} idx_user_coupon (userId, couponId)"
    );
    execute(connection, &index).await?;
    execute(connection, EVENTS).await?;
    execute(
        connection,
        "INSERT IGNORE INTO coupon_reservations (id, userId, couponId, createdAt)
         SELECT id, userId, couponId, createdAt FROM user_coupons",
    )
    .await
}

/// Writes a reservation and its event. The id is that of the row to come.
pub(crate) async fn reserve(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    user: &UserId,
) -> Result<UserCoupon, sqlx::Error> {
    let created_at = Timestamp::now();
    let done = sqlx::query(
        "INSERT INTO coupon_reservations (userId, couponId, createdAt) VALUES (?, ?, ?)",
    )
    .bind(user.as_str())
    .bind(coupon)
    .bind(created_at.as_micros())
    .execute(&mut *connection)
    .await?;
    let id = i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX);
    sqlx::query("INSERT INTO outbox_events (reservationId, createdAt) VALUES (?, ?)")
        .bind(id)
        .bind(created_at.as_micros())
        .execute(connection)
        .await?;
    Ok(UserCoupon {
        id,
        coupon,
        user: user.clone(),
        created_at,
    })
}

/// Whether the user has a reservation already.
pub(crate) async fn holds(
    connection: &mut MySqlConnection,
    coupon: CouponId,
    user: &UserId,
) -> Result<bool, sqlx::Error> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM coupon_reservations WHERE userId = ? AND couponId = ?)",
    )
    .bind(user.as_str())
    .bind(coupon)
    .fetch_one(connection)
    .await?;
    Ok(found == 1)
}

/// The oldest events that are not published and that no other transaction has locked.
pub(crate) async fn waiting(
    connection: &mut MySqlConnection,
    most: u32,
) -> Result<Vec<UserCoupon>, sqlx::Error> {
    // The reservation never changes, so only the event is locked: `FOR UPDATE` of a join would
    // lock both.
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT reservationId FROM outbox_events WHERE publishedAt IS NULL
         ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED",
    )
    .bind(most)
    .fetch_all(&mut *connection)
    .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::MySql>::new(
        "SELECT id, userId, couponId, createdAt FROM coupon_reservations WHERE id IN (",
    );
    list(&mut statement, &ids);
    statement.push(" ORDER BY id");
    let found: Vec<(i64, String, CouponId, i64)> = statement
        .build_query_as()
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let event = |(id, user, coupon, created_at): (i64, String, CouponId, i64)| {
        Some(UserCoupon {
            id,
            coupon,
            user: UserId::new(&user)?,
            created_at: Timestamp::from_micros(created_at),
        })
    };
    Ok(found.into_iter().filter_map(event).collect())
}

/// Notes that the events of these reservations are published.
pub(crate) async fn mark(
    connection: &mut MySqlConnection,
    reservations: &[i64],
) -> Result<(), sqlx::Error> {
    if reservations.is_empty() {
        return Ok(());
    }
    let mut statement =
        sqlx::QueryBuilder::<sqlx::MySql>::new("UPDATE outbox_events SET publishedAt = ");
    statement.push_bind(Timestamp::now().as_micros());
    statement.push(" WHERE reservationId IN (");
    list(&mut statement, reservations);
    statement
        .build()
        .persistent(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Closes the bracket as well.
fn list(statement: &mut sqlx::QueryBuilder<sqlx::MySql>, ids: &[i64]) {
    let mut list = statement.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    list.push_unseparated(")");
}

/// Reads a coupon, and counts its rows and its reservations in one statement.
pub(crate) async fn stock(
    connection: &mut MySqlConnection,
    coupon: CouponId,
) -> Result<Option<Stock>, sqlx::Error> {
    let found: Option<(String, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT status, totalQuantity, stockQuantity,
                (SELECT COUNT(*) FROM user_coupons WHERE couponId = fcfs_coupons.id),
                (SELECT COUNT(*) FROM coupon_reservations WHERE couponId = fcfs_coupons.id)
         FROM fcfs_coupons WHERE id = ?",
    )
    .bind(coupon)
    .fetch_optional(connection)
    .await?;
    Ok(
        found.map(|(status, total, remaining, issued, reserved)| Stock {
            status,
            total,
            in_table: remaining,
            remaining,
            issued,
            pending: (reserved - issued).max(0),
        }),
    )
}

/// Runs a statement that is put together from constants alone.
async fn execute(connection: &mut MySqlConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}
