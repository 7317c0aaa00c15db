//! Goes through the attempts of a run once, in any order, and keeps what is near a fault.
//!
//! Memory grows with the time near faults, not with the attempts: ten seconds before each, while it
//! is active, and [`KEPT_AFTER_NS`] after it.

use super::window::{Baseline, CELL_NS, Grid, Scale};
use super::{Detected, Detector, Measured, Occurrence, Recovery, Until};
use crate::history::{Operation, OutcomeKind};
use crate::measure::alert::Watched;

/// How much of the time before a fault is its baseline, at most.
const BASELINE_NS: u64 = 10_000_000_000;

/// How long after a heal a recovery is looked for.
const KEPT_AFTER_NS: u64 = 300_000_000_000;

/// The load that the faults were on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    /// When it began, nanoseconds since the run's origin.
    pub start_ns: u64,
    /// When a threshold ended it, if one did.
    pub aborted_ns: Option<u64>,
    /// The phase that is no load: its number.
    pub drain_phase: u16,
}

/// Watches the attempts of a run for its faults.
#[derive(Debug)]
pub struct Observer {
    load: Load,
    occurrences: Vec<Occurrence>,
    /// In the order of the occurrences.
    counts: Vec<Counts>,
    /// By their beginning.
    active: Vec<Active>,
    /// Times that are kept, by their beginning; none meets another.
    kept: Vec<(u64, u64)>,
    grid: Grid,
    attempts: u64,
    last_ns: u64,
    alerts: Option<Watched>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    attempts: u64,
    failed: u64,
    unknown: u64,
    open_after_heal_ns: Option<u64>,
}

/// The time in which one occurrence was active.
#[derive(Debug, Clone, Copy)]
struct Active {
    from_ns: u64,
    to_ns: u64,
    occurrence: usize,
    /// The latest end of this and all earlier ones.
    latest_ns: u64,
}

/// From when on a system was as before, and what "before" was.
#[derive(Debug, Clone, Copy)]
struct Undisturbed {
    from_ns: u64,
    baseline: Option<Baseline>,
}

impl Observer {
    /// Before the first attempt.
    pub fn new(occurrences: Vec<Occurrence>, load: Load) -> Self {
        let active = active(&occurrences);
        Self {
            load,
            counts: vec![Counts::default(); occurrences.len()],
            occurrences,
            kept: kept(&active),
            active,
            grid: Grid::default(),
            attempts: 0,
            last_ns: load.start_ns,
            alerts: None,
        }
    }

    /// Lets alerts notice faults, too.
    #[must_use]
    pub fn with_alerts(self, alerts: Option<Watched>) -> Self {
        Self { alerts, ..self }
    }

    /// Takes the next attempt.
    pub fn take(&mut self, operation: &Operation) {
        if operation.phase == self.load.drain_phase {
            return;
        }
        let (sent_ns, answered_ns) = (operation.inv_ns, operation.ret_ns.max(operation.inv_ns));
        self.attempts += 1;
        self.last_ns = self.last_ns.max(sent_ns);
        let mut touched = false;
        for active in meeting(&self.active, sent_ns, answered_ns) {
            touched = true;
            self.counts[active.occurrence].take(operation, active.to_ns);
        }
        if !is_kept(&self.kept, sent_ns) {
            return;
        }
        let was_sent = operation.kind != OutcomeKind::NotSent;
        let service_us = was_sent.then_some((answered_ns - sent_ns) / 1_000);
        let failed_ns = operation.kind.is_failed_request().then_some(answered_ns);
        self.grid.at(sent_ns, touched).take(service_us, failed_ns);
    }

    /// After the last attempt: every occurrence, in the order in which they were given.
    pub fn finish(self) -> Vec<Measured> {
        let mut measured: Vec<Measured> = self
            .occurrences
            .iter()
            .zip(&self.counts)
            .map(|(occurrence, counts)| unmeasured(occurrence, *counts))
            .collect();
        let mut undisturbed = Undisturbed {
            from_ns: self.load.start_ns,
            baseline: None,
        };
        for active in &self.active {
            let baseline = self.baseline(active, &undisturbed);
            let one = &mut measured[active.occurrence];
            self.measure(one, active, baseline);
            let clean_ns = match one.recovery {
                Recovery::At(at) => at,
                _ => u64::MAX,
            };
            if clean_ns > undisturbed.from_ns {
                undisturbed = Undisturbed {
                    from_ns: clean_ns,
                    baseline,
                };
            }
        }
        self.set_beside(&mut measured);
        measured
    }

