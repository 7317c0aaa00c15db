//! Writes that a lock was refused, at the level that the settings choose.

use std::fmt::Display;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

/// One line. Under contention there are thousands of them, which is why the level is a setting.
pub(crate) fn log_refusal(level: LevelFilter, lock: &'static str, error: &impl Display) {
    // The level of a line is fixed where it is written.
    match level.into_level() {
        None => {}
        Some(Level::ERROR) => tracing::error!(event = "lock_refused", lock, %error),
        Some(Level::WARN) => tracing::warn!(event = "lock_refused", lock, %error),
        Some(Level::INFO) => tracing::info!(event = "lock_refused", lock, %error),
        Some(Level::DEBUG) => tracing::debug!(event = "lock_refused", lock, %error),
        Some(Level::TRACE) => tracing::trace!(event = "lock_refused", lock, %error),
    }
}
