//! Thresholds in k6's grammar with units and tags, and their evaluation over the totals.

use std::fmt;
use std::time::Duration;

use super::{Metric, Tag, Totals};
use crate::plan::Plan;
use crate::verdict::Verdict;

/// One assertion over one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The key and the assertion as written: `http_req_duration{phase:hold}: p(95)<300ms`.
    pub name: String,
    /// What is measured.
    pub metric: Metric,
    /// All must match (AND); names are known to exist in the plan.
    pub tags: Vec<(Tag, String)>,
    /// Left side.
    pub aggregate: Aggregate,
    /// Middle.
    pub comparison: Comparison,
    /// Right side in the metric's base unit: milliseconds, a share from 0 to 1, bytes, a count.
    pub limit: f64,
    /// Whether a failure ends the run, and how long after the start of the load at the earliest.
    pub abort: Option<Duration>,
    /// Whether no data is fine. By default no data fails.
    pub allow_empty: bool,
}

/// The left side of an assertion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// Of a counter or a trend.
    Count,
    /// Per second of a counter; the share of a rate.
    Rate,
    /// Of a gauge.
    Value,
    /// Arithmetic mean of a trend.
    Avg,
    /// Smallest of a trend.
    Min,
    /// Largest of a trend.
    Max,
    /// Median of a trend.
    Med,
    /// A percentile of a trend, 0 to 100.
    Percentile(f64),
}

/// The middle of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==` or `===`
    Equal,
    /// `!=`
    NotEqual,
}

/// Why a key or an assertion is refused, with what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThresholdError {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A threshold's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdResult {
    /// As in [`Threshold::name`].
    pub name: String,
    /// `Fail` also without data, unless that is allowed.
    pub verdict: Verdict,
    /// What was observed, with unit and count.
    pub detail: String,
}

/// Reads `metric` or `metric{tag:value,tag2:value2}`.
///
/// # Errors
/// An unknown metric or tag, or braces that do not match.
pub fn parse_key(_text: &str) -> Result<(Metric, Vec<(Tag, String)>), ThresholdError> {
    todo!()
}

/// Reads `p(95)<500`, `p(99)<1s`, `rate<1%`, `count==100` for the metric.
///
/// # Errors
/// A text that is no assertion, an aggregate that the metric does not have, or a unit that does
/// not fit.
pub fn parse_assertion(
    _metric: Metric,
    _text: &str,
) -> Result<(Aggregate, Comparison, f64), ThresholdError> {
    todo!()
}

/// Judges every threshold of the plan over what was measured so far.
pub fn evaluate(_plan: &Plan, _totals: &Totals) -> Vec<ThresholdResult> {
    todo!()
}
