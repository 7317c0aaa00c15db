//! A whole number: `5000`, `200_000`.

use std::fmt;
use std::str::FromStr;

use super::{ValueError, digits};

/// A whole number, not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl FromStr for Count {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        // Above 2^63 an id or a sum could no longer be told from a mark.
        let number = digits(text)
            .and_then(|digits| digits.parse::<u64>().ok())
            .filter(|number| *number < 1 << 63);
        number.map(Self).ok_or_else(|| {
            ValueError::new(
                format!("`{text}` is not a whole number"),
                "write it like `5000` or `200_000`",
            )
        })
    }
}

impl fmt::Display for Count {
    /// With `_` between thousands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str("_")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_underscores() {
        let table = [
            ("0", 0, "0"),
            ("5000", 5000, "5_000"),
            ("200_000", 200_000, "200_000"),
        ];
        for (text, number, shown) in table {
            let count: Count = text.parse().expect(text);
            assert_eq!((count.0, count.to_string().as_str()), (number, shown));
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "-1",
            "1.5",
            "5k",
            "1e3",
            "_1",
            "1_",
            "99999999999999999999",
            "٣",
        ] {
            assert!(text.parse::<Count>().is_err(), "{text:?}");
        }
    }
}
