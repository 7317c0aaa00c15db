//! What happened, attempt by attempt: the record, the append-only file, and its reader.

mod alert_mark;
mod amount;
mod detail;
mod fault_mark;
mod file;
mod operation;
mod place;
mod readable;

pub use alert_mark::{AlertChange, AlertMark};
pub use amount::{Amount, NoAmount};
pub use detail::Detail;
pub use fault_mark::{FaultMark, Moment};
pub use file::{HistoryFile, HistoryWriter, Shift, details_of, operations_of};
pub use operation::{Cause, Key, Operation, OutcomeKind};
pub use place::{Place, places_of};
pub use readable::History;
