//! What the command line changes about a scenario.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::plan::Segment;
use crate::scenario::value::Listen;
use crate::scenario::{did_you_mean, list};

/// What the command line changes about a scenario.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Overrides {
    /// `--set path=value`, in order; applied to the text before it is decoded.
    pub set: Vec<String>,
    /// `--scale`.
    pub scale: Scale,
    /// `--url`: replaces the target.
    pub url: Option<String>,
    /// `--provider`: of a stack.
    pub provider: Option<String>,
    /// `--bug`: of a stack.
    pub bug: Option<String>,
    /// `--engine`: who generates the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--profile`: laid over the scenario before `set`.
    #[serde(default)]
    pub profile: Option<String>,
    /// `--env-file`: its path; the values are never kept.
    #[serde(default)]
    pub env_file: Option<String>,
    /// `--metrics`: where the page for Prometheus is.
    #[serde(default)]
    pub metrics: Option<Listen>,
    /// `--segment`: one of several instances that share the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<Segment>,
}

/// Factors, 1 by default.
///
/// Time scales what the load lasts: stages, `for` and `start_after`. It leaves alone what an
/// answer may take (timeouts, graceful stops, `within`) and pauses, which belong to the users.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Scale {
    /// Durations of the load.
    pub time: f64,
    /// VUs, and users of a stampede.
    pub vus: f64,
    /// Arrival rates.
    pub rate: f64,
    /// Iterations.
    pub iterations: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            time: 1.0,
            vus: 1.0,
            rate: 1.0,
            iterations: 1.0,
        }
    }
}

/// The factors that change something, or a first one that does not: the text reads back.
impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            vus,
            rate,
            iterations,
        } = *self;
        let factors = [
            ("time", time),
            ("vus", vus),
            ("rate", rate),
            ("iterations", iterations),
        ];
        let changed = factors
            .iter()
            .filter(|(_, factor)| factor.to_bits() != 1.0_f64.to_bits());
        let words: Vec<_> = changed
            .map(|(key, factor)| format!("{key}={factor}"))
            .collect();
        if words.is_empty() {
            f.write_str("time=1")
        } else {
            f.write_str(&words.join(","))
        }
    }
}

/// Larger factors are a mistake.
const LARGEST: f64 = 1_000_000.0;

impl FromStr for Scale {
    type Err = String;

    /// Reads `time=0.1,vus=0.5`.
    fn from_str(text: &str) -> Result<Self, String> {
        const KEYS: [&str; 4] = ["time", "vus", "rate", "iterations"];
        let mut scale = Self::default();
        let mut seen = Vec::new();
        for piece in text.split(',') {
            let (key, factor) = piece.split_once('=').ok_or_else(|| {
                format!("`{piece}` is not `key=factor` (hint: `time=0.1,vus=0.5`)")
            })?;
            let key = key.trim();
            let place = match key {
                "time" => &mut scale.time,
                "vus" => &mut scale.vus,
                "rate" => &mut scale.rate,
                "iterations" => &mut scale.iterations,
                _ => {
                    let hint = did_you_mean(key, &KEYS);
                    return Err(format!("`{key}` cannot be scaled (hint: {hint})"));
                }
            };
            if seen.contains(&key) {
                return Err(format!(
                    "`{key}` is there twice (hint: keep one of {})",
                    list(&[key])
                ));
            }
            seen.push(key);
            let number: Option<f64> = factor.trim().parse().ok();
            *place = number
                .filter(|number| *number > 0.0 && *number <= LARGEST)
                .ok_or_else(|| {
                    format!("`{factor}` is not a factor above 0 (hint: write `{key}=0.1`)")
                })?;
        }
        Ok(scale)
    }
}

impl Scale {
    /// A length of the load. What lasted any time still does.
    pub(super) fn time(self, duration: Duration) -> Duration {
        let nanos = (duration.as_nanos() as f64 * self.time).round() as u64;
        let least = u64::from(!duration.is_zero()) * 1_000_000;
        Duration::from_nanos(nanos.max(least.min(duration.as_nanos() as u64)))
    }

    /// A number of VUs. What was above zero stays at least 1.
    pub(super) fn vus(self, vus: u64) -> u64 {
        scaled(vus, self.vus)
    }

    /// A number of iterations. What was above zero stays at least 1.
    pub(super) fn iterations(self, iterations: u64) -> u64 {
        scaled(iterations, self.iterations)
    }

    /// A rate per second.
    pub(super) fn rate(self, rate: f64) -> f64 {
        rate * self.rate
    }
}

fn scaled(number: u64, factor: f64) -> u64 {
    ((number as f64 * factor).round() as u64).max(u64::from(number > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_factors() {
        let scale: Scale = "time=0.1, vus=0.5".parse().expect("factors");
        let expected = Scale {
            time: 0.1,
            vus: 0.5,
            ..Scale::default()
        };
        assert_eq!(scale, expected);
    }

    #[test]
    fn says_what_is_wrong_with_a_factor() {
        let table = [
            ("tiem=1", "did you mean `time`?"),
            ("time", "is not `key=factor`"),
            ("time=0", "above 0"),
            ("time=-1", "above 0"),
            ("time=nan", "above 0"),
            ("time=inf", "above 0"),
            ("time=1,time=2", "twice"),
            ("", "is not `key=factor`"),
        ];
        for (text, reason) in table {
            let error = text.parse::<Scale>().expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_is_scaled_away() {
        let scale: Scale = "time=0.000001,vus=0.001".parse().expect("factors");
        assert_eq!(scale.vus(10), 1);
        assert_eq!(scale.vus(0), 0);
        assert_eq!(scale.time(Duration::from_secs(1)), Duration::from_millis(1));
        assert_eq!(scale.time(Duration::ZERO), Duration::ZERO);
    }
}
