//! A share of a whole: `2%`, `0.02`.

use std::fmt;
use std::str::FromStr;

use super::{ValueError, decimal};

/// From 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let (number, whole) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), 100.0),
            None => (text, 1.0),
        };
        let share = decimal(number).map(|number| number / whole);
        let share = share.ok_or_else(|| {
            ValueError::new(
                format!("`{text}` is not a share"),
                "write it like `2%` or `0.02`",
            )
        })?;
        if share > 1.0 {
            let hint = if text.ends_with('%') {
                "the whole is `100%`".to_owned()
            } else {
                format!("write `{number}%` for percent")
            };
            return Err(ValueError::new(
                format!("`{text}` is more than the whole"),
                hint,
            ));
        }
        Ok(Self(share))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded, so that 0.07 does not read 7.000000000000001.
        let percent = (self.0 * 100.0 * 1e9).round() / 1e9;
        write!(f, "{percent}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_percent_and_parts_of_one() {
        let table = [
            ("2%", "2%"),
            ("0.02", "2%"),
            ("0", "0%"),
            ("1", "100%"),
            ("0.5 %", "0.5%"),
            ("0.07", "7%"),
        ];
        for (text, shown) in table {
            assert_eq!(text.parse::<Share>().expect(text).to_string(), shown);
        }
    }

    #[test]
    fn refuses_more_than_the_whole() {
        for text in ["2", "101%", "-1%", "", "%", "x", "nan"] {
            assert!(text.parse::<Share>().is_err(), "{text:?}");
        }
    }
}
