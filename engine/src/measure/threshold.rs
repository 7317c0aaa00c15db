//! Thresholds in k6's grammar, with units and tags.
//!
//! ```text
//! key       = metric [ "{" tag ":" value { "," tag ":" value } "}" ]
//! assertion = aggregate comparison number [ unit ]
//! ```

mod key;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::metric::{list, nearest};
use super::{Metric, MetricKind, Tag, Unit};
use crate::verdict::Verdict;

pub use key::{key_name, parse_key};

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
    /// Right side in the metric's base unit: milliseconds, a share from 0 to 1, bytes, a count, or
    /// the number itself.
    pub limit: f64,
    /// Whether a failure ends the run, and how long after the start of the load at the earliest.
    pub abort: Option<Duration>,
    /// Whether no data is fine. By default no data fails.
    pub allow_empty: bool,
    /// Judged for each of these, instead of for the whole run.
    pub windows: Option<Windowed>,
}

/// The windows that a threshold is judged over, one behind the other from the load's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windowed {
    /// Seconds that one lasts; at least 1.
    pub over_s: u64,
    /// How many must be broken in a row for the threshold to fail; at least 1.
    pub in_a_row: u64,
}

impl fmt::Display for Windowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "over {}s", self.over_s)?;
        match self.in_a_row {
            1 => Ok(()),
            in_a_row => write!(f, ", {in_a_row} in a row"),
        }
    }
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
    /// Of a scaling: what a VU gets at the worst step, as a share of what it gets at the first.
    Efficiency,
    /// Of a scaling: the share of the work that only one can do at a time.
    Contention,
    /// Of a scaling: what each user costs every other.
    Coherency,
    /// Of a scaling: the users from whom on throughput falls.
    Peak,
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

impl ThresholdError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

impl std::error::Error for ThresholdError {}

impl Aggregate {
    /// Whether metrics of this kind have it.
    const fn fits(self, kind: MetricKind) -> bool {
        match kind {
            MetricKind::Counter => matches!(self, Self::Count | Self::Rate),
            MetricKind::Gauge => matches!(self, Self::Value),
            MetricKind::Rate => matches!(self, Self::Rate),
            MetricKind::Trend => !matches!(self, Self::Rate | Self::Value) && !self.is_of_scaling(),
            MetricKind::Scaling => self.is_of_scaling(),
        }
    }
}

impl Aggregate {
    const fn is_of_scaling(self) -> bool {
        matches!(
            self,
            Self::Efficiency | Self::Contention | Self::Coherency | Self::Peak
        )
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str("count"),
            Self::Rate => f.write_str("rate"),
            Self::Value => f.write_str("value"),
            Self::Avg => f.write_str("avg"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Med => f.write_str("med"),
            Self::Percentile(percent) => write!(f, "p({percent})"),
            Self::Efficiency => f.write_str("efficiency"),
            Self::Contention => f.write_str("contention"),
            Self::Coherency => f.write_str("coherency"),
            Self::Peak => f.write_str("peak"),
        }
    }
}

impl FromStr for Aggregate {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NAMES: [&str; 12] = [
            "count",
            "rate",
            "value",
            "avg",
            "min",
            "max",
            "med",
            "p(95)",
            "efficiency",
            "contention",
            "coherency",
            "peak",
        ];
        match text {
            "count" => return Ok(Self::Count),
            "rate" => return Ok(Self::Rate),
            "value" => return Ok(Self::Value),
            "avg" => return Ok(Self::Avg),
            "min" => return Ok(Self::Min),
            "max" => return Ok(Self::Max),
            "med" => return Ok(Self::Med),
            "efficiency" => return Ok(Self::Efficiency),
            "contention" => return Ok(Self::Contention),
            "coherency" => return Ok(Self::Coherency),
            "peak" => return Ok(Self::Peak),
            _ => {}
        }
        let inner = text
            .strip_prefix("p(")
            .and_then(|rest| rest.strip_suffix(')'));
        if let Some(inner) = inner {
            let percent = inner.trim().parse().ok();
            return percent
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(Self::Percentile)
                .ok_or_else(|| {
                    ThresholdError::new(
                        format!("`{text}` is no percentile"),
                        "a percentile is p(0) to p(100), also with decimals: p(99.9)",
                    )
                });
        }
        let bare = text
            .strip_prefix('p')
            .and_then(|rest| rest.parse::<f64>().ok());
        let hint = match (bare, nearest(text, NAMES.into_iter())) {
            (Some(percent), _) => format!("a percentile is written p({percent})"),
            (None, Some(name)) => format!("did you mean `{name}`?"),
            (None, None) => list("aggregates", NAMES.into_iter()),
        };
        let message = if text.is_empty() {
            "there is no aggregate before the comparison".to_owned()
        } else {
            format!("unknown aggregate `{text}`")
        };
        Err(ThresholdError::new(message, hint))
    }
}

