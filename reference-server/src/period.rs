//! When a coupon can be asked for: from one moment, before another.

use std::str::FromStr;

use crate::coupon::IssueError;
use crate::timestamp::Timestamp;

/// A moment as it is given on the command line: RFC 3339, or Unix time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(Timestamp);

/// What was given is no moment.
#[derive(Debug, thiserror::Error)]
#[error("expected a time like 2026-01-31T09:00:00+09:00, or milliseconds of Unix time")]
pub struct BadMoment;

impl FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let at = match text.parse::<i64>() {
            Ok(millis) => millis.checked_mul(1000).map(Timestamp::from_micros),
            Err(_) => Timestamp::from_rfc3339(text),
        };
        at.map(Self).ok_or(BadMoment)
    }
}

/// Open at any time unless it is said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Period {
    pub(crate) opens: Option<Moment>,
    pub(crate) closes: Option<Moment>,
}

impl Period {
    /// Open in the instant of opening, closed in the one of closing.
    pub(crate) fn check(self, now: Timestamp) -> Result<(), IssueError> {
        if self.opens.is_some_and(|Moment(opens)| now < opens) {
            return Err(IssueError::NotOpen("the coupon is not open yet"));
        }
        if self.closes.is_some_and(|Moment(closes)| now >= closes) {
            return Err(IssueError::NotOpen("the coupon is closed"));
        }
        Ok(())
    }

    /// Both ends as JSON: a text, or null.
    pub(crate) fn as_json(self) -> [String; 2] {
        [self.opens, self.closes]
            .map(|end| end.map_or("null".to_owned(), |Moment(at)| format!("\"{at}\"")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<String> {
        text.parse().ok().map(|Moment(at)| at.to_string())
    }

    #[test]
    fn takes_a_time_as_people_write_it() {
        let cases = [
            ("2026-01-31T09:00:00+09:00", "2026-01-31T00:00:00.000000Z"), // Seoul
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"), // over the year's end
            ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500000Z"),    // leap day
            (
                "2024-02-29t00:00:00.123456789-00:30",
                "2024-02-29T00:30:00.123456Z",
            ), // below a microsecond
            ("1735689599999", "2024-12-31T23:59:59.999000Z"),             // milliseconds
        ];
        for (text, at) in cases {
            assert_eq!(moment(text).as_deref(), Some(at), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        let texts = [
            "",
            "tomorrow",
            "2026-01-31",
            "2026-01-31T09:00:00",  // of which zone?
            "2026-02-29T00:00:00Z", // no leap year
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:60:00Z",
            "2026-01-31T09:00:00+24:00",
            "2026-01-31T09:00:00.Z",
            "2026-01-31T09:00:00Z ",
            "+026-01-31T09:00:00Z",
            "2026-01-31T09:00:0é",
            "9223372036854775807", // beyond what microseconds hold
        ];
        for text in texts {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn is_open_from_the_first_instant_and_before_the_last() {
        let period = Period {
            opens: Some("1000".parse().unwrap()),
            closes: Some("2000".parse().unwrap()),
        };
        let cases = [
            (999_999, false),
            (1_000_000, true),
            (1_999_999, true),
            (2_000_000, false),
        ];
        for (micros, open) in cases {
            let answer = period.check(Timestamp::from_micros(micros));
            assert_eq!(answer.is_ok(), open, "{micros}");
        }
        assert!(Period::default().check(Timestamp::from_micros(0)).is_ok());
    }
}
