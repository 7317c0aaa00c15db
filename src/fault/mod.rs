//! Faults on the load's own timeline: each leased, proved and healed.

pub mod database;
pub mod kafka;
pub mod lease;
pub mod nemesis;
pub mod redis;
mod repeated;
mod undo;
mod wait;
