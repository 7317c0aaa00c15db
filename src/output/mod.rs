//! What leaves the run while it goes on; nothing here may slow the load.

mod progress;

pub use progress::{Live, Progress};
