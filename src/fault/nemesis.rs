//! What every fault can do: bite, show that it bites, and be healed.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::lease::Undo;

/// One fault at one victim.
///
/// The order is `undo` (written down), `inject`, `effect` until it is seen, `heal`. `heal` is called
/// whatever came of `inject`, and may be called twice.
pub trait Nemesis: Send {
    /// What would undo it if this process were gone. Asked before `inject`, and written to the disk.
    ///
    /// # Errors
    /// When what must be restored cannot be read; then nothing is injected.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>>;

    /// Breaks it, and returns as soon as it is broken.
    ///
    /// # Errors
    /// When it cannot be broken.
    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>>;

    /// Asks once whether it bites, in another way than it was injected. Called again until it is
    /// seen; one question must not take longer than a second.
    fn effect(&mut self) -> BoxFuture<'_, Effect>;

    /// How long it may take to be seen to bite, also where the fault is shorter.
    fn bites_within(&self) -> Duration {
        Duration::from_secs(3)
    }

    /// Makes it whole, and returns when it is whole again: when it answers as before.
    ///
    /// # Errors
    /// When it stays broken.
    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>>;
}

/// Whether a fault bites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It does; what was seen, in words: `PING was not answered within 500 ms`.
    Seen(String),
    /// Nothing was seen; what was, in words: `PING was answered`.
    NotSeen(String),
}

/// Why a fault could not be injected or healed, in words without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    /// From words, which hold no secret.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}
