//! How much a plan will ask for: exact where starts follow a schedule, bounded where they do not.

use std::time::Duration;

use crate::plan::{Action, Draw, Executor, Flow, Items, Load, Per, Plan};

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

/// The iterations of a load.
pub(in crate::plan) fn starts(load: &Load, flows: &[Flow]) -> Starts {
    if let Some(ticks) = load.executor.ticks() {
        return Starts::Exactly(ticks.total());
    }
    if let Some(curve) = load.executor.vu_curve() {
        let pause = flows.get(load.flow).map_or(Duration::ZERO, pause);
        let bound = (!pause.is_zero())
            .then(|| (curve.area() / pause.as_secs_f64()).ceil() as u64 + curve.max());
        return Starts::AtMost {
            vu_seconds: curve.area(),
            bound,
        };
    }
    Starts::Exactly(match &load.executor {
        Executor::PerVuIterations {
            vus, iterations, ..
        } => vus.saturating_mul(*iterations),
        Executor::SharedIterations { iterations, .. } => *iterations,
        Executor::Stampede { users, .. } => *users,
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

/// The most VUs of a load at any time.
pub(in crate::plan) fn most_vus(load: &Load) -> u64 {
    match &load.executor {
        Executor::PerVuIterations { vus, .. } | Executor::SharedIterations { vus, .. } => *vus,
        Executor::Stampede { users, .. } => *users,
        Executor::ConstantArrivalRate { max_vus, .. }
        | Executor::RampingArrivalRate { max_vus, .. } => *max_vus,
        Executor::ConstantVus { .. } | Executor::RampingVus { .. } => {
            load.executor.vu_curve().map_or(0, |curve| curve.max())
        }
    }
}

/// How many different users ask: exactly, and at most. `None` where nobody can know.
pub(in crate::plan) fn users(plan: &Plan) -> (Option<u64>, Option<u64>) {
    if plan.users.per == Per::Vu {
        let vus = plan.loads.iter().map(most_vus).sum();
        return (Some(vus), Some(vus));
    }
    let fresh = |starts: u64| (starts as f64 * (1.0 - plan.users.repeat)).ceil() as u64;
    let all: Vec<Starts> = plan
        .loads
        .iter()
        .map(|load| starts(load, &plan.flows))
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
