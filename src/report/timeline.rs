//! The story of a case as a picture: who asked when and what came of it, one line for each, over
//! what others did and over the faults of that time.
//!
//! ```text
//!  user 42   |   [==========] issued
//!  user 7    |        [=====] issued
//!  redis-down|        ::::::::::::
//!            0        +2 ms       +4 ms
//! ```

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{FAINT, INK, MARK, clipped, outcome_color};
use super::format::{moment, one_line};
use crate::check::{Explanation, Moment, What};
use crate::history::OutcomeKind;

const WIDTH: u32 = 900;
/// Left of the bars, for the names.
const LEFT: i32 = 190;
/// Right of the bars, for what stands behind the last one.
const RIGHT: i32 = 110;
/// Above the bars, for the title.
const TOP: i32 = 34;
const ROW: i32 = 26;
/// Below the bars, for the times.
const BOTTOM: i32 = 34;
/// An attempt that took no time is seen all the same.
const THINNEST: i32 = 3;
const TICKS: u64 = 4;

const FAULT: RGBColor = RGBColor(196, 60, 20);
const OTHERS: RGBColor = RGBColor(196, 200, 208);

/// The story as SVG; `None`: it has nothing that happened at a time.
pub fn timeline(explanation: &Explanation) -> Option<String> {
    let scale = Scale::of(explanation)?;
    let mut svg = String::new();
    let rows: Vec<&Moment> = explanation
        .moments
        .iter()
        .filter(|one| is_drawn(one))
        .collect();
    let drawn = draw(&mut svg, explanation, &rows, &scale);
    drawn.ok()?;
    Some(svg)
}

/// What is true of no time, or long after, stands in the text alone.
fn is_drawn(moment: &Moment) -> bool {
    !matches!(moment.what, What::Before | What::Truth)
}

/// From the first attempt to the end of the last.
struct Scale {
    from_ns: u64,
    length_ns: u64,
}

impl Scale {
    fn of(explanation: &Explanation) -> Option<Self> {
        let timed = explanation.moments.iter();
        let timed = timed.filter(|one| matches!(one.what, What::Asked | What::Reading));
        let times = timed.map(|one| (one.at_ns, one.until_ns.unwrap_or(one.at_ns)));
        let (from_ns, to_ns) = times.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))?;
        Some(Self {
            from_ns,
            length_ns: to_ns.saturating_sub(from_ns).max(1),
        })
    }

    const fn width() -> i32 {
        WIDTH as i32 - LEFT - RIGHT
    }

    /// Its pixel; what lies outside is at the edge.
    fn at(&self, at_ns: u64) -> i32 {
        let share = at_ns.saturating_sub(self.from_ns) as f64 / self.length_ns as f64;
        LEFT + (share.min(1.0) * f64::from(Self::width())) as i32
    }
}

