//! What happened, attempt by attempt: the record, the append-only file, and its reader.

mod file;
mod operation;

pub use file::{HistoryFile, HistoryWriter};
pub use operation::{Cause, Key, Operation, OutcomeKind};
