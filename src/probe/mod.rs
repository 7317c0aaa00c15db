//! Reads from outside: the truth (SQL, Redis, HTTP), what the load does to the systems behind it
//! (`outside/`), and which alerts fire (`alerts.rs`); read-only.

pub mod alerts;
pub mod backlog;
pub mod events;
pub mod kafka;
pub mod log;
pub mod outside;
pub mod settle;

mod error;
mod http;
mod redis;
mod shape;
mod sql;
mod time;

use std::time::Duration;

pub use error::{ProbeError, Reason};
pub use log::{IdsOf, TruthLog, When, read_truth};
use rustls::pki_types::CertificateDer;
pub use settle::{Sample, Settling, State};
pub use sql::{RowReader, read_table};

use crate::check::{IssuedRow, TableRows};
use crate::plan::{Query, Source, Table};
use error::{Fault, place};

/// How long a source may keep silent: to connect, to answer, or until the next row of an answer
/// that comes in pieces.
pub const LIMIT: Duration = Duration::from_secs(10);

/// One open source of truth.
///
/// A connection that is lost is opened again by the next call, and a call that finds it lost asks
/// once more, so a probe outlives a restart of what it reads from.
#[derive(Debug)]
pub struct Probe {
    access: Access,
    place: String,
    offset: i64,
}

#[derive(Debug)]
enum Access {
    Sql(sql::SqlProbe),
    Redis(redis::RedisProbe),
    Http(http::HttpProbe),
}

impl Probe {
    /// Connects, so that a wrong URL or password shows before the load starts.
    ///
    /// `target_base` is what an HTTP path that starts with a slash is appended to.
    ///
    /// # Errors
    /// When the source is not well-formed, not supported, or cannot be reached.
    pub async fn open(source: &Source, target_base: Option<&str>) -> Result<Self, ProbeError> {
        Self::open_trusting(source, target_base, &[]).await
    }

    /// The same; `https:` trusts these roots beside the system's own.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_trusting(
        source: &Source,
        target_base: Option<&str>,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, ProbeError> {
        let (place, access) = match &source.query {
            Query::Sql { url, query, pages } => {
                let sql = sql::SqlProbe::open(url.reveal(), query, pages.as_ref()).await;
                (place(url.reveal()), sql.map(Access::Sql))
            }
            Query::Redis { url, command } => {
                let redis = redis::RedisProbe::open(url.reveal(), command).await;
                (place(url.reveal()), redis.map(Access::Redis))
            }
            Query::Http {
                url,
                headers,
                pointer,
                user,
                id,
                time,
            } => {
                let url = http::absolute(url.reveal(), target_base);
                let row = http::RowPointers {
                    user: user.clone(),
                    id: id.clone(),
                    time: time.clone(),
                };
                let http = http::HttpProbe::open(&url, headers, pointer.clone(), row, roots);
                (place(&url), http.map(Access::Http))
            }
            Query::Bundled => {
                let words = "is only known once the server has started";
                let access = Err(Fault::asked(words));
                ("the bundled server's own truth".to_owned(), access)
            }
        };
        match access {
            Ok(access) => Ok(Self {
                access,
                place,
                offset: source.offset,
            }),
            Err(fault) => Err(fault.at(&place)),
        }
    }

    /// All rows, in the source's order. The source's offset does not apply: a sentinel is a row.
    ///
    /// # Errors
    /// When the source does not answer, or with something else than rows of users.
    pub async fn rows(&self) -> Result<Vec<IssuedRow>, ProbeError> {
        let (mut all, mut pages) = (Vec::new(), self.pages());
        while let Some(rows) = pages.next().await? {
            all.extend(rows);
        }
        Ok(all)
    }

