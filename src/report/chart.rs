//! The run over time as SVG: requests by outcome, response time and VUs, one above the other.
//!
//! ```text
//!        climb        hold            (phase names)
//!   req/s |####:#########|  issued    (what an attempt came to, stacked; the line is all of them)
//!   ms    |__/\:_________|  p50 ...   (logarithmic where the values are far apart)
//!   VUs   | /  :---------|
//!   stock |\___:_________|  remaining
//!   cores |____:/\_______|  server, ...   (and what else was measured from outside)
//! ```
//! The time in which a fault was active is shaded in each of them, with its name.

mod data;
mod outside;
mod scalability;
mod shade;
mod stock;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use self::data::{LOWEST, Line, Points, mark_rows, outcome_layers, phase_marks, time_lines};
use self::outside::Panel;
use self::shade::{Shade, shades};
use super::Summary;
use super::format::{NO_DATA, one_line};
use crate::measure::grouped;

pub(super) use self::data::{Axis, PERCENTILES, clipped, is_moment, outcome_color, outcome_groups};
pub(super) use self::outside::{PANELS, readings};
pub use self::scalability::scalability_chart;
pub(super) use self::stock::{COLOR as STOCK, stock};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;
type Chart<'a, 'b, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, Y>>;

const WIDTH: u32 = 900;
/// Left of the plots, for the numbers of the vertical axes.
const LEFT: u32 = 64;
/// Right of the plots, for the legends.
const RIGHT: u32 = 150;
/// A row of names of phases, above the uppermost plot.
const NAMES: u32 = 19;
/// Above each plot, for its title.
const TITLE: u32 = 32;
/// Below each plot, for the times.
const BOTTOM: u32 = 22;
const HEIGHTS: [u32; 3] = [290, 240, 165];
const HEIGHT: u32 = HEIGHTS[0] + HEIGHTS[1] + HEIGHTS[2] + 8;
/// Each panel of what was measured from outside, below all others.
const OUTSIDE: u32 = 165;

/// What is marked in every panel.
struct Marks {
    /// Where phases begin.
    phases: Vec<(f64, String)>,
    /// When faults were active.
    faults: Vec<Shade>,
    /// Pixels for one of the axis's unit.
    scale: f64,
}

pub(super) const INK: RGBColor = RGBColor(40, 44, 52);
pub(super) const FAINT: RGBColor = RGBColor(226, 229, 233);
pub(super) const MARK: RGBColor = RGBColor(120, 128, 140);

/// The run over time as SVG.
pub fn chart(summary: &Summary) -> String {
    let mut svg = String::new();
    let drawn = draw(&mut svg, summary);
    if drawn.is_err() {
        return format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"40\">\
             <text x=\"10\" y=\"25\">the chart could not be drawn</text></svg>\n"
        );
    }
    svg
}

fn draw<'a>(svg: &'a mut String, summary: &Summary) -> Result<(), Failure<'a>> {
    let axis = Axis::of(summary);
    let stock = stock::panel(summary, &axis);
    let outside = stock.into_iter().chain(outside::panels(summary, &axis));
    let outside: Vec<_> = outside.collect();
    let height = HEIGHT + OUTSIDE * outside.len() as u32;
    let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let marks = Marks {
        phases: phase_marks(summary, &axis),
        faults: shades(summary, &axis),
        scale: f64::from(WIDTH - LEFT - RIGHT) / axis.end,
    };
    let panel = |above: u32, height: u32| root.clone().shrink((0, above), (WIDTH, height));

    let [requests, times, vus] = HEIGHTS;
    draw_requests(&panel(0, requests), summary, &axis, &marks)?;
    draw_times(&panel(requests, times), summary, &axis, &marks)?;
    draw_vus(&panel(requests + times, vus), summary, &axis, &marks)?;
    for (above, lines) in (HEIGHT..).step_by(OUTSIDE as usize).zip(&outside) {
        draw_outside(&panel(above, OUTSIDE), lines, &axis, &marks)?;
    }
    root.present()
}

