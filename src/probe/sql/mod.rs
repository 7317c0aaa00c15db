//! Asks a SQL database with one SELECT, in a session that cannot write.
//!
//! Queries go through the simple protocol, in which the servers answer with text: so every column
//! type can be read (decimals, UUIDs, times), also those that the driver has no Rust type for.
//! TLS to SQL databases is not supported yet.

mod cell;
mod pages;
mod status;
mod table;

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Database, Error, Executor};
use tokio::time::timeout;

use super::error::{Fault, Reason};
use super::{LIMIT, shape};
use crate::check::{IssuedRow, TableRows};
use crate::plan::{Pages, Table};
use cell::Cells;
pub(super) use pages::Progress;
pub(super) use status::StatusProbe;
pub use table::{RowReader, read_table};

/// A database and the query for it.
#[derive(Debug)]
pub(super) struct SqlProbe {
    options: Options,
    query: String,
    pages: Option<Pages>,
    /// Taken out for the time of a call and put back only when that ended well: so a connection
    /// in an unknown state is never used again.
    idle: Mutex<Option<Session>>,
}

#[derive(Debug)]
enum Options {
    Sqlite(Box<SqliteConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// How a database reads values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    MySql,
    Postgres,
}

#[derive(Debug)]
enum Session {
    Sqlite(SqliteConnection),
    MySql(MySqlConnection),
    Postgres(PgConnection),
}

/// What a query is read for.
trait Reader {
    /// Takes a row; `false`: the rest is not needed.
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault>;
}

impl SqlProbe {
    pub(super) async fn open(url: &str, query: &str, pages: Option<&Pages>) -> Result<Self, Fault> {
        let probe = Self {
            options: Options::parse(url)?,
            query: trimmed(query).to_owned(),
            pages: pages.cloned(),
            idle: Mutex::new(None),
        };
        let session = probe.options.connect().await?;
        probe.keep(session).await;
        Ok(probe)
    }

    pub(super) async fn table(&self, table: Table) -> Result<TableRows, Fault> {
        let mut rows = Whole {
            table,
            number: 0,
            rows: TableRows::default(),
        };
        self.read(&self.query, &mut rows).await?;
        Ok(rows.rows)
    }