    /// What is before a system has recovered from another fault is no measure of anything: then it
    /// is what was before that one.
    fn baseline(&self, active: &Active, undisturbed: &Undisturbed) -> Option<Baseline> {
        if undisturbed.from_ns > active.from_ns {
            return undisturbed.baseline;
        }
        let from_ns = active.from_ns.saturating_sub(BASELINE_NS);
        let from_ns = from_ns.max(undisturbed.from_ns);
        self.grid.baseline(from_ns, active.from_ns)
    }

    fn measure(&self, one: &mut Measured, active: &Active, baseline: Option<Baseline>) {
        let length_s = self.last_ns.saturating_sub(self.load.start_ns) as f64 / 1e9;
        let scale = Scale::new(
            baseline.as_ref(),
            self.attempts as f64 / length_s.max(CELL_NS as f64 / 1e9),
        );
        one.baseline = baseline;
        one.window_ns = scale.window_ns();
        if let Some(healed_ns) = one.occurrence.healed_ns {
            one.recovery = self.recovery(&scale, healed_ns);
        }
        let over_ns = match one.recovery {
            Recovery::At(at) => at,
            _ => self.kept_until(active),
        };
        let bad = self.grid.first_bad(&scale, active.from_ns, over_ns);
        one.first_bad_ns = bad.map(|(start, _)| start);
        let of = |by| move |at_ns| Detected { at_ns, by };
        let effect = one.occurrence.effect_seen.as_ref().map(|(at, _)| *at);
        let aborted = self.load.aborted_ns;
        let aborted = aborted.filter(|at| (active.from_ns..=over_ns).contains(at));
        let fired = self.alerted(one, active);
        let noticed = [
            effect.map(of(Detector::Effect)),
            bad.map(|(_, noticed)| noticed).map(of(Detector::Clients)),
            aborted.map(of(Detector::Threshold)),
            fired.map(of(Detector::Alert)),
        ];
        one.noticed = noticed.into_iter().flatten().collect();
        one.noticed.sort_unstable();
    }

    /// When the first alert began to fire. They are watched longer than the load sends: what fires
    /// before the heal counts, whenever the last attempt was.
    fn alerted(&self, one: &mut Measured, active: &Active) -> Option<u64> {
        let watched = self.alerts.as_ref()?;
        let over_ns = match one.recovery {
            Recovery::At(at) => at,
            _ => active.to_ns.saturating_add(KEPT_AFTER_NS),
        };
        let alerted = one.alerted.insert(watched.during(active.from_ns, over_ns));
        let first = alerted.fired.first()?;
        watched.alerts.get(*first).map(|alert| alert.fired_ns)
    }

    fn recovery(&self, scale: &Scale, healed_ns: u64) -> Recovery {
        let kept_ns = healed_ns.saturating_add(KEPT_AFTER_NS);
        let last_ns = self.last_ns.min(kept_ns);
        let bad = match self.grid.recovered(scale, healed_ns, last_ns) {
            Ok(at) => return Recovery::At(at),
            Err(bad) => bad,
        };
        Recovery::NotWithin {
            seen_ns: last_ns.saturating_sub(healed_ns),
            bad_ns: bad.map(|bad| bad - healed_ns),
            until: match bad {
                _ if self.last_ns > kept_ns => Until::Kept,
                None => Until::TooLittle,
                Some(_) => Until::LoadEnded,
            },
        }
    }

    /// The end of what is kept for a fault.
    fn kept_until(&self, active: &Active) -> u64 {
        let kept_ns = active.to_ns.saturating_add(KEPT_AFTER_NS);
        kept_ns.min(self.last_ns.saturating_add(1))
    }

