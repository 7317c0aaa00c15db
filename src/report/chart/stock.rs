//! What was left of the stock, as a panel of its own: nothing here draws.

use plotters::style::RGBColor;

use super::data::{Axis, HIGHEST, Line};
use super::outside::Panel;
use crate::report::{Sample, Summary};

pub(in crate::report) const COLOR: RGBColor = RGBColor(0, 114, 178);

/// Where the line comes from: what was read, or what was answered, which is not the same.
pub(in crate::report) struct Stock {
    pub(in crate::report) title: &'static str,
    pub(in crate::report) name: &'static str,
    pub(in crate::report) value: fn(&Sample) -> Option<f64>,
}

const READ: Stock = Stock {
    title: "Stock remaining, as it was read",
    name: "remaining",
    value: |sample| sample.remaining.map(|value| value as f64),
};

const ANSWERED: Stock = Stock {
    title: "Stock minus confirmed, by the answers alone",
    name: "not confirmed",
    value: |sample| sample.stock_minus_confirmed.map(|value| value as f64),
};

/// What there is to show; what was read before what was answered.
pub(in crate::report) fn stock(summary: &Summary) -> Option<Stock> {
    let known = |stock: &Stock| {
        summary
            .samples
            .iter()
            .any(|one| (stock.value)(one).is_some())
    };
    [READ, ANSWERED].into_iter().find(known)
}

/// Its line; below zero where more was given away than there was.
pub(super) fn panel(summary: &Summary, axis: &Axis) -> Option<Panel> {
    let stock = stock(summary)?;
    let samples = summary.samples.iter();
    let values = samples.map(|sample| (sample.t_s, (stock.value)(sample)));
    let line = Line {
        name: stock.name.to_owned(),
        color: COLOR,
        parts: axis.parts_above(-HIGHEST, values),
    };
    Some(Panel {
        title: stock.title,
        lines: vec![line],
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;

    #[test]
    fn what_was_answered_is_never_shown_as_what_was_read() {
        let mut summary = fixture::passed();
        assert_eq!(stock(&summary).expect("it was read").name, "remaining");
        for sample in &mut summary.samples {
            sample.stock_minus_confirmed = sample.remaining.take();
        }
        let answered = stock(&summary).expect("it was answered");
        assert_eq!(answered.name, "not confirmed");
        for sample in &mut summary.samples {
            sample.stock_minus_confirmed = None;
        }
        assert!(stock(&summary).is_none());
    }

    #[test]
    fn more_than_the_stock_is_below_zero() {
        let mut summary = fixture::passed();
        summary.samples[20].remaining = Some(-7);
        let panel = panel(&summary, &Axis::of(&summary)).expect("it was read");
        let mut points = panel.lines[0].parts.iter().flatten();
        assert!(points.any(|(_, value)| (value + 7.0).abs() < 1e-9));
    }
}
