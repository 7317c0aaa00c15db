//! Everything that one run will do, as plain data; the parts have files of their own.

use std::time::Duration;

use super::alerts::Alerts;
use super::details::Details;
use super::engine::EngineKind;
use super::executor::{Load, Phase};
use super::fault::Fault;
use super::flow::Flow;
use super::identity::Users;
use super::invariant::Invariant;
use super::outputs::Outputs;
use super::queue::Queue;
use super::resource::Resource;
use super::segment::Segment;
use super::setup::Setup;
use super::slots::Slot;
use super::step::{Label, Step};
use super::target::Target;
use super::truth::Truth;
use crate::measure::{CustomMetric, Threshold};
use crate::scenario::Mask;

/// Everything that one run will do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The scenario's name; part of the run directory's name.
    pub name: String,
    /// Which of the scenario's profiles was chosen.
    pub profile: Option<String>,
    /// What the scenario is for, in its author's words.
    pub about: Option<String>,
    /// Every choice by chance follows from this number.
    pub seed: u64,
    /// Who generates the load.
    pub engine: EngineKind,
    /// Which part of the load is run; all else of the plan is of the whole.
    pub segment: Segment,
    /// What is loaded.
    pub target: Target,
    /// What is given away.
    pub subject: Option<Subject>,
    /// Who asks.
    pub users: Users,
    /// Values that the run brings, by the numbers that templates use.
    pub slots: Vec<Slot>,
    /// What is done before the load and after it.
    pub setup: Setup,
    /// Side by side, in the scenario's order.
    pub loads: Vec<Load>,
    /// All phases of all loads in order; the index is the phase's number in the history.
    /// The last one is always the drain phase, which belongs to no load.
    pub phases: Vec<Phase>,
    /// Each is a list of steps that one iteration performs in order.
    pub flows: Vec<Flow>,
    /// All requests of all flows; the index is the step's number in the history.
    pub steps: Vec<Step>,
    /// All outcome names of all steps; the index is the label's number in the history.
    pub labels: Vec<Label>,
    /// What is measured of captures; the index is the metric's number in its series.
    pub metrics: Vec<CustomMetric>,
    /// What the scenario wants measured beside the load; what the run itself brings up is not
    /// among it.
    pub resources: Vec<Resource>,
    /// Whose alerts are watched, if anybody's.
    pub alerts: Option<Alerts>,
    /// What leaves the run while it goes on, and where to.
    pub outputs: Outputs,
    /// What is broken on purpose, in the scenario's order.
    pub faults: Vec<Fault>,
    /// Where the truth is read, if anywhere.
    pub truth: Option<Truth>,
    /// What is recorded of some steps beside what is of all.
    pub details: Box<Details>,
    /// The claims that the checkers judge.
    pub invariants: Vec<Invariant>,
    /// What [`Invariant::Queue`] claims, where it is among them.
    pub queue: Option<Box<Queue>>,
    /// The claims that the measurements decide.
    pub thresholds: Vec<Threshold>,
    /// What is allowed but suspicious, in words for the user.
    pub warnings: Vec<String>,
    /// What no file and no screen repeats: values from the environment.
    pub mask: Mask,
}

/// What is given away, at most once to each user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its id in the system under test.
    pub coupon: String,
    /// How many there are.
    pub stock: u64,
    /// After what time one may come back by itself; `None`: never.
    pub lease: Option<Duration>,
}

impl Plan {
    /// Whether it is asked how far the order of issue is the order of asking.
    pub fn measures_fairness(&self) -> bool {
        let mut invariants = self.invariants.iter();
        let mut thresholds = self.thresholds.iter();
        invariants.any(|one| matches!(one, Invariant::FirstComeFirstServed(_)))
            || thresholds.any(|one| one.metric == crate::measure::Metric::Fairness)
    }

    /// Whether coupons come back: some step releases them, or they are only held for a time.
    pub fn has_releases(&self) -> bool {
        let lease = self.subject.as_ref().and_then(|subject| subject.lease);
        let mut rules = self.steps.iter().flat_map(|step| &step.rules);
        let releases = |label: u8| {
            self.labels
                .get(usize::from(label))
                .is_some_and(Label::releases)
        };
        lease.is_some() || rules.any(|rule| releases(rule.label))
    }

    /// The number of the drain phase.
    pub const fn drain_phase(&self) -> u16 {
        (self.phases.len() - 1) as u16
    }

    /// The phase of this load that an iteration belongs to which starts so long after the start of
    /// the load part. What starts after the end belongs to the last phase.
    pub fn phase_of(&self, load: usize, elapsed: Duration) -> u16 {
        let own = &self.loads[load].phases;
        let phases = &self.phases[usize::from(own.start)..usize::from(own.end)];
        let over = phases.partition_point(|phase| phase.to <= elapsed) as u16;
        (own.start + over).min(own.end.saturating_sub(1))
    }

    /// The latest regular end of the load part, without graceful stops.
    pub fn duration(&self) -> Duration {
        let ends = self
            .phases
            .iter()
            .filter(|phase| phase.load.is_some())
            .map(|phase| phase.to);
        ends.max().unwrap_or_default()
    }

    /// When, from the start of the load part, the last iteration of any segment is over: it has
    /// ended or was cut.
    pub fn latest_end(&self) -> Duration {
        let end = |load: &Load| {
            let phases = usize::from(load.phases.start)..usize::from(load.phases.end);
            let phases = self.phases.get(phases).unwrap_or_default();
            let end = phases.iter().map(|phase| phase.to).max();
            end.unwrap_or_default() + load.executor.before_its_phase() + load.graceful_stop
        };
        self.loads.iter().map(end).max().unwrap_or_default()
    }

    /// Whether the segment has a part in any load: with fewer VUs than segments the last have none.
    pub fn has_load(&self) -> bool {
        let mut loads = self.loads.iter();
        loads.any(|load| self.segment.among(load.executor.max_vus()).is_some())
    }

    /// What the phase is called; `?` for a number that the plan does not have.
    pub fn phase_name(&self, phase: u16) -> &str {
        self.phases
            .get(usize::from(phase))
            .map_or("?", |phase| phase.name.as_str())
    }
}
