//! What leaves the run while it goes on; nothing here may slow the load.

mod lines;
mod progress;
mod prometheus;

pub(crate) use lines::say;
pub use lines::{to_stderr, to_stdout};
pub use progress::{Live, Progress};
