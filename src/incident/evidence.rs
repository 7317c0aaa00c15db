//! What a run has left, as the rules see it: its summary and plan, its seconds, what was read from
//! outside of it, and its moments. The only input of the rules.

use super::figure::{Figures, How, Source};
use crate::history::OutcomeKind;
use crate::measure::{Quantity, ResourceKind, Second, Unit};
use crate::messages::Fig;
use crate::plan::{Plan, Target};
use crate::report::Summary;
use crate::scenario::value::Count;

/// Everything that a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the run came to.
    pub summary: &'a Summary,
    /// What was to run.
    pub plan: &'a Plan,
    /// Each second of the load, in order; empty where none was recorded.
    pub seconds: &'a [Second],
    /// What was read from outside.
    pub series: &'a [Series],
    /// What happened when.
    pub moments: &'a Moments,
}

/// One quantity of one source over the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The source's name.
    pub source: String,
    /// Who knows it.
    pub kind: ResourceKind,
    /// What was read.
    pub quantity: Quantity,
    /// Seconds since the start of the load, and the value: levels as they were, what only grows by
    /// how much it grew each second, work in cores.
    pub points: Vec<(f64, f64)>,
}

/// Moments of the run, in seconds since the start of the load.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// The start of the load in nanoseconds since the run's origin; `None`: it never began.
    pub start_ns: Option<u64>,
    /// The same moment in nanoseconds of Unix time.
    pub start_unix_ns: Option<u64>,
    /// When all iterations had ended.
    pub load_ended_s: Option<f64>,
    /// When a signal asked for the end.
    pub interrupted_s: Option<f64>,
    /// When a threshold asked for the end, and which.
    pub aborted: Option<(f64, String)>,
    /// Whether the run came to its end in good order.
    pub ended: bool,
    /// Alerts that were seen to begin to fire.
    pub alerts: Vec<FiredAt>,
    /// Whether the attempts were recorded by another tool.
    pub imported: bool,
}

/// An alert and its times.
#[derive(Debug, Clone, PartialEq)]
pub struct FiredAt {
    /// As its rule calls it.
    pub name: String,
    /// When it was seen to fire; below zero: before the load.
    pub fired_s: f64,
    /// When it was seen to fire no more.
    pub cleared_s: Option<f64>,
}

impl Evidence<'_> {
    /// The number of the line of this time; the last one before it where there is none.
    pub(super) fn index(&self, at_s: f64) -> usize {
        let before = self.seconds.partition_point(|one| (one.t as f64) <= at_s);
        before.saturating_sub(1)
    }

    /// Time at which the line begins; the end of the load for the index behind the last one.
    pub(super) fn time(&self, index: usize) -> f64 {
        match self.seconds.get(index) {
            Some(second) => second.t as f64,
            None => self.end_s(),
        }
    }

    /// When the last line ends.
    pub(super) fn end_s(&self) -> f64 {
        let last = self.seconds.last();
        last.map_or(0.0, |last| last.t as f64 + last.length_s)
    }

    /// Attempts of this outcome in each second, of all attempts.
    pub(super) fn hits(&self, outcome: &str) -> Vec<(u64, u64)> {
        let of = |second: &Second| {
            let hits = second.outcomes.get(outcome).copied().unwrap_or_default();
            (hits.min(second.requests), second.requests)
        };
        self.seconds.iter().map(of).collect()
    }

    /// VUs of the second.
    pub(super) fn vus(&self, index: usize, figures: &mut Figures) -> Option<(u64, Fig)> {
        let second = self.seconds.get(index)?;
        let vus = second.vus;
        let value = counted(vus);
        Some((vus, figures.cite(value, at(second.t, "vus"))))
    }

    /// A sum over lines, and its figure.
    pub(super) fn sum(
        &self,
        from: usize,
        to: usize,
        field: &str,
        of: impl Fn(&Second) -> u64,
        figures: &mut Figures,
    ) -> (u64, Fig) {
        let sum = self.seconds[from..to].iter().map(of).sum();
        let source = self.lines(from, to, How::Sum, field);
        (sum, figures.cite(counted(sum), source))
    }

    /// Lines of the seconds, as a source.
    pub(super) fn lines(&self, from: usize, to: usize, how: How, field: &str) -> Source {
        let t = |at: usize| self.seconds.get(at).map(|one| one.t);
        let last = to.checked_sub(1).and_then(t);
        Source::Seconds {
            from: t(from).unwrap_or_default(),
            to: last.map_or(0, |last| last + 1),
            how,
            field: field.to_owned(),
        }
    }

    /// What the checkers make of an outcome.
    pub(super) fn kind(&self, outcome: &str) -> Option<OutcomeKind> {
        let mut labels = self.plan.labels.iter();
        let known = labels.find(|label| label.name == outcome);
        known.map(|label| label.kind)
    }

    /// Whether any attempt was recorded second by second.
    pub(super) fn has_seconds(&self) -> bool {
        self.seconds.iter().any(|second| second.requests > 0)
    }

    /// Cores of the machine that ran the harness, as `run.json` has them.
    pub(super) fn cores(&self) -> Option<u64> {
        let (_, cores) = self.summary.environment.cpu.rsplit_once(", ")?;
        cores.split(' ').next()?.parse().ok()
    }

    /// A setting of the bundled server as a scenario spells it, where it was written.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        let Target::Stack(stack) = &self.plan.target else {
            return None;
        };
        let mut settings = stack.settings.iter();
        let written = settings.find(|setting| setting.key == key);
        written.map(|setting| setting.shown.as_str())
    }

    /// The same of a setting that is a number.
    pub(super) fn count_setting(&self, key: &str) -> Option<u64> {
        let count: Count = self.setting(key)?.parse().ok()?;
        Some(count.0)
    }

    /// Processes of the bundled server that decide who gets one.
    pub(super) fn issuing_processes(&self) -> u64 {
        let Target::Stack(stack) = &self.plan.target else {
            return 0;
        };
        let groups = stack.groups.iter().filter(|group| group.role.issues());
        groups.map(|group| u64::from(group.count)).sum()
    }

    /// All series of a quantity.
    pub(super) fn series_of(&self, quantity: Quantity) -> impl Iterator<Item = &Series> {
        self.series
            .iter()
            .filter(move |one| one.quantity == quantity)
    }
}

