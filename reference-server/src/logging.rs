//! Structured logs: one JSON object a line, on stderr.

use crate::error::ServerError;
use crate::options::Options;

/// Installs the process-wide logger. Not done by [`crate::serve`], so that tests run side by side.
pub fn init_logging(options: &Options) -> Result<(), ServerError> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(options.log_level)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(ServerError::Logging)
}
