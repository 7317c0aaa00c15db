//! `target.parts` as they were written.

use super::position::{At, Position};
use super::value::Count;

/// Something of a system that already runs, which faults may break.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnPart {
    pub(crate) position: Position,
    /// As faults call it.
    pub(crate) party: String,
    pub(crate) found: Option<OwnFound>,
    /// For a shell.
    pub(crate) start: Option<At<String>>,
    pub(crate) url: Option<At<String>>,
    pub(crate) admin: Option<At<String>>,
    pub(crate) via: Option<At<String>>,
    pub(crate) broker: Option<At<String>>,
    pub(crate) topic: Option<At<String>>,
}

/// How it is found on this machine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OwnFound {
    Pid(At<Count>),
    PidFile(At<String>),
    Container(At<String>),
    /// Of the Compose project.
    Service(At<String>),
}

/// Who can have parts.
pub(crate) const OWN_PARTIES: [&str; 8] = [
    "redis", "database", "kafka", "server", "coupon", "issuer", "queue", "router",
];
