//! What the steps before and after the load came to, in one line each.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::{Block, Section, text};
use super::format::count;
use crate::measure::grouped;

/// When a step was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the load.
    Before,
    /// After the last read of the truth.
    After,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

/// One step of `before` or `after`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetupSummary {
    /// When it was done.
    pub moment: Moment,
    /// Its name.
    pub step: String,
    /// Where it stands in the scenario.
    pub place: String,
    /// How long it took.
    pub duration_s: f64,
    /// Rows that were changed; requests, commands or programs; none if it failed.
    pub count: Option<u64>,
    /// What is counted.
    pub unit: String,
    /// For so many users.
    pub users: Option<u64>,
    /// Why it failed, without secrets.
    pub failure: Option<String>,
}

impl fmt::Display for SetupSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (moment, step) = (self.moment, &self.step);
        let time = time(self.duration_s);
        if let Some(failure) = &self.failure {
            let place = &self.place;
            return write!(
                f,
                "{moment}: `{step}` ({place}) failed after {time}: {failure}"
            );
        }
        write!(f, "{moment}: `{step}`")?;
        if let Some(users) = self.users {
            write!(f, " for {}", counted(users, "users"))?;
        }
        if let Some(count) = self.count {
            write!(f, ", {}", counted(count, &self.unit))?;
        }
        write!(f, " in {time}")
    }
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", grouped(seconds * 1_000.0, 0))
    } else {
        format!("{} s", grouped(seconds, 1))
    }
}

/// A number with its word, which is given in the plural.
fn counted(number: u64, unit: &str) -> String {
    let unit = if number == 1 {
        unit.strip_suffix('s').unwrap_or(unit)
    } else {
        unit
    };
    format!("{} {unit}", count(number))
}

/// The section of written reports; failures are among their warnings.
pub(super) fn section(lines: &[SetupSummary]) -> Option<Section> {
    if lines.is_empty() {
        return None;
    }
    let lines = lines.iter().map(|line| text(line.to_string()));
    let list = Block::List(lines.collect());
    let title = "Before and after the load";
    Some(Section::new("setup", title, vec![list]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_done_and_for_whom() {
        let line = SetupSummary {
            moment: Moment::Before,
            step: "seed".to_owned(),
            place: "coupon.yaml:12".to_owned(),
            duration_s: 1.23,
            count: Some(10_000),
            unit: "rows".to_owned(),
            users: Some(10_000),
            failure: None,
        };
        let shown = "before: `seed` for 10,000 users, 10,000 rows in 1.2 s";
        assert_eq!(line.to_string(), shown);
        let line = SetupSummary {
            moment: Moment::After,
            count: Some(1),
            duration_s: 0.033,
            users: None,
            ..line
        };
        assert_eq!(line.to_string(), "after: `seed`, 1 row in 33 ms");
        let line = SetupSummary {
            failure: Some("the table is gone".to_owned()),
            ..line
        };
        let shown = "after: `seed` (coupon.yaml:12) failed after 33 ms: the table is gone";
        assert_eq!(line.to_string(), shown);
    }
}
