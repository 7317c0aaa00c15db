//! The time in which each fault was active, as a shade over a plot, with its name.

use plotters::prelude::*;

use super::data::{Axis, is_moment, mark_rows};
use super::{Area, Chart, Failure, LEFT, Marks};
use crate::report::Summary;
use crate::report::format::one_line;

/// On the white ground of the chart; what lies under the shade stays to be seen.
const COLOR: RGBColor = RGBColor(196, 60, 20);
const OPACITY: f64 = 0.13;

/// Of a row of names.
const ROW: u32 = 16;

/// The time in which one fault was active, in the axis's unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shade {
    from: f64,
    to: f64,
    name: String,
}

/// Of every fault that was injected; one that was not healed lasts to the end.
pub(super) fn shades(summary: &Summary, axis: &Axis) -> Vec<Shade> {
    let shade = |fault: &crate::report::FaultSummary| {
        let from_s = fault.applied_s.filter(|at| is_moment(*at))?;
        let to = fault.healed_s.filter(|at| is_moment(*at));
        let to = to.map_or(axis.end, |to| axis.at(to)).min(axis.end);
        let from = axis.at(from_s);
        // A fault that is over at once is a thin line.
        let to = to.max(from + axis.end / 500.0);
        (from < axis.end).then(|| Shade {
            from,
            to: to.min(axis.end),
            name: one_line(&fault.fault),
        })
    };
    let mut shades: Vec<_> = summary.faults.iter().filter_map(shade).collect();
    shades.sort_by(|one, other| one.from.total_cmp(&other.from));
    shades
}

/// Over what was drawn, up to the edges of the plot.
pub(super) fn draw<'b, Y: Ranged<ValueType = f64> + 'static>(
    chart: &mut Chart<'_, 'b, Y>,
    shades: &[Shade],
    low: f64,
    high: f64,
) -> Result<(), Failure<'b>> {
    for shade in shades {
        let corners = [(shade.from, low), (shade.to, high)];
        let ground = Rectangle::new(corners, COLOR.mix(OPACITY).filled());
        chart.draw_series([ground])?;
        for at in [shade.from, shade.to] {
            let edge = PathElement::new([(at, low), (at, high)], COLOR.mix(0.5).stroke_width(1));
            chart.draw_series([edge])?;
        }
    }
    Ok(())
}

/// Each name at the upper edge of its shade, where it has room.
pub(super) fn name<'a>(area: &Area<'a>, marks: &Marks, plot: u32) -> Result<(), Failure<'a>> {
    let style = ("sans-serif", 14).into_font().color(&COLOR);
    let names = marks.faults.iter();
    let names: Vec<_> = names.map(|one| (one.from, one.name.clone())).collect();
    for (at, row, name) in mark_rows(&names, marks.scale) {
        let place = (LEFT as i32 + at + 3, (plot + 2 + row * ROW) as i32);
        area.draw(&Text::new(name, place, style.clone()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::super::chart;
    use super::*;

    fn of(summary: &Summary) -> Vec<(f64, f64, String)> {
        let shades = shades(summary, &Axis::of(summary)).into_iter();
        shades.map(|one| (one.from, one.to, one.name)).collect()
    }

    #[test]
    fn a_fault_is_shaded_from_its_beginning_to_its_heal() {
        let named = |name: &str| name.to_owned();
        assert_eq!(
            of(&fixture::failed()),
            [
                (12.01, 22.5, named("redis-down")),
                (20.0, 50.0, named("slow-database")),
            ],
            "what was never due is nowhere"
        );
        assert!(of(&fixture::passed()).is_empty());
    }

    #[test]
    fn a_fault_that_was_not_healed_is_shaded_to_the_end() {
        let summary = fixture::not_healed();
        let end = Axis::of(&summary).end;
        assert!((of(&summary)[0].1 - end).abs() < 1e-9);
    }

    #[test]
    fn a_fault_that_is_over_at_once_can_be_seen() {
        let mut summary = fixture::failed();
        summary.faults[0].healed_s = summary.faults[0].applied_s;
        let (from, to, _) = &of(&summary)[0];
        assert!(to > from);
    }

    #[test]
    fn every_panel_has_the_name_of_each_fault() {
        let svg = chart(&fixture::failed());
        let panels = svg.matches("\nredis-down\n").count();
        assert!(panels >= 7, "{panels}");
        assert_eq!(svg.matches("\nslow-database\n").count(), panels);
    }

    #[test]
    fn times_beyond_reason_are_drawn_too() {
        for extreme in [-1.0, 1e300, f64::NAN, f64::INFINITY] {
            let mut summary = fixture::failed();
            summary.faults[0].applied_s = Some(extreme);
            summary.faults[1].healed_s = Some(extreme);
            let svg = chart(&summary);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{extreme}");
        }
    }
}
