//! Faults on the load's own timeline: each leased, proved and healed.

pub mod lease;
pub mod nemesis;
