//! What was noticeable in a run: one rule a file, each a function of the evidence.

mod alerts;
mod dropped;
mod duplicates;
mod faults;
mod invariants;
mod latency;
mod outcome;
mod stock;
mod thresholds;

use super::evidence::{Evidence, lasting, moment};
use super::figure::{Figures, How};
use super::severity::Severity;
use crate::measure::Second;
use crate::messages::{Fig, Said, said};

/// Something that a reader should know of.
#[derive(Debug, Clone, PartialEq)]
pub struct Phenomenon {
    /// Which rule has found it, and of what.
    pub kind: Kind,
    /// What it is called.
    pub title: Said,
    /// What an answer of it looks like.
    pub example: Example,
    /// Since when; `None`: the data has no time for it.
    pub onset: Option<Onset>,
    /// Until when, in seconds since the start of the load; `None`: to its end, or unknown.
    pub until_s: Option<f64>,
    /// From when to when, in words.
    pub period: Vec<Said>,
    /// What it did, in words.
    pub effect: Vec<Said>,
    /// How grave it is.
    pub severity: Severity,
    /// By which value.
    pub severity_why: Said,
    /// Whether it had to be reckoned with.
    pub expected: Expected,
}

/// What a phenomenon is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An outcome that is neither success nor business.
    Outcome {
        /// Its name.
        name: String,
        /// Whether it counts as a failed request.
        failed: bool,
    },
    /// The response time rose.
    Latency {
        /// Suddenly, and not bit by bit.
        cliff: bool,
        /// Of which percentile of each second.
        of: Quantile,
    },
    /// Nothing was left.
    SoldOut,
    /// Users asked more than once.
    Duplicates,
    /// A fault was injected.
    Fault(String),
    /// A claim about what was issued is refuted.
    Invariant(String),
    /// Iterations had no VU.
    Dropped,
    /// A limit was missed.
    Threshold(String),
    /// An alert fired.
    Alert(String),
}

/// Which of the times of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantile {
    /// Half of the answers took longer.
    P50,
    /// One in twenty took longer.
    P95,
}

impl Quantile {
    /// As `seconds.jsonl` spells it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::P50 => "p50_ms",
            Self::P95 => "p95_ms",
        }
    }

    /// Its value in a second.
    pub const fn of(self, second: &Second) -> Option<f64> {
        match self {
            Self::P50 => second.p50_ms,
            Self::P95 => second.p95_ms,
        }
    }
}

/// The beginning of a phenomenon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Onset {
    /// Seconds since the start of the load.
    pub at_s: f64,
    /// VUs then.
    pub vus: Option<u64>,
}

/// What an answer looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Example {
    /// The beginning of one, as it came.
    Answer(String),
    /// By which rule of the scenario it is known.
    Rule(String),
    /// A sentence of the run.
    Sentence(String),
    /// There is none.
    None,
}

/// Whether a phenomenon had to be reckoned with.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// The scenario wants it.
    Yes(Said),
    /// It does not.
    No(Said),
}

impl Expected {
    /// Whether the scenario wants it.
    pub const fn is(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// Why.
    pub const fn why(&self) -> &Said {
        match self {
            Self::Yes(why) | Self::No(why) => why,
        }
    }
}

/// Applies all rules.
pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let mut found = Vec::new();
    found.extend(outcome::find(evidence, figures));
    found.extend(latency::find(evidence, figures));
    found.extend(stock::find(evidence, figures));
    found.extend(duplicates::find(evidence, figures));
    found.extend(faults::find(evidence, figures));
    found.extend(invariants::find(evidence, figures));
    found.extend(dropped::find(evidence, figures));
    found.extend(thresholds::find(evidence, figures));
    found.extend(alerts::find(evidence, figures));
    let at = |one: &Phenomenon| one.onset.map_or(f64::INFINITY, |onset| onset.at_s);
    found.sort_by(|one, two| {
        let gravest = one.severity.cmp(&two.severity);
        gravest.then(at(one).total_cmp(&at(two)))
    });
    found
}

/// From a line to the line behind the last one, in words and with the VUs.
fn period(
    evidence: &Evidence<'_>,
    from: usize,
    to: Option<usize>,
    figures: &mut Figures,
) -> (Onset, Vec<Said>) {
    let at_s = evidence.time(from);
    let time = evidence.lines(from, from + 1, How::Value, "t");
    let time = figures.cite(moment(at_s), time);
    let vus = evidence.vus(from, figures);
    let mut period = Vec::new();
    period.push(match vus {
        Some((vus, fig)) => said!("period.from",
            at = moment(at_s),
            vus = super::evidence::counted(vus); time, fig),
        None => said!("period.from_without_vus", at = moment(at_s); time),
    });
    let last = to
        .unwrap_or(evidence.seconds.len())
        .saturating_sub(1)
        .max(from);
    let end_s = to.map_or_else(|| evidence.end_s(), |to| evidence.time(to));
    let source = evidence.lines(last, last + 1, How::Value, "t");
    let end = figures.cite(moment(end_s), source);
    let (vus_there, vus_fig) = evidence.vus(last, figures).unwrap_or((0, end));
    let lasted = lasting(end_s - at_s);
    let vus_there = super::evidence::counted(vus_there);
    period.push(match to {
        Some(_) => said!("period.until",
            at = moment(end_s), vus = vus_there, lasted = lasted; end, vus_fig),
        None => said!("period.to_the_end",
            at = moment(end_s), vus = vus_there, lasted = lasted; end, vus_fig),
    });
    let onset = Onset {
        at_s,
        vus: vus.map(|(vus, _)| vus),
    };
    (onset, period)
}

/// A severity that follows from a share.
fn because_of_share(severity: Severity, share: String, fig: Fig) -> Said {
    match severity {
        Severity::P0 => said!("severity.because_down", share = share; fig),
        Severity::P1 => said!("severity.because_partly", share = share; fig),
        Severity::P2 | Severity::P3 => said!("severity.because_below", share = share; fig),
    }
}
