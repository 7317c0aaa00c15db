//! What keeps a green result from being vacuous: each guard that strikes makes the verdict
//! `Unknown` and says why.

use super::event::Event;
use crate::history::Cause;
use crate::measure::{Second, Totals, Trend};
use crate::plan::{Executor, Plan};

/// How every doubt about the load generator begins.
const GENERATOR: &str = "the load generator was";

/// Whether the reason for an inconclusive run is that its generator could not keep up: then its times
/// are those of the machine as much as of the system.
pub fn is_of_generator(reason: &str) -> bool {
    reason.starts_with(GENERATOR)
}

/// A load thread above this share of a core has no time left to be on time.
const BUSY: f64 = 0.95;

/// Busy seconds that make a run saturated: this share of all, and at least so many.
const BUSY_SHARE: f64 = 0.1;
const BUSY_SECONDS: u64 = 3;

/// Starts of the open model that are later than this at the 99th percentile are not the schedule
/// that was asked for, in milliseconds.
const LATE_MS: f64 = 100.0;

/// What the seconds of a run say about the generator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Generator {
    seconds: u64,
    busy: u64,
}

impl Generator {
    pub(super) fn second(&mut self, second: &Second) {
        self.seconds += 1;
        self.busy += u64::from(second.busiest_thread > BUSY);
    }

    fn is_saturated(self) -> bool {
        self.busy >= BUSY_SECONDS && self.busy as f64 >= BUSY_SHARE * self.seconds as f64
    }
}

/// When a signal asked for the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// Never.
    #[default]
    No,
    /// The load was cut short.
    InLoad,
    /// The load had come to its end, but the truth had not been read.
    AfterLoad,
}

/// What was recorded of the run's end.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    /// The run came to its end in good order.
    pub(super) ended: bool,
    /// A signal asked for the end.
    pub(super) interrupted: Interrupted,
    /// Operations that could not be kept; `None`: the collector did not come to its end.
    pub(super) lost: Option<u64>,
    /// Why the files are incomplete.
    pub(super) failure: Option<String>,
}

impl End {
    /// Why attempts may be missing in the history, for the end of a sentence.
    pub(super) fn gap(&self) -> Option<String> {
        match (self.lost, &self.failure) {
            (_, Some(failure)) => Some(failure.clone()),
            (Some(0), None) => None,
            (Some(lost), None) => Some(format!("{lost} operations were not kept")),
            (None, None) => Some("its recording did not come to its end".to_owned()),
        }
    }
}

/// Every reason to doubt, in words.
pub(super) fn doubts(plan: &Plan, totals: &Totals, generator: Generator, end: &End) -> Vec<String> {
    let mut doubts = Vec::new();
    let cut = match end.interrupted {
        Interrupted::InLoad => Some("the run was interrupted: the load did not come to its end"),
        Interrupted::AfterLoad => {
            Some("the run was interrupted after its load, before the truth was read to its end")
        }
        Interrupted::No if !end.ended => Some("the run was cut off: its evidence ends in mid-run"),
        Interrupted::No => None,
    };
    doubts.extend(cut.map(str::to_owned));
    match end.lost {
        Some(0) | None => {}
        Some(lost) => doubts.push(format!(
            "evidence was lost: {lost} operations were not kept"
        )),
    }
    doubts.extend(
        end.failure
            .iter()
            .map(|failure| format!("evidence was lost: {failure}")),
    );
    let asked = totals.count(Trend::Duration, |id| id.phase != plan.drain_phase());
    if asked == 0 && plan.has_load() {
        doubts.push("no data: not a single request was made".to_owned());
    }
    if generator.is_saturated() {
        doubts.push(format!(
            "{GENERATOR} saturated: a load thread was above {:.0} % of its core in {} of {} s; give it more threads or less to do",
            BUSY * 100.0, generator.busy, generator.seconds,
        ));
    }
    doubts.extend(late(plan, totals));
    doubts
}

/// What the machine of the generator had run out of: such attempts say nothing of the target.
pub(super) fn exhausted(events: &[Event]) -> Vec<String> {
    let seen = |wanted: Cause| -> u64 {
        let counts = events.iter().filter_map(|event| match event {
            Event::Recorded { unknown, .. } => Some(unknown),
            _ => None,
        });
        let counts = counts.flatten().filter(|count| count.cause == wanted);
        counts.map(|count| count.count).sum()
    };
    let table = [
        (
            Cause::NoLocalPort,
            "local ports: give it more addresses with `--local-ips`",
        ),
        (
            Cause::NoFile,
            "open files: raise the limit with `ulimit -n`",
        ),
    ];
    let doubt = |(cause, what): (Cause, &str)| match seen(cause) {
        0 => None,
        count => Some(format!(
            "{GENERATOR} out of {what} ({count} attempts had no connection for want of one)"
        )),
    };
    table.into_iter().filter_map(doubt).collect()
}

/// Schedules of the open model that were not kept. A stampede is late by its nature: its users
/// follow one another on each thread.
fn late(plan: &Plan, totals: &Totals) -> Vec<String> {
    let arrivals = plan.loads.iter().filter(|load| {
        matches!(
            load.executor,
            Executor::ConstantArrivalRate { .. } | Executor::RampingArrivalRate { .. }
        )
    });
    let lag_ms = |load: &&crate::plan::Load| {
        let lag = totals.merged(Trend::ScheduleLag, |id| load.phases.contains(&id.phase))?;
        Some(lag.value_at_quantile(0.99) as f64 / 1_000.0)
    };
    let too_late = arrivals.filter_map(|load| {
        lag_ms(&load).filter(|ms| *ms > LATE_MS).map(|ms| {
            format!(
                "{GENERATOR} late: load `{}` started {ms:.0} ms late at its 99th percentile",
                load.name
            )
        })
    });
    too_late.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::UnknownCount;

    #[test]
    fn attempts_for_which_this_machine_had_nothing_left_are_a_doubt_about_the_generator() {
        let count = |step, cause, count| UnknownCount {
            step,
            cause,
            status: 0,
            count,
        };
        let recorded = |unknown| {
            [Event::Recorded {
                lost: 0,
                failure: None,
                unknown,
            }]
        };
        // What the target refuses is about the target.
        let refused = recorded(vec![count(0, Cause::ConnectRefused, 7)]);
        assert!(exhausted(&refused).is_empty());
        let out_of_both = recorded(vec![
            count(0, Cause::NoLocalPort, 2),
            count(1, Cause::NoLocalPort, 3),
            count(0, Cause::NoFile, 4),
        ]);
        let doubts = exhausted(&out_of_both);
        assert!(doubts.iter().all(|doubt| is_of_generator(doubt)));
        assert!(doubts[0].contains("out of local ports") && doubts[0].contains("(5 attempts"));
        assert!(doubts[1].contains("out of open files") && doubts[1].contains("(4 attempts"));
    }
}
