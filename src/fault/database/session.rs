//! One session at MySQL or MariaDB, with a limit on each answer and errors without secrets.

use std::fmt;
use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use futures_util::TryFutureExt as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error, Executor as _, Row as _};
use tokio::time::timeout;

use crate::fault::nemesis::Trouble;
use crate::fault::wait::ANSWER_WITHIN;
use crate::plan::Secret;

/// A session.
#[derive(Debug)]
pub(in crate::fault) struct Session {
    connection: MySqlConnection,
    /// For each answer.
    limit: Duration,
}

/// Why there was no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fault) enum Failure {
    /// There was none within this time.
    Silent(Duration),
    /// Nobody listens.
    Refused,
    /// The server said no.
    Said {
        /// The server's number of the error.
        code: u16,
        /// Its words.
        words: String,
    },
    /// Something else, in words.
    Other(String),
}

impl Failure {
    /// With the place where it happened.
    pub(in crate::fault) fn at(&self, url: &Secret) -> Trouble {
        Trouble::new(format!("{}: {self}", url.redacted()))
    }

    /// The server's number of the error.
    pub(in crate::fault) const fn code(&self) -> Option<u16> {
        match self {
            Self::Said { code, .. } => Some(*code),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(limit) => write!(f, "no answer within {} ms", limit.as_millis()),
            Self::Refused => f.write_str("the connection is refused"),
            Self::Said { code, words } => write!(f, "{words} (error {code})"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl Session {
    /// Connects; the limit is for this, and for each answer.
    pub(in crate::fault) async fn open(url: &Secret, limit: Duration) -> Result<Self, Failure> {
        let is_known = ["mysql:", "mariadb:"]
            .iter()
            .any(|scheme| url.reveal().starts_with(scheme));
        if !is_known {
            return Err(Failure::Other("is no MySQL or MariaDB".to_owned()));
        }
        // The error itself may repeat parts of the URL.
        let options = MySqlConnectOptions::from_str(url.reveal())
            .map_err(|_| Failure::Other("is no well-formed URL".to_owned()))?
            .disable_statement_logging();
        let connected = timeout(limit, options.connect()).await;
        let connected = connected.map_err(|_| Failure::Silent(limit))?;
        let connection = connected.map_err(|error| failure(&error))?;
        Ok(Self { connection, limit })
    }

    /// Connects with the limit of one that should answer.
    pub(in crate::fault) async fn to(url: &Secret) -> Result<Self, Failure> {
        Self::open(url, ANSWER_WITHIN).await
    }

    /// Runs one statement: a constant, one made of numbers, or the user's own.
    pub(in crate::fault) async fn run(&mut self, statement: &str) -> Result<(), Failure> {
        self.run_within(self.limit, statement).await
    }

    /// The same with another limit.
    pub(in crate::fault) async fn run_within(
        &mut self,
        limit: Duration,
        statement: &str,
    ) -> Result<(), Failure> {
        let running = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection);
        let ran = timeout(limit, running.map_err(|error| failure(&error))).await;
        ran.map_err(|_| Failure::Silent(limit))?.map(|_| ())
    }

    /// The rows of one statement.
    pub(in crate::fault) async fn rows(&mut self, query: &str) -> Result<Vec<MySqlRow>, Failure> {
        self.rows_within(self.limit, query).await
    }

    /// The same with another limit.
    pub(in crate::fault) async fn rows_within(
        &mut self,
        limit: Duration,
        query: &str,
    ) -> Result<Vec<MySqlRow>, Failure> {
        let asking = self
            .connection
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(query)));
        let rows = timeout(limit, asking).await;
        let rows = rows.map_err(|_| Failure::Silent(limit))?;
        rows.map_err(|error| failure(&error))
    }

    /// The n-th column of all rows as texts.
    pub(in crate::fault) async fn texts(
        &mut self,
        query: &str,
        column: usize,
    ) -> Result<Vec<String>, Failure> {
        let rows = self.rows(query).await?;
        let text = |row: &MySqlRow| {
            let text = row.try_get_unchecked::<String, _>(column);
            text.map_err(|error| failure(&error))
        };
        rows.iter().map(text).collect()
    }

    /// A variable or a figure by its name: the answer of `SHOW GLOBAL VARIABLES` or `STATUS`.
    pub(in crate::fault) async fn shown(&mut self, show: &str) -> Result<u64, Failure> {
        let value = self.texts(show, 1).await?.into_iter().next();
        let value = value.and_then(|value| value.parse().ok());
        value.ok_or_else(|| Failure::Other(format!("`{show}` gave no number")))
    }

    /// The numbers in the first column.
    pub(in crate::fault) async fn numbers(&mut self, query: &str) -> Result<Vec<u64>, Failure> {
        let texts = self.texts(query, 0).await?;
        Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
    }

    /// Says goodbye, so that the server has ended the session a moment later.
    pub(in crate::fault) async fn close(self) {
        // Nothing is lost when the server does not say goodbye, too.
        let _ = timeout(self.limit, self.connection.close()).await;
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Failure::Refused,
        Error::Database(database) => {
            let number = database.try_downcast_ref::<MySqlDatabaseError>();
            Failure::Said {
                code: number.map_or(0, MySqlDatabaseError::number),
                words: database.message().to_owned(),
            }
        }
        Error::Tls(_) => Failure::Other(
            "TLS to SQL databases is not supported yet; use a URL with `ssl-mode=DISABLED`"
                .to_owned(),
        ),
        Error::Configuration(_) => Failure::Other("is no well-formed URL".to_owned()),
        error => Failure::Other(error.to_string()),
    }
}
