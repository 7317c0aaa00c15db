//! The bounded queue between an answer and its row, and the one task that empties it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};
use tokio::task::JoinHandle;

use crate::coupon::{CouponId, IssueError, UserCoupon};

/// Where the rows go, and what is known of those on their way.
pub(super) trait Table: Send + Sync + 'static {
    /// Writes a batch in one transaction, and notes that it is written.
    fn commit<'a>(&'a self, batch: &'a [Taken]) -> BoxFuture<'a, Result<(), IssueError>>;

    /// Whether a refused row is there after all, from a commit whose answer was lost.
    fn has<'a>(&'a self, taken: &'a Taken) -> BoxFuture<'a, Result<bool, IssueError>>;

    /// Notes that nothing more is to be expected of this one.
    fn give_up(&self, taken: &Taken);

    /// Rows that are acknowledged, but not yet written.
    fn pending(&self) -> i64;
}

/// One unit of stock that is given away.
pub(super) enum Taken {
    WithRow(UserCoupon),
    /// Only a bug takes stock and gives nobody a row for it.
    WithoutRow(CouponId),
}

impl Taken {
    pub(super) fn coupon(&self) -> CouponId {
        match self {
            Self::WithRow(row) => row.coupon,
            Self::WithoutRow(coupon) => *coupon,
        }
    }

    pub(super) fn row(&self) -> Option<&UserCoupon> {
        match self {
            Self::WithRow(row) => Some(row),
            Self::WithoutRow(_) => None,
        }
    }
}

/// The sending side. Dropping the sender is what ends the task, after the last row.
pub(super) struct WriteBehind {
    entrance: Mutex<Option<Sender<Taken>>>,
    writer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    table: Arc<dyn Table>,
}

/// A place in the queue that is kept until something is put there.
pub(super) struct Place(mpsc::OwnedPermit<Taken>);

impl Place {
    pub(super) fn send(self, taken: Taken) {
        self.0.send(taken);
    }
}

impl WriteBehind {
    /// How long the rows that are left may take when the server stops.
    const DRAIN_LIMIT: Duration = Duration::from_secs(10);

    pub(super) fn start(table: Arc<impl Table>, capacity: NonZeroUsize) -> Self {
        let table: Arc<dyn Table> = table;
        let (entrance, exit) = mpsc::channel(capacity.get());
        let writer = Writer(Arc::clone(&table));
        Self {
            entrance: Mutex::new(Some(entrance)),
            writer: tokio::sync::Mutex::new(Some(tokio::spawn(writer.run(exit)))),
            table,
        }
    }

    pub(super) fn reserve(&self) -> Result<Place, IssueError> {
        let entrance = self.entrance.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = entrance.as_ref().ok_or(IssueError::Stopping)?;
        sender
            .clone()
            .try_reserve_owned()
            .map(Place)
            .map_err(|refused| match refused {
                TrySendError::Full(_) => IssueError::QueueFull,
                TrySendError::Closed(_) => IssueError::Stopping,
            })
    }

    /// Closes the entrance, waits for the task, and returns how many rows did not make it.
    pub(super) async fn drain(&self) -> u64 {
        drop(
            self.entrance
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if let Some(mut writer) = self.writer.lock().await.take()
            && tokio::time::timeout(Self::DRAIN_LIMIT, &mut writer)
                .await
                .is_err()
        {
            writer.abort();
        }
        let lost = u64::try_from(self.table.pending()).unwrap_or(0);
        if lost > 0 {
            tracing::error!(
                event = "rows_lost",
                rows = lost,
                "failed to drain the write queue"
            );
        }
        lost
    }
}

/// The receiving side.
struct Writer(Arc<dyn Table>);

impl Writer {
    /// Rows of one transaction. On a saturated server each step of a transaction waits behind all
    /// requests, so few large ones keep up where many small ones do not. At four values each,
    /// half of what one statement may bind.
    const BATCH: usize = 4096;

    /// Between two attempts to write a batch that failed.
    const PAUSE: Duration = Duration::from_millis(100);

    async fn run(self, mut exit: Receiver<Taken>) {
        let mut batch = Vec::with_capacity(Self::BATCH);
        // Zero means that the entrance is closed and the queue empty.
        while exit.recv_many(&mut batch, Self::BATCH).await > 0 {
            self.write(&batch).await;
            batch.clear();
        }
    }

    /// Writes a batch, however long it takes: its rows were acknowledged. Meanwhile the queue
    /// fills and new users are refused, which is honest. Only a row that can never be written,
    /// as its id is taken by another process on the same file, is given up.
    async fn write(&self, batch: &[Taken]) {
        if self.persist(batch).await.is_ok() {
            return;
        }
        for taken in batch {
            if let Err(error) = self.persist(std::slice::from_ref(taken)).await {
                let row = taken.row().map(|row| row.id);
                if self.is_there(taken).await {
                    tracing::warn!(event = "row_found", row, "an earlier commit had happened");
                } else {
                    tracing::error!(event = "row_lost", row, %error, "an acknowledged row is refused");
                }
                self.0.give_up(taken);
            }
        }
    }

    /// Asks until there is an answer.
    async fn is_there(&self, taken: &Taken) -> bool {
        loop {
            match self.0.has(taken).await {
                Ok(there) => return there,
                Err(error) => {
                    tracing::warn!(event = "row_not_looked_up", %error);
                    tokio::time::sleep(Self::PAUSE).await;
                }
            }
        }
    }

    /// Tries until it works or is refused for good.
    async fn persist(&self, batch: &[Taken]) -> Result<(), sqlx::Error> {
        loop {
            match self.0.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(IssueError::Storage(error)) if is_refused_for_good(&error) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(event = "write_retried", rows = batch.len(), %error);
                    tokio::time::sleep(Self::PAUSE).await;
                }
            }
        }
    }
}

/// One coupon's part of a batch.
#[derive(Default)]
pub(super) struct Part<'a> {
    pub(super) taken: i64,
    pub(super) rows: Vec<&'a UserCoupon>,
}

pub(super) fn by_coupon(batch: &[Taken]) -> BTreeMap<CouponId, Part<'_>> {
    let mut parts: BTreeMap<CouponId, Part<'_>> = BTreeMap::new();
    for taken in batch {
        let part = parts.entry(taken.coupon()).or_default();
        part.taken += 1;
        part.rows.extend(taken.row());
    }
    parts
}

/// Whether the data itself is refused, which no retry changes.
fn is_refused_for_good(error: &sqlx::Error) -> bool {
    use sqlx::error::ErrorKind::{CheckViolation, NotNullViolation, UniqueViolation};
    error.as_database_error().is_some_and(|e| {
        matches!(
            e.kind(),
            UniqueViolation | NotNullViolation | CheckViolation
        )
    })
}
