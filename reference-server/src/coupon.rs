//! The words of the domain: who asks for which coupon, and what the answer can be.

use std::fmt;
use std::sync::Arc;

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

/// Why a user could not be told anything of use. All but `Storage` certainly changed nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("coupon not found")]
    UnknownCoupon,
    #[error("ResourceLockedError: {0}")]
    Locked(&'static str),
    #[error("the queue of coupons to write is full")]
    QueueFull,
    #[error("the server is stopping")]
    Stopping,
    /// Whether anything was changed is not known, as a failed commit may have happened.
    #[error("storage error: {0}")]
    Storage(sqlx::Error),
}

impl From<sqlx::Error> for IssueError {
    fn from(error: sqlx::Error) -> Self {
        if is_busy(&error) {
            Self::Locked("the database stayed locked by another connection")
        } else {
            Self::Storage(error)
        }
    }
}

/// Whether `SQLite` refused because of a lock, in which case the transaction is rolled back.
fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    // Extended codes carry the primary one in their lowest byte.
    code.and_then(|code| code.parse::<i32>().ok())
        .is_some_and(|code| matches!(code & 0xff, BUSY | LOCKED))
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
