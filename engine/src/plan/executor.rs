//! The shapes of the load, and the phases that they make.

use std::ops::Range;
use std::time::Duration;

/// One executor with its flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// As in the scenario.
    pub name: String,
    /// Index into [`super::Plan::flows`].
    pub flow: usize,
    /// From the start of the load part of the run.
    pub start_after: Duration,
    /// How long iterations may go on after the executor's end before they are cut.
    pub graceful_stop: Duration,
    /// The shape.
    pub executor: Executor,
    /// Indices into [`super::Plan::phases`].
    pub phases: Range<u16>,
}

/// A load shape: k6's six with k6's meaning, and the stampede.
#[derive(Debug, Clone, PartialEq)]
pub enum Executor {
    /// So many VUs iterate for so long.
    ConstantVus {
        /// At least 1.
        vus: u64,
        /// Above zero.
        duration: Duration,
    },
    /// The number of VUs follows the stages in straight lines.
    RampingVus {
        /// VUs before the first stage.
        start: u64,
        /// At least one.
        stages: Vec<Stage>,
        /// How long a VU that is no longer wanted may finish its iteration.
        graceful_ramp_down: Duration,
    },
    /// Each VU iterates so often.
    PerVuIterations {
        /// At least 1.
        vus: u64,
        /// Of each VU.
        iterations: u64,
        /// The rest is not started after this time.
        max_duration: Duration,
    },
    /// The VUs share so many iterations; who is fast does more.
    SharedIterations {
        /// At least 1.
        vus: u64,
        /// Of all VUs together.
        iterations: u64,
        /// The rest is not started after this time.
        max_duration: Duration,
    },
    /// Iterations start at a constant rate, whatever the answers do.
    ConstantArrivalRate {
        /// Starts per second.
        rate: f64,
        /// Above zero.
        duration: Duration,
        /// VUs that exist from the start.
        vus: u64,
        /// When all are busy, more are made up to this number; then starts are dropped.
        max_vus: u64,
    },
    /// The rate follows the stages in straight lines; a stage's target is starts per second.
    RampingArrivalRate {
        /// Starts per second before the first stage.
        start: f64,
        /// At least one.
        stages: Vec<RateStage>,
        /// VUs that exist from the start.
        vus: u64,
        /// When all are busy, more are made up to this number; then starts are dropped.
        max_vus: u64,
    },
    /// So many users, each with its connection already open, are released at one instant, once.
    Stampede {
        /// Released together; each performs the flow once.
        users: u64,
        /// Time to open all connections before the release.
        connect_within: Duration,
        /// Iterations that are not done by then are cut.
        max_duration: Duration,
    },
}

/// A straight line in the number of VUs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The phase that it makes.
    pub name: String,
    /// Zero means a jump.
    pub duration: Duration,
    /// VUs at its end.
    pub target: u64,
}

/// A straight line in the arrival rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RateStage {
    /// The phase that it makes.
    pub name: String,
    /// Zero means a jump.
    pub duration: Duration,
    /// Starts per second at its end.
    pub target: f64,
}

/// A named part of a load, or the drain phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// The stage's name, or the load's where it has no stages.
    pub name: String,
    /// Index into [`super::Plan::loads`]; `None` for the drain phase.
    pub load: Option<usize>,
    /// From the start of the load part of the run.
    pub from: Duration,
    /// Where the executor has no fixed end, the latest.
    pub to: Duration,
}

impl Executor {
    /// Whether starts follow a schedule (open model) and not the answers (closed model).
    pub const fn is_open(&self) -> bool {
        matches!(
            self,
            Self::ConstantArrivalRate { .. }
                | Self::RampingArrivalRate { .. }
                | Self::Stampede { .. }
        )
    }

    /// The most VUs at any time.
    pub fn max_vus(&self) -> u64 {
        match self {
            Self::ConstantVus { vus, .. }
            | Self::PerVuIterations { vus, .. }
            | Self::SharedIterations { vus, .. } => *vus,
            Self::RampingVus { start, stages, .. } => stages
                .iter()
                .map(|stage| stage.target)
                .fold(*start, u64::max),
            Self::ConstantArrivalRate { max_vus, .. }
            | Self::RampingArrivalRate { max_vus, .. } => *max_vus,
            Self::Stampede { users, .. } => *users,
        }
    }

    /// What may pass before the time of its phase begins to count: connections are opened.
    pub(super) fn before_its_phase(&self) -> Duration {
        match self {
            Self::Stampede { connect_within, .. } => *connect_within,
            _ => Duration::ZERO,
        }
    }

    /// As the scenario spells it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConstantVus { .. } => "constant_vus",
            Self::RampingVus { .. } => "ramping_vus",
            Self::PerVuIterations { .. } => "per_vu_iterations",
            Self::SharedIterations { .. } => "shared_iterations",
            Self::ConstantArrivalRate { .. } => "constant_arrival_rate",
            Self::RampingArrivalRate { .. } => "ramping_arrival_rate",
            Self::Stampede { .. } => "stampede",
        }
    }
}