    pub(super) async fn count(&self) -> Result<u64, Fault> {
        // The line break ends a comment at the query's end.
        let counting = format!("SELECT COUNT(*) FROM ({}\n) AS t", self.query);
        let mut first = First::default();
        match self.read(&counting, &mut first).await {
            Ok(()) => {
                let number = first.number()?;
                Ok(u64::try_from(number).unwrap_or_default())
            }
            // Some queries cannot be wrapped, for example with two columns of one name. If the
            // query itself is wrong, asking it directly gives the message that fits.
            Err(fault) if fault.reason == Reason::Asked => {
                let mut rows = Counted(0);
                self.read(&self.query, &mut rows).await?;
                Ok(rows.0)
            }
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn number(&self) -> Result<i64, Fault> {
        let mut first = First::default();
        self.read(&self.query, &mut first).await?;
        first.number()
    }

    pub(super) async fn close(self) {
        let idle = self
            .idle
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(session) = idle else { return };
        let farewell = async {
            match session {
                Session::Sqlite(connection) => connection.close().await,
                Session::MySql(connection) => connection.close().await,
                Session::Postgres(connection) => connection.close().await,
            }
        };
        // Nothing is lost when the server does not say goodbye, too.
        let _ = timeout(Duration::from_secs(1), farewell).await;
    }

    async fn read(&self, query: &str, reader: &mut (dyn Reader + Send)) -> Result<(), Fault> {
        let idle = self.lock().take();
        let mut session = match idle {
            Some(session) => session,
            None => self.options.connect().await?,
        };
        match &mut session {
            Session::Sqlite(connection) => read(connection, query, reader).await?,
            Session::MySql(connection) => read(connection, query, reader).await?,
            Session::Postgres(connection) => read(connection, query, reader).await?,
        }
        self.keep(session).await;
        Ok(())
    }

    async fn keep(&self, session: Session) {
        match session {
            // A SQLite file is opened anew each time: an open handle would go on reading a file
            // that was deleted and made again, and keep the last writer from tidying up its WAL.
            Session::Sqlite(connection) => drop(connection.close().await),
            session => *self.lock() = Some(session),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Options {
    fn parse(url: &str) -> Result<Self, Fault> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url).map_err(|error| fault(&error))?;
                let options = options
                    .read_only(true)
                    .create_if_missing(false)
                    .busy_timeout(LIMIT / 2)
                    .pragma("query_only", "ON");
                Ok(Self::Sqlite(Box::new(options)))
            }
            Some("mysql" | "mariadb") => {
                let options = MySqlConnectOptions::from_str(url).map_err(|error| fault(&error))?;
                Ok(Self::MySql(Box::new(options)))
            }
            Some("postgres" | "postgresql") => {
                let options = PgConnectOptions::from_str(url).map_err(|error| fault(&error))?;
                let options = options.application_name("fcfs-bench");
                Ok(Self::Postgres(Box::new(options)))
            }
            _ => Err(Fault::asked(
                "is no database URL; it starts with sqlite:, mysql: or postgres:",
            )),
        }
    }

    const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::MySql(_) => Dialect::MySql,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A session in which the database itself refuses to write, even inside a function.
    async fn connect(&self) -> Result<Session, Fault> {
        let connecting = async {
            match self {
                Self::Sqlite(options) => Ok(Session::Sqlite(options.connect().await?)),
                Self::MySql(options) => {
                    let mut connection = options.connect().await?;
                    let read_only = "SET SESSION TRANSACTION READ ONLY";
                    connection.execute(sqlx::raw_sql(read_only)).await?;
                    Ok(Session::MySql(connection))
                }
                Self::Postgres(options) => {
                    let mut connection = options.connect().await?;
                    // The others fix how values are written as text, and read from it.
                    let settings = "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; \
                                    SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex'; \
                                    SET standard_conforming_strings = on; \
                                    SET extra_float_digits = 1";
                    connection.execute(sqlx::raw_sql(settings)).await?;
                    Ok(Session::Postgres(connection))
                }
            }
        };
        let connected = timeout(LIMIT, connecting).await;
        let connected: Result<Session, Error> = connected.map_err(|_| Fault::slow(LIMIT))?;
        connected.map_err(|error| fault(&error))
    }
}

async fn read<'c, C, DB>(
    connection: &'c mut C,
    query: &str,
    reader: &mut (dyn Reader + Send),
) -> Result<(), Fault>
where
    DB: Database,
    DB::Row: Cells,
    &'c mut C: Executor<'c, Database = DB>,
{
    // The scenario was checked to hold a single SELECT, and the session cannot write.
    let mut rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch(connection);
    loop {
        let row = timeout(LIMIT, rows.next()).await;
        match row.map_err(|_| Fault::slow(LIMIT))? {
            None => return Ok(()),
            Some(Ok(row)) => {
                if !reader.take(&row)? {
                    return Ok(());
                }
            }
            Some(Err(error)) => return Err(fault(&error)),
        }
    }
}

/// Columns by position: user, id, time.
struct Rows {
    /// Rows that were read before these.
    given: usize,
    rows: Vec<IssuedRow>,
}

impl Reader for Rows {
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault> {
        let cell = |column| {
            if column < row.width() {
                row.cell(column)
            } else {
                Ok(None)
            }
        };
        let time = cell(2)?;
        let index = self.given + self.rows.len();
        let row = shape::row(index, cell(0)?, cell(1)?, time.as_deref())?;
        self.rows.push(row);
        Ok(true)
    }
}

/// A whole table, whose columns have their meaning by position.
struct Whole {
    table: Table,
    number: u64,
    rows: TableRows,
}

impl Reader for Whole {
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault> {
        self.number += 1;
        let columns = self.table.columns();
        if row.width() < columns.len() {
            return Err(Fault::answer(format!(
                "the query has {} columns, and {} are needed: {}",
                row.width(),
                columns.len(),
                columns.join(", ")
            )));
        }
        let mut cells: [String; 3] = Default::default();
        for (at, column) in columns.iter().enumerate() {
            match (row.cell(at)?, self.table, at) {
                (Some(text), ..) => cells[at] = text,
                // Nobody owns it: it is not sold.
                (None, Table::Seats, 1) => return Ok(true),
                // An entry that is no charge of the load.
                (None, Table::Ledger, 0) => {}
                (None, ..) => {
                    let words = format!("row {} has no {column}", self.number);
                    return Err(Fault::answer(words));
                }
            }
        }
        self.rows.push(cells.each_ref().map(String::as_str));
        Ok(true)
    }
}

/// The first column of the first row.
#[derive(Default)]
struct First {
    is_there: bool,
    value: Option<String>,
}

impl First {
    fn number(self) -> Result<i64, Fault> {
        if !self.is_there {
            return Err(Fault::answer("the query gave no row"));
        }
        let null = || Fault::answer("the query gave NULL instead of a number");
        shape::number(&self.value.ok_or_else(null)?)
    }
}

impl Reader for First {
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault> {
        self.is_there = true;
        self.value = row.cell(0)?;
        Ok(false)
    }
}

/// Only the number of rows.
struct Counted(u64);

impl Reader for Counted {
    fn take(&mut self, _: &dyn Cells) -> Result<bool, Fault> {
        self.0 += 1;
        Ok(true)
    }
}

/// Without the semicolon that people put at a query's end.
fn trimmed(query: &str) -> &str {
    query.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => Fault::lost(error.to_string()),
        Error::Database(database) => {
            let reason = reason(database.code().as_deref(), database.message());
            Fault::new(reason, database.message())
        }
        Error::Tls(_) => Fault::asked(
            "TLS to SQL databases is not supported yet; use a URL without it \
             (`sslmode=disable`, for MySQL `ssl-mode=DISABLED`)",
        ),
        Error::Configuration(cause) => Fault::asked(format!("is not well-formed: {cause}")),
        _ => Fault::answer(error.to_string()),
    }
}

/// Tells a database that goes away, is not up yet, takes nobody more in or has cut this session
/// from one that will never answer this query.
fn reason(code: Option<&str>, message: &str) -> Reason {
    let says = |words: &str| message.contains(words);
    let is_away = matches!(
        code,
        Some("57P01" | "57P02" | "57P03" | "53300" | "08S01" | "08004")
    );
    if is_away || says("shutdown in progress") || says("Connection was killed") {
        Reason::Lost
    } else if says("is locked") {
        Reason::Slow
    } else {
        Reason::Asked
    }
}

#[cfg(test)]
mod tests;
