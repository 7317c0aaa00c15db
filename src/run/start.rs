//! When a load begins: at once, or at a time that several instances were given.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::time::sleep_until;

use super::error::RunError;
use crate::load::RunClock;
use crate::scenario::value::Span;

/// So long before the load its threads are started, so that all of them are there.
const EARLY: Duration = Duration::from_millis(200);

/// A moment by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StartAt {
    /// Nanoseconds of Unix time.
    unix_ns: u64,
}

impl StartAt {
    /// Nanoseconds of Unix time.
    pub const fn unix_ns(self) -> u64 {
        self.unix_ns
    }

    /// Nothing is prepared for a load whose time is over.
    pub(super) fn is_to_come(self) -> Result<(), RunError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.not_before(now.unwrap_or_default().as_nanos() as u64)
    }

    /// Waits until shortly before it; when it is, on the clock of the run.
    pub(super) async fn wait(self, clock: RunClock, say: &dyn Fn(&str)) -> Result<u64, RunError> {
        let now_ns = clock.now_ns();
        self.not_before(clock.unix_ns() + now_ns)?;
        let start_ns = self.unix_ns - clock.unix_ns();
        let left = Duration::from_millis((start_ns - now_ns) / 1_000_000);
        say(&format!("the load begins at {self}, in {}", Span(left)));
        sleep_until(clock.instant(start_ns) - EARLY).await;
        Ok(start_ns)
    }

    fn not_before(self, unix_ns: u64) -> Result<(), RunError> {
        let late = Duration::from_nanos(unix_ns.saturating_sub(self.unix_ns));
        if unix_ns <= self.unix_ns {
            return Ok(());
        }
        Err(RunError::Late {
            at: self,
            by: Span(Duration::from_millis(late.as_millis() as u64)),
        })
    }
}

impl fmt::Display for StartAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH + Duration::from_nanos(self.unix_ns);
        write!(f, "{}", humantime::format_rfc3339(time))
    }
}

impl FromStr for StartAt {
    type Err = String;

    /// Reads a time of RFC 3339 in UTC.
    fn from_str(text: &str) -> Result<Self, String> {
        let time = humantime::parse_rfc3339(text).ok();
        let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let since = since.and_then(|since| u64::try_from(since.as_nanos()).ok());
        since.map(|unix_ns| Self { unix_ns }).ok_or_else(|| {
            format!("`{text}` is no time in UTC (hint: `date -u -d '+1 min' +%FT%TZ` says one)")
        })
    }
}

impl From<StartAt> for String {
    fn from(at: StartAt) -> Self {
        at.to_string()
    }
}

impl TryFrom<String> for StartAt {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_its_zone_is_none() {
        for text in [
            "",
            "12:00",
            "2026-11-22",
            "2026-11-22 12:00:00",
            "2026-11-22T12:00:00",
        ] {
            let error = text.parse::<StartAt>().expect_err(text);
            assert!(error.contains("date -u"), "{error}");
        }
        let at: StartAt = "2026-11-22T12:00:00.25Z".parse().expect("a time");
        assert_eq!(at.unix_ns() % 1_000_000_000, 250_000_000);
        assert_eq!(at.to_string().parse(), Ok(at));
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_whose_time_is_over_does_not_begin() {
        let clock = RunClock::start();
        let at = |ns: u64| StartAt {
            unix_ns: clock.unix_ns() + ns,
        };
        tokio::time::sleep(Duration::from_secs(5)).await;
        let begun = at(9_000_000_000).wait(clock, &|_| {}).await;
        assert!(matches!(begun, Ok(9_000_000_000)));
        assert_eq!(clock.now_ns() / 1_000_000, 8_800);
        let late = at(6_000_000_000).wait(clock, &|_| {}).await;
        let late = late.expect_err("it is over").to_string();
        assert!(late.contains("2.8"), "{late}");
    }
}
