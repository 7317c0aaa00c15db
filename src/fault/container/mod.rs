//! Limits that an engine sets its containers.

mod cpu_limit;
mod memory_limit;

use std::time::Duration;

pub use cpu_limit::CpuLimit;
pub use memory_limit::MemoryLimit;

/// Between two questions to the engine for its figures: each of them costs it some milliseconds.
const ASK_EVERY: Duration = Duration::from_millis(200);
