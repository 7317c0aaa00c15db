//! The words of the domain: who asks for which coupon, and what the answer can be.

use std::fmt;
use std::sync::Arc;

use sqlx::mysql::MySqlDatabaseError;

use crate::lock::NoQuorum;
use crate::timestamp::Timestamp;

/// Identifies a coupon.
pub(crate) type CouponId = i64;

/// Identifies a user, as the text that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UserId(Arc<str>);

impl UserId {
    /// Longer names are refused: no real one is, and every one stays in memory.
    const LONGEST: usize = 255;

    /// Takes any text that is neither empty nor absurdly long.
    pub(crate) fn new(text: &str) -> Option<Self> {
        (1..=Self::LONGEST)
            .contains(&text.len())
            .then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One coupon in the hands of one user.
#[derive(Clone, Debug)]
pub(crate) struct UserCoupon {
    pub(crate) id: i64,
    pub(crate) coupon: CouponId,
    pub(crate) user: UserId,
    pub(crate) created_at: Timestamp,
}

/// What a user is told.
#[derive(Debug)]
pub(crate) enum Issue {
    Issued(UserCoupon),
    SoldOut,
    Duplicate,
}

/// Why a user could not be told anything of use. All but `Storage`, `Redis` and `Kafka` certainly
/// changed nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("coupon not found")]
    UnknownCoupon,
    #[error("ResourceLockedError: {0}")]
    Locked(&'static str),
    /// A lock over several Redis, of which too few agreed.
    #[error(transparent)]
    NoQuorum(#[from] NoQuorum),
    #[error("the queue of coupons to write is full")]
    QueueFull,
    #[error("the server is stopping")]
    Stopping,
    #[error("no connection to the database became free")]
    PoolExhausted,
    #[error("this server answers no users: its role is issuer")]
    OtherRole,
    /// What was taken for it is given back.
    #[error("the event could not be published: {0}")]
    NotPublished(rdkafka::error::KafkaError),
    #[error("the stock is not in Redis; a restart of the server loads it")]
    NotLoaded,
    /// Before the coupon opens, or after it closes.
    #[error("{0}")]
    NotOpen(&'static str),
    #[error("coupons cannot be created with this strategy while the server runs")]
    CannotCreate,
    /// Whether anything was changed is not known, as a failed commit may have happened.
    #[error("storage error: {0}")]
    Storage(sqlx::Error),
    /// The command may have been carried out before its answer was lost.
    #[error("Redis error: {0}")]
    Redis(redis::RedisError),
    /// The event may have been kept before the answer was lost.
    #[error("Kafka error: {0}")]
    Kafka(rdkafka::error::KafkaError),
}

impl From<sqlx::Error> for IssueError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(reason) = lock_refusal(&error) {
            Self::Locked(reason)
        } else if matches!(error, sqlx::Error::PoolTimedOut) {
            Self::PoolExhausted
        } else {
            Self::Storage(error)
        }
    }
}

impl From<redis::RedisError> for IssueError {
    fn from(error: redis::RedisError) -> Self {
        Self::Redis(error)
    }
}

/// Why a database refused because of a lock, in which case the transaction is rolled back.
fn lock_refusal(error: &sqlx::Error) -> Option<&'static str> {
    const WAITED_TOO_LONG: u16 = 1205;
    const DEADLOCK: u16 = 1213;
    let error = error.as_database_error()?;
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return match error.number() {
            WAITED_TOO_LONG => Some("the row stayed locked by another transaction"),
            DEADLOCK => Some("the transaction was the victim of a deadlock"),
            _ => None,
        };
    }
    is_busy(&error.code()?).then_some("the database stayed locked by another connection")
}

/// Whether a code of `SQLite` is about a lock.
fn is_busy(code: &str) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    // Extended codes carry the primary one in their lowest byte.
    code.parse::<i32>()
        .is_ok_and(|code| matches!(code & 0xff, BUSY | LOCKED))
}

/// What is known of a coupon at one instant.
#[derive(Debug)]
pub(crate) struct Stock {
    pub(crate) status: String,
    /// Stock at the beginning.
    pub(crate) total: i64,
    /// Stock as the table has it: behind `remaining` while rows are pending.
    pub(crate) in_table: i64,
    /// Authoritative for the strategy: negative if a bug sold more than there was.
    pub(crate) remaining: i64,
    /// Rows written.
    pub(crate) issued: i64,
    /// Rows acknowledged, but not yet written.
    pub(crate) pending: i64,
}
