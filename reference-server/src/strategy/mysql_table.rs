//! The end of the write queue in `MySQL`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::BoxFuture;

use super::leaving::leave;
use super::write_behind::{Part, Table, Taken, by_coupon};
use crate::bug::Bugs;
use crate::coupon::IssueError;
use crate::mysql::{MySqlStore, rows};
use crate::queue::Queue;

/// Writes the rows of this server, and counts those that it still owes.
pub(super) struct MySqlTable {
    store: Arc<MySqlStore>,
    bugs: Arc<Bugs>,
    stock: TableStock,
    expected: AtomicI64,
    /// The queue that users leave with their row.
    queue: Option<Arc<Queue>>,
}

/// Who brings the table's stock up to date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TableStock {
    /// Every batch, in the transaction of its rows.
    WithRows,
    /// Somebody else, from time to time: batches leave it alone.
    Elsewhere,
}

impl MySqlTable {
    /// `queue` is the one that users leave with their row.
    pub(super) fn new(
        store: Arc<MySqlStore>,
        bugs: Arc<Bugs>,
        stock: TableStock,
        queue: Option<Arc<Queue>>,
    ) -> Self {
        Self {
            store,
            bugs,
            stock,
            expected: AtomicI64::new(0),
            queue,
        }
    }

    /// Counts a row that is about to be queued.
    pub(super) fn expect_one(&self) {
        self.expected.fetch_add(1, Ordering::Relaxed);
    }

    /// Rows that were acknowledged and are not yet written.
    pub(super) fn expected(&self) -> i64 {
        self.expected.load(Ordering::Relaxed)
    }

    fn settle(&self, batch: &[Taken]) {
        let rows = batch.iter().filter_map(Taken::row).count() as i64;
        self.expected.fetch_sub(rows, Ordering::Relaxed);
    }

    async fn write(&self, batch: &[Taken]) -> Result<(), IssueError> {
        let mut transaction = self.store.begin().await?;
        for (coupon, Part { taken, rows }) in by_coupon(batch) {
            // The rows first: if they are there already, the stock was taken with them.
            rows::insert_all(&mut transaction, rows, &self.bugs).await?;
            if self.stock == TableStock::WithRows {
                rows::take(&mut transaction, coupon, taken).await?;
            }
        }
        transaction.commit().await?;
        self.settle(batch);
        self.let_leave(batch).await;
        Ok(())
    }

    async fn let_leave(&self, batch: &[Taken]) {
        let Some(queue) = &self.queue else {
            return;
        };
        for (coupon, Part { rows, .. }) in by_coupon(batch) {
            let users: Vec<_> = rows.iter().map(|row| row.user.as_str()).collect();
            leave(queue, coupon, &users).await;
        }
    }

    /// The answer to a commit may be lost on its way: then the row is there, and its id as well.
    async fn is_there(&self, taken: &Taken) -> Result<bool, IssueError> {
        match taken.row() {
            Some(row) => Ok(rows::is_written(&mut *self.store.connection().await?, row).await?),
            None => Ok(false),
        }
    }
}

impl Table for MySqlTable {
    fn commit<'a>(&'a self, batch: &'a [Taken]) -> BoxFuture<'a, Result<(), IssueError>> {
        Box::pin(self.write(batch))
    }

    fn has<'a>(&'a self, taken: &'a Taken) -> BoxFuture<'a, Result<bool, IssueError>> {
        Box::pin(self.is_there(taken))
    }

    fn give_up(&self, taken: &Taken) {
        self.settle(std::slice::from_ref(taken));
    }

    fn pending(&self) -> i64 {
        self.expected()
    }
}
