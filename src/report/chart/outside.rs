//! What was measured from outside, as lines of one panel each: nothing here draws.

use plotters::style::RGBColor;

use super::data::{Axis, Line};
use crate::report::{ResourceSummary, Summary};

/// One plot with its lines; there is at least one.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

/// What is shown of which kinds of sources.
const PANELS: [(&str, &[(&str, &str)]); 4] = [
    ("CPU in cores, by process", &[("process", "cpu")]),
    (
        "Connections, by service",
        &[("sql", "connections"), ("redis", "connections")],
    ),
    (
        "Row-lock waits per second, by database",
        &[("sql", "row_lock_waits")],
    ),
    (
        "Queries and commands per second, by service",
        &[("sql", "queries"), ("redis", "commands")],
    ),
];

/// Colours that stay apart for the colour-blind; with more lines they begin again.
const COLORS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(200, 30, 60),
    RGBColor(120, 94, 240),
    RGBColor(90, 90, 90),
];

/// The panels that have something to show.
pub(super) fn panels(summary: &Summary, axis: &Axis) -> Vec<Panel> {
    let panel = |(title, shown): (&'static str, &[(&str, &str)])| Panel {
        title,
        lines: lines(summary, axis, shown),
    };
    let panels = PANELS.into_iter().map(panel);
    panels.filter(|panel| !panel.lines.is_empty()).collect()
}

fn lines(summary: &Summary, axis: &Axis, shown: &[(&str, &str)]) -> Vec<Line> {
    let mut colors = COLORS.into_iter().cycle();
    let line = |resource: &ResourceSummary| {
        let (_, name) = shown.iter().find(|(kind, _)| resource.kind == *kind)?;
        let samples = resource.samples.iter();
        let values = samples.map(|one| (one.t_s.max(0.0), one.values.get(*name).copied()));
        let line = Line {
            name: resource.source.clone(),
            color: colors.next().unwrap_or(RGBColor(0, 0, 0)),
            parts: axis.parts(values),
        };
        Some(line).filter(|line| !line.parts.is_empty())
    };
    summary.resources.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;

    #[test]
    fn a_panel_without_a_source_is_left_out() {
        let mut summary = fixture::failed();
        let titles = |summary: &Summary| {
            let panels = panels(summary, &Axis::of(summary)).into_iter();
            panels.map(|panel| panel.title).collect::<Vec<_>>()
        };
        assert_eq!(titles(&summary), PANELS.map(|(title, _)| title));
        summary.resources.retain(|one| one.kind != "sql");
        let left = [PANELS[0].0, PANELS[1].0, PANELS[3].0];
        assert_eq!(titles(&summary), left);
        summary.resources.clear();
        assert!(titles(&summary).is_empty());
    }

    #[test]
    fn a_source_that_was_silent_leaves_a_gap_in_its_line() {
        let summary = fixture::failed();
        let panels = panels(&summary, &Axis::of(&summary));
        let of = |panel: usize, name: &str| {
            let line = panels[panel].lines.iter().find(|line| line.name == name);
            line.map(|line| line.parts.len())
        };
        assert_eq!(of(1, "redis-1"), Some(1));
        assert_eq!(of(1, "mysql"), Some(2));
    }
}
