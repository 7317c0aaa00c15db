//! From a scenario to a history: what is written is read, planned, sent, measured and recorded.
//!
//! It is a crate of its own because the load path is in it, which is compiled for speed; what stands
//! beside the load is compiled for a short build. Nothing here knows of stacks, faults or checkers.

pub mod history;
pub mod load;
pub mod measure;
pub mod plan;
pub mod playbook;
pub mod scenario;
pub mod tls;
pub mod verdict;