fn draw_requests<'a>(
    area: &Area<'a>,
    summary: &Summary,
    axis: &Axis,
    marks: &Marks,
) -> Result<(), Failure<'a>> {
    let names = mark_rows(&marks.phases, marks.scale);
    let rows = names.iter().map(|(_, row, _)| row + 1).max().unwrap_or(0);
    let above = TITLE + NAMES * rows;
    let layers = outcome_layers(summary, axis);
    let all: Points = axis.points(summary, |sample| Some(sample.rps)).concat();
    let highest = layers
        .iter()
        .flat_map(|layer| &layer.top)
        .chain(&all)
        .map(|point| point.1);
    let end = top_of(highest);
    title(area, "Requests per second, by outcome")?;
    let mut chart = builder(area)
        .margin_top(above)
        .build_cartesian_2d(0.0..axis.end, 0.0..end)?;
    mesh(&mut chart, axis)?;
    // From the highest layer to the lowest: each covers the lower part of the one before.
    for layer in layers.iter().rev() {
        let top = layer.top.iter().copied();
        chart.draw_series(AreaSeries::new(top, 0.0, layer.color.filled()))?;
    }
    chart.draw_series(LineSeries::new(all, INK.stroke_width(1)))?;
    draw_marks(&mut chart, marks, 0.0, end)?;
    let mut legend_lines: Vec<_> = layers
        .iter()
        .rev()
        .map(|layer| (layer.name.as_str(), layer.color))
        .collect();
    if !summary.samples.is_empty() {
        legend_lines.insert(0, ("all", INK));
    }
    legend(area, &legend_lines)?;
    draw_names(area, &names, above)?;
    shade::name(area, marks, above)?;
    no_data(area, summary.samples.is_empty())
}

fn draw_times<'a>(
    area: &Area<'a>,
    summary: &Summary,
    axis: &Axis,
    marks: &Marks,
) -> Result<(), Failure<'a>> {
    let lines = time_lines(summary, axis);
    let values = || {
        let points = lines.iter().flat_map(|line| line.parts.iter().flatten());
        points.map(|point| point.1)
    };
    let lowest = values()
        .filter(|value| *value > 0.0)
        .fold(f64::INFINITY, f64::min)
        .max(LOWEST);
    let highest = values().fold(0.0, f64::max);
    let logarithmic = lowest.is_finite() && highest > 20.0 * lowest;
    if logarithmic {
        // Whole decades, so that the grid has lines at 1, 10, 100.
        let low = 10_f64.powf(lowest.log10().floor());
        let high = 10_f64.powf(highest.log10().ceil());
        title(area, "Response time in ms, logarithmic")?;
        let mut chart = builder(area).build_cartesian_2d(0.0..axis.end, (low..high).log_scale())?;
        mesh(&mut chart, axis)?;
        draw_lines(&mut chart, &lines, low)?;
        draw_marks(&mut chart, marks, low, high)?;
    } else {
        let end = top_of(values());
        title(area, "Response time in ms")?;
        let mut chart = builder(area).build_cartesian_2d(0.0..axis.end, 0.0..end)?;
        mesh(&mut chart, axis)?;
        draw_lines(&mut chart, &lines, 0.0)?;
        draw_marks(&mut chart, marks, 0.0, end)?;
    }
    let shown: Vec<_> = lines
        .iter()
        .rev()
        .filter(|line| !line.parts.is_empty())
        .map(|line| (line.name.as_str(), line.color))
        .collect();
    no_data(area, shown.is_empty())?;
    shade::name(area, marks, TITLE)?;
    legend(area, &shown)
}

