//! As `crate::notices`: the SQL statements of `MySQL`.

use sqlx::MySqlConnection;

use crate::coupon::UserCoupon;
use crate::timestamp::Timestamp;

/// Makes the table.
pub(crate) async fn prepare(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS coupon_notices (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            eventId BIGINT NOT NULL,
            userId VARCHAR(255) NOT NULL,
            createdAt BIGINT NOT NULL,
            INDEX idx_notice_event (eventId)
        ) ENGINE = InnoDB CHARACTER SET utf8mb4",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a notice for each of these events.
pub(crate) async fn insert_all(
    connection: &mut MySqlConnection,
    events: &[&UserCoupon],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now().as_micros();
    let mut statement = sqlx::QueryBuilder::<sqlx::MySql>::new(
        "INSERT INTO coupon_notices (eventId, userId, createdAt) ",
    );
    statement.push_values(events, |mut notice, event| {
        notice
            .push_bind(event.id)
            .push_bind(event.user.as_str())
            .push_bind(now);
    });
    // Its text depends on the number of events: not worth a place in the statement cache.
    statement
        .build()
        .persistent(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Those of these events that have a notice.
pub(crate) async fn among(
    connection: &mut MySqlConnection,
    ids: &[i64],
) -> Result<Vec<i64>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::MySql>::new(
        "SELECT eventId FROM coupon_notices WHERE eventId IN (",
    );
    let mut list = statement.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    list.push_unseparated(")");
    // As above.
    let statement = statement.build_query_scalar().persistent(false);
    statement.fetch_all(connection).await
}
