//! What leaves the run while it goes on; nothing here may slow the load.

mod attempt;
mod csv;
mod feed;
mod file;
mod influxdb;
mod json;
mod lines;
mod notes;
mod outputs;
mod progress;
mod prometheus;
mod regimes;
mod sink;

pub use feed::Feed;
pub(crate) use lines::say;
pub use lines::{to_stderr, to_stdout};
pub use outputs::{Feeder, Outputs};
pub use progress::{Live, Progress};
pub(crate) use prometheus::listen;
pub use sink::{Account, Cut, Sink, Weigh};