fn draw_vus<'a>(
    area: &Area<'a>,
    summary: &Summary,
    axis: &Axis,
    marks: &Marks,
) -> Result<(), Failure<'a>> {
    const COLOR: RGBColor = RGBColor(0, 114, 178);
    let points: Points = axis
        .points(summary, |sample| Some(sample.vus as f64))
        .concat();
    // Below five, the grid would have fractions of a VU.
    let end = top_of(points.iter().map(|point| point.1)).max(5.0);
    title(area, "VUs")?;
    let mut chart = builder(area).build_cartesian_2d(0.0..axis.end, 0.0..end)?;
    mesh(&mut chart, axis)?;
    let series = AreaSeries::new(points, 0.0, COLOR.mix(0.2)).border_style(COLOR.stroke_width(2));
    chart.draw_series(series)?;
    draw_marks(&mut chart, marks, 0.0, end)?;
    shade::name(area, marks, TITLE)?;
    no_data(area, summary.samples.is_empty())
}

fn draw_outside<'a>(
    area: &Area<'a>,
    panel: &Panel,
    axis: &Axis,
    marks: &Marks,
) -> Result<(), Failure<'a>> {
    let values = || {
        let points = panel.lines.iter().flat_map(|line| &line.parts);
        points.flatten().map(|point| point.1)
    };
    let low = values().fold(0.0, f64::min) * 1.08;
    let end = top_of(values());
    title(area, panel.title)?;
    let mut chart = builder(area).build_cartesian_2d(0.0..axis.end, low..end)?;
    mesh(&mut chart, axis)?;
    draw_lines(&mut chart, &panel.lines, low)?;
    draw_marks(&mut chart, marks, low, end)?;
    shade::name(area, marks, TITLE)?;
    let names = panel
        .lines
        .iter()
        .map(|line| (line.name.as_str(), line.color));
    // As many as there is room for.
    let names: Vec<_> = names.take(7).collect();
    legend(area, &names)
}

/// A little above the highest value; never zero, which would be an axis without a length.
fn top_of(values: impl Iterator<Item = f64>) -> f64 {
    let highest = values.fold(0.0, f64::max);
    if highest > LOWEST {
        highest * 1.08
    } else {
        1.0
    }
}

fn builder<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'a, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder
        .margin_top(TITLE)
        .margin_right(RIGHT)
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, BOTTOM);
    builder
}

fn mesh<'b, Y>(chart: &mut Chart<'_, 'b, Y>, axis: &Axis) -> Result<(), Failure<'b>>
where
    Y: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(MARK)
        .x_labels(10)
        .y_labels(6)
        .x_label_formatter(&|at| format!("{} {}", short(*at), axis.unit))
        .y_label_formatter(&|value| short(*value))
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .draw()
}

/// As few digits as tell the lines of a grid apart.
fn short(value: f64) -> String {
    if value >= 10.0 || value.fract().abs() < 1e-9 {
        return grouped(value, 0);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn draw_lines<'b, Y: Ranged<ValueType = f64>>(
    chart: &mut Chart<'_, 'b, Y>,
    lines: &[Line],
    lowest: f64,
) -> Result<(), Failure<'b>> {
    for line in lines {
        for part in &line.parts {
            // A logarithmic axis has no zero.
            let points = part.iter().map(|(at, value)| (*at, value.max(lowest)));
            chart.draw_series(LineSeries::new(points, line.color.stroke_width(2)))?;
        }
    }
    Ok(())
}

fn draw_marks<'b, Y: Ranged<ValueType = f64> + 'static>(
    chart: &mut Chart<'_, 'b, Y>,
    marks: &Marks,
    low: f64,
    high: f64,
) -> Result<(), Failure<'b>> {
    shade::draw(chart, &marks.faults, low, high)?;
    for (at, _) in &marks.phases {
        let points = [(*at, low), (*at, high)];
        let line = PathElement::new(points.to_vec(), MARK.mix(0.7).stroke_width(1));
        chart.draw_series([line])?;
    }
    Ok(())
}

fn title<'a>(area: &Area<'a>, text: &str) -> Result<(), Failure<'a>> {
    let style = ("sans-serif", 17, FontStyle::Bold).into_font().color(&INK);
    area.draw(&Text::new(text.to_owned(), (LEFT as i32, 9), style))
}

