//! The end of the write queue in `SQLite`.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use sqlx::Connection;

use super::memory::{Done, Memory, lock};
use super::write_behind::{Part, Table, Taken, by_coupon};
use crate::bug::Bugs;
use crate::coupon::IssueError;
use crate::rows;
use crate::store::Store;

/// Writes the rows, and notes in memory what became of them.
pub(super) struct SqliteTable {
    store: Arc<Store>,
    bugs: Arc<Bugs>,
    memory: Arc<Mutex<Memory>>,
}

impl SqliteTable {
    pub(super) fn new(store: Arc<Store>, bugs: Arc<Bugs>, memory: Arc<Mutex<Memory>>) -> Self {
        Self {
            store,
            bugs,
            memory,
        }
    }

    async fn write(&self, batch: &[Taken]) -> Result<(), IssueError> {
        let mut counts = Vec::new();
        let mut writer = self.store.writer().await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        for (coupon, Part { taken, rows }) in by_coupon(batch) {
            let accepted = rows.len() as i64;
            let written = rows::insert_all(&mut transaction, rows, &self.bugs).await? as i64;
            rows::take(&mut transaction, coupon, taken).await?;
            counts.push((
                coupon,
                Done {
                    taken,
                    accepted,
                    written,
                },
            ));
        }
        transaction.commit().await?;
        let mut memory = lock(&self.memory);
        for (coupon, done) in counts {
            memory.note(coupon, done);
        }
        Ok(())
    }
}

impl Table for SqliteTable {
    fn commit<'a>(&'a self, batch: &'a [Taken]) -> BoxFuture<'a, Result<(), IssueError>> {
        Box::pin(self.write(batch))
    }

    /// No network in which the answer to a commit could be lost.
    fn has<'a>(&'a self, _: &'a Taken) -> BoxFuture<'a, Result<bool, IssueError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn give_up(&self, taken: &Taken) {
        lock(&self.memory).note(
            taken.coupon(),
            Done {
                accepted: 1,
                ..Done::default()
            },
        );
    }

    fn pending(&self) -> i64 {
        lock(&self.memory).pending()
    }
}
