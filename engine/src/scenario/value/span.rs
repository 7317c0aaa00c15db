//! A length of time: `500ms`, `1.5s`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{ValueError, decimal};

/// A length of time with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Longer runs are a mistake in the unit.
const LONGEST: Duration = Duration::from_hours(366 * 24);

const UNITS: [(&str, f64); 7] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];

impl FromStr for Span {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        if decimal(text).is_some() {
            return Err(ValueError::new(
                format!("`{text}` has no unit"),
                format!("write `{text}s` for seconds or `{text}ms` for milliseconds"),
            ));
        }
        let nanos = nanos(text).ok_or_else(|| {
            ValueError::new(
                format!("`{text}` is not a length of time"),
                "write it like `500ms`, `1.5s`, `2m` or `1h30m`",
            )
        })?;
        if nanos > LONGEST.as_nanos() as f64 {
            return Err(ValueError::new(
                format!("`{text}` is longer than a year"),
                "check the unit: `ms`, `s`, `m` or `h`",
            ));
        }
        Ok(Self(Duration::from_nanos(nanos.round() as u64)))
    }
}

/// The sum of all pieces, each a number with its unit.
fn nanos(text: &str) -> Option<f64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let number = decimal(&rest[..end])?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[..end])?;
        sum += number * unit.1;
        rest = &rest[end..];
    }
    (!text.is_empty()).then_some(sum)
}

impl fmt::Display for Span {
    /// Hours and minutes, and the rest as a decimal number: `1h30m`, `1.2s`, `800ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        for (size, unit) in [(3_600_000_000_000, "h"), (60_000_000_000, "m")] {
            if nanos >= size {
                write!(f, "{}{unit}", nanos / size)?;
                nanos %= size;
            }
        }
        let units = [(9, "s"), (6, "ms"), (3, "us"), (0, "ns")];
        let fits = |(digits, _): &(usize, &str)| nanos >= 10_u128.pow(*digits as u32);
        let Some((digits, unit)) = units.into_iter().find(fits) else {
            return Ok(());
        };
        let size = 10_u128.pow(digits as u32);
        let part = format!("{:0digits$}", nanos % size);
        match part.trim_end_matches('0') {
            "" => write!(f, "{}{unit}", nanos / size),
            part => write!(f, "{}.{part}{unit}", nanos / size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        let table = [
            ("500ms", 500_000_000, "500ms"),
            ("1.5s", 1_500_000_000, "1.5s"),
            ("2m", 120_000_000_000, "2m"),
            ("1h30m", 5_400_000_000_000, "1h30m"),
            ("100us", 100_000, "100us"),
            ("0", 0, "0s"), // nothing needs no unit
            ("0s", 0, "0s"),
            ("1_000ms", 1_000_000_000, "1s"),
            ("36h", 129_600_000_000_000, "36h"),
        ];
        for (text, nanos, shown) in table {
            let span: Span = text.parse().expect(text);
            assert_eq!(span.0.as_nanos(), nanos, "{text}");
            assert_eq!(span.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for text in [
            "", "s", "5", "1.5", "-1s", "1e3s", "5 s", "5x", "s5", "1.s", "999999h",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
        let error = "5".parse::<Span>().expect_err("no unit");
        assert!(error.hint.expect("a hint").contains("`5s`"));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(micros in 0_u64..30_000_000_000_000) {
            let span = Span(Duration::from_micros(micros));
            let back: Span = span.to_string().parse().expect("shown");
            // Sums of floating point pieces are exact to far below a microsecond.
            prop_assert!(back.0.abs_diff(span.0) < Duration::from_nanos(100));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Span>();
        }
    }
}
