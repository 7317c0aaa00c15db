//! What became of the points that left the run.

use serde::{Deserialize, Serialize};

use super::format::count;

/// One output. All its points are in exactly one of the first three counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSummary {
    /// The output and where it writes to, without secrets.
    pub name: String,
    /// Points that were taken.
    pub points_written: u64,
    /// Points that are nowhere: beyond the bound of the spool, or refused by the store.
    pub points_dropped: u64,
    /// Points that are left in the run directory.
    pub points_spooled_left: u64,
    /// Requests that were made once more.
    pub retries: u64,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
    /// The command that sends what is left.
    pub resend: Option<String>,
}

impl OutputSummary {
    /// Whether not everything arrived, in one sentence.
    pub fn warning(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.points_dropped > 0 {
            parts.push(format!("{} were dropped", count(self.points_dropped)));
        }
        if self.points_spooled_left > 0 {
            let left = count(self.points_spooled_left);
            parts.push(format!("{left} are left in the run directory"));
        }
        let of = count(self.points_written + self.points_dropped + self.points_spooled_left);
        let why = self.last_error.as_ref();
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        let what = parts.join(", ");
        let text = || format!("output {}: of {of} points {what}{why}", self.name);
        // What went out after all is no reason to worry.
        (!parts.is_empty()).then(text)
    }

    /// What others have said.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let more = self.last_error.iter_mut().chain(&mut self.resend);
        more.chain([&mut self.name])
    }
}

/// The table's head.
pub(super) const HEAD: [&str; 6] = [
    "Output",
    "Points written",
    "Dropped",
    "Left",
    "Retries",
    "Last error",
];

/// The cells of a row behind the name, and the text of the last error.
pub(super) fn figures(output: &OutputSummary) -> [String; 4] {
    [
        count(output.points_written),
        count(output.points_dropped),
        count(output.points_spooled_left),
        count(output.retries),
    ]
}
