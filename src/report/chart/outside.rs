//! What was measured from outside, as lines of one panel each: nothing here draws.

use plotters::style::RGBColor;

use super::data::{Axis, Line};
use crate::report::{ResourceSummary, Summary};

/// One plot with its lines; there is at least one.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

/// What a panel shows of which kinds of sources.
pub(in crate::report) struct Shown {
    pub(in crate::report) title: &'static str,
    /// Kinds and metrics.
    what: &'static [(&'static str, &'static str)],
    /// It is of the second before its reading, and shown where that begins, as in the panels above.
    before_s: f64,
}

pub(in crate::report) const PANELS: [Shown; 5] = [
    Shown {
        title: "CPU in cores, by process",
        what: &[("process", "cpu")],
        before_s: 1.0,
    },
    Shown {
        title: "Connections, by service",
        what: &[("sql", "connections"), ("redis", "connections")],
        before_s: 0.0,
    },
    Shown {
        title: "Row-lock waits per second, by database",
        what: &[("sql", "row_lock_waits")],
        before_s: 1.0,
    },
    Shown {
        title: "Queries and commands per second, by service",
        what: &[("sql", "queries"), ("redis", "commands")],
        before_s: 1.0,
    },
    Shown {
        title: "Events that consumers have not read yet, by group",
        what: &[("kafka", "consumer_lag")],
        before_s: 0.0,
    },
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
    let panel = |shown: Shown| Panel {
        title: shown.title,
        lines: lines(summary, axis, &shown),
    };
    let panels = PANELS.into_iter().map(panel);
    panels.filter(|panel| !panel.lines.is_empty()).collect()
}

/// What one source said, with its name and colour.
pub(in crate::report) struct Readings<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) color: RGBColor,
    /// Seconds and values; none where it was silent.
    pub(in crate::report) values: Vec<(f64, Option<f64>)>,
}

/// The sources of a panel; what came after the load is left out.
pub(in crate::report) fn readings<'a>(
    summary: &'a Summary,
    axis: &Axis,
    shown: &Shown,
) -> Vec<Readings<'a>> {
    let mut colors = COLORS.into_iter().cycle();
    let readings = |resource: &'a ResourceSummary| {
        let (_, name) = shown.what.iter().find(|(kind, _)| resource.kind == *kind)?;
        let samples = resource.samples.iter();
        let samples = samples.filter(|one| axis.reaches(one.t_s));
        let values = samples.map(|one| {
            let at = (one.t_s - shown.before_s).max(0.0);
            (at, one.values.get(*name).copied())
        });
        let values: Vec<_> = values.collect();
        let color = colors.next().unwrap_or(RGBColor(0, 0, 0));
        let some = values.iter().any(|(_, value)| value.is_some());
        some.then_some(Readings {
            name: &resource.source,
            color,
            values,
        })
    };
    summary.resources.iter().filter_map(readings).collect()
}

fn lines(summary: &Summary, axis: &Axis, shown: &Shown) -> Vec<Line> {
    let line = |source: Readings<'_>| Line {
        name: source.name.to_owned(),
        color: source.color,
        parts: axis.parts(source.values.into_iter()),
    };
    let lines = readings(summary, axis, shown).into_iter().map(line);
    lines.filter(|line| !line.parts.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;

    #[test]
    fn a_panel_without_a_source_is_left_out() {
        let mut summary = fixture::failed();
        let mut lag = summary.resources[0].clone();
        lag.kind = "kafka".to_owned();
        for sample in &mut lag.samples {
            sample.values.insert("consumer_lag".to_owned(), 3.0);
        }
        summary.resources.push(lag);
        let titles = |summary: &Summary| {
            let panels = panels(summary, &Axis::of(summary)).into_iter();
            panels.map(|panel| panel.title).collect::<Vec<_>>()
        };
        assert_eq!(titles(&summary), PANELS.map(|shown| shown.title));
        summary.resources.retain(|one| one.kind != "sql");
        let left = [0, 1, 3, 4].map(|panel: usize| PANELS[panel].title);
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
