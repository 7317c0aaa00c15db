//! What the chart shows, as points, colours and names: nothing here draws.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use crate::report::format::one_line;
use crate::report::{Sample, Summary};

/// Time and value.
pub(super) type Points = Vec<(f64, f64)>;

/// The horizontal axis: from 0 to `end` in its own unit.
pub(in crate::report) struct Axis {
    pub(super) end: f64,
    pub(super) unit: &'static str,
    seconds: f64,
    /// How long the last sample lasts.
    last: f64,
}

/// The search for round numbers on an axis does not end in reasonable time far beyond what can be
/// measured, and a summary may come from a file: what lies outside of these is cut.
const LATEST_S: f64 = 1e9;
pub(super) const HIGHEST: f64 = 1e12;
/// The lowest on a logarithmic axis.
pub(super) const LOWEST: f64 = 1e-3;

impl Axis {
    pub(in crate::report) fn of(summary: &Summary) -> Self {
        let times = summary.samples.iter().map(|sample| sample.t_s);
        let times: Vec<_> = times.filter(|at| is_moment(*at)).collect();
        let step = match times.as_slice() {
            [.., before, last] if last > before => last - before,
            _ => 1.0,
        };
        let sampled = times.iter().copied().fold(0.0, f64::max) + step;
        let duration = Some(summary.duration_s).filter(|duration| is_moment(*duration));
        let all = duration.unwrap_or_default().max(sampled);
        let (seconds, unit) = match all {
            short if short <= 300.0 => (1.0, "s"),
            medium if medium <= 7200.0 => (60.0, "min"),
            _ => (3600.0, "h"),
        };
        Self {
            end: all / seconds,
            unit,
            seconds,
            last: step,
        }
    }

    /// Where it ends, in seconds.
    pub(in crate::report) fn end_s(&self) -> f64 {
        self.end * self.seconds
    }

    /// Whether it is of the load, or just behind it.
    pub(in crate::report) fn reaches(&self, seconds: f64) -> bool {
        self.at(seconds - self.last) <= self.end
    }

    pub(super) fn at(&self, seconds: f64) -> f64 {
        seconds / self.seconds
    }

    /// The value of each sample; a sample without one interrupts the line. The last point of each
    /// part lasts as long as a sample, so that a single one is seen too.
    pub(super) fn points(
        &self,
        summary: &Summary,
        mut value: impl FnMut(&Sample) -> Option<f64>,
    ) -> Vec<Points> {
        let samples = summary.samples.iter();
        self.parts(samples.map(|sample| (sample.t_s, value(sample))))
    }

    /// The same of any seconds and values.
    pub(super) fn parts(&self, values: impl Iterator<Item = (f64, Option<f64>)>) -> Vec<Points> {
        self.parts_above(0.0, values)
    }

    /// The same, where `lowest` is the lowest that is believed.
    pub(super) fn parts_above(
        &self,
        lowest: f64,
        values: impl Iterator<Item = (f64, Option<f64>)>,
    ) -> Vec<Points> {
        let mut parts = Vec::new();
        let mut part: Points = Vec::new();
        for (at, value) in values {
            let value = value.filter(|value| value.is_finite() && is_moment(at));
            match value {
                Some(value) => part.push((self.at(at), value.clamp(lowest, HIGHEST))),
                None => parts.push(std::mem::take(&mut part)),
            }
        }
        parts.push(part);
        parts.retain(|part| !part.is_empty());
        for part in &mut parts {
            if let Some(&(at, value)) = part.last() {
                part.push((at + self.at(self.last), value));
            }
        }
        parts
    }
}

pub(in crate::report) fn is_moment(seconds: f64) -> bool {
    (0.0..=LATEST_S).contains(&seconds)
}

/// One outcome of the stack: `top` is the sum of this and all lower ones.
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) color: RGBColor,
    pub(super) top: Points,
}

/// Outcomes that fit into the legend; the rare rest is one layer.
const MAX_LAYERS: usize = 10;

/// Colours that stay apart for the colour-blind: what was won is green, what went wrong is red.
const COLORS: [(&str, RGBColor); 10] = [
    ("issued", RGBColor(0, 158, 115)),
    ("replay", RGBColor(140, 209, 180)),
    ("pending", RGBColor(86, 180, 233)),
    ("ok", RGBColor(0, 114, 178)),
    ("sold_out", RGBColor(160, 168, 180)),
    ("duplicate", RGBColor(240, 200, 80)),
    ("refused", RGBColor(200, 160, 110)),
    ("not_sent", RGBColor(90, 90, 90)),
    ("error", RGBColor(230, 120, 50)),
    ("unknown", RGBColor(200, 30, 60)),
];

