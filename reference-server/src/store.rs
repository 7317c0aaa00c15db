//! The connections to one `SQLite` file: one that writes, some that read.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::coupon::{CouponId, IssueError, Stock};
use crate::{rows, schema};

/// Connections to a file in write-ahead-log mode: readers never wait for the writer.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// `SQLite` has one writer at a time. Waiting here is first come, first served; waiting for
    /// its own lock is polling with growing pauses, in which the luckiest wins.
    writer: Mutex<SqliteConnection>,
    writer_options: SqliteConnectOptions,
    /// Taken in turn. A pool would ask each connection for its health after every single use.
    readers: Box<[Mutex<SqliteConnection>]>,
    next_reader: AtomicUsize,
    lock_timeout: Duration,
}

impl Store {
    pub(crate) async fn open(
        path: &Path,
        readers: NonZeroUsize,
        lock_timeout: Duration,
    ) -> Result<Self, sqlx::Error> {
        // An absolute path is a file whatever its name: `:memory:` could not be read from outside.
        let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
        let writer_options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(lock_timeout)
            .disable_statement_logging();
        let writer = writer_options.connect().await?;
        let reader_options = writer_options.clone();
        let reader_options = reader_options.create_if_missing(false).read_only(true);
        let mut connections = Vec::with_capacity(readers.get());
        for _ in 0..readers.get() {
            connections.push(Mutex::new(reader_options.connect().await?));
        }
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            writer_options,
            readers: connections.into(),
            next_reader: AtomicUsize::new(0),
            lock_timeout,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection that only reads.
    pub(crate) async fn reader(&self) -> MutexGuard<'_, SqliteConnection> {
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed);
        self.readers[turn % self.readers.len()].lock().await
    }

    /// One more connection that only reads, for whoever keeps it.
    pub(crate) async fn another_reader(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.writer_options.clone();
        let options = options.create_if_missing(false).read_only(true);
        options.connect().await
    }

    /// Reads a coupon as the tables have it.
    pub(crate) async fn stock(&self, coupon: CouponId) -> Result<Stock, IssueError> {
        let found = rows::stock(&mut *self.reader().await, coupon).await?;
        found.ok_or(IssueError::UnknownCoupon)
    }

    /// Makes a new coupon, and says whether it is new.
    pub(crate) async fn create(&self, coupon: CouponId, stock: u32) -> Result<bool, IssueError> {
        let mut writer = self.writer().await?;
        Ok(schema::create_coupon(&mut writer, coupon, stock).await?)
    }

    /// Whether the file still answers.
    pub(crate) async fn check(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT 1 FROM fcfs_coupons")
            .execute(&mut *self.reader().await)
            .await?;
        Ok(())
    }

    /// The connection that writes, in the order of asking, outside of any transaction.
    pub(crate) async fn writer(&self) -> Result<MutexGuard<'_, SqliteConnection>, IssueError> {
        let mut writer = tokio::time::timeout(self.lock_timeout, self.writer.lock())
            .await
            .map_err(|_| IssueError::Locked("the queue for the database's lock is too long"))?;
        if writer.is_in_transaction() {
            self.end_left_over_transaction(&mut writer).await?;
        }
        Ok(writer)
    }

    /// A client that hung up, or an error, may leave a rollback that is still to be done. One
    /// that cannot be done (after an I/O error `SQLite` has rolled back by itself) would turn
    /// every later transaction into a savepoint of nothing: only a new connection helps.
    async fn end_left_over_transaction(
        &self,
        writer: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        let answers = writer.ping().await.is_ok();
        if !answers || writer.is_in_transaction() {
            *writer = self.writer_options.connect().await?;
        }
        Ok(())
    }
}