    /// The same, page by page where the source is read so, else all at once.
    pub fn pages(&self) -> RowPages<'_> {
        RowPages {
            probe: self,
            progress: sql::Progress::default(),
            is_over: false,
        }
    }

    /// All ids, in the source's order: what a row of users has first.
    ///
    /// # Errors
    /// When the source does not answer, or with something else than rows of ids.
    pub async fn ids(&self) -> Result<Vec<String>, ProbeError> {
        let rows = self.rows().await;
        let rows = rows.map_err(|error| error.in_other_words("has no user", "has no id"))?;
        Ok(rows.into_iter().map(|row| row.user).collect())
    }

    /// All rows of a table, in the source's order. Seats without an owner are left out.
    ///
    /// # Errors
    /// When the source does not answer, or with other columns than the table has.
    pub async fn table(&self, table: Table) -> Result<TableRows, ProbeError> {
        let mut answer = self.table_once(table).await;
        if is_lost(&answer) {
            answer = self.table_once(table).await;
        }
        answer.map_err(|fault| fault.at(&self.place))
    }

    /// How many rows there are, with the source's offset, at least 0; as cheap as the source
    /// allows.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub async fn count(&self) -> Result<u64, ProbeError> {
        let mut answer = self.count_once().await;
        if is_lost(&answer) {
            answer = self.count_once().await;
        }
        let count = answer.map_err(|fault| fault.at(&self.place))?;
        Ok(count.saturating_add_signed(self.offset))
    }

    /// The number that the source holds, with the source's offset.
    ///
    /// # Errors
    /// When the source does not answer, or with something else than a whole number.
    pub async fn number(&self) -> Result<i64, ProbeError> {
        let mut answer = self.number_once().await;
        if is_lost(&answer) {
            answer = self.number_once().await;
        }
        let number = answer.map_err(|fault| fault.at(&self.place))?;
        Ok(number.saturating_add(self.offset))
    }

    /// Says goodbye to the source.
    pub async fn close(self) {
        if let Access::Sql(sql) = self.access {
            sql.close().await;
        }
    }

    async fn table_once(&self, table: Table) -> Result<TableRows, Fault> {
        match &self.access {
            Access::Sql(sql) => sql.table(table).await,
            Access::Redis(_) | Access::Http(_) => Err(Fault::asked(format!(
                "`truth.{}` can only be read by SQL",
                table.name()
            ))),
        }
    }

    async fn count_once(&self) -> Result<u64, Fault> {
        match &self.access {
            Access::Sql(sql) => sql.count().await,
            Access::Redis(redis) => redis.count().await,
            Access::Http(http) => http.rows().await.map(|rows| rows.len() as u64),
        }
    }

    async fn number_once(&self) -> Result<i64, Fault> {
        match &self.access {
            Access::Sql(sql) => sql.number().await,
            Access::Redis(redis) => redis.number().await,
            Access::Http(http) => http.number().await,
        }
    }
}

/// The rows of one read, as they come.
#[derive(Debug)]
pub struct RowPages<'p> {
    probe: &'p Probe,
    progress: sql::Progress,
    is_over: bool,
}

impl RowPages<'_> {
    /// The next rows, which may be none; `None` when all were given.
    ///
    /// # Errors
    /// As [`Probe::rows`].
    pub async fn next(&mut self) -> Result<Option<Vec<IssuedRow>>, ProbeError> {
        let mut answer = self.next_once().await;
        if is_lost(&answer) {
            answer = self.next_once().await;
        }
        answer.map_err(|fault| fault.at(&self.probe.place))
    }

    async fn next_once(&mut self) -> Result<Option<Vec<IssuedRow>>, Fault> {
        if let Access::Sql(sql) = &self.probe.access {
            return sql.next(&mut self.progress).await;
        }
        if self.is_over {
            return Ok(None);
        }
        let rows = match &self.probe.access {
            Access::Redis(redis) => redis.rows().await?,
            Access::Http(http) => http.rows().await?,
            Access::Sql(_) => return Ok(None),
        };
        self.is_over = true;
        Ok(Some(rows))
    }
}

fn is_lost<T>(answer: &Result<T, Fault>) -> bool {
    matches!(answer, Err(fault) if fault.reason == Reason::Lost)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[tokio::test]
    async fn the_bundled_truth_cannot_be_opened_by_itself() {
        let source = Source {
            query: Query::Bundled,
            offset: 0,
        };
        let error = Probe::open(&source, None).await.unwrap_err();
        assert_eq!(error.reason(), Reason::Asked);
    }
}