/// For the names that a scenario makes up; they lie between the refusals and the failures.
const OTHERS: [RGBColor; 6] = [
    RGBColor(204, 121, 167),
    RGBColor(120, 94, 240),
    RGBColor(150, 190, 90),
    RGBColor(80, 140, 150),
    RGBColor(180, 140, 200),
    RGBColor(140, 110, 90),
];

/// The colour of a built-in outcome, by its name in a scenario.
pub(in crate::report) fn outcome_color(name: &str) -> RGBColor {
    let known = COLORS.iter().find(|(known, _)| *known == name);
    known.map_or(OTHERS[0], |(_, color)| *color)
}

/// Outcomes that are shown as one.
pub(in crate::report) struct Group<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) color: RGBColor,
    members: Vec<&'a str>,
}

impl Group<'_> {
    /// How many there were in a second.
    pub(in crate::report) fn rate(&self, sample: &Sample) -> f64 {
        let rates = self.members.iter();
        let rates = rates.filter_map(|name| sample.outcomes.get(*name));
        rates.filter(|rate| rate.is_finite()).sum()
    }
}

/// The outcomes that occurred, the lowest of the stack first.
pub(in crate::report) fn outcome_groups(summary: &Summary) -> Vec<Group<'_>> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for sample in &summary.samples {
        for (name, rate) in &sample.outcomes {
            if rate.is_finite() && *rate > 0.0 {
                *sums.entry(name).or_default() += rate;
            }
        }
    }
    let mut names: Vec<_> = sums.into_iter().collect();
    names.sort_by(|one, other| other.1.total_cmp(&one.1));
    let rare = names.split_off(names.len().min(MAX_LAYERS));
    let mut groups: Vec<(String, Vec<&str>)> = names
        .into_iter()
        .map(|(name, _)| (name.to_owned(), vec![name]))
        .collect();
    if !rare.is_empty() {
        let names = rare.iter().map(|(name, _)| *name).collect();
        groups.push((format!("{} others", rare.len()), names));
    }
    groups.sort_by_key(|(name, _)| place(name));
    let mut others = OTHERS.into_iter().cycle();
    let group = |(name, members): (String, _)| {
        let known = COLORS.iter().find(|(known, _)| *known == name);
        let color = known.map(|(_, color)| *color).or_else(|| others.next());
        Group {
            color: color.unwrap_or(RGBColor(0, 0, 0)),
            name,
            members,
        }
    };
    groups.into_iter().map(group).collect()
}

/// The same as areas one above the other.
pub(super) fn outcome_layers(summary: &Summary, axis: &Axis) -> Vec<Layer> {
    let mut base = vec![0.0; summary.samples.len()];
    let layer = |group: Group<'_>| {
        for (base, sample) in base.iter_mut().zip(&summary.samples) {
            *base = (*base + group.rate(sample)).clamp(0.0, HIGHEST);
        }
        let mut values = base.iter().copied();
        let top = axis.points(summary, |_| values.next());
        Layer {
            name: group.name,
            color: group.color,
            top: top.concat(),
        }
    };
    outcome_groups(summary).into_iter().map(layer).collect()
}

fn place(name: &str) -> usize {
    let failures = COLORS.len() - 3;
    let known = COLORS.iter().position(|(known, _)| *known == name);
    // Doubled, so that names of the scenario's own have a place between.
    known.map_or(failures * 2 - 1, |place| place * 2)
}

/// Values over time; each part is a stretch without a gap.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) color: RGBColor,
    pub(super) parts: Vec<Points>,
}

