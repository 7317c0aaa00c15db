//! What Kafka does to itself when it is asked.

mod below_min_isr;
mod topic;

pub use below_min_isr::BelowMinIsr;
pub(super) use topic::give_back;
