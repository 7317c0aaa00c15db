//! What happened, attempt by attempt: the record, the append-only file, and its reader.

mod alert_mark;
mod fault_mark;
mod file;
mod operation;

pub use alert_mark::{AlertChange, AlertMark};
pub use fault_mark::{FaultMark, Moment};
pub use file::{HistoryFile, HistoryWriter, operations_of};
pub use operation::{Cause, Key, Operation, OutcomeKind};
