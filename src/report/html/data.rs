//! What the interactive charts show, as JSON; they draw the same points as the still picture.

use std::collections::BTreeSet;

use plotters::style::RGBColor;
use serde::{Serialize, Serializer};

use crate::report::chart::{
    Axis, PANELS, PERCENTILES, STOCK, is_moment, outcome_groups, readings, stock,
};
use crate::report::format::one_line;
use crate::report::{Sample, Summary};

#[derive(Serialize)]
struct Data {
    /// Seconds.
    end: f64,
    panels: Vec<Panel>,
    phases: Vec<Span>,
    faults: Vec<Span>,
}

#[derive(Serialize)]
struct Panel {
    title: &'static str,
    kind: Kind,
    /// Seconds since the start of the load.
    t: Vec<Number>,
    series: Vec<Series>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Lines,
    Stack,
    Times,
}

#[derive(Serialize)]
struct Series {
    name: String,
    unit: &'static str,
    light: String,
    dark: String,
    /// On an axis of its own.
    right: bool,
    filled: bool,
    values: Vec<Option<Number>>,
}

/// Whole numbers are written without a fraction: a page has thousands of them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[derive(Serialize)]
struct Span {
    name: String,
    from: f64,
    to: f64,
}

/// The data of all charts.
pub(super) fn data(summary: &Summary) -> String {
    let axis = Axis::of(summary);
    let mut panels = Vec::new();
    if !summary.samples.is_empty() {
        panels.extend([load(summary), outcomes(summary), times(summary)]);
        panels.extend(left(summary));
    }
    panels.extend(outside(summary, &axis));
    for panel in &mut panels {
        panel.cover(axis.end_s());
    }
    let data = Data {
        end: axis.end_s(),
        panels,
        phases: phases(summary, &axis),
        faults: faults(summary, &axis),
    };
    serde_json::to_string(&data).expect("names and finite numbers are JSON")
}

impl Panel {
    /// All panels begin and end together, with or without a value there.
    fn cover(&mut self, end_s: f64) {
        if self.t.first().is_none_or(|first| first.0 > 0.0) {
            self.t.insert(0, Number(0.0));
            self.series
                .iter_mut()
                .for_each(|one| one.values.insert(0, None));
        }
        if self.t.last().is_none_or(|last| last.0 < end_s) {
            self.t.push(Number(end_s));
            // A sample lasts until the next one would come.
            for one in &mut self.series {
                one.values.push(one.values.last().copied().flatten());
            }
        }
    }
}

impl Series {
    fn new(name: &str, unit: &'static str, color: RGBColor, values: Vec<Option<f64>>) -> Self {
        Self {
            name: one_line(name),
            unit,
            light: hex(color),
            dark: hex(lighter(color)),
            right: false,
            filled: false,
            values: values
                .into_iter()
                .map(|value| value.and_then(rounded))
                .collect(),
        }
    }
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// For a dark ground: the darker a colour, the more.
fn lighter(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let luminance = 0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue);
    let share = (0.55 - luminance / 255.0 * 0.75).clamp(0.0, 0.5);
    let mixed = |part: u8| (f64::from(part) + (255.0 - f64::from(part)) * share) as u8;
    RGBColor(mixed(red), mixed(green), mixed(blue))
}

/// Four digits are more than a chart shows.
fn rounded(value: f64) -> Option<Number> {
    if !value.is_finite() || value.abs() > 1e12 {
        return None;
    }
    if value == 0.0 {
        return Some(Number(0.0));
    }
    let digits = (4.0 - value.abs().log10().ceil()).clamp(0.0, 6.0);
    let scale = 10_f64.powf(digits);
    Some(Number((value * scale).round() / scale))
}

fn at_moments(summary: &Summary) -> impl Iterator<Item = &Sample> {
    let samples = summary.samples.iter();
    samples.filter(|sample| is_moment(sample.t_s))
}

