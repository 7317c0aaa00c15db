//! The conductor: ties load, stack, probes and files together; the verdict is made from the files.

mod alerts;
mod ask;
mod assemble;
mod collector;
mod conductor;
mod delivery;
mod directory;
mod drain_load;
mod error;
mod event;
mod fault_guard;
mod faults;
mod generator;
#[cfg(feature = "goose")]
mod goose;
mod guard;
mod imported;
mod incident;
mod interrupt;
pub mod machine;
mod merge;
mod outputs;
mod prepare;
mod resources;
mod sampler;
mod second;
mod segment;
mod setup;
mod start;
mod tables;
mod truth;

pub use ask::{Asked, Replied, ask};
pub use assemble::{AssembleError, Assembled, assemble, plan_of};
pub use conductor::{Request, conduct};
pub use directory::{Imported, RunDirectory, RunRecord};
pub use error::RunError;
pub use event::{Event, UnknownCount};
#[cfg(feature = "goose")]
pub use goose::be_goose;
pub use guard::is_of_generator;
pub use imported::{ImportError, ImportRequest, import};
pub use incident::{Left, left};
pub use merge::{MergeError, MergeRequest, merge};
pub use segment::{Merged, SegmentRecord};
pub use start::StartAt;
