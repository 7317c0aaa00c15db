//! Two runs side by side: the figures of their difference, and what is said of it.

mod terminal;
#[cfg(test)]
mod tests;
pub(super) mod told;

use serde::{Deserialize, Serialize};

use crate::messages::{Catalog, Lang, Said};
use crate::verdict::Verdict;

pub use terminal::compared;

/// A comparison of a new run with an older one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The older one.
    pub base: Side,
    /// The new one.
    pub new: Side,
    /// What the figures were judged by, as it can be typed.
    pub limits: String,
    /// In what the systems and faults of the two differ, as far as their scenarios say it; one
    /// sentence each.
    #[serde(default)]
    pub differs: Vec<String>,
    /// The same as values.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// Each figure of each step, over the whole run and by phase.
    pub figures: Vec<FigureChange>,
    /// Attempts by outcome.
    pub outcomes: Vec<OutcomeChange>,
    /// Invariants and thresholds that both have.
    pub claims: Vec<ClaimChange>,
    /// Faults that both have.
    pub recoveries: Vec<RecoveryChange>,
    /// What a reader must know before trusting the difference; one sentence each.
    pub warnings: Vec<String>,
    /// The same as values.
    #[serde(default)]
    pub doubts: Vec<Doubt>,
    /// What has become worse, one sentence each; empty: nothing has.
    pub regressions: Vec<String>,
    /// What would be worse if the load generator had kept up, one sentence each.
    #[serde(default)]
    pub undecided: Vec<String>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Its directory as it was given.
    pub directory: String,
    /// The scenario's name.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// RFC 3339 in UTC.
    pub started: String,
    /// Of fcfs-bench.
    pub version: String,
    /// What was loaded.
    pub target: String,
    /// Processor and number of cores.
    pub cpu: String,
    /// Attempts in the load part.
    pub requests: u64,
    /// Of the load.
    pub duration_s: f64,
}

/// What is not the same in both runs, beside what a comparison is refused for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// A fault by its name: it is not in both, or not the same in both.
    Fault(String),
    /// What was asked of the bundled system.
    Setting {
        /// As the scenario names it.
        name: String,
        /// Before; `null`: nothing was asked, so it was the default.
        base: Option<String>,
        /// As above, now.
        new: Option<String>,
    },
}

/// Why the difference of two runs may not be that of their systems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Something around the systems differs.
    Differs {
        /// What it is.
        what: Surrounding,
        /// Before.
        base: String,
        /// Now.
        new: String,
    },
    /// A run is unknown itself.
    Inconclusive {
        /// Which of the two.
        run: Which,
        /// The first reason for it, as its report says it.
        reason: String,
    },
    /// The loads did not take the same time.
    Duration {
        /// Before, in seconds.
        base_s: f64,
        /// Now, in seconds.
        new_s: f64,
    },
}

/// What a run has around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surrounding {
    /// Processor and number of cores.
    Machine,
    /// Operating system and kernel.
    System,
    /// What generated the load.
    Engine,
    /// The version of fcfs-bench.
    Version,
    /// How many load threads there were.
    Threads,
}

/// One of two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The older one.
    Base,
    /// The new one.
    New,
}

/// One figure of both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureChange {
    /// Of which step.
    pub step: String,
    /// Of which phase; `null`: of the whole run.
    pub phase: Option<String>,
    /// `rps`, `failed`, `p50`, `p90`, `p95` or `p99`.
    pub figure: String,
    /// `/s`, `%` or `ms`.
    pub unit: String,
    /// Before.
    pub base: f64,
    /// Now.
    pub new: f64,
    /// The change, with its interval.
    pub change: Change,
    /// What it means.
    pub judgement: Judgement,
}

/// A change with an interval of 99 in 100: of `failed` in percent points, else as a share of the
/// base (0.1 is 10 % more).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The lower end.
    pub low: f64,
    /// As measured.
    pub middle: f64,
    /// The upper end.
    pub high: f64,
}

/// What a change of a figure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Beyond its limit, with all of the interval.
    Worse,
    /// Beyond its limit as measured, but the interval reaches to this side of it.
    Perhaps,
    /// Beyond its limit, in a run whose load generator did not keep up.
    Undecided,
    /// Not beyond its limit.
    Within,
    /// For the better, with all of the interval.
    Better,
    /// Too few samples or seconds to say.
    TooLittle,
    /// It has no limit.
    NotJudged,
}

/// An outcome of both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeChange {
    /// Its name.
    pub outcome: String,
    /// Attempts before.
    pub base: u64,
    /// Attempts now.
    pub new: u64,
    /// Of all attempts before.
    pub base_percent: f64,
    /// Of all attempts now.
    pub new_percent: f64,
}

/// A claim of both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimChange {
    /// The invariant's name, or the threshold as written.
    pub name: String,
    /// Before.
    pub base: Verdict,
    /// Now.
    pub new: Verdict,
}

/// A fault of both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryChange {
    /// Its name.
    pub fault: String,
    /// Which of its occurrences, from 1.
    pub occurrence: u32,
    /// From healed to recovered before; `null`: not recovered.
    pub base_ms: Option<f64>,
    /// As above, now.
    pub new_ms: Option<f64>,
}

impl Comparison {
    /// Says in English, for programs and for reports of a run, what follows from the values.
    #[must_use]
    pub(crate) fn in_sentences(mut self) -> Self {
        let english = Catalog::of(Lang::En);
        let all = |said: Vec<Said>| said.iter().map(|one| english.plain(one)).collect();
        let (differs, warnings) = (told::differences(&self), told::doubts(&self));
        let (regressions, undecided) = (told::regressions(&self), told::undecided(&self));
        self.differs = all(differs);
        self.warnings = all(warnings);
        self.regressions = all(regressions);
        self.undecided = all(undecided);
        self
    }
}

impl ClaimChange {
    /// A claim that was not decided before has not become worse.
    fn is_worse(&self) -> bool {
        self.base == Verdict::Pass && self.new == Verdict::Fail
    }
}

impl RecoveryChange {
    fn is_worse(&self) -> bool {
        self.base_ms.is_some() && self.new_ms.is_none()
    }

    pub(super) fn name(&self) -> String {
        match self.occurrence {
            0 | 1 => self.fault.clone(),
            nth => format!("{} #{nth}", self.fault),
        }
    }
}

impl Judgement {
    /// A symbol beside the words, where there is reason for one.
    pub(super) const fn symbol(self) -> Option<Verdict> {
        match self {
            Self::Worse => Some(Verdict::Fail),
            Self::Perhaps | Self::Undecided | Self::TooLittle => Some(Verdict::Unknown),
            Self::Better => Some(Verdict::Pass),
            Self::Within | Self::NotJudged => None,
        }
    }
}
