//! What the load threads hand over: plain data.

use crate::history::{Cause, Detail, Key, Operation, Place};
use crate::measure::SeriesId;

/// What a load thread hands over.
#[derive(Debug)]
pub enum Batch {
    /// Attempts that ended, and what belongs to them.
    Operations(Vec<Operation>, Beside),
    /// All sums of one second.
    Second(Box<SecondOfThread>),
}

/// What belongs to attempts, and most have not.
#[derive(Debug, Default)]
pub struct Beside {
    /// The texts of hashed keys.
    pub texts: Vec<(Key, String)>,
    /// What users were told of their places in a queue, at most one for each attempt.
    pub places: Vec<Place>,
    /// What attempts were about, where the plan asks for it.
    pub details: Vec<Detail>,
    /// The times of each attempt of the batch, in its order, where an output takes attempts one by
    /// one; otherwise empty.
    pub parts: Vec<Parts>,
    /// The thread that has measured them, counted from 0.
    pub thread: usize,
}

/// The sums of one second of one thread.
#[derive(Debug, Default)]
pub struct SecondOfThread {
    /// The thread, counted from 0.
    pub thread: usize,
    /// Seconds since the start of the load, at its beginning.
    pub second: u64,
    /// How long it was: 1, unless it is the last, the thread was held up, or the receiver did not
    /// take the one before.
    pub length_s: f64,
    /// The last hand-over of this thread: what it has measured in an incomplete second.
    pub last: bool,
    /// `(series, value, count)`.
    pub bins: Vec<(SeriesId, u64, u64)>,
    /// Iterations that were due without a free VU or without time, by phase.
    pub dropped: Vec<u64>,
    /// Bytes written.
    pub sent: u64,
    /// Bytes read.
    pub received: u64,
    /// The most VUs at one time in it.
    pub vus: u64,
    /// CPU time of the thread, in nanoseconds.
    pub cpu_ns: u64,
    /// Operations that were lost because the receiver did not take them.
    pub lost: u64,
    /// Attempts that ended unknown, with an example for those that are new.
    pub shapes: Vec<(Shape, u64, Option<String>)>,
}

/// What attempts that ended unknown have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Index into [`crate::plan::Plan::steps`].
    pub step: u8,
    /// Why it is unknown.
    pub cause: Cause,
    /// The HTTP status, 0 without an answer.
    pub status: u16,
}

/// The times of one attempt beside those of its operation, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// Until a connection was there, its making included.
    pub blocked: u64,
    /// TCP and TLS, when a connection was made for this attempt.
    pub connected: Option<(u64, u64)>,
    /// Writing, waiting for the first byte, reading.
    pub exchange: (u64, u64, u64),
}
