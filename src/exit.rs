//! The exit codes that a CI job reads.

use std::process::ExitCode;

/// Why the process ends. The numbers are a contract with CI jobs; 99, 104 and 105 are k6's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every threshold and invariant holds.
    Ok,
    /// The command line cannot be understood (clap's own code), or names a directory that cannot be
    /// used.
    Usage,
    /// A bug of the harness.
    Internal,
    /// A threshold failed.
    Threshold,
    /// The scenario is invalid.
    InvalidScenario,
    /// Interrupted by a signal; everything was healed and given back.
    Interrupted,
    /// An invariant is violated.
    Invariant,
    /// Inconclusive, vacuous, or evidence was lost.
    Unknown,
    /// The target or its stack is not ready, or the machine: too few open files or local ports, or a
    /// port that somebody else has.
    NotReady,
    /// A fault could not be healed.
    NotHealed,
    /// Slower or less correct than the baseline.
    Regression,
    /// A segment ran to its end; merging all of them judges it.
    Segment,
    /// Whatever the program that was kept has ended with.
    Kept(u8),
}

impl Exit {
    /// The number that the process returns.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok | Self::Segment => 0,
            Self::Usage => 2,
            Self::Internal => 70,
            Self::Threshold => 99,
            Self::InvalidScenario => 104,
            Self::Interrupted => 105,
            Self::Invariant => 111,
            Self::Unknown => 112,
            Self::NotReady => 113,
            Self::NotHealed => 114,
            Self::Regression => 115,
            Self::Kept(code) => code,
        }
    }

    /// The words that a report puts beside the number.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "every threshold and invariant holds",
            Self::Usage => "the command line cannot be followed",
            Self::Internal => "a bug of fcfs-bench",
            Self::Threshold => "a threshold failed",
            Self::InvalidScenario => "the scenario is invalid",
            Self::Interrupted => "interrupted; everything was given back",
            Self::Invariant => "an invariant is violated",
            Self::Unknown => "inconclusive, vacuous, or evidence was lost",
            Self::NotReady => "the target or its stack is not ready",
            Self::NotHealed => "a fault could not be healed",
            Self::Regression => "a regression against the baseline",
            Self::Segment => "a segment ran to its end: merging all of them judges it",
            Self::Kept(_) => "what the kept program ended with",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
