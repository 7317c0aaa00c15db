//! The effect of an event beside its row: a notice to the user, of which there is one for each event
//! however often it is read. The SQL statements of `SQLite`.

use sqlx::SqliteConnection;

use crate::coupon::UserCoupon;
use crate::timestamp::Timestamp;

/// Makes the table.
pub(crate) async fn prepare(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "CREATE TABLE IF NOT EXISTS coupon_notices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            eventId INTEGER NOT NULL,
            userId TEXT NOT NULL,
            createdAt INTEGER NOT NULL
        )",
        "CREATE INDEX IF NOT EXISTS idx_notice_event ON coupon_notices (eventId)",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes a notice for each of these events.
pub(crate) async fn insert_all(
    connection: &mut SqliteConnection,
    events: &[&UserCoupon],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now().as_micros();
    let mut statement = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
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
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> Result<Vec<i64>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
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
