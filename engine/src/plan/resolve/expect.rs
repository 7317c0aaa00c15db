//! How much a plan will ask for: exact where starts follow a schedule, bounded where they do not.

use std::time::Duration;

use crate::plan::{Action, Draw, Executor, Flow, Items, Load, Per, Plan, Segment};

/// How many iterations a load starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::plan) enum Starts {
    /// Known before the run, unless some are dropped or cut.
    Exactly(u64),
    /// It depends on the answers; pauses bound it.
    AtMost {
        /// VUs times seconds.
        vu_seconds: f64,
        /// If every answer came at once; `None` without pauses.
        bound: Option<u64>,
    },
}

impl Starts {
    /// The largest possible number, if there is one.
    pub(in crate::plan) const fn bound(self) -> Option<u64> {
        match self {
            Self::Exactly(starts) => Some(starts),
            Self::AtMost { bound, .. } => bound,
        }
    }
}

/// The iterations of a load, as far as they are this segment's.
pub(in crate::plan) fn starts(load: &Load, flows: &[Flow], segment: Segment) -> Starts {
    let Some(segment) = segment.among(load.executor.max_vus()) else {
        return Starts::Exactly(0);
    };
    if let Some(ticks) = load.executor.ticks() {
        return Starts::Exactly(segment.share(ticks.total()));
    }
    if let Some(curve) = load.executor.vu_curve() {
        let pause = flows.get(load.flow).map_or(Duration::ZERO, pause);
        let (vu_seconds, most) = (curve.area(segment), segment.share(curve.max()));
        let bound = (!pause.is_zero()).then(|| (vu_seconds / pause.as_secs_f64()).ceil() as u64);
        return Starts::AtMost {
            vu_seconds,
            bound: bound.map(|bound| bound + most),
        };
    }
    Starts::Exactly(match &load.executor {
        Executor::PerVuIterations {
            vus, iterations, ..
        } => segment.share(*vus).saturating_mul(*iterations),
        Executor::SharedIterations { iterations, .. } => segment.share(*iterations),
        Executor::Stampede { users, .. } => segment.share(*users),
        // The others have a curve or ticks.
        _ => 0,
    })
}

/// The shortest pauses of one iteration.
fn pause(flow: &Flow) -> Duration {
    pause_of(&flow.actions)
}

fn pause_of(actions: &[Action]) -> Duration {
    let pauses = actions.iter().map(|action| match action {
        Action::Think(shortest, _) => *shortest,
        Action::Request(_) => Duration::ZERO,
        Action::When(when) => pause_of(&when.then).min(pause_of(&when.otherwise)),
        Action::Each(each) => {
            let rounds = match &each.items {
                Items::List(list) => list.len() as u64,
                Items::Range(from, to) => to - from + 1,
                Items::In(_) => 0,
            };
            pause_of(&each.actions) * u32::try_from(rounds).unwrap_or(u32::MAX)
        }
        Action::Parallel(parallel) => {
            let branches = parallel.branches.iter();
            let longest = branches.map(|branch| pause_of(branch)).max();
            longest.unwrap_or_default()
        }
    });
    pauses.sum()
}

/// How many different users ask: exactly, and at most. `None` where nobody can know.
pub(in crate::plan) fn users(plan: &Plan) -> (Option<u64>, Option<u64>) {
    if plan.users.per == Per::Vu {
        let of_load = |load: &Load| plan.segment.share(load.executor.max_vus());
        let vus = plan.loads.iter().map(of_load).sum();
        return (Some(vus), Some(vus));
    }
    let fresh = |starts: u64| (starts as f64 * (1.0 - plan.users.repeat)).ceil() as u64;
    let all: Vec<Starts> = plan
        .loads
        .iter()
        .map(|load| starts(load, &plan.flows, plan.segment))
        .collect();
    let exact: Option<u64> = all
        .iter()
        .map(|starts| match starts {
            Starts::Exactly(starts) => Some(*starts),
            Starts::AtMost { .. } => None,
        })
        .sum();
    let bound: Option<u64> = all.iter().map(|starts| starts.bound()).sum();
    if plan.users.draw == Draw::AtRandom {
        // Chance decides who comes again.
        let pool = Some(plan.users.pool).filter(|pool| *pool > 0);
        let most = [bound, pool].into_iter().flatten().min();
        return (None, most);
    }
    (exact.map(fresh), bound.map(fresh))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{RateStage, Stage};
    use proptest::prelude::*;

    fn executor() -> impl Strategy<Value = Executor> {
        let times = prop::collection::vec((0_u64..5, 0_u64..30), 1..5);
        let numbers = (0_usize..7, 1_u64..30, 0_u64..200, times);
        numbers.prop_map(|(kind, vus, many, times)| {
            let second = Duration::from_secs(1);
            let stages = times.iter().map(|(seconds, target)| Stage {
                name: String::new(),
                duration: Duration::from_secs(*seconds),
                target: *target,
            });
            let rates = times.iter().map(|(seconds, target)| RateStage {
                name: String::new(),
                duration: Duration::from_secs(*seconds),
                target: *target as f64 * 1.7,
            });
            let max_duration = second;
            match kind {
                0 => Executor::ConstantVus {
                    vus,
                    duration: second,
                },
                1 => Executor::RampingVus {
                    start: vus,
                    stages: stages.collect(),
                    graceful_ramp_down: second,
                },
                2 => Executor::PerVuIterations {
                    vus,
                    iterations: many,
                    max_duration,
                },
                3 => Executor::SharedIterations {
                    vus,
                    iterations: many,
                    max_duration,
                },
                4 => Executor::ConstantArrivalRate {
                    rate: many as f64 / 3.0,
                    duration: second,
                    vus,
                    max_vus: vus + many,
                },
                5 => Executor::RampingArrivalRate {
                    start: many as f64,
                    stages: rates.collect(),
                    vus,
                    max_vus: vus,
                },
                _ => Executor::Stampede {
                    users: vus,
                    connect_within: second,
                    max_duration,
                },
            }
        })
    }

    proptest! {
        #[test]
        fn the_segments_of_any_load_start_what_the_whole_starts(
            executor in executor(), of in 1_u64..40,
        ) {
            let load = Load {
                name: String::new(),
                flow: 0,
                start_after: Duration::ZERO,
                graceful_stop: Duration::ZERO,
                executor,
                phases: 0..1,
            };
            let of_segment = |number| {
                let segment = Segment::new(number, of).expect("one of them");
                (segment, starts(&load, &[], segment))
            };
            let parts: Vec<_> = (1..=of).map(of_segment).collect();
            match starts(&load, &[], Segment::WHOLE) {
                Starts::Exactly(whole) => {
                    let sum: u64 = parts.iter().filter_map(|(_, part)| part.bound()).sum();
                    prop_assert_eq!(sum, whole);
                }
                Starts::AtMost { vu_seconds: whole, .. } => {
                    let seconds = parts.iter().map(|(_, part)| match part {
                        Starts::AtMost { vu_seconds, .. } => *vu_seconds,
                        Starts::Exactly(starts) => *starts as f64,
                    });
                    let sum: f64 = seconds.sum();
                    prop_assert!((sum - whole).abs() < 1e-6, "{sum} of {whole}: {parts:?}");
                }
            }
            if let Some(curve) = load.executor.vu_curve() {
                let mut at = Duration::ZERO;
                while let Some(next) = curve.next_change(at) {
                    let vus = curve.at(at);
                    let sum: u64 = parts.iter().map(|(segment, _)| segment.share(vus)).sum();
                    prop_assert_eq!(sum, vus, "at {:?}", at);
                    at = next;
                }
            }
        }
    }
}
