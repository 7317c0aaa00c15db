//! The processes of the bundled server: what each is for, how many there are, how they are set.

use std::fmt;

/// What a process of the bundled server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything in one process.
    All,
    /// Writes the rows behind the answers.
    Issuer,
    /// Keeps the order of those who wait.
    Queue,
    /// Decides who gets one, and answers.
    Coupon,
    /// The entry before queue and coupon servers.
    Router,
}

impl Role {
    /// Whether it decides who gets one.
    pub const fn issues(self) -> bool {
        matches!(self, Self::All | Self::Coupon)
    }

    /// As `serve --role` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Issuer => "issuer",
            Self::Queue => "queue",
            Self::Coupon => "coupon",
            Self::Router => "router",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Processes of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What they are for.
    pub role: Role,
    /// At least 1.
    pub count: u16,
}

/// What a process is called, in its log and as a source of figures; `number` counts from 1.
pub fn process_name(groups: &[Group], role: Role, number: u16) -> String {
    match (groups, role) {
        ([Group { count: 1, .. }], _) => "server".to_owned(),
        (_, Role::All) => format!("server-{number}"),
        (_, role) => format!("{role}-{number}"),
    }
}

/// One setting of all processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSetting {
    /// As a scenario calls it.
    pub key: &'static str,
    /// As people read it.
    pub shown: String,
    /// As `serve` calls it, with dashes.
    pub flag: String,
    /// As `serve` takes it.
    pub argument: String,
}
