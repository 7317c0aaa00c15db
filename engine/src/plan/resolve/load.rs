//! Loads become executors, and their stages the phases of the run.

use std::time::Duration;

use super::Scale;
use crate::plan::{Executor, Load, Phase, RateStage, Stage};
use crate::scenario::value::{Count, Span};
use crate::scenario::{
    At, Executor as Written, Load as WrittenLoad, Position, Report, Scenario,
    Stage as WrittenStage, did_you_mean,
};

const GRACEFUL: Duration = Duration::from_secs(30);
const WITHIN: Duration = Duration::from_mins(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
const STAMPEDE_WITHIN: Duration = Duration::from_mins(1);

/// VUs of one load; more do not fit one machine.
const MAX_VUS: u64 = 1_000_000;
/// Phases of all loads.
const MAX_PHASES: usize = 10_000;
/// The phase after the load in which fresh users ask until the first sold-out.
const DRAIN: &str = "drain";

/// All loads with their phases.
pub(super) struct Loads {
    pub(super) list: Vec<Load>,
    pub(super) phases: Vec<Phase>,
    /// Whether every load is there, so that a phase that is not known is a mistake.
    pub(super) whole: bool,
}

pub(super) fn resolve(scenario: &Scenario, scale: Scale, report: &mut Report<'_>) -> Loads {
    let mut all = Loads {
        list: Vec::new(),
        phases: Vec::new(),
        whole: true,
    };
    for written in &scenario.loads {
        let flow = flow_of(written, scenario, report);
        let Some(executor) = &written.executor else {
            all.whole = false;
            continue;
        };
        check_phases(written, executor, report);
        check_vus(executor, report);
        let start_after = written.start_after.map_or(Duration::ZERO, |span| span.0);
        let load = Load {
            name: written.name.value.as_str().to_owned(),
            flow: flow.unwrap_or(0),
            start_after: scale.time(start_after),
            graceful_stop: written.graceful_stop.map_or(GRACEFUL, |span| span.0),
            executor: executor_of(executor, scale),
            phases: 0..0,
        };
        all.add(load);
    }
    if all.phases.len() > MAX_PHASES {
        report.error(
            Position::START,
            format!(
                "the loads have {} phases, at most {MAX_PHASES} are possible",
                all.phases.len()
            ),
        );
        all.phases.truncate(MAX_PHASES);
    }
    let end = all.phases.iter().map(|phase| phase.to).max();
    let end = end.unwrap_or_default();
    all.phases.push(Phase {
        name: DRAIN.to_owned(),
        load: None,
        from: end,
        to: end,
    });
    all
}

impl Loads {
    fn add(&mut self, mut load: Load) {
        let first = self.phases.len();
        let mut at = load.start_after;
        for (name, duration) in lengths(&load) {
            self.phases.push(Phase {
                name,
                load: Some(self.list.len()),
                from: at,
                to: at + duration,
            });
            at += duration;
        }
        load.phases = first as u16..self.phases.len() as u16;
        self.list.push(load);
    }
}

/// The phases of a load, each with its length.
fn lengths(load: &Load) -> Vec<(String, Duration)> {
    let one = |duration: Duration| vec![(load.name.clone(), duration)];
    match &load.executor {
        Executor::RampingVus { stages, .. } => {
            let stages = stages.iter();
            stages
                .map(|stage| (stage.name.clone(), stage.duration))
                .collect()
        }
        Executor::RampingArrivalRate { stages, .. } => {
            let stages = stages.iter();
            stages
                .map(|stage| (stage.name.clone(), stage.duration))
                .collect()
        }
        Executor::ConstantVus { duration, .. }
        | Executor::ConstantArrivalRate { duration, .. }
        | Executor::PerVuIterations {
            max_duration: duration,
            ..
        }
        | Executor::SharedIterations {
            max_duration: duration,
            ..
        }
        | Executor::Stampede {
            max_duration: duration,
            ..
        } => one(*duration),
    }
}

fn flow_of(load: &WrittenLoad, scenario: &Scenario, report: &mut Report<'_>) -> Option<usize> {
    let names: Vec<&str> = scenario
        .flows
        .iter()
        .map(|flow| flow.name.value.as_str())
        .collect();
    let Some(name) = &load.flow else {
        if names.len() > 1 {
            report.error_hint(
                load.name.position,
                format!(
                    "the load `{}` does not say which flow it performs",
                    load.name.value
                ),
                format!("write `flow: {}`", names[0]),
            );
        }
        return Some(0);
    };
    let found = names.iter().position(|known| *known == name.value);
    if found.is_none() && !names.is_empty() {
        report.error_hint(
            name.position,
            format!("there is no flow `{}`", name.shown()),
            did_you_mean(&name.value, &names),
        );
    }
    found
}

/// Thresholds and reports tell phases by their names.
fn check_phases(load: &WrittenLoad, executor: &Written, report: &mut Report<'_>) {
    let names: Vec<(String, Position)> = match executor {
        Written::RampingVus { stages, .. } => named(stages),
        Written::RampingArrivalRate { stages, .. } => named(stages),
        _ => vec![(load.name.value.as_str().to_owned(), load.name.position)],
    };
    for (at, (name, position)) in names.iter().enumerate() {
        if name == DRAIN {
            report.error_hint(
                *position,
                format!("the name `{DRAIN}` is taken by the phase after the load"),
                "choose another name",
            );
        }
        if names[..at].iter().any(|(earlier, _)| earlier == name) {
            report.error_hint(
                *position,
                format!(
                    "there are two stages `{name}` in the load `{}`",
                    load.name.value
                ),
                "give each stage a name of its own",
            );
        }
    }
}

fn named<T>(stages: &[WrittenStage<T>]) -> Vec<(String, Position)> {
    let place = |stage: &WrittenStage<T>| match &stage.name {
        Some(name) => name.position,
        None => stage.position,
    };
    std::iter::zip(stage_names(stages), stages.iter().map(place)).collect()
}

/// A stage without a name has its number, counted from 1.
fn stage_names<T>(stages: &[WrittenStage<T>]) -> Vec<String> {
    let name = |(at, stage): (usize, &WrittenStage<T>)| match &stage.name {
        Some(name) => name.value.as_str().to_owned(),
        None => format!("stage-{}", at + 1),
    };
    stages.iter().enumerate().map(name).collect()
}

fn check_vus(executor: &Written, report: &mut Report<'_>) {
    let numbers: Vec<&At<Count>> = match executor {
        Written::ConstantVus { vus, .. }
        | Written::PerVuIterations { vus, .. }
        | Written::SharedIterations { vus, .. }
        | Written::Stampede { users: vus, .. } => vec![vus],
        Written::RampingVus { stages, .. } => stages.iter().map(|stage| &stage.to).collect(),
        Written::ConstantArrivalRate { vus, max_vus, .. }
        | Written::RampingArrivalRate { vus, max_vus, .. } => {
            std::iter::once(vus).chain(max_vus).collect()
        }
    };
    for number in numbers {
        if number.value.0 > MAX_VUS {
            report.error_hint(
                number.position,
                format!("{} VUs do not fit one machine", number.value),
                format!("write at most {}", Count(MAX_VUS)),
            );
        }
    }
}

fn executor_of(written: &Written, scale: Scale) -> Executor {
    let or = |span: Option<&At<Span>>, default: Duration| span.map_or(default, |span| span.value.0);
    match written {
        Written::ConstantVus { vus, duration } => Executor::ConstantVus {
            vus: scale.vus(vus.value.0),
            duration: scale.time(duration.value.0),
        },
        Written::RampingVus {
            start,
            stages,
            graceful_ramp_down,
        } => Executor::RampingVus {
            start: scale.vus(*start),
            stages: std::iter::zip(stage_names(stages), stages)
                .map(|(name, stage)| Stage {
                    name,
                    duration: scale.time(stage.duration.0),
                    target: scale.vus(stage.to.value.0),
                })
                .collect(),
            graceful_ramp_down: graceful_ramp_down.map_or(GRACEFUL, |span| span.0),
        },
        Written::PerVuIterations {
            vus,
            iterations,
            within,
        } => Executor::PerVuIterations {
            vus: scale.vus(vus.value.0),
            iterations: scale.iterations(iterations.value.0),
            max_duration: or(within.as_ref(), WITHIN),
        },
        Written::SharedIterations {
            vus,
            iterations,
            within,
        } => Executor::SharedIterations {
            vus: scale.vus(vus.value.0),
            iterations: scale.iterations(iterations.value.0),
            max_duration: or(within.as_ref(), WITHIN),
        },
        Written::ConstantArrivalRate {
            rate,
            duration,
            vus,
            max_vus,
        } => Executor::ConstantArrivalRate {
            rate: scale.rate(rate.value.0),
            duration: scale.time(duration.value.0),
            vus: scale.vus(vus.value.0),
            max_vus: scale.vus(max_vus.as_ref().unwrap_or(vus).value.0),
        },
        Written::RampingArrivalRate {
            start,
            stages,
            vus,
            max_vus,
        } => Executor::RampingArrivalRate {
            start: scale.rate(*start),
            stages: std::iter::zip(stage_names(stages), stages)
                .map(|(name, stage)| RateStage {
                    name,
                    duration: scale.time(stage.duration.0),
                    target: scale.rate(stage.to.value.0),
                })
                .collect(),
            vus: scale.vus(vus.value.0),
            max_vus: scale.vus(max_vus.as_ref().unwrap_or(vus).value.0),
        },
        Written::Stampede {
            users,
            connect_within,
            within,
        } => Executor::Stampede {
            users: scale.vus(users.value.0),
            connect_within: or(connect_within.as_ref(), CONNECT_WITHIN),
            max_duration: or(within.as_ref(), STAMPEDE_WITHIN),
        },
    }
}
