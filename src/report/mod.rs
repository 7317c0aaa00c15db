//! The summary of a run rendered for people and programs; no clock, no I/O.

mod chart;
mod comparison;
mod document;
pub(crate) mod escape;
mod faults;
#[cfg(test)]
pub(crate) mod fixture;
mod format;
mod html;
mod junit;
mod loads;
mod markdown;
mod metrics;
mod outputs;
mod resources;
mod scalability;
mod sections;
mod setup;
mod step_summary;
mod summary;
mod table;
mod timeline;

pub use chart::{chart, scalability_chart};
pub use comparison::{
    Change, ClaimChange, Comparison, Difference, Doubt, FigureChange, Judgement, OutcomeChange,
    RecoveryChange, Side, Surrounding, Which, compared,
};
pub use faults::{FaultAlert, FaultBaseline, FaultState, FaultSummary};
pub use html::html;
pub use junit::junit;
pub use loads::{LoadSummary, Spread, StampedeSummary};
pub use markdown::{compared_markdown, markdown};
pub use outputs::OutputSummary;
pub use resources::{IncreaseFigures, LevelFigures, ResourceSample, ResourceSummary};
pub use scalability::{ScalabilityLaw, ScalabilityStep, ScalabilitySummary};
pub use setup::{Moment, SetupSummary};
pub use step_summary::step_summary;
pub use summary::{
    CounterFigures, Drain, Environment, FairnessSummary, Judged, Latency, MetricSummary,
    PhaseSummary, Sample, Summary, TrendFigures, UnknownShape,
};
pub use table::terminal;
pub use timeline::timeline;

/// Lists cases one by one, a JSON object a line.
pub const CASES_FILE: &str = "cases.jsonl";

/// Throughput by VUs, where a run held them at several numbers; relative to the report.
pub const SCALABILITY_CHART: &str = "scalability.svg";

/// The picture of how the gravest case of a part came about, relative to the report. Checkers and
/// parts have names of letters, digits and underscores.
pub fn timeline_file(checker: &str, part: &str) -> String {
    format!("explained/{checker}-{part}.svg")
}
