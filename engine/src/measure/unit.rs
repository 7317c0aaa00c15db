//! Units of measured values: read in thresholds, shown in every report.

use super::metric::list;
use super::{Aggregate, Metric, MetricKind, Quantity, ThresholdError};

/// What a value is counted in; the base unit is the one that limits are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// 0 to 1, shown as a percentage.
    Share,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    ByteRate,
    /// A count.
    Count,
    /// A count per second.
    CountRate,
    /// A number that a scenario captures, whatever it counts; also with decimals.
    Number,
    /// Cores that worked; also parts of one.
    Cores,
    /// A number that may be far below one: shown with three digits that mean something.
    Coefficient,
}

/// Suffixes and the base units that each stands for.
type Suffixes = &'static [(&'static str, f64)];

const TIME: Suffixes = &[
    ("us", 1e-3),
    ("µs", 1e-3),
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 60e3),
];
const SHARE: Suffixes = &[("%", 1e-2)];
const BYTES: Suffixes = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
];

impl Unit {
    /// The unit of an aggregate of a metric.
    pub fn of(metric: &Metric, aggregate: Aggregate) -> Self {
        let bytes = matches!(metric, Metric::DataSent | Metric::DataReceived);
        let custom = matches!(metric, Metric::Custom(_));
        if let Metric::Resource(quantity) = metric {
            return Self::of_quantity(*quantity, aggregate);
        }
        if matches!(metric, Metric::Recovery | Metric::Detection) {
            return Self::Time;
        }
        match (metric.kind(), aggregate) {
            (MetricKind::Scaling, Aggregate::Coherency) => Self::Coefficient,
            (MetricKind::Scaling, Aggregate::Peak) => Self::Number,
            (MetricKind::Rate | MetricKind::Scaling, _) => Self::Share,
            (MetricKind::Trend, Aggregate::Count) | (MetricKind::Gauge, _) => Self::Count,
            (MetricKind::Trend, _) if custom => Self::Number,
            (MetricKind::Trend, _) => Self::Time,
            (MetricKind::Counter, Aggregate::Rate) if bytes => Self::ByteRate,
            (MetricKind::Counter, Aggregate::Rate) => Self::CountRate,
            (MetricKind::Counter, _) if bytes => Self::Bytes,
            (MetricKind::Counter, _) if custom => Self::Number,
            (MetricKind::Counter, _) => Self::Count,
        }
    }

    /// Milliseconds by second are no time: how many waited for it, on average.
    fn of_quantity(quantity: Quantity, aggregate: Aggregate) -> Self {
        match (quantity.kind(), aggregate) {
            (MetricKind::Trend, Aggregate::Count) => Self::Count,
            (_, Aggregate::Rate) if quantity.unit() == Self::Time => Self::Number,
            (_, Aggregate::Rate) => Self::CountRate,
            _ => quantity.unit(),
        }
    }

    /// How many base units the suffix stands for; none at all stands for the base unit.
    pub(super) fn factor(self, suffix: &str) -> Result<f64, ThresholdError> {
        let (suffix, table): (_, Suffixes) = match self {
            Self::Time => (suffix, TIME),
            Self::Share => (suffix, SHARE),
            Self::Bytes => (suffix, BYTES),
            Self::ByteRate => (without_per_second(suffix), BYTES),
            Self::Count | Self::Number | Self::Cores | Self::Coefficient => (suffix, &[]),
            Self::CountRate => (without_per_second(suffix), &[]),
        };
        if suffix.is_empty() {
            return Ok(1.0);
        }
        let known = table.iter().find(|(name, _)| *name == suffix);
        known
            .map(|(_, factor)| *factor)
            .ok_or_else(|| ThresholdError {
                message: format!("unit `{suffix}` does not fit here"),
                hint: Some(self.choices(table)),
            })
    }

    fn choices(self, table: Suffixes) -> String {
        let names = table.iter().map(|(name, _)| *name);
        match self {
            Self::Time => list("units", names) + " (a bare number is in milliseconds)",
            Self::Share => "a share is written 1% or 0.01".to_owned(),
            Self::Bytes => list("units", names),
            Self::ByteRate => list("units", names) + ", each also with /s",
            Self::Count => "a count has no unit".to_owned(),
            Self::Number | Self::Coefficient => "this number has no unit: write it bare".to_owned(),
            Self::Cores => "CPU is counted in cores: 1.5 is one and a half".to_owned(),
            Self::CountRate => "the only unit of a rate of counts is /s".to_owned(),
        }
    }

    /// The largest value there can be.
    pub(super) const fn largest(self) -> f64 {
        match self {
            Self::Share => 1.0,
            _ => f64::INFINITY,
        }
    }

    /// A measured value for people: with its unit, with as many digits as mean something.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Time => format!("{} ms", milliseconds(value)),
            Self::Share => share(value),
            Self::Bytes => bytes(value),
            Self::ByteRate => format!("{}/s", bytes(value)),
            Self::Count => grouped(value, 0),
            Self::Number => number(value),
            Self::Coefficient => coefficient(value),
            Self::Cores => format!("{} cores", grouped(value, 2)),
            Self::CountRate => format!("{}/s", grouped(value, if value < 100.0 { 2 } else { 1 })),
        }
    }

    /// A limit for people: as exact as it was written.
    pub(super) fn show_limit(self, limit: f64) -> String {
        match self {
            Self::Time => format!("{} ms", exact(limit)),
            // A hundred times a short decimal is rarely that decimal; ten digits hide the dust.
            Self::Share => format!("{} %", exact((limit * 1e12).round() / 1e10)),
            Self::Bytes => exact_bytes(limit),
            Self::ByteRate => format!("{}/s", exact_bytes(limit)),
            Self::Count | Self::Number | Self::Coefficient => exact(limit),
            Self::Cores => format!("{} cores", exact(limit)),
            Self::CountRate => format!("{}/s", exact(limit)),
        }
    }
}