fn values(summary: &Summary, value: impl Fn(&Sample) -> Option<f64>) -> Vec<Option<f64>> {
    at_moments(summary).map(value).collect()
}

fn panel(summary: &Summary, title: &'static str, kind: Kind, series: Vec<Series>) -> Panel {
    Panel {
        title,
        kind,
        t: at_moments(summary)
            .map(|sample| Number(sample.t_s))
            .collect(),
        series,
    }
}

fn load(summary: &Summary) -> Panel {
    const REQUESTS: RGBColor = RGBColor(0, 114, 178);
    const VUS: RGBColor = RGBColor(213, 94, 0);
    let requests = values(summary, |sample| Some(sample.rps));
    let vus = values(summary, |sample| Some(sample.vus as f64));
    let requests = Series {
        filled: true,
        ..Series::new("requests", "/s", REQUESTS, requests)
    };
    let vus = Series {
        right: true,
        ..Series::new("VUs (right axis)", "", VUS, vus)
    };
    let title = "Requests per second and VUs";
    panel(summary, title, Kind::Lines, vec![requests, vus])
}

fn outcomes(summary: &Summary) -> Panel {
    let series = outcome_groups(summary).into_iter().map(|group| {
        let rates = values(summary, |sample| Some(group.rate(sample)));
        Series::new(&group.name, "/s", group.color, rates)
    });
    let title = "Outcomes per second, stacked";
    panel(summary, title, Kind::Stack, series.collect())
}

fn times(summary: &Summary) -> Panel {
    let series = PERCENTILES
        .map(|(name, color, value)| Series::new(name, "ms", color, values(summary, value)));
    panel(summary, "Response time in ms", Kind::Times, series.into())
}

fn left(summary: &Summary) -> Option<Panel> {
    let stock = stock(summary)?;
    let series = Series {
        filled: true,
        ..Series::new(stock.name, "", STOCK, values(summary, stock.value))
    };
    Some(panel(summary, stock.title, Kind::Lines, vec![series]))
}

/// Sources are read at about the same times: to the second they are the same.
fn outside(summary: &Summary, axis: &Axis) -> Vec<Panel> {
    let panel = |shown| {
        let sources = readings(summary, axis, &shown);
        let second = |at: &f64| is_moment(*at).then(|| at.round() as u64);
        let all = sources.iter().flat_map(|source| &source.values);
        let seconds: BTreeSet<u64> = all.filter_map(|(at, _)| second(at)).collect();
        let series = sources.iter().map(|source| {
            let value = |wanted: &u64| {
                let mut values = source.values.iter();
                let found = values.rfind(|(at, _)| second(at) == Some(*wanted));
                found.and_then(|(_, value)| *value)
            };
            let values = seconds.iter().map(value).collect();
            Series::new(source.name, "", source.color, values)
        });
        let series: Vec<_> = series.collect();
        (!series.is_empty()).then(|| Panel {
            title: shown.title,
            kind: Kind::Lines,
            t: seconds
                .iter()
                .map(|second| Number(*second as f64))
                .collect(),
            series,
        })
    };
    PANELS.into_iter().filter_map(panel).collect()
}

fn phases(summary: &Summary, axis: &Axis) -> Vec<Span> {
    let phases = summary
        .phases
        .iter()
        .filter(|phase| is_moment(phase.from_s));
    let mut spans: Vec<Span> = Vec::new();
    for phase in phases.filter(|phase| phase.from_s < axis.end_s()) {
        let name = one_line(&phase.phase);
        let to = if is_moment(phase.to_s) {
            phase.to_s
        } else {
            axis.end_s()
        };
        let same = spans
            .iter_mut()
            .find(|span| (span.from - phase.from_s).abs() < 1e-9);
        match same {
            Some(same) => {
                same.name = format!("{}, {name}", same.name);
                same.to = same.to.max(to);
            }
            None => spans.push(Span {
                name,
                from: phase.from_s,
                to,
            }),
        }
    }
    spans.sort_by(|one, other| one.from.total_cmp(&other.from));
    spans
}

