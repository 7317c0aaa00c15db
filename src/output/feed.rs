//! What outputs get of a run: plain data, in the order in which it is known.

use hdrhistogram::Histogram;

use crate::history::{AlertMark, FaultMark, Operation};
use crate::load::Parts;
use crate::measure::{Second, SeriesId};

/// A piece of the run. Times are nanoseconds since the run's origin. The drain phase is no load, and
/// no part of it.
#[derive(Debug)]
pub enum Feed {
    /// The load begins.
    LoadStarted {
        /// Time zero of all phases and seconds.
        at_ns: u64,
    },
    /// Attempts of one thread, in the order in which they ended.
    Operations {
        /// The load thread, counted from 0.
        thread: usize,
        /// The attempts.
        operations: Vec<Operation>,
        /// The times of each of them; empty where no output takes attempts one by one.
        parts: Vec<Parts>,
    },
    /// One second of the load, complete.
    Second {
        /// The line of `seconds.jsonl`.
        line: Second,
        /// All that was measured in it.
        histograms: Vec<(SeriesId, Histogram<u64>)>,
    },
    /// A moment of a fault.
    Fault(FaultMark),
    /// A change of what is told about alerts.
    Alert(AlertMark),
    /// The remaining stock as the system says it.
    Remaining {
        /// After the answer was read.
        at_ns: u64,
        /// How many are left.
        remaining: i64,
    },
    /// All iterations have ended.
    LoadEnded {
        /// When.
        at_ns: u64,
    },
}
