//! Statements for a SQL database; for many users, several rows at once within transactions. Values
//! are parameters, never part of the text.
//!
//! A statement without values goes through the simple protocol, so that it can be any that the
//! database knows, also one that cannot be prepared.

use futures_util::StreamExt as _;
use sqlx::{
    AssertSqlSafe, Column, Database, Either, Encode, Error, Executor, MySql, Postgres,
    SqlSafeStr as _, Sqlite, Type,
};

use super::dialect::{Dialect, Session, words};
use super::row::{Captured, Changed as _};
use super::{Done, Work};
use crate::plan::{Marks, SetupCapture, Statement, Template, Values};

/// Rows of one statement, and values: databases take at least 32,766.
const ROWS: usize = 500;
const VALUES: usize = 15_000;

/// Users of one transaction.
const TRANSACTION: u64 = 5_000;

/// A value for a statement.
enum Value {
    Number(i64),
    Text(String),
}

pub(super) async fn run(
    work: &Work<'_>,
    url: &str,
    statements: &[Statement],
) -> Result<Done, String> {
    let mut session = work.within(Session::open(url)).await?;
    let done = match &mut session {
        Session::Sqlite(connection) => all::<Sqlite>(work, connection, statements).await,
        Session::MySql(connection) => all::<MySql>(work, connection, statements).await,
        Session::Postgres(connection) => all::<Postgres>(work, connection, statements).await,
    };
    session.close().await;
    done
}

async fn all<DB>(
    work: &Work<'_>,
    connection: &mut DB::Connection,
    statements: &[Statement],
) -> Result<Done, String>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
{
    let mut done = Done::default();
    for statement in statements {
        match &work.crowd {
            None => {
                let values = values_of::<DB>(statement, &work.once());
                let text = work.within(text_of::<DB>(connection, statement, 1)).await?;
                let captures = &work.step.captures;
                let ran = one::<DB>(connection, &text, values, captures, &mut done);
                work.within(ran).await?;
            }
            Some(_) => for_each::<DB>(work, connection, statement, &mut done).await?,
        }
    }
    if done.captured.len() < work.step.captures.len() {
        return Err("no row was answered, so nothing can be captured".to_owned());
    }
    Ok(done)
}

async fn for_each<DB>(
    work: &Work<'_>,
    connection: &mut DB::Connection,
    statement: &Statement,
    done: &mut Done,
) -> Result<(), String>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
{
    let Some(crowd) = &work.crowd else {
        return Ok(());
    };
    let width = statement.parameters().count().max(1);
    let most = if statement.takes_rows() {
        (VALUES / width).clamp(1, ROWS) as u64
    } else {
        1
    };
    let mut text = (0, String::new());
    let (mut place, mut since_begin) = (0, 0);
    while place < crowd.count() {
        let end = crowd.count().min(place + most);
        // Asked for outside of a transaction: what cannot be prepared would end it.
        if text.0 != end - place {
            if since_begin > 0 {
                work.within(control::<DB>(connection, "COMMIT")).await?;
                since_begin = 0;
            }
            let rows = (end - place) as usize;
            let asked = text_of::<DB>(connection, statement, rows);
            text = (end - place, work.within(asked).await?);
        }
        if since_begin == 0 {
            work.within(control::<DB>(connection, "BEGIN")).await?;
        }
        let values = (place..end).flat_map(|place| {
            let member = crowd.member(place);
            values_of::<DB>(statement, &member.values())
        });
        let values = values.collect();
        work.within(one::<DB>(connection, &text.1, values, &[], done))
            .await?;
        since_begin += end - place;
        place = end;
        if since_begin >= TRANSACTION || place == crowd.count() {
            work.within(control::<DB>(connection, "COMMIT")).await?;
            since_begin = 0;
        }
        (work.progress)(place);
    }
    Ok(())
}

async fn control<DB>(connection: &mut DB::Connection, word: &'static str) -> Result<(), String>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let ran = connection.execute(sqlx::raw_sql(word)).await;
    ran.map(|_| ()).map_err(|error| words(&error))
}

/// Runs one statement and keeps what its first row has for the captures.
async fn one<DB>(
    connection: &mut DB::Connection,
    text: &str,
    values: Vec<Value>,
    captures: &[SetupCapture],
    done: &mut Done,
) -> Result<(), String>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
{
    // The scenario's own text; values stand beside it.
    let safe = AssertSqlSafe(text);
    let mut answers = if values.is_empty() {
        sqlx::raw_sql(safe).fetch_many(connection)
    } else {
        let mut query = sqlx::query::<DB>(safe);
        for value in values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
            };
        }
        connection.fetch_many(query)
    };
    let writes = writes_rows(text);
    let mut first = true;
    while let Some(answer) = answers.next().await {
        match answer.map_err(|error| words(&error))? {
            Either::Left(result) => {
                done.rows += if writes { result.rows() } else { 0 };
                first = true;
            }
            Either::Right(row) => {
                if std::mem::take(&mut first) && !captures.is_empty() {
                    let captured = captures.iter().map(|one| captured(one, &row));
                    done.captured = captured.collect::<Result<_, _>>()?;
                }
            }
        }
    }
    Ok(())
}

/// Whether the number that comes back is one of changed rows: `SQLite` repeats an older one for other
/// statements, and `PostgreSQL` counts what was read.
fn writes_rows(text: &str) -> bool {
    const WRITES: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "WITH"];
    let first = text.split_whitespace().next().unwrap_or_default();
    WRITES.iter().any(|word| first.eq_ignore_ascii_case(word))
}

fn captured<R: Captured>(capture: &SetupCapture, row: &R) -> Result<String, String> {
    let wanted = &capture.from;
    let names = row.columns().iter().map(Column::name);
    let Some(at) = names
        .clone()
        .position(|name| name.eq_ignore_ascii_case(wanted))
    else {
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        return Err(format!("the row has no column `{wanted}`; it has {names}"));
    };
    let text = row.text(at).map_err(|error| match error {
        Error::ColumnDecode { .. } => format!("the column `{wanted}` holds no value"),
        error => words(&error),
    })?;
    text.map_err(|kind| {
        format!("the column `{wanted}` is {kind}, which has no plain text: CAST it to a text")
    })
}

fn values_of<DB: Dialect>(statement: &Statement, values: &Values<'_>) -> Vec<Value> {
    let value = |(template, quoted): (&Template, bool)| {
        let text = template.to_text(values);
        match text.parse::<i64>() {
            Ok(number) if DB::NUMBERS && !quoted && number.to_string() == text => {
                Value::Number(number)
            }
            _ => Value::Text(text),
        }
    };
    statement.parameters().map(value).collect()
}

/// The statement's text with its marks. `PostgreSQL` takes no text for a number: the server is asked
/// what each value should be, and the text is cast to it.
async fn text_of<DB>(
    connection: &mut DB::Connection,
    statement: &Statement,
    rows: usize,
) -> Result<String, String>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let plain = statement.text(rows, &|number| DB::MARKS.mark(number));
    if DB::MARKS == Marks::Question || statement.parameters().next().is_none() {
        return Ok(plain);
    }
    let safe = AssertSqlSafe(plain.clone()).into_sql_str();
    // What is wrong with it is said when it is run.
    let Ok(prepared) = connection.prepare(safe).await else {
        return Ok(plain);
    };
    let casts = DB::casts(&prepared);
    Ok(statement.text(rows, &|number| {
        let mark = DB::MARKS.mark(number);
        match casts.get(number - 1).and_then(Option::as_ref) {
            Some(kind) => format!("CAST({mark} AS {kind})"),
            None => mark,
        }
    }))
}
