//! Metrics that a scenario makes of its captures: which texts are values, and what they come to.

use std::fmt;

use hdrhistogram::Histogram;

use super::{MetricKind, SeriesId, Totals, Trend};

/// A metric that the scenario declares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CustomMetric {
    /// As thresholds and reports call it.
    pub name: String,
    /// [`MetricKind::Trend`] or [`MetricKind::Counter`].
    pub kind: MetricKind,
    /// The capture that brings its values.
    pub capture: String,
    /// Its place in [`crate::plan::Plan::metrics`], and the label of its series.
    pub number: u8,
}

/// The largest value that is recorded.
const LARGEST: f64 = 1e9;

/// Values are recorded to the thousandth.
const THOUSANDTHS: f64 = 1_000.0;

/// Why a captured text is not recorded. The numbers are those in the histograms of
/// [`Trend::LeftOut`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LeftOut {
    /// It is no decimal number.
    NoNumber = 0,
    /// It is below zero.
    Negative = 1,
    /// It is above a billion.
    TooLarge = 2,
}

impl LeftOut {
    /// Every reason in the order of its number.
    pub const ALL: [Self; 3] = [Self::NoNumber, Self::Negative, Self::TooLarge];

    /// As a summary spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoNumber => "no_number",
            Self::Negative => "negative",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("no number"),
            Self::Negative => f.write_str("negative"),
            Self::TooLarge => f.write_str("above 1,000,000,000"),
        }
    }
}

/// Reads a captured text as a decimal number, in thousandths.
///
/// # Errors
/// Why it is not recorded.
pub fn thousandths(text: &str) -> Result<u64, LeftOut> {
    let text = text.trim();
    // The standard library reads `inf` and `nan`, too.
    let is_decimal = |byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(is_decimal) {
        return Err(LeftOut::NoNumber);
    }
    let value: f64 = text.parse().map_err(|_| LeftOut::NoNumber)?;
    if value < 0.0 {
        Err(LeftOut::Negative)
    } else if value > LARGEST {
        Err(LeftOut::TooLarge)
    } else {
        Ok((value * THOUSANDTHS).round() as u64)
    }
}

/// What was recorded for one metric.
#[derive(Debug)]
pub struct Values {
    histogram: Option<Histogram<u64>>,
    sum: u64,
}

impl Values {
    /// The values in all series that the condition picks.
    pub fn of(totals: &Totals, metric: &CustomMetric, picks: impl Fn(&SeriesId) -> bool) -> Self {
        let meant = |id: &SeriesId| id.label == metric.number && picks(id);
        Self {
            histogram: totals.merged(Trend::Value, meant),
            sum: totals.count(Trend::Sum, meant),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// All of them added up, exactly.
    pub fn sum(&self) -> f64 {
        self.sum as f64 / THOUSANDTHS
    }

    /// Arithmetic mean; `None` without a value, as in the following.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum() / count as f64)
    }

    /// The smallest.
    pub fn min(&self) -> Option<f64> {
        self.nearly(Histogram::min)
    }

    /// The largest.
    pub fn max(&self) -> Option<f64> {
        self.nearly(Histogram::max)
    }

    /// A quantile from 0 to 1.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        self.nearly(|histogram| histogram.value_at_quantile(quantile))
    }

    fn nearly(&self, value: impl FnOnce(&Histogram<u64>) -> u64) -> Option<f64> {
        let histogram = self.histogram.as_ref()?;
        Some(shortest(histogram, value(histogram)))
    }
}

/// A histogram only knows that a value lies between two numbers. The one with the fewest digits
/// between them is meant, so that a rank of 100 is 100 and not 100.031.
fn shortest(histogram: &Histogram<u64>, thousandths: u64) -> f64 {
    let low = histogram.lowest_equivalent(thousandths);
    let high = histogram.highest_equivalent(thousandths);
    let powers = (0..=19).rev().map(|power| 10_u64.pow(power));
    let mut rounded = powers.map(|power| high - high % power);
    let shortest = rounded.find(|rounded| *rounded >= low);
    shortest.unwrap_or(high) as f64 / THOUSANDTHS
}

/// How many texts were no values of the metric, by reason; reasons that did not occur are left out.
pub fn left_out(
    totals: &Totals,
    metric: &CustomMetric,
    picks: impl Fn(&SeriesId) -> bool,
) -> Vec<(LeftOut, u64)> {
    let meant = |id: &SeriesId| id.label == metric.number && picks(id);
    let Some(texts) = totals.merged(Trend::LeftOut, meant) else {
        return Vec::new();
    };
    let counted = LeftOut::ALL.map(|reason| (reason, texts.count_at(reason as u64)));
    let counted = counted.into_iter().filter(|(_, count)| *count > 0);
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decimal_numbers_from_zero_to_a_billion_are_values() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("17", Ok(17_000)),
            (" 17 ", Ok(17_000)),
            ("+2.5", Ok(2_500)),
            ("1e3", Ok(1_000_000)),
            ("0.0004", Ok(0)), // less than half a thousandth
            ("0.0005", Ok(1)),
            ("-0", Ok(0)),
            ("1000000000", Ok(1_000_000_000_000)),
            ("1000000000.1", Err(LeftOut::TooLarge)),
            ("1e999", Err(LeftOut::TooLarge)),
            ("-0.001", Err(LeftOut::Negative)),
            ("-1e999", Err(LeftOut::Negative)),
            ("", Err(LeftOut::NoNumber)),
            (" ", Err(LeftOut::NoNumber)),
            ("soon", Err(LeftOut::NoNumber)),
            ("12 of 40", Err(LeftOut::NoNumber)),
            ("1,000", Err(LeftOut::NoNumber)),
            ("1_000", Err(LeftOut::NoNumber)),
            ("0x1F", Err(LeftOut::NoNumber)),
            ("true", Err(LeftOut::NoNumber)),
            ("[1]", Err(LeftOut::NoNumber)),
            ("inf", Err(LeftOut::NoNumber)),
            ("NaN", Err(LeftOut::NoNumber)),
        ] {
            assert_eq!(thousandths(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_value_comes_back_as_it_was_or_nearly() {
        let back = |value: f64| {
            let digits = Trend::Value.digits();
            let mut histogram = Histogram::new(digits).expect("valid digits");
            let kept = (value * THOUSANDTHS) as u64;
            histogram.record(kept).expect("it grows");
            shortest(&histogram, histogram.value_at_quantile(0.95))
        };
        // Whole numbers to a thousand come back exactly, others to a thousandth of themselves.
        for whole in 0..=1_000 {
            assert!(
                (back(f64::from(whole)) - f64::from(whole)).abs() < 1e-9,
                "{whole}"
            );
        }
        for round in [0.001, 0.5, 2.25, 99.9, 1_234.0, 5_000.0, 1e6, 1e9] {
            assert!((back(round) - round).abs() < 1e-9, "{round}");
        }
        for any in [3.163, 1_235.5, 54_321.0, 123_456_789.0] {
            assert!((back(any) / any - 1.0).abs() < 1e-3, "{any}");
        }
    }

    #[test]
    fn the_reasons_are_numbered_as_they_are_listed() {
        for (at, reason) in LeftOut::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
        }
    }
}