impl Comparison {
    /// Longer spellings first, so that none is read as the beginning of another.
    const SPELLINGS: [(&str, Self); 7] = [
        ("===", Self::Equal),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    /// Whether `value` stands in this relation to `limit`.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
            Self::Equal => value
                .partial_cmp(&limit)
                .is_some_and(std::cmp::Ordering::is_eq),
            Self::NotEqual => value
                .partial_cmp(&limit)
                .is_some_and(std::cmp::Ordering::is_ne),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        })
    }
}

/// Reads `p(95)<500`, `p(99)<1s`, `rate<1%`, `count==100` for the metric.
///
/// # Errors
/// A text that is no assertion, an aggregate that the metric does not have, a unit that does not
/// fit, or an assertion that no value could meet.
pub fn parse_assertion(
    metric: &Metric,
    text: &str,
) -> Result<(Aggregate, Comparison, f64), ThresholdError> {
    let at = text.find(['<', '>', '=', '!']).ok_or_else(|| {
        ThresholdError::new(
            format!("`{}` has no comparison", text.trim()),
            "write aggregate, comparison, number: p(95)<500",
        )
    })?;
    let (left, rest) = text.split_at(at);
    let aggregate: Aggregate = left.trim().parse()?;
    let kind = metric.kind();
    if !aggregate.fits(kind) {
        return Err(ThresholdError::new(
            format!("`{metric}` is a {kind} and has no `{aggregate}`"),
            list("its aggregates", kind.aggregates().iter().copied()),
        ));
    }
    let mut spellings = Comparison::SPELLINGS.into_iter();
    let (comparison, right) = spellings
        .find_map(|(spelling, comparison)| Some((comparison, rest.strip_prefix(spelling)?)))
        .ok_or_else(|| {
            ThresholdError::new(
                format!("`{}` has no comparison that is known", text.trim()),
                "comparisons: <, <=, >, >=, ==, !=",
            )
        })?;
    let unit = Unit::of(metric, aggregate);
    let limit = parse_limit(unit, right.trim())?;
    refuse_impossible(unit, comparison, limit, text.trim())?;
    Ok((aggregate, comparison, limit))
}

fn parse_limit(unit: Unit, text: &str) -> Result<f64, ThresholdError> {
    let (number, suffix) = text.split_at(number_length(text));
    let value: f64 = number.replace('_', "").parse().map_err(|_| {
        ThresholdError::new(
            format!("`{text}` is no number"),
            "a number stands after the comparison: p(95)<500, rate<1%",
        )
    })?;
    // Dividing keeps what was written: 7 % is then 0.07 to the last bit.
    let factor = unit.factor(suffix.trim())?;
    let limit = if factor < 1.0 {
        value / (1.0 / factor).round()
    } else {
        value * factor
    };
    if !limit.is_finite() {
        return Err(ThresholdError::new(
            format!("`{text}` is too large"),
            "choose a number that a measurement can reach",
        ));
    }
    Ok(limit)
}

/// Bytes of the sign, digits, point and exponent at the beginning of the text.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, allowed: fn(&u8) -> bool| {
        from + bytes
            .iter()
            .skip(from)
            .take_while(|&byte| allowed(byte))
            .count()
    };
    let digits = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_');
    let sign = |at: usize| usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
    let mantissa = run(sign(0), digits);
    if !matches!(bytes.get(mantissa), Some(b'e' | b'E')) {
        return mantissa;
    }
    let exponent = mantissa + 1 + sign(mantissa + 1);
    let end = run(exponent, u8::is_ascii_digit);
    if end > exponent { end } else { mantissa }
}

/// An assertion that no value can meet is a typing error, and would fail only after the run.
/// One that every value meets (`max>=0`) stays: k6 users write it to have a series shown.
fn refuse_impossible(
    unit: Unit,
    comparison: Comparison,
    limit: f64,
    text: &str,
) -> Result<(), ThresholdError> {
    let largest = unit.largest();
    if limit.is_sign_negative() {
        return Err(ThresholdError::new(
            format!("`{text}` has a negative limit"),
            "nothing that is measured is below zero",
        ));
    }
    if limit > largest {
        return Err(ThresholdError::new(
            format!("`{text}` has a limit above 100 %"),
            "a share is written 1% or 0.01",
        ));
    }
    let impossible = match comparison {
        Comparison::Less => limit <= 0.0,
        Comparison::Greater => limit >= largest,
        Comparison::Equal => unit == Unit::Count && limit.fract() > 0.0,
        _ => false,
    };
    if impossible {
        let hint = match comparison {
            Comparison::Less => "nothing is below zero; `<=` would allow zero itself",
            Comparison::Greater => "no share is above 100 %; `>=` would allow 100 % itself",
            _ => "a count is a whole number",
        };
        return Err(ThresholdError::new(
            format!("`{text}` can never hold"),
            hint,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