impl Series {
    /// The value of each second of the load, where there is one.
    pub(super) fn by_second(&self, seconds: &[Second]) -> Vec<Option<f64>> {
        let mut values = vec![None; seconds.len()];
        for (at_s, value) in &self.points {
            let at = seconds.partition_point(|one| (one.t as f64) <= *at_s + 0.25);
            if let Some(place) = at.checked_sub(1).and_then(|at| values.get_mut(at)) {
                *place = Some(*value);
            }
        }
        values
    }

    /// The largest value from a time on, and up to another.
    pub(super) fn most(&self, from_s: f64, to_s: f64) -> Option<f64> {
        let inside = self.between(from_s, to_s);
        inside.max_by(f64::total_cmp)
    }

    /// Values of a time.
    pub(super) fn between(&self, from_s: f64, to_s: f64) -> impl Iterator<Item = f64> {
        let inside = move |(at, _): &&(f64, f64)| (from_s..to_s).contains(at);
        self.points.iter().filter(inside).map(|(_, value)| *value)
    }

    /// As a report shows a value of it.
    pub(super) fn show(&self, value: f64) -> String {
        match self.quantity {
            Quantity::CpuNs => Unit::Cores.show(value),
            Quantity::MemoryBytes | Quantity::UsedMemoryBytes => Unit::Bytes.show(value),
            Quantity::Queries
            | Quantity::RowLockWaits
            | Quantity::Commands
            | Quantity::RejectedConnections => Unit::CountRate.show(value),
            Quantity::RowLockTimeMs => format!("{}/s", Unit::Time.show(value)),
            _ => Unit::Number.show(value),
        }
    }

    /// Lines of it, as a source.
    pub(super) fn source(&self, from_s: f64, to_s: f64, how: How) -> Source {
        let field = serde_json::to_value(self.quantity).unwrap_or_default();
        Source::Resources {
            source: self.source.clone(),
            kind: self.kind.name().to_owned(),
            field: field.as_str().unwrap_or_default().to_owned(),
            from: from_s,
            to: to_s,
            how,
        }
    }
}

/// One line of the seconds, as a source.
pub(super) fn at(t: u64, field: &str) -> Source {
    Source::Seconds {
        from: t,
        to: t + 1,
        how: How::Value,
        field: field.to_owned(),
    }
}

/// A count with thousands separators.
pub(super) fn counted(value: u64) -> String {
    Unit::Count.show(value as f64)
}

/// A moment of the load.
pub(super) fn moment(at_s: f64) -> String {
    let sign = if at_s < 0.0 { "-" } else { "" };
    let tenths = (at_s.abs() * 10.0).round() as u64;
    let (minutes, rest) = (tenths / 600, tenths % 600);
    format!("T+{sign}{minutes:02}:{:02}.{}", rest / 10, rest % 10)
}

/// A length of time in seconds.
pub(super) fn lasting(seconds: f64) -> String {
    if seconds.abs() < 1.0 {
        format!("{} ms", crate::measure::grouped(seconds * 1e3, 0))
    } else {
        format!("{} s", crate::measure::grouped(seconds, 1))
    }
}

/// A share of attempts.
pub(super) fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => crate::incident::NO_DATA.to_owned(),
        whole => Unit::Share.show(part as f64 / whole as f64),
    }
}
