//! Throughput by VUs as SVG: the steps as they were measured, the law that fits them, and what they
//! would give if each VU got what one gets at the first step.

use plotters::prelude::*;

use super::data::LOWEST;
use super::{FAINT, Failure, INK, MARK, short, top_of};
use crate::report::{ScalabilitySummary, Summary};

const WIDTH: u32 = 900;
const HEIGHT: u32 = 320;
const MEASURED: RGBColor = RGBColor(0, 114, 178);
const FITTED: RGBColor = RGBColor(213, 94, 0);

/// Points of the fitted curve.
const POINTS: u32 = 200;

/// Throughput by VUs; `None` without a step that was measured.
pub fn scalability_chart(summary: &Summary) -> Option<String> {
    let scaling = summary.scalability.as_ref()?;
    let points = measured(scaling);
    if points.is_empty() {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, scaling, &points).ok()?;
    Some(svg)
}

/// Users and throughput, as far as they can be drawn.
fn measured(scaling: &ScalabilitySummary) -> Vec<(f64, f64)> {
    let points = scaling.steps.iter();
    let points = points.filter_map(|step| Some((step.vus as f64, step.throughput?)));
    points
        .filter(|(_, throughput)| (0.0..1e15).contains(throughput))
        .collect()
}

fn draw<'a>(
    svg: &'a mut String,
    scaling: &ScalabilitySummary,
    points: &[(f64, f64)],
) -> Result<(), Failure<'a>> {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let end = points.iter().map(|point| point.0).fold(1.0, f64::max) * 1.05;
    let fitted: Vec<(f64, f64)> = scaling.law.map_or_else(Vec::new, |law| {
        let users = (0..=POINTS).map(|at| 1.0 + (end - 1.0) * f64::from(at) / f64::from(POINTS));
        let curve = users.map(|users| (users, law.throughput(users)));
        curve.filter(|point| point.1.is_finite()).collect()
    });
    let highest = points.iter().chain(&fitted).map(|point| point.1);
    let top = top_of(highest).max(LOWEST);
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_right(24)
        .set_label_area_size(LabelAreaPosition::Left, 70)
        .set_label_area_size(LabelAreaPosition::Bottom, 40)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(MARK)
        .x_labels(10)
        .y_labels(6)
        .x_desc("VUs")
        .y_desc("answered per second")
        .x_label_formatter(&|at| short(*at))
        .y_label_formatter(&|value| short(*value))
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    if let Some((users, throughput)) = points.first() {
        // Up to the upper edge: beyond it nobody compares.
        let each = throughput / users;
        let reach = if each > 0.0 {
            (top / each).min(end)
        } else {
            end
        };
        let line = [(0.0, 0.0), (reach, reach * each)];
        chart
            .draw_series(DashedLineSeries::new(line, 5, 4, MARK.stroke_width(1)))?
            .label("as at the first step")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], MARK.stroke_width(1)));
    }
    if !fitted.is_empty() {
        chart
            .draw_series(LineSeries::new(fitted, FITTED.stroke_width(2)))?
            .label("fitted")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], FITTED.stroke_width(2)));
    }
    let dots = points.iter();
    chart
        .draw_series(dots.map(|point| Circle::new(*point, 5, MEASURED.filled())))?
        .label("measured")
        .legend(|(x, y)| Circle::new((x + 9, y), 5, MEASURED.filled()));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT)
        .label_font(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    root.present()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;

    #[test]
    fn measured_and_fitted_are_drawn_and_named() {
        let svg = scalability_chart(&fixture::scaled()).expect("a chart");
        assert_eq!(
            svg.matches("<circle").count(),
            4,
            "three steps and the legend"
        );
        for text in ["measured", "fitted", "as at the first step", "VUs"] {
            assert!(svg.lines().any(|line| line.trim() == text), "{text}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn a_run_without_steps_has_no_chart_and_one_without_a_law_no_curve() {
        assert_eq!(scalability_chart(&fixture::passed()), None);
        let mut summary = fixture::scaled();
        summary.scalability.as_mut().expect("it").law = None;
        let svg = scalability_chart(&summary).expect("a chart");
        assert!(!svg.lines().any(|line| line.trim() == "fitted"));
    }

    #[test]
    fn figures_beyond_reason_are_drawn_too() {
        for extreme in [0.0, -1.0, 1e-300, 1e300, f64::NAN, f64::INFINITY] {
            let mut summary = fixture::scaled();
            let scaling = summary.scalability.as_mut().expect("it");
            scaling.steps[1].throughput = Some(extreme);
            scaling.steps[2].vus = u64::MAX;
            scaling.law.as_mut().expect("it").coherency = extreme;
            let svg = scalability_chart(&summary).expect("a chart");
            assert!(
                svg.starts_with("<svg") && svg.ends_with("</svg>\n"),
                "{extreme}"
            );
        }
    }
}
