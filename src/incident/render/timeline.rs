//! What happened when, as a table.

use std::fmt::Write as _;

use super::{Page, cited};
use crate::incident::evidence::{lasting, moment};

pub(super) fn part(page: &Page<'_>) -> String {
    let timeline = &page.incident.timeline;
    let mut out = page.heading("part.timeline");
    if timeline.entries.is_empty() {
        let _ = writeln!(out, "{}", page.text("timeline.none"));
        return out;
    }
    let start = page.evidence.moments.start_unix_ns;
    let rows = timeline.entries.iter().map(|entry| {
        let clock = start.map(|start| clock(start, entry.at_s));
        let since = timeline.detected_s.filter(|from| *from <= entry.at_s);
        let since = since.map(|from| format!("+{}", lasting(entry.at_s - from)));
        vec![
            moment(entry.at_s),
            clock.unwrap_or_else(|| "–".to_owned()),
            since.unwrap_or_else(|| "–".to_owned()),
            page.sentence(&entry.what),
            cited(&entry.what),
        ]
    });
    let head = [
        "timeline.load_time",
        "timeline.clock",
        "timeline.since",
        "timeline.what",
        "timeline.figures",
    ];
    out += &page.table(&head, rows);
    let _ = writeln!(out, "\n{}", page.text("timeline.note"));
    out
}

/// The time of day in UTC.
fn clock(start_unix_ns: u64, at_s: f64) -> String {
    let seconds = (start_unix_ns as f64 / 1e9 + at_s).max(0.0) as u64 % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn a_moment_has_its_time_of_day() {
        let start = 1_740_736_800_000_000_000; // 2025-02-28T10:00:00Z
        assert_eq!(clock(start, 0.0), "10:00:00");
        assert_eq!(clock(start, 61.9), "10:01:01");
        assert_eq!(clock(start, -0.5), "09:59:59");
    }
}