fn no_data<'a>(area: &Area<'a>, is_empty: bool) -> Result<(), Failure<'a>> {
    if !is_empty {
        return Ok(());
    }
    let style = ("sans-serif", 19)
        .into_font()
        .color(&MARK)
        .pos(Pos::new(HPos::Center, VPos::Center));
    let (width, height) = area.dim_in_pixel();
    let middle = (
        (LEFT + (width - LEFT - RIGHT) / 2) as i32,
        (TITLE + (height - TITLE - BOTTOM) / 2) as i32,
    );
    area.draw(&Text::new(NO_DATA, middle, style))
}

fn legend<'a>(area: &Area<'a>, entries: &[(&str, RGBColor)]) -> Result<(), Failure<'a>> {
    let left = (WIDTH - RIGHT) as i32 + 12;
    let style = ("sans-serif", 15).into_font().color(&INK);
    for (row, (name, color)) in entries.iter().enumerate() {
        let top = TITLE as i32 + 4 + row as i32 * 19;
        let corners = [(left, top), (left + 12, top + 12)];
        area.draw(&Rectangle::new(corners, color.filled()))?;
        let name = data::clipped(&one_line(name), 16);
        area.draw(&Text::new(name, (left + 18, top), style.clone()))?;
    }
    Ok(())
}

/// Each name beside the upper end of its phase's mark.
fn draw_names<'a>(
    area: &Area<'a>,
    names: &[(i32, u32, String)],
    plot: u32,
) -> Result<(), Failure<'a>> {
    let style = ("sans-serif", 15).into_font().color(&INK);
    for (at, row, name) in names {
        let (left, top) = (LEFT as i32 + at, (TITLE + row * NAMES) as i32);
        area.draw(&Text::new(
            name.as_str(),
            (left + 4, top + 1),
            style.clone(),
        ))?;
        let line = [(left, top), (left, plot as i32)];
        area.draw(&PathElement::new(line, MARK.stroke_width(1)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn every_panel_axis_and_legend_has_its_text() {
        let svg = chart(&fixture::passed());
        for text in [
            "Requests per second, by outcome",
            "Response time in ms, logarithmic",
            "VUs",
            "Stock remaining, as it was read",
            "sold_out",
            "duplicate",
            "p99",
            "climb",
            "hold",
            "30 s",
        ] {
            assert!(svg.lines().any(|line| line == text), "{text}");
        }
        assert!(!svg.contains(NO_DATA));
    }

    #[test]
    fn any_number_of_samples_is_drawn() {
        for count in [0, 1, 2, 600] {
            let mut summary = fixture::passed();
            summary.samples = fixture::samples(count);
            let svg = chart(&summary);
            assert!(
                svg.starts_with("<svg") && svg.ends_with("</svg>\n"),
                "{count}"
            );
            assert_eq!(svg.contains(NO_DATA), count == 0, "{count}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{count}");
        }
    }

    #[test]
    fn a_run_without_anything_is_drawn_without_data() {
        let svg = chart(&fixture::empty());
        assert_eq!(svg.matches(NO_DATA).count(), 3);
    }

    #[test]
    fn figures_beyond_reason_are_drawn_too() {
        for extreme in [0.0, -1.0, 1e-300, 1e300, f64::MAX, f64::NAN, f64::INFINITY] {
            let mut summary = fixture::passed();
            summary.duration_s = extreme;
            summary.phases[1].from_s = extreme;
            summary.samples[2].t_s = extreme;
            summary.samples[3].rps = extreme;
            summary.samples[4].p50_ms = Some(extreme);
            summary.samples[5].vus = u64::MAX;
            summary.samples[6]
                .outcomes
                .insert("issued".to_owned(), extreme);
            let svg = chart(&summary);
            assert!(svg.starts_with("<svg"), "{extreme}");
        }
    }

    #[test]
    fn foreign_text_is_no_markup() {
        let svg = chart(&fixture::hostile());
        assert!(!svg.contains("<script"));
        assert!(!svg.chars().any(|char| char.is_control() && char != '\n'));
    }
}
