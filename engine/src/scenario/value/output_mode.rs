//! What an output gets of a run: `raw`, `sample(1/n)`, `aggregate`.

use std::fmt;
use std::str::FromStr;

use super::{ValueError, digits};

/// How much of each attempt leaves the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// Each attempt.
    Raw,
    /// One attempt of so many, at least two: always the same ones of the same history.
    Sample(u64),
    /// No attempt: the figures of each second.
    #[default]
    Aggregate,
}

/// Fewer attempts than one in a million are no sample any more.
const RAREST: u64 = 1_000_000;

impl FromStr for OutputMode {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || {
            ValueError::new(
                format!("`{text}` is no mode of an output"),
                "write `raw`, `aggregate` or `sample(1/100)`",
            )
        };
        let text = text.trim();
        match text {
            "raw" => return Ok(Self::Raw),
            "aggregate" => return Ok(Self::Aggregate),
            _ => {}
        }
        let share = text.strip_prefix("sample(");
        let share = share.and_then(|share| share.strip_suffix(')'));
        let of = share.and_then(|share| share.trim().strip_prefix("1/"));
        let of = of.and_then(|of| digits(of)?.parse::<u64>().ok());
        match of.ok_or_else(wrong)? {
            1 => Err(ValueError::new(
                format!("`{text}` is every attempt"),
                "write `raw`",
            )),
            of @ 2..=RAREST => Ok(Self::Sample(of)),
            _ => Err(ValueError::new(
                format!("`{text}` is not between `sample(1/2)` and `sample(1/1_000_000)`"),
                "write `aggregate` for no attempt at all",
            )),
        }
    }
}

impl fmt::Display for OutputMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::Sample(of) => write!(f, "sample(1/{of})"),
            Self::Aggregate => f.write_str("aggregate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for (text, mode) in [
            ("raw", OutputMode::Raw),
            ("aggregate", OutputMode::Aggregate),
            ("sample(1/100)", OutputMode::Sample(100)),
        ] {
            let read: OutputMode = text.parse().expect(text);
            assert_eq!((read, read.to_string().as_str()), (mode, text));
        }
        let spaced: OutputMode = " sample( 1/1_000) ".parse().expect("a mode");
        assert_eq!(spaced, OutputMode::Sample(1_000));
    }

    #[test]
    fn what_is_no_mode_is_refused() {
        for text in [
            "",
            "all",
            "sample",
            "sample(1/1)",
            "sample(1/0)",
            "sample(2/3)",
            "sample(10%)",
            "sample(1/1000001)",
            "sample(1/99999999999999999999)",
        ] {
            assert!(text.parse::<OutputMode>().is_err(), "{text:?}");
        }
    }
}