    /// Who was active at the same time, until it was recovered from or healed.
    fn set_beside(&self, measured: &mut [Measured]) {
        for active in &self.active {
            let over_ns = match measured[active.occurrence].recovery {
                Recovery::At(at) => at,
                _ => active.to_ns,
            };
            let others = meeting(&self.active, active.from_ns, over_ns);
            let others = others.map(|other| other.occurrence);
            let mut beside: Vec<_> = others.filter(|other| *other != active.occurrence).collect();
            beside.sort_unstable();
            measured[active.occurrence].beside = beside;
        }
    }
}

impl Counts {
    fn take(&mut self, operation: &Operation, healed_ns: u64) {
        self.attempts += 1;
        self.failed += u64::from(operation.kind.is_failed_request());
        self.unknown += u64::from(operation.kind == OutcomeKind::Unknown);
        let open_ns = operation.ret_ns.saturating_sub(healed_ns);
        if open_ns > 0 {
            self.open_after_heal_ns = self.open_after_heal_ns.max(Some(open_ns));
        }
    }
}

fn unmeasured(occurrence: &Occurrence, counts: Counts) -> Measured {
    Measured {
        occurrence: occurrence.clone(),
        first_bad_ns: None,
        noticed: Vec::new(),
        alerted: None,
        recovery: Recovery::NotHealed,
        baseline: None,
        window_ns: 0,
        attempts: counts.attempts,
        failed: counts.failed,
        unknown: counts.unknown,
        open_after_heal_ns: counts.open_after_heal_ns,
        beside: Vec::new(),
    }
}

fn active(occurrences: &[Occurrence]) -> Vec<Active> {
    let of = |(occurrence, one): (usize, &Occurrence)| {
        let (from_ns, to_ns) = one.active_ns()?;
        Some(Active {
            from_ns,
            to_ns,
            occurrence,
            latest_ns: to_ns,
        })
    };
    let mut all: Vec<Active> = occurrences.iter().enumerate().filter_map(of).collect();
    all.sort_by_key(|one| (one.from_ns, one.occurrence));
    let mut latest_ns = 0;
    for one in &mut all {
        latest_ns = latest_ns.max(one.to_ns);
        one.latest_ns = latest_ns;
    }
    all
}

/// Those that were active at some time of a closed interval.
fn meeting(active: &[Active], from_ns: u64, to_ns: u64) -> impl Iterator<Item = &Active> {
    let begun = active.partition_point(|one| one.from_ns <= to_ns);
    let begun = active[..begun].iter().rev();
    let begun = begun.take_while(move |one| one.latest_ns >= from_ns);
    begun.filter(move |one| one.to_ns >= from_ns)
}

fn kept(active: &[Active]) -> Vec<(u64, u64)> {
    let mut kept: Vec<(u64, u64)> = Vec::new();
    for one in active {
        let from = one.from_ns.saturating_sub(BASELINE_NS + CELL_NS);
        let to = one.to_ns.saturating_add(KEPT_AFTER_NS + CELL_NS);
        match kept.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => kept.push((from, to)),
        }
    }
    kept
}

fn is_kept(kept: &[(u64, u64)], at_ns: u64) -> bool {
    let begun = kept.partition_point(|(from, _)| *from <= at_ns);
    kept[..begun].last().is_some_and(|(_, to)| at_ns <= *to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cause, Key};

    const S: u64 = 1_000_000_000;

    #[test]
    fn only_what_is_near_a_fault_is_kept() {
        let occurrence = Occurrence {
            applied_ns: Some(10_000 * S),
            healed_ns: Some(10_020 * S),
            ..Occurrence::default()
        };
        let mut observer = Observer::new(vec![occurrence], Load::default());
        for second in 0..86_400 {
            observer.take(&Operation {
                user: Key(1),
                coupon: Key::NONE,
                inv_ns: second * S,
                ret_ns: second * S + 1,
                lag_us: 0,
                status: 0,
                kind: OutcomeKind::Issued,
                label: 0,
                step: 0,
                cause: Cause::None,
                phase: 1,
                vu: 0,
            });
        }
        assert_eq!(observer.attempts, 86_400);
        assert_eq!(observer.grid.cells(), 10 + 20 + 300 + 1);
    }
}
