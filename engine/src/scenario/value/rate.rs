//! Starts per time: `100/s`, `6000/m`, `5/h`.

use std::fmt;
use std::str::FromStr;

use super::{ValueError, decimal};

/// Per second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// More starts per second than one generator could ever make.
const HIGHEST: f64 = 10_000_000.0;

impl FromStr for Rate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let wrong = || {
            ValueError::new(
                format!("`{text}` is not a rate"),
                "write it like `100/s`, `6000/m` or `5/h`",
            )
        };
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit.trim() {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let rate = decimal(number.trim()).ok_or_else(wrong)? / seconds;
        if rate > HIGHEST {
            return Err(ValueError::new(
                format!("`{text}` is more than {HIGHEST} per second"),
                "check the unit: `/s`, `/m` or `/h`",
            ));
        }
        Ok(Self(rate))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |number: f64| (number - number.round()).abs() < 1e-9;
        for (seconds, unit) in [(1.0, "s"), (60.0, "m"), (3600.0, "h")] {
            if whole(self.0 * seconds) {
                return write!(f, "{}/{unit}", (self.0 * seconds).round());
            }
        }
        write!(f, "{:.3}/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        let table = [
            ("100/s", 100.0, "100/s"),
            ("6000/m", 100.0, "100/s"),
            ("90/m", 1.5, "90/m"),
            ("5/h", 5.0 / 3600.0, "5/h"),
            ("100", 100.0, "100/s"), // as k6, where the unit is a second
            ("0.5", 0.5, "30/m"),
            ("5_000 / s", 5000.0, "5000/s"),
            ("0/s", 0.0, "0/s"),
        ];
        for (text, rate, shown) in table {
            let read: Rate = text.parse().expect(text);
            assert!((read.0 - rate).abs() < 1e-9, "{text}");
            assert_eq!(read.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn refuses_other_units() {
        for text in ["", "/s", "5/ms", "5/2s", "-1/s", "x/s", "100000000/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?}");
        }
    }
}
