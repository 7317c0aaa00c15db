//! A plan's load in Goose's own words: its arguments, and when the load is over.

use std::time::Duration;

use crate::plan::{Executor, Load};

/// What Goose is told of a load, and what only we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// Of its command line.
    pub(super) arguments: Vec<String>,
    /// From the start of the load: after it no iteration begins.
    pub(super) end: Duration,
    /// Where the load is over when so many VUs have had all their iterations: how many VUs, and how
    /// many iterations of each.
    pub(super) counted: Option<(u64, u64)>,
}

impl Settings {
    /// Of this load; `None` if Goose has no such thing, which planning has refused.
    pub(super) fn of(load: &Load, host: &str) -> Option<Self> {
        let mut arguments: Vec<String> = [
            "--host",
            host,
            // Its figures are not used: what was measured goes to the recorder.
            "--no-metrics",
            "--no-print-metrics",
            "--no-telnet",
            "--quiet",
        ]
        .map(str::to_owned)
        .into();
        let mut tell = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        let (end, counted) = match &load.executor {
            Executor::ConstantVus { vus, duration } => {
                let stages = [(*vus, Duration::ZERO), (*vus, *duration)];
                tell("--test-plan", test_plan(stages));
                (*duration, None)
            }
            Executor::RampingVus { start, stages, .. } => {
                let first = (*start, Duration::ZERO);
                let others = stages.iter().map(|stage| (stage.target, stage.duration));
                tell(
                    "--test-plan",
                    test_plan(std::iter::once(first).chain(others)),
                );
                (stages.iter().map(|stage| stage.duration).sum(), None)
            }
            Executor::PerVuIterations {
                vus,
                iterations,
                max_duration,
            } => {
                tell("--users", vus.to_string());
                // All at once: Goose would start one a second.
                tell("--increase-rate", (vus * 100_000).to_string());
                tell("--iterations", iterations.to_string());
                (*max_duration, Some((*vus, *iterations)))
            }
            Executor::SharedIterations { .. }
            | Executor::ConstantArrivalRate { .. }
            | Executor::RampingArrivalRate { .. }
            | Executor::Stampede { .. } => return None,
        };
        Some(Self {
            arguments,
            end: load.start_after + end,
            counted,
        })
    }
}

/// `10,0;10,30;0,0`: so many users after so many seconds more. Without nobody at its end, the last
/// number would be held for ever.
fn test_plan(stages: impl IntoIterator<Item = (u64, Duration)>) -> String {
    let end = std::iter::once((0, Duration::ZERO));
    let steps = stages.into_iter().chain(end);
    let steps = steps.map(|(users, duration)| format!("{users},{}", duration.as_secs()));
    steps.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Stage;

    fn told(executor: Executor) -> Option<(String, Duration)> {
        let load = Load {
            name: "a".to_owned(),
            flow: 0,
            start_after: Duration::ZERO,
            graceful_stop: Duration::ZERO,
            executor,
            phases: 0..1,
        };
        let settings = Settings::of(&load, "http://127.0.0.1:1")?;
        let own = settings.arguments[6..].join(" ");
        Some((own, settings.end))
    }

    #[test]
    fn each_closed_model_has_its_words() {
        let s = Duration::from_secs;
        let stage = |target, seconds| Stage {
            name: "s".to_owned(),
            duration: s(seconds),
            target,
        };
        let ramp = Executor::RampingVus {
            start: 0,
            stages: vec![stage(20, 5), stage(20, 10), stage(0, 2)],
            graceful_ramp_down: s(30),
        };
        let each = Executor::PerVuIterations {
            vus: 3,
            iterations: 7,
            max_duration: s(60),
        };
        let constant = Executor::ConstantVus {
            vus: 10,
            duration: s(30),
        };
        let table = [
            (constant, "--test-plan 10,0;10,30;0,0", s(30)),
            (ramp, "--test-plan 0,0;20,5;20,10;0,2;0,0", s(17)),
            (
                each,
                "--users 3 --increase-rate 300000 --iterations 7",
                s(60),
            ),
        ];
        for (executor, words, end) in table {
            assert_eq!(told(executor), Some((words.to_owned(), end)));
        }
        let open = Executor::Stampede {
            users: 3,
            connect_within: s(1),
            max_duration: s(1),
        };
        assert_eq!(told(open), None);
    }
}
