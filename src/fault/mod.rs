//! Faults on the load's own timeline: each leased, proved and healed.

pub mod book;
pub mod janitor;
pub mod lease;
pub mod nemesis;
pub mod process;
mod undo;
