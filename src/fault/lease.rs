//! What must be undone although everything else has failed: written to the disk before a fault is
//! injected, taken off when it is healed.
//!
//! A lease may hold a password, so its file is not in the run directory, and only its owner can
//! read it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::plan::Secret;
use crate::stack::Allowed;

/// One thing to do, so that the victim is whole again. Doing it twice does no harm, and doing it to
/// a victim that is gone neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// Let a process go on, if it is still the same one.
    Continue {
        /// Its number.
        pid: u32,
        /// When it started, in the kernel's ticks since the boot: another process may get its number.
        started: u64,
    },
    /// Give a process its limit of private memory back, if it is still the same one.
    DataLimit {
        /// Its number.
        pid: u32,
        /// When it started, as above.
        started: u64,
        /// In bytes; `None`: it had no limit.
        bytes: Option<u64>,
    },
    /// Let a program's clock be right again, if there is still a place for its file.
    Clock {
        /// What says how far it is off.
        file: PathBuf,
    },
    /// Let a container go on, if it is still there.
    Unpause {
        /// Where its engine is: as `DOCKER_HOST` has it.
        engine: String,
        /// As the engine calls it; no other container ever gets this id.
        container: String,
    },
    /// Start a container again, if it is still there.
    StartContainer {
        /// Where its engine is: as `DOCKER_HOST` has it.
        engine: String,
        /// As the engine calls it.
        container: String,
    },
    /// Start a process of somebody else again, if the one in its file does not run.
    StartProcess {
        /// For a shell.
        command: Hidden,
        /// Where it is run.
        directory: PathBuf,
        /// What holds the process's number.
        file: PathBuf,
    },
    /// Give a container its limits back, if it is still there.
    ContainerLimits {
        /// Where its engine is: as `DOCKER_HOST` has it.
        engine: String,
        /// As the engine calls it.
        container: String,
        /// What it may have.
        allowed: Allowed,
    },
    /// Give settings of Redis back.
    RedisSettings {
        /// Where it is.
        url: Stored,
        /// Names, and the values that they had.
        settings: Vec<(String, String)>,
    },
    /// Let Redis answer again.
    RedisUnpause {
        /// Where it is.
        url: Stored,
    },
    /// Let Redis follow its primary again, or be one.
    RedisReplicaOf {
        /// Where it is.
        url: Stored,
        /// Host and port of the primary, as this one reaches it; `None`: it is one itself.
        of: Option<(String, u16)>,
    },
    /// Statements for the database, in order.
    Sql {
        /// Where it is.
        url: Stored,
        /// Each is done although another one failed.
        run: Vec<String>,
    },
    /// Give a setting of a topic back.
    KafkaTopic {
        /// Where the brokers are.
        brokers: String,
        /// The topic.
        topic: String,
        /// Names, and the values that they had; `None` for the broker's own.
        settings: Vec<(String, Option<String>)>,
    },
    /// Take a table out of the kernel's packet filter, if it is still there.
    PacketRules {
        /// Its name, in the family `inet`.
        table: String,
    },
}

/// A URL that may hold a password. It is written whole, to a file that only its owner reads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stored(String);

impl Stored {
    /// The URL that the plan knows.
    pub fn new(url: &Secret) -> Self {
        Self(url.reveal().to_owned())
    }

    /// To reach it.
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.secret().redacted())
    }
}

/// A command that may hold a password. It is written whole, to a file that only its owner reads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The command that the plan knows.
    pub fn new(command: &Secret) -> Self {
        Self(command.reveal().to_owned())
    }

    /// To run it.
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
