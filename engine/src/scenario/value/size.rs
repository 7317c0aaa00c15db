//! A number of bytes: `256MB`, `64MiB`.

use std::fmt;
use std::str::FromStr;

use super::{ValueError, decimal};

/// In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// As in thresholds; of two names for one size the first is shown.
const UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

impl FromStr for Size {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        if decimal(text).is_some() {
            return Err(ValueError::new(
                format!("`{text}` has no unit"),
                format!("write `{text}MB` for megabytes or `{text}B` for bytes"),
            ));
        }
        let wrong = || {
            ValueError::new(
                format!("`{text}` is not a number of bytes"),
                "write it like `256MB`, `1.5GB` or `64MiB`",
            )
        };
        let end = text.find(|c: char| c.is_ascii_alphabetic());
        let (number, unit) = text.split_at(end.ok_or_else(wrong)?);
        let number = decimal(number.trim_end()).ok_or_else(wrong)?;
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, factor) = known.ok_or_else(wrong)?;
        let bytes = (number * *factor as f64).round();
        // Above 2^63 nobody could limit anything to it.
        if bytes >= (1_u64 << 63) as f64 {
            return Err(ValueError::new(
                format!("`{text}` is more than any machine has"),
                "check the unit: `kB`, `MB` or `GB`",
            ));
        }
        Ok(Self(bytes as u64))
    }
}

impl fmt::Display for Size {
    /// In the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, size): &&(&str, u64)| self.0.is_multiple_of(*size);
        let (unit, size) = UNITS.iter().find(fits).unwrap_or(&("B", 1));
        if self.0 == 0 {
            return f.write_str("0B");
        }
        write!(f, "{}{unit}", self.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let table = [
            ("256MB", 256_000_000, "256MB"),
            ("64MiB", 67_108_864, "64MiB"),
            ("1.5GB", 1_500_000_000, "1500MB"),
            ("1GiB", 1_073_741_824, "1GiB"),
            ("1_000kB", 1_000_000, "1MB"),
            ("7KB", 7_000, "7kB"),
            ("512 B", 512, "512B"),
            ("0B", 0, "0B"),
        ];
        for (text, bytes, shown) in table {
            let size: Size = text.parse().expect(text);
            assert_eq!((size.0, size.to_string().as_str()), (bytes, shown));
        }
    }

    #[test]
    fn refuses_what_is_ambiguous_or_no_size() {
        for text in [
            "",
            "MB",
            "256",
            "256mb",
            "-1MB",
            "1e3MB",
            "5 s",
            "99999999999GB",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
        let error = "256".parse::<Size>().expect_err("no unit");
        assert!(error.hint.expect("a hint").contains("`256MB`"));
    }
}