fn draw<'a>(
    svg: &'a mut String,
    explanation: &Explanation,
    rows: &[&Moment],
    scale: &Scale,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let floor = TOP + ROW * rows.len() as i32;
    let root = SVGBackend::with_string(svg, (WIDTH, (floor + BOTTOM) as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let font = |size: u32, color: &RGBColor| ("sans-serif", size).into_font().color(color);
    let title = ("sans-serif", 16, FontStyle::Bold).into_font().color(&INK);
    let from = format!("From {}", moment(Some(scale.from_ns)));
    root.draw(&Text::new(from, (LEFT, 9), title))?;

    let centred = Pos::new(HPos::Center, VPos::Top);
    for tick in 0..=TICKS {
        let after_ns = scale.length_ns / TICKS * tick;
        let x = scale.at(scale.from_ns + after_ns);
        root.draw(&PathElement::new([(x, TOP), (x, floor + 5)], FAINT))?;
        let label = font(14, &INK).pos(centred);
        root.draw(&Text::new(offset(after_ns), (x, floor + 9), label))?;
    }
    for (row, one) in rows.iter().enumerate() {
        let top = TOP + ROW * row as i32;
        let middle = top + ROW / 2;
        let name = clipped(&one_line(&name(explanation, one)), 24);
        let left = Pos::new(HPos::Left, VPos::Center);
        root.draw(&Text::new(name, (8, middle), font(14, &INK).pos(left)))?;
        let from = scale.at(one.at_ns);
        let to = scale
            .at(one.until_ns.unwrap_or(u64::MAX))
            .max(from + THINNEST);
        let (color, label) = look(one);
        let bar = Rectangle::new([(from, top + 6), (to, top + ROW - 6)], color.filled());
        root.draw(&bar)?;
        root.draw(&Text::new(
            label,
            (to + 6, middle),
            font(14, &INK).pos(left),
        ))?;
    }
    root.draw(&PathElement::new(
        [(LEFT, floor), (LEFT + Scale::width(), floor)],
        MARK,
    ))?;
    root.present()
}

fn name(explanation: &Explanation, one: &Moment) -> String {
    match (one.what, one.user.and_then(|at| explanation.users.get(at))) {
        (_, Some(user)) => format!("user {user}"),
        (What::Fault, None) => one.text.split('`').nth(1).unwrap_or("fault").to_owned(),
        (What::Reading, None) => "reading".to_owned(),
        _ => "all others".to_owned(),
    }
}

/// Colour and word of a bar.
fn look(one: &Moment) -> (RGBColor, &'static str) {
    match (one.what, one.outcome) {
        (What::Fault, _) => (FAULT, "fault"),
        (_, Some(kind)) => (outcome_color(name_of(kind)), words(kind)),
        (What::Reading, None) => (MARK, ""),
        _ => (OTHERS, ""),
    }
}

const fn words(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::SoldOut => "sold out",
        OutcomeKind::NotSent => "not sent",
        OutcomeKind::Unknown => "no answer",
        _ => name_of(kind),
    }
}

/// As a scenario spells it.
const fn name_of(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Issued => "issued",
        OutcomeKind::Pending => "pending",
        OutcomeKind::SoldOut => "sold_out",
        OutcomeKind::Duplicate => "duplicate",
        OutcomeKind::Replay => "replay",
        OutcomeKind::Refused => "refused",
        OutcomeKind::Error => "error",
        OutcomeKind::Ok => "ok",
        OutcomeKind::NotSent => "not_sent",
        OutcomeKind::Unknown => "unknown",
    }
}

/// A time after the beginning, in the unit that suits it.
fn offset(ns: u64) -> String {
    let (value, unit) = match ns {
        0 => return "0".to_owned(),
        1..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("+{text} {unit}")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn each_attempt_and_fault_has_a_bar_and_its_name() {
        let svg = timeline(&fixture::explanation()).expect("it has attempts");
        for text in [
            "user 4711",
            "redis-down",
            "all others",
            "issued",
            "no answer",
        ] {
            assert!(svg.lines().any(|line| line == text), "{text}: {svg}");
        }
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn what_happened_at_no_time_has_no_picture() {
        let mut explanation = fixture::explanation();
        explanation.moments.retain(|one| one.what == What::Truth);
        assert_eq!(timeline(&explanation), None);
    }

    #[test]
    fn times_beyond_reason_are_drawn_too() {
        for (at_ns, until_ns) in [(0, None), (u64::MAX, Some(0)), (0, Some(u64::MAX))] {
            let mut explanation = fixture::explanation();
            for one in &mut explanation.moments {
                (one.at_ns, one.until_ns) = (at_ns, until_ns);
            }
            assert!(timeline(&explanation).is_some(), "{at_ns} {until_ns:?}");
        }
    }

    #[test]
    fn foreign_text_is_no_markup() {
        let mut explanation = fixture::explanation();
        explanation.users[0] = "<script>alert(1)</script>\u{1b}[31m".to_owned();
        let svg = timeline(&explanation).expect("it has attempts");
        assert!(!svg.contains("<script"));
        assert!(!svg.chars().any(|char| char.is_control() && char != '\n'));
    }

    #[test]
    fn a_time_has_the_unit_that_suits_it() {
        let table = [
            (0, "0"),
            (1_500, "+1.5 µs"),
            (2_340_000, "+2.34 ms"),
            (9_000_000_000, "+9 s"),
        ];
        for (ns, text) in table {
            assert_eq!(offset(ns), text);
        }
    }
}
