//! The summary of a run rendered for people and programs; no clock, no I/O.

mod chart;
mod escape;
#[cfg(test)]
mod fixture;
mod format;
mod markdown;
mod setup;
mod summary;
mod table;

pub use chart::chart;
pub use markdown::markdown;
pub use setup::{Moment, SetupSummary};
pub use summary::{
    Drain, Environment, Judged, Latency, LoadSummary, PhaseSummary, Sample, Summary, UnknownShape,
};
pub use table::terminal;