/// One that was not healed lasts to the end.
fn faults(summary: &Summary, axis: &Axis) -> Vec<Span> {
    let span = |fault: &crate::report::FaultSummary| {
        let from = fault
            .applied_s
            .filter(|at| is_moment(*at) && *at < axis.end_s())?;
        let to = fault.healed_s.filter(|at| is_moment(*at));
        Some(Span {
            name: one_line(&fault.name()),
            from,
            to: to.unwrap_or(axis.end_s()).clamp(from, axis.end_s()),
        })
    };
    let mut spans: Vec<_> = summary.faults.iter().filter_map(span).collect();
    spans.sort_by(|one, other| one.from.total_cmp(&other.from));
    spans
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::super::fixture;
    use super::*;

    fn of(summary: &Summary) -> Value {
        serde_json::from_str(&data(summary)).expect("it is JSON")
    }

    fn titles(data: &Value) -> Vec<&str> {
        let panels = data["panels"].as_array().expect("a list");
        panels
            .iter()
            .filter_map(|panel| panel["title"].as_str())
            .collect()
    }

    #[test]
    fn a_run_with_everything_has_every_panel() {
        let data = of(&fixture::failed());
        assert_eq!(
            titles(&data),
            [
                "Requests per second and VUs",
                "Outcomes per second, stacked",
                "Response time in ms",
                "Stock remaining, as it was read",
                "CPU in cores, by process",
                "Connections, by service",
                "Row-lock waits per second, by database",
                "Queries and commands per second, by service",
            ]
        );
        assert_eq!(data["faults"][0]["name"], "redis-down");
        assert_eq!(data["faults"][0]["from"], 12.01);
        assert_eq!(
            data["faults"].as_array().map(Vec::len),
            Some(2),
            "one was never due"
        );
    }

    #[test]
    fn all_lines_of_a_panel_are_as_long_as_its_times() {
        for summary in fixture::all() {
            let data = of(&summary);
            for panel in data["panels"].as_array().expect("a list") {
                let times: Vec<f64> = serde_json::from_value(panel["t"].clone()).expect("numbers");
                assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
                assert_eq!(times.first(), Some(&0.0));
                assert_eq!(times.last().copied(), data["end"].as_f64());
                for series in panel["series"].as_array().expect("a list") {
                    assert_eq!(series["values"].as_array().map(Vec::len), Some(times.len()));
                }
            }
        }
    }

    #[test]
    fn a_silence_is_no_zero() {
        let data = of(&fixture::failed());
        let mysql = &data["panels"][5]["series"][1];
        assert_eq!(mysql["name"], "mysql");
        assert_eq!(mysql["values"][30], Value::Null);
        assert!(mysql["values"][29].is_number());
        let p50 = &data["panels"][2]["series"][0]["values"];
        assert_eq!(p50[43], Value::Null, "nothing was answered then");
    }

    #[test]
    fn figures_beyond_reason_leave_valid_data() {
        for extreme in [-1.0, 1e300, f64::NAN, f64::INFINITY] {
            let mut summary = fixture::failed();
            summary.duration_s = extreme;
            summary.samples[2].t_s = extreme;
            summary.samples[3].rps = extreme;
            summary.samples[4].p50_ms = Some(extreme);
            summary.phases[0].from_s = extreme;
            summary.phases[1].to_s = extreme;
            summary.faults[0].applied_s = Some(extreme);
            summary.faults[1].healed_s = Some(extreme);
            of(&summary);
        }
    }

    #[test]
    fn numbers_keep_four_digits() {
        assert_eq!(rounded(1234.567), Some(Number(1235.0)));
        assert_eq!(rounded(0.123_456), Some(Number(0.1235)));
        assert_eq!(rounded(-7.0), Some(Number(-7.0)));
        assert_eq!(rounded(f64::NAN), None);
    }
}
