//! What Kafka does to itself when it is asked.

mod below_min_isr;
mod followers_frozen;
mod probe_topic;
mod too_few_replicas;
mod topic;

pub use below_min_isr::BelowMinIsr;
pub use followers_frozen::FollowersFrozen;
pub use probe_topic::ProbeTopic;
pub use too_few_replicas::TooFewReplicas;
pub(super) use topic::give_back;
