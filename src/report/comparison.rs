//! Two runs side by side: the figures of their difference, and what a terminal says
//! of it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::{Alignment, Modify, Style};

use super::format::{count, one_line};
use crate::measure::{grouped, milliseconds};
use crate::verdict::Verdict;

/// A comparison of a new run with an older one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The older one.
    pub base: Side,
    /// The new one.
    pub new: Side,
    /// What the figures were judged by, as it can be typed.
    pub limits: String,
    /// In what the systems and faults of the two differ, as far as their scenarios say it.
    #[serde(default)]
    pub differs: Vec<String>,
    /// Each figure of each step, over the whole run and by phase.
    pub figures: Vec<FigureChange>,
    /// Attempts by outcome.
    pub outcomes: Vec<OutcomeChange>,
    /// Invariants and thresholds that both have.
    pub claims: Vec<ClaimChange>,
    /// Faults that both have.
    pub recoveries: Vec<RecoveryChange>,
    /// What a reader must know before trusting the difference.
    pub warnings: Vec<String>,
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
    /// What has become worse, gravest first.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let broken = self.claims.iter().filter(|claim| claim.is_worse());
        let broken =
            broken.map(|claim| format!("`{}` was {} and is {}", claim.name, claim.base, claim.new));
        let lasting = self.recoveries.iter().filter(|one| one.is_worse());
        let lasting =
            lasting.map(|one| format!("the load recovered from `{}` and now does not", one.name()));
        let slower = self.sentences_of(Judgement::Worse);
        broken.chain(lasting).chain(slower).collect()
    }

    /// The figures of this judgement, a sentence each.
    pub(crate) fn sentences_of(&self, judgement: Judgement) -> impl Iterator<Item = String> {
        let figures = self.figures.iter();
        let figures = figures.filter(move |figure| figure.judgement == judgement);
        figures.map(|one| {
            let phase = one.phase.as_ref();
            let phase = phase.map_or_else(String::new, |name| format!(" in `{name}`"));
            format!(
                "{} of `{}`{phase}: {} before, {} now ({})",
                one.figure,
                one.step,
                one.shown(one.base),
                one.shown(one.new),
                one.in_words()
            )
        })
    }

    pub(super) fn verdict(&self) -> String {
        match self.regressions.len() {
            0 if !self.undecided.is_empty() => "undecided".to_owned(),
            0 => "no regression".to_owned(),
            1 => "1 regression".to_owned(),
            many => format!("{many} regressions"),
        }
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
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Perhaps => "perhaps worse",
            Self::Undecided => "undecided",
            Self::Within => "as before",
            Self::Better => "better",
            Self::TooLittle => "too little to say",
            Self::NotJudged => "–",
        }
    }

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

impl FigureChange {
    fn shown(&self, value: f64) -> String {
        match self.unit.as_str() {
            "ms" => format!("{} ms", milliseconds(value)),
            "%" => format!("{} %", grouped(value, 2)),
            unit => format!("{}{unit}", grouped(value, 1)),
        }
    }

    /// ``+12.1 % (+10.4 to +13.9)``
    fn in_words(&self) -> String {
        let percent = if self.unit == "%" { 1.0 } else { 100.0 };
        let signed = |share: f64| {
            let sign = if share < 0.0 { "−" } else { "+" };
            format!("{sign}{}", grouped((share * percent).abs(), 1))
        };
        let unit = if self.unit == "%" { "points" } else { "%" };
        let Change { low, middle, high } = self.change;
        format!(
            "{} {unit}, {} to {}",
            signed(middle),
            signed(low),
            signed(high)
        )
    }

    pub(super) fn cells(&self) -> [String; 7] {
        [
            self.step.clone(),
            self.phase.clone().unwrap_or_else(|| "all".to_owned()),
            self.figure.clone(),
            self.shown(self.base),
            self.shown(self.new),
            self.in_words(),
            self.judgement.in_words().to_owned(),
        ]
    }
}

pub(super) const HEAD: [&str; 7] = ["Step", "Phase", "Figure", "Base", "New", "Change", "Means"];

pub(super) const NOTE: &str = "Times are response times, from the moment at which a request was due. The \
                    interval of a change holds it in 99 of 100 cases, as far as the chance within \
                    each run goes; a figure is worse when all of its interval is beyond its limit.";

/// The comparison for a terminal.
pub fn compared(comparison: &Comparison) -> String {
    let mut out = format!("{}\n\n", comparison.verdict().to_uppercase());
    for (which, side) in [("base", &comparison.base), ("new ", &comparison.new)] {
        let _ = writeln!(out, "{which}  {}", one_line(&in_words(side)));
    }
    for different in &comparison.differs {
        let _ = writeln!(out, "differs: {}", one_line(different));
    }
    for sentence in &comparison.regressions {
        let _ = writeln!(out, "✘ {}", one_line(sentence));
    }
    for sentence in &comparison.undecided {
        let _ = writeln!(out, "? undecided: {}", one_line(sentence));
    }
    let mut builder = Builder::new();
    builder.push_record(HEAD);
    for figure in &comparison.figures {
        builder.push_record(figure.cells().map(|cell| one_line(&cell)));
    }
    let mut table = builder.build();
    table
        .with(Style::sharp())
        .with(Modify::new(Columns::new(3..5)).with(Alignment::right()))
        .with(Modify::new(Rows::first()).with(Alignment::left()));
    let _ = writeln!(out, "\n{table}");
    let _ = writeln!(out, "limits: {}", comparison.limits);
    for warning in &comparison.warnings {
        let _ = writeln!(out, "! {}", one_line(warning));
    }
    out
}

/// ``reports/a (pass, 10,000 requests in 12.0 s, 2026-11-22T10:00:00Z, bundled server)``
pub(super) fn in_words(side: &Side) -> String {
    format!(
        "{} ({}, {} requests in {} s, {}, {})",
        side.directory,
        side.verdict,
        count(side.requests),
        grouped(side.duration_s, 1),
        side.started,
        side.target
    )
}
