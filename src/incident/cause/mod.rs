//! What may have caused a phenomenon: one hypothesis a file, each with what speaks for it and what is
//! missing to prove it, in the order of how much speaks for it. A hypothesis is no proof.

mod beside;
mod connections;
mod cpu;
mod fault;
mod generator;
mod lag;
mod memory;
mod planted;
mod redis;
mod refused;
mod retries;
mod row_locks;
mod serial;

use super::evidence::Evidence;
use super::figure::{Figures, Source};
use super::phenomenon::{Kind, Phenomenon};
use crate::messages::{Fig, Said};
pub(super) use refused::NO_CONNECTION;

/// What may have caused one phenomenon.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// Its place in the list of phenomena.
    pub phenomenon: usize,
    /// The one with most points first.
    pub hypotheses: Vec<Hypothesis>,
    /// What was looked at and does not speak for anything, or was not measured.
    pub not_seen: Vec<NotSeen>,
}

/// What may have been the cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// What it says.
    pub title: Said,
    /// How much speaks for it; what earns points is in the project's documentation.
    pub points: u32,
    /// What speaks for it; never empty.
    pub support: Vec<Said>,
    /// What would prove it, and no file has.
    pub missing: Vec<Said>,
}

/// A hypothesis that nothing speaks for.
#[derive(Debug, Clone, PartialEq)]
pub enum NotSeen {
    /// It was measured.
    Measured(Said),
    /// It was not.
    NotMeasured(Said),
}

/// What a hypothesis comes to.
enum Weighed {
    Seen(Hypothesis),
    NotSeen(Said),
    NotMeasured(Said),
    /// It cannot be the cause of such a phenomenon, or there is no such thing in this run.
    Beside,
}

/// One phenomenon, and the seconds that it is held against.
struct Context<'a> {
    evidence: &'a Evidence<'a>,
    phenomenon: &'a Phenomenon,
    onset_s: f64,
    /// Index of the second of the onset.
    from: usize,
    /// Index behind its last second.
    to: usize,
    /// How much of it there was in each second.
    signal: Vec<Option<f64>>,
}

/// For each phenomenon that was not expected and has an onset.
pub(super) fn find(
    evidence: &Evidence<'_>,
    phenomena: &[Phenomenon],
    figures: &mut Figures,
) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (number, phenomenon) in phenomena.iter().enumerate() {
        let Some(context) = Context::of(evidence, phenomenon) else {
            continue;
        };
        causes.push(weigh(number, &context, figures));
    }
    causes
}

fn weigh(phenomenon: usize, context: &Context<'_>, figures: &mut Figures) -> Cause {
    let all = [
        fault::weigh,
        planted::weigh,
        generator::weigh,
        retries::weigh,
        connections::weigh,
        redis::weigh,
        row_locks::weigh,
        serial::weigh,
        cpu::weigh,
        memory::weigh,
        refused::weigh,
        lag::weigh,
    ];
    let (mut hypotheses, mut not_seen) = (Vec::new(), Vec::new());
    for one in all {
        match one(context, figures) {
            Weighed::Seen(hypothesis) => hypotheses.push(hypothesis),
            Weighed::NotSeen(said) => not_seen.push(NotSeen::Measured(said)),
            Weighed::NotMeasured(said) => not_seen.push(NotSeen::NotMeasured(said)),
            Weighed::Beside => {}
        }
    }
    hypotheses.sort_by_key(|one| std::cmp::Reverse(one.points));
    Cause {
        phenomenon,
        hypotheses,
        not_seen,
    }
}

impl<'a> Context<'a> {
    fn of(evidence: &'a Evidence<'a>, phenomenon: &'a Phenomenon) -> Option<Self> {
        let wanted = matches!(
            phenomenon.kind,
            Kind::Outcome { .. } | Kind::Latency { .. } | Kind::Dropped | Kind::Invariant(_)
        );
        let onset = phenomenon.onset?;
        if phenomenon.expected.is() || !wanted || evidence.seconds.is_empty() {
            return None;
        }
        let from = evidence.index(onset.at_s);
        let to = phenomenon.until_s.map_or(evidence.seconds.len(), |until| {
            (evidence.index(until).max(from) + 1).min(evidence.seconds.len())
        });
        Some(Self {
            evidence,
            phenomenon,
            onset_s: onset.at_s,
            from,
            to,
            signal: signal(evidence, &phenomenon.kind),
        })
    }

    /// The time that the phenomenon was there, in seconds since the start of the load.
    fn span(&self) -> (f64, f64) {
        (self.evidence.time(self.from), self.evidence.time(self.to))
    }

    /// Whether it is about what was issued, and not about how the system answered.
    const fn is_invariant(&self) -> bool {
        matches!(self.phenomenon.kind, Kind::Invariant(_))
    }
}

fn signal(evidence: &Evidence<'_>, kind: &Kind) -> Vec<Option<f64>> {
    let seconds = evidence.seconds.iter();
    match kind {
        Kind::Outcome { name, .. } => {
            let hits = evidence.hits(name).into_iter();
            let share = |(hits, tries): (u64, u64)| (tries > 0).then(|| hits as f64 / tries as f64);
            hits.map(share).collect()
        }
        Kind::Latency { of, .. } => seconds.map(|one| of.of(one)).collect(),
        Kind::Dropped => seconds
            .map(|one| Some(one.dropped.values().sum::<u64>() as f64))
            .collect(),
        _ => vec![None; evidence.seconds.len()],
    }
}

/// The figure of what no file has.
fn nowhere(what: &str, figures: &mut Figures) -> Fig {
    figures.cite(super::NO_DATA, Source::NotMeasured(what.to_owned()))
}

/// The highest value that was reached in each of `seconds` values on end; a gap ends them.
pub(super) fn sustained(values: &[Option<f64>], seconds: usize) -> Option<f64> {
    let least = |window: &[Option<f64>]| {
        let mut values = window.iter().copied();
        values.try_fold(f64::INFINITY, |least, value| Some(least.min(value?)))
    };
    let windows = values.windows(seconds.max(1));
    windows.filter_map(least).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::sustained;

    #[test]
    fn a_level_counts_only_when_it_lasts() {
        let values = [1.0, 9.0, 2.0, 3.0, 4.0].map(Some);
        assert_eq!(sustained(&values, 1), Some(9.0));
        assert_eq!(sustained(&values, 3), Some(2.0));
        let gap = [Some(5.0), None, Some(5.0)];
        assert_eq!(sustained(&gap, 2), None);
        assert_eq!(sustained(&[], 1), None);
    }
}