fn without_per_second(suffix: &str) -> &str {
    suffix.strip_suffix("/s").map_or(suffix, str::trim_end)
}

/// Milliseconds without the unit, for columns that name it in their head.
pub fn milliseconds(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 1.0 => 3,
        medium if medium < 1000.0 => 2,
        _ => 1,
    };
    grouped(value, decimals)
}

/// To the thousandth, without zeros at the end.
fn number(value: f64) -> String {
    if value == f64::INFINITY {
        return "∞".to_owned();
    }
    let text = grouped(value, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Three digits from the first that is not zero on.
fn coefficient(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return number(value);
    }
    let first = value.abs().log10().floor() as i32;
    let decimals = (2 - first).clamp(0, 15) as usize;
    grouped(value, decimals)
}

/// A percentage that is only 0 or 100 when it is exactly that.
fn share(value: f64) -> String {
    let percent = value * 100.0;
    if percent > 0.0 && percent < 0.005 {
        "< 0.01 %".to_owned()
    } else if (99.995..100.0).contains(&percent) {
        "> 99.99 %".to_owned()
    } else {
        format!("{percent:.2} %")
    }
}

fn bytes(value: f64) -> String {
    let (divisor, unit) = byte_unit(value);
    if divisor > 1.0 {
        format!("{} {unit}", grouped(value / divisor, 2))
    } else {
        format!("{} {unit}", grouped(value, 0))
    }
}

fn exact_bytes(value: f64) -> String {
    let (divisor, unit) = byte_unit(value);
    format!("{} {unit}", exact(value / divisor))
}

fn byte_unit(value: f64) -> (f64, &'static str) {
    match value {
        huge if huge >= 1e9 => (1e9, "GB"),
        large if large >= 1e6 => (1e6, "MB"),
        medium if medium >= 1e3 => (1e3, "kB"),
        _ => (1.0, "B"),
    }
}

/// Every digit that there is, and no more.
fn exact(value: f64) -> String {
    let text = value.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    grouped(value, decimals)
}

/// A number with a comma between each three digits before the point.
pub fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let start = usize::from(text.starts_with('-'));
    let end = text.find('.').unwrap_or(text.len());
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    for (at, char) in text.char_indices() {
        if at > start && at < end && (end - at) % 3 == 0 && char.is_ascii_digit() {
            out.push(',');
        }
        out.push(char);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_before_the_point_only() {
        for (value, decimals, text) in [
            (0.0, 0, "0"),
            (999.0, 0, "999"),
            (1000.0, 0, "1,000"),
            (1_234_567.125, 3, "1,234,567.125"),
            (-1000.5, 1, "-1,000.5"),
            (-100.0, 0, "-100"),
            (f64::INFINITY, 0, "inf"),
            (f64::NAN, 2, "NaN"),
        ] {
            assert_eq!(grouped(value, decimals), text);
        }
    }

    #[test]
    fn values_are_shown_with_their_unit() {
        for (unit, value, text) in [
            (Unit::Time, 0.25, "0.250 ms"),
            (Unit::Time, 212.3, "212.30 ms"),
            (Unit::Time, 12_345.67, "12,345.7 ms"),
            (Unit::Share, 0.0042, "0.42 %"),
            (Unit::Share, 0.0, "0.00 %"),
            (Unit::Share, 0.000_001, "< 0.01 %"), // one in a million is not none
            (Unit::Share, 0.999_999, "> 99.99 %"), // and all but one not all
            (Unit::Share, 1.0, "100.00 %"),
            (Unit::Bytes, 999.0, "999 B"),
            (Unit::Bytes, 1_500_000.0, "1.50 MB"),
            (Unit::ByteRate, 2_000.0, "2.00 kB/s"),
            (Unit::Count, 12_345.0, "12,345"),
            (Unit::CountRate, 12.3, "12.30/s"),
            (Unit::CountRate, 1234.56, "1,234.6/s"),
            (Unit::Number, 0.0, "0"),
            (Unit::Number, 100.0, "100"),
            (Unit::Number, 1234.5, "1,234.5"),
            (Unit::Number, 2.0 / 3.0, "0.667"),
            (Unit::Number, f64::INFINITY, "∞"),
            (Unit::Coefficient, 0.0, "0"),
            (Unit::Coefficient, 0.000_123_456, "0.000123"),
            (Unit::Coefficient, 12_345.6, "12,346"),
        ] {
            assert_eq!(unit.show(value), text);
        }
    }

    #[test]
    fn limits_are_shown_as_exactly_as_they_were_written() {
        for (unit, limit, text) in [
            (Unit::Time, 300.0, "300 ms"),
            (Unit::Time, 0.5, "0.5 ms"),
            (Unit::Time, 60_000.0, "60,000 ms"),
            (Unit::Share, 0.07, "7 %"),
            (Unit::Share, 0.0001, "0.01 %"),
            (Unit::ByteRate, 1_500_000.0, "1.5 MB/s"),
            (Unit::CountRate, 1000.0, "1,000/s"),
            (Unit::Number, 2.5, "2.5"),
        ] {
            assert_eq!(unit.show_limit(limit), text);
        }
    }
}
