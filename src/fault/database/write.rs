//! A write that changes nothing, to see whether the database takes one.

use super::session::{Failure, Session};
use crate::fault::nemesis::Trouble;
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, until};
use crate::plan::Secret;

/// One column that can be written, of the database that the URL names.
const FIND: &str = "SELECT CONCAT('UPDATE `', REPLACE(t.table_schema, '`', '``'), '`.`', \
                    REPLACE(t.table_name, '`', '``'), '` SET `', REPLACE(c.column_name, '`', '``'), \
                    '` = `', REPLACE(c.column_name, '`', '``'), '` WHERE FALSE') \
                    FROM information_schema.tables t JOIN information_schema.columns c \
                    ON c.table_schema = t.table_schema AND c.table_name = t.table_name \
                    WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' \
                    AND t.engine = 'InnoDB' AND c.extra NOT LIKE '%GENERATED%' \
                    ORDER BY t.table_name, c.ordinal_position LIMIT 1";

/// An `UPDATE` of no row: it takes the locks that any write takes, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct Write {
    url: Secret,
    statement: String,
}

impl Write {
    /// Looks for a table of the URL's database.
    pub(super) async fn find(url: &Secret) -> Result<Self, Trouble> {
        let found = async {
            let mut session = Session::to(url).await?;
            let found = session.texts(FIND).await?.pop();
            session.close().await;
            let none = "the URL's database has no table on which a write could be tried";
            found.ok_or_else(|| Failure::Other(none.to_owned()))
        };
        let statement = found.await.map_err(|failure| failure.at(url))?;
        Ok(Self {
            url: url.clone(),
            statement,
        })
    }

    /// Tries it in a session of its own.
    pub(super) async fn attempt(&self) -> Result<(), Failure> {
        let opened = Session::open(&self.url, SILENT_AFTER).await;
        // A server that lets nobody in is silent to more than writes.
        let mut session =
            opened.map_err(|failure| Failure::Other(format!("connecting: {failure}")))?;
        // The server gives up a second later, should nobody wait for the answer any more.
        session.run("SET SESSION lock_wait_timeout = 1").await?;
        session.run_within(SILENT_AFTER, &self.statement).await?;
        session.close().await;
        Ok(())
    }

    /// Returns when it is taken.
    pub(super) async fn wait_until_taken(&self) -> Result<(), Trouble> {
        let attempt = || async {
            let attempt = self.attempt().await;
            attempt.map_err(|failure| failure.at(&self.url))
        };
        until(WHOLE_WITHIN, attempt).await
    }
}
