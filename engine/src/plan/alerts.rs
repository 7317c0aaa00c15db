//! Whose alerts are watched, as plain data.

use super::Secret;

/// A source of alerts, asked once a second beside the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// Before `/api/v1/alerts`, without a slash at its end; it holds no password.
    pub prometheus: String,
    /// The value of the header `authorization`.
    pub authorization: Option<Secret>,
    /// Names of alerts; empty: all of them.
    pub only: Vec<String>,
}