/// The name, colour and value of a percentile.
pub(in crate::report) type Percentile = (&'static str, RGBColor, fn(&Sample) -> Option<f64>);

/// The percentiles of the response time, the lowest first.
pub(in crate::report) const PERCENTILES: [Percentile; 3] = [
    ("p50", RGBColor(0, 158, 115), |sample| sample.p50_ms),
    ("p95", RGBColor(230, 159, 0), |sample| sample.p95_ms),
    ("p99", RGBColor(200, 30, 60), |sample| sample.p99_ms),
];

/// Their lines.
pub(super) fn time_lines(summary: &Summary, axis: &Axis) -> [Line; 3] {
    PERCENTILES.map(|(name, color, value)| Line {
        name: name.to_owned(),
        color,
        parts: axis.points(summary, value),
    })
}

/// Where phases begin, with their names; phases that begin together share a mark.
pub(super) fn phase_marks(summary: &Summary, axis: &Axis) -> Vec<(f64, String)> {
    let mut phases: Vec<_> = summary
        .phases
        .iter()
        .filter(|phase| is_moment(phase.from_s))
        .map(|phase| (axis.at(phase.from_s), one_line(&phase.phase)))
        .filter(|(at, _)| (0.0..axis.end).contains(at))
        .collect();
    phases.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut marks: Vec<(f64, String)> = Vec::new();
    for (at, name) in phases {
        match marks.last_mut() {
            Some((last, names)) if at - *last < 1e-9 => {
                *names += ", ";
                *names += &name;
            }
            _ => marks.push((at, name)),
        }
    }
    marks
}

/// Pixels, row and text of each name that has room in one of two rows; a mark whose name has none
/// keeps its line.
pub(super) fn mark_rows(marks: &[(f64, String)], scale: f64) -> Vec<(i32, u32, String)> {
    let mut free = [i32::MIN; 2];
    let mut rows = Vec::new();
    for (at, name) in marks {
        let left = (at * scale).round() as i32;
        let name = clipped(name, 20);
        let room = free.iter().position(|free| *free <= left);
        if let Some(row) = room {
            free[row] = left + 10 + width(&name);
            rows.push((left, row as u32, name));
        }
    }
    rows
}

/// About as wide as the text is drawn: letters of Hangul and Han are twice as wide.
fn width(text: &str) -> i32 {
    let wide = |char: char| if char >= '\u{1100}' { 14 } else { 8 };
    text.chars().map(wide).sum()
}

/// At most so many characters.
pub(in crate::report) fn clipped(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(length - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;

    #[test]
    fn layers_add_up_to_all_attempts() {
        let summary = fixture::passed();
        let layers = outcome_layers(&summary, &Axis::of(&summary));
        let names: Vec<_> = layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["issued", "sold_out", "duplicate", "unknown"]);
        let top = &layers.last().expect("four of them").top;
        let sum: f64 = summary.samples[30].outcomes.values().sum();
        assert!((top[30].1 - sum).abs() < 1e-9);
    }

    #[test]
    fn rare_outcomes_share_a_layer() {
        let mut summary = fixture::passed();
        for index in 0..20 {
            let outcomes = &mut summary.samples[0].outcomes;
            outcomes.insert(format!("own_{index:02}"), 20.0 - f64::from(index));
        }
        let layers = outcome_layers(&summary, &Axis::of(&summary));
        assert_eq!(layers.len(), MAX_LAYERS + 1);
        let name = |wanted: &str| layers.iter().position(|layer| layer.name == wanted);
        assert!(name("14 others") > name("sold_out"));
        assert!(name("14 others") < name("unknown"));
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let summary = fixture::passed();
        let [p50, ..] = time_lines(&summary, &Axis::of(&summary));
        assert_eq!(p50.parts.len(), 2);
    }

    #[test]
    fn names_without_room_are_left_out() {
        let marks: Vec<_> = (0..5)
            .map(|at| (f64::from(at), "a phase".to_owned()))
            .collect();
        let places = |scale| {
            let rows = mark_rows(&marks, scale).into_iter();
            rows.map(|(left, row, _)| (left, row)).collect::<Vec<_>>()
        };
        assert_eq!(
            places(100.0),
            [(0, 0), (100, 0), (200, 0), (300, 0), (400, 0)]
        );
        assert_eq!(places(35.0), [(0, 0), (35, 1), (70, 0), (105, 1), (140, 0)]);
        assert_eq!(places(1.0), [(0, 0), (1, 1)]);
    }

    #[test]
    fn phases_that_begin_together_share_a_mark() {
        let mut summary = fixture::passed();
        let mut other = summary.phases[1].clone();
        other.phase = "browse".to_owned();
        summary.phases.push(other);
        let marks = phase_marks(&summary, &Axis::of(&summary));
        assert_eq!(
            marks,
            [(0.0, "climb".into()), (30.0, "hold, browse".into())]
        );
    }
}
