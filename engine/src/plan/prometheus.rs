//! What Prometheus gets of a run, as plain data.

use std::net::SocketAddr;
use std::time::Duration;

use super::Secret;

/// A page that is scraped, series that are written, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prometheus {
    /// Where the page is.
    pub listen: Option<SocketAddr>,
    /// Where series are written to.
    pub remote_write: Option<RemoteWrite>,
}

/// A receiver of remote write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteWrite {
    /// With its path; it holds no password.
    pub url: String,
    /// The value of the header `authorization`.
    pub authorization: Option<Secret>,
    /// From one reading of all series to the next, 1 s to 1 min.
    pub every: Duration,
    /// How long the end of the run goes on trying.
    pub drain: Duration,
}
