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

    /// The first column of all rows.
    pub(in crate::fault) async fn texts(&mut self, query: &str) -> Result<Vec<String>, Failure> {
        let rows = self.rows(query).await?;
        rows.iter().map(|row| text(row, 0)).collect()
    }

    /// The first two columns of all rows.
    pub(in crate::fault) async fn pairs(
        &mut self,
        query: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let rows = self.rows(query).await?;
        let pairs = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        pairs.collect()
    }

    /// A variable or a figure by its name: the answer of `SHOW GLOBAL VARIABLES` or `STATUS`.
    pub(in crate::fault) async fn shown(&mut self, show: &str) -> Result<u64, Failure> {
        let value = self.pairs(show).await?.pop();
        let value = value.and_then(|(_, value)| value.parse().ok());
        value.ok_or_else(|| Failure::Other(format!("`{show}` gave no number")))
    }

    /// The server's number of this session.
    pub(in crate::fault) async fn id(&mut self) -> Result<u64, Failure> {
        let id = self.texts("SELECT CONNECTION_ID()").await?.pop();
        let id = id.and_then(|id| id.parse().ok());
        id.ok_or_else(|| Failure::Other("CONNECTION_ID() is no number".to_owned()))
    }

    /// Says goodbye, so that the server has ended the session a moment later.
    pub(in crate::fault) async fn close(self) {
        // Nothing is lost when the server does not say goodbye, too.
        let _ = timeout(self.limit, self.connection.close()).await;
    }
}

fn text(row: &MySqlRow, column: usize) -> Result<String, Failure> {
    // The simple protocol sends every type as text.
    let text = row.try_get_unchecked(column);
    text.map_err(|error| failure(&error))
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
