//! The system under load: the bundled one, or one that runs already.

use std::fmt;

use super::parts::OwnPart;
use super::stack::Stack;

/// What is loaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The bundled server, started and stopped by the run.
    Stack(Stack),
    /// A system that already runs; several instances are asked in turn.
    Urls {
        /// At least one.
        urls: Vec<BaseUrl>,
        /// A path that must answer below 500 before the load starts; without it a TCP connection
        /// is enough.
        ready: Option<String>,
        /// Speak HTTP/2 (by prior knowledge on `http:`, by ALPN on `https:`).
        http2: bool,
        /// Which instance a request goes to.
        by: By,
        /// A file of certificates, in PEM, that `https:` trusts beside the system's own; relative
        /// to the scenario's directory.
        ca: Option<String>,
        /// What faults may break of it.
        parts: Vec<OwnPart>,
    },
}

/// Which of several instances a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A VU's requests go round all of them.
    Turn,
    /// Each VU stays with one.
    Vu,
}

/// Scheme, host, port and path prefix of a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// TLS or not.
    pub https: bool,
    /// Name or address, without brackets for IPv6.
    pub host: String,
    /// Explicit, or the scheme's own.
    pub port: u16,
    /// Without a slash at its end; empty for none.
    pub prefix: String,
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}{}", self.host, self.port, self.prefix)
        } else {
            write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.prefix)
        }
    }
}
