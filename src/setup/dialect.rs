//! How the databases differ: connecting, the marks and types of values, the words of errors.

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    ConnectOptions, Connection, Database, Either, Error, IntoArguments, MySql, Postgres, Sqlite,
    Statement as _, TypeInfo,
};

use super::quoted;
use super::row::{Captured, Changed};
use crate::plan::Marks;

/// One connection.
pub(super) enum Session {
    Sqlite(SqliteConnection),
    MySql(MySqlConnection),
    Postgres(Box<PgConnection>),
}

impl Session {
    /// Connects for writing.
    pub(super) async fn open(url: &str) -> Result<Self, String> {
        let opened = async {
            match url.split_once(':').map(|(scheme, _)| scheme) {
                Some("sqlite") => {
                    // A name that is wrong must not become a new, empty database.
                    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false);
                    let options = options.busy_timeout(Duration::from_secs(5));
                    options.connect().await.map(Session::Sqlite)
                }
                Some("postgres" | "postgresql") => {
                    let options = PgConnectOptions::from_str(url)?.application_name("fcfs-bench");
                    let connection = options.connect().await?;
                    Ok(Session::Postgres(Box::new(connection)))
                }
                _ => {
                    let options = MySqlConnectOptions::from_str(url)?;
                    options.connect().await.map(Session::MySql)
                }
            }
        };
        opened.await.map_err(|error| words(&error))
    }

    /// Says goodbye: a connection that is only dropped ends its transaction, too, but not at once.
    pub(super) async fn close(self) {
        let farewell = async {
            match self {
                Self::Sqlite(connection) => connection.close().await,
                Self::MySql(connection) => connection.close().await,
                Self::Postgres(connection) => connection.close().await,
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), farewell).await;
    }
}

/// What one dialect needs beside what all have.
pub(super) trait Dialect:
    Database<Row: Captured, QueryResult: Changed, Arguments: IntoArguments<Self>> + Sized
{
    const MARKS: Marks;

    /// Whether a text that is an integer is sent as one. `PostgreSQL` is told by a cast.
    const NUMBERS: bool;

    /// What the parameters are to be cast to: the types that the server has found for them, but
    /// for texts.
    fn casts(_: &Self::Statement) -> Vec<Option<String>> {
        Vec::new()
    }
}

impl Dialect for Sqlite {
    const MARKS: Marks = Marks::Question;
    const NUMBERS: bool = true;
}

impl Dialect for MySql {
    const MARKS: Marks = Marks::Question;
    const NUMBERS: bool = true;
}

impl Dialect for Postgres {
    const MARKS: Marks = Marks::Numbered;
    const NUMBERS: bool = false;

    fn casts(statement: &Self::Statement) -> Vec<Option<String>> {
        let Some(Either::Left(types)) = statement.parameters() else {
            return Vec::new();
        };
        let cast = |name: &str| match name {
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => None,
            name => Some(name.to_owned()),
        };
        types.iter().map(|one| cast(one.name())).collect()
    }
}

/// What the database said.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Database(database) => quoted(database.message()),
        Error::Tls(_) => "TLS to SQL databases is not supported yet; use a URL without it \
                          (`sslmode=disable`, for MySQL `ssl-mode=DISABLED`)"
            .to_owned(),
        Error::Io(error) => quoted(&error.to_string()),
        Error::Configuration(_) => "the url is not well-formed".to_owned(),
        error => quoted(&error.to_string()),
    }
}
