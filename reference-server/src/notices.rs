//! The effect of an event beside its row: a notice to the user, of which there is one for each event
//! however often it is read. The statements read the same in `SQLite` and `MySQL`, the table does not.

use sqlx::database::HasStatementCache;
use sqlx::{
    ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, MySql, QueryBuilder, Sqlite,
    Type,
};

use crate::coupon::UserCoupon;
use crate::timestamp::Timestamp;

/// A database with a table of notices.
pub(crate) trait Notices: Database + HasStatementCache {
    /// What makes the table.
    const TABLE: &[&str];
}

impl Notices for Sqlite {
    const TABLE: &[&str] = &[
        "CREATE TABLE IF NOT EXISTS coupon_notices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            eventId INTEGER NOT NULL,
            userId TEXT NOT NULL,
            createdAt INTEGER NOT NULL
        )",
        "CREATE INDEX IF NOT EXISTS idx_notice_event ON coupon_notices (eventId)",
    ];
}

impl Notices for MySql {
    const TABLE: &[&str] = &["CREATE TABLE IF NOT EXISTS coupon_notices (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            eventId BIGINT NOT NULL,
            userId VARCHAR(255) NOT NULL,
            createdAt BIGINT NOT NULL,
            INDEX idx_notice_event (eventId)
        ) ENGINE = InnoDB CHARACTER SET utf8mb4"];
}

/// Makes the table.
pub(crate) async fn prepare<DB: Notices>(connection: &mut DB::Connection) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    for statement in DB::TABLE {
        sqlx::query(*statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes a notice for each of these events.
pub(crate) async fn insert_all<DB: Notices>(
    connection: &mut DB::Connection,
    events: &[&UserCoupon],
) -> Result<(), sqlx::Error>
where
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    if events.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now().as_micros();
    let mut statement =
        QueryBuilder::<DB>::new("INSERT INTO coupon_notices (eventId, userId, createdAt) ");
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
pub(crate) async fn among<DB: Notices>(
    connection: &mut DB::Connection,
    ids: &[i64],
) -> Result<Vec<i64>, sqlx::Error>
where
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement =
        QueryBuilder::<DB>::new("SELECT eventId FROM coupon_notices WHERE eventId IN (");
    let mut list = statement.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    list.push_unseparated(")");
    // As above.
    let statement = statement.build_query_scalar().persistent(false);
    statement.fetch_all(connection).await
}
