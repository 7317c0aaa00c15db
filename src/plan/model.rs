//! The types of the plan: plain data that says what each part of the harness has to do.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::alerts::Alerts;
use super::details::Details;
use super::fault::Fault;
use super::flow::{Capture, Flow, Poll};
use super::identity::Users;
use super::parts::OwnPart;
use super::queue::Queue;
use super::resource::Resource;
use super::servers::{Group, ServerSetting};
use super::setup::Setup;
use super::slots::Slot;
use super::template::Template;
use super::truth::Truth;
use crate::history::OutcomeKind;
use crate::measure::{CustomMetric, Threshold};
use crate::scenario::Mask;
use crate::scenario::value::{Image, Pattern, Span};

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

/// What is loaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The bundled server, started and stopped by the run.
    Stack(Stack),
    /// A system that already runs; several instances are asked in turn.
    Urls {
        /// At least one.
        urls: Vec<BaseUrl>,
        /// A path that must answer below 500 before the load starts; without it a TCP connection
        /// is enough.
        ready: Option<String>,
        /// Speak HTTP/2 (by prior knowledge on `http:`, by ALPN on `https:`).
        http2: bool,
        /// Which instance a request goes to.
        by: By,
        /// A file of certificates, in PEM, that `https:` trusts beside the system's own; relative
        /// to the scenario's directory.
        ca: Option<String>,
        /// What faults may break of it.
        parts: Vec<OwnPart>,
    },
}

/// Which of several instances a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A VU's requests go round all of them.
    Turn,
    /// Each VU stays with one.
    Vu,
}

/// The bundled system.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// What was asked for; `auto` is resolved when the stack starts.
    pub provider: Provider,
    /// The server's strategy, as `fcfs-bench serve --strategy` takes it.
    pub strategy: Option<String>,
    /// The defect to plant, as `fcfs-bench serve --bug` takes it.
    pub bug: Option<String>,
    /// Its processes, in the order in which they start.
    pub groups: Vec<Group>,
    /// What is set about them.
    pub settings: Vec<ServerSetting>,
    /// Instances of Redis that the strategy works with.
    pub redis: u8,
    /// Who takes the place of the one Redis when it dies, if anybody does.
    pub standby: Option<Standby>,
    /// Brokers of Kafka: none, 1 or 3.
    pub kafka: u8,
    /// Where the strategy keeps its rows.
    pub database: Database,
    /// What the containers of its services are made of.
    pub images: Images,
}

/// Bytes that each partition of the Kafka in this program keeps. Beyond them its oldest events are
/// thrown away, read or not (`max_size` in librdkafka's `rdkafka_mock.c`, which nothing can set).
pub const KEPT_BY_MOCK: usize = 5 * 1024 * 1024;

/// Partitions of the topic that events go through, unless the scenario says how many.
const PARTITIONS: u16 = 3;

impl Stack {
    /// Whether its Kafka is in this program: the only service that is, so it is taken where no
    /// other is needed.
    pub fn embeds_kafka(&self) -> bool {
        let alone = self.kafka > 0 && self.redis == 0 && self.database == Database::Sqlite;
        alone && matches!(self.provider, Provider::Auto | Provider::Embedded)
    }

    /// Processes of Redis, primary or not, without Sentinels.
    pub fn redis_processes(&self) -> u8 {
        self.redis + self.standby.map_or(0, |standby| standby.replicas)
    }

    /// Of the topic that events go through.
    pub fn partitions(&self) -> u16 {
        let mut settings = self.settings.iter();
        let written = settings.find(|setting| setting.key == "kafka_partitions");
        written
            .and_then(|written| written.argument.parse().ok())
            .unwrap_or(PARTITIONS)
    }
}

/// Replicas of the one Redis of a stack, and the Sentinels that choose the primary among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standby {
    /// 1 or 2.
    pub replicas: u8,
    /// 3 or 5.
    pub sentinels: u8,
}

/// Names of images; `None` for the one that the provider `docker` takes by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// Of each Redis.
    pub redis: Option<Image>,
    /// Of MySQL, or MariaDB in its place.
    pub mysql: Option<Image>,
    /// Of each broker of Kafka.
    pub kafka: Option<Image>,
}

/// Where the bundled server keeps its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file of its own.
    Sqlite,
    /// MySQL, or MariaDB in its place.
    MySql,
}

/// Who provides the services of the bundled system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The best that is there.
    Auto,
    /// Nothing but this binary: SQLite and in-process stand-ins.
    Embedded,
    /// Real services as children of the run, from programs of this machine.
    Local,
    /// Real services as containers of a Docker engine on this machine.
    Docker,
}

/// Scheme, host, port and path prefix of a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// TLS or not.
    pub https: bool,
    /// Name or address, without brackets for IPv6.
    pub host: String,
    /// Explicit, or the scheme's own.
    pub port: u16,
    /// Without a slash at its end; empty for none.
    pub prefix: String,
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

/// One executor with its flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// As in the scenario.
    pub name: String,
    /// Index into [`Plan::flows`].
    pub flow: usize,
    /// From the start of the load part of the run.
    pub start_after: Duration,
    /// How long iterations may go on after the executor's end before they are cut.
    pub graceful_stop: Duration,
    /// The shape.
    pub executor: Executor,
    /// Indices into [`Plan::phases`].
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
    /// Index into [`Plan::loads`]; `None` for the drain phase.
    pub load: Option<usize>,
    /// From the start of the load part of the run.
    pub from: Duration,
    /// Where the executor has no fixed end, the latest.
    pub to: Duration,
}

/// A request and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// As in the scenario; unique in it.
    pub name: String,
    /// In upper case.
    pub method: String,
    /// Starts with a slash; may hold a query.
    pub path: Template,
    /// Appended to the path.
    pub query: Vec<(String, Template)>,
    /// Names in lower case.
    pub headers: Vec<(String, Template)>,
    /// What is sent.
    pub body: Body,
    /// From the start of the attempt (connecting included) to the last byte of the body.
    pub timeout: Duration,
    /// In order, the first match wins. Empty: 2xx and 3xx are `ok`, others `error`.
    pub rules: Vec<Rule>,
    /// What is kept of an answer.
    pub captures: Vec<Capture>,
    /// Whether and how it is repeated until the answer is what is waited for.
    pub poll: Option<Poll>,
    /// Whether it is an attempt to get the subject: some rule says issued, pending or replay.
    pub attempts_subject: bool,
}

/// A request's body. The content type is among the headers already.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// No body.
    None,
    /// Rendered as it is (JSON, form or text: the template escapes its values).
    Text(Template),
}

/// When an answer is what; all conditions must hold, one without conditions matches anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Index into [`Plan::labels`].
    pub label: u8,
    /// Any of them; empty for any status.
    pub status: Vec<StatusMatch>,
    /// Text that the body contains.
    pub body: Option<String>,
    /// What is found in the body.
    pub matches: Option<Pattern>,
    /// Whether the body has no byte.
    pub empty: Option<bool>,
    /// JSON pointers and what must stand there.
    pub json: Vec<(String, JsonMatch)>,
    /// Header names in lower case and their exact values (`None`: it is there at all).
    pub headers: Vec<(String, Option<String>)>,
    /// Where the answer holds the coupon's id.
    pub coupon: Option<String>,
}

/// A status, or a hundred of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusMatch {
    /// 100 to 599.
    Exactly(u16),
    /// 1 to 5, for 1xx to 5xx.
    Class(u16),
}

impl StatusMatch {
    /// Whether the status is meant.
    pub const fn matches(self, status: u16) -> bool {
        match self {
            Self::Exactly(exact) => exact == status,
            Self::Class(class) => status / 100 == class,
        }
    }
}

impl fmt::Display for StatusMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

/// What must stand at a JSON pointer.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonMatch {
    /// This value; numbers are equal by value (1 equals 1.0).
    Equals(serde_json::Value),
    /// Any of these.
    AnyOf(Vec<serde_json::Value>),
    /// Anything but absence; `false`: absence or null.
    Exists(bool),
}

/// An outcome's name and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// `issued`, `sold_out`, ... or a name of the scenario's own.
    pub name: String,
    /// What the checkers make of it.
    pub kind: OutcomeKind,
}

impl Label {
    /// The outcome by which a coupon comes back.
    pub const RELEASED: &str = "released";

    /// Whether the answer says that a coupon came back.
    pub fn releases(&self) -> bool {
        self.name == Self::RELEASED
    }

    /// The labels that every plan has, at the same numbers as their kinds.
    pub fn built_in() -> Vec<Self> {
        let names = [
            "issued",
            "pending",
            "sold_out",
            "duplicate",
            "replay",
            "refused",
            "error",
            "ok",
            "not_sent",
            "unknown",
        ];
        std::iter::zip(names, OutcomeKind::ALL)
            .map(|(name, kind)| Self {
                name: name.to_owned(),
                kind,
            })
            .collect()
    }
}

/// A claim that a checker judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// Sold no more and no less than there was.
    Stock,
    /// At most one to each user.
    OnePerUser,
    /// What was confirmed is there, what is there was asked for.
    Acknowledged,
    /// Nobody was refused before somebody who asked later got one.
    FirstComeFirstServed(Duplicates),
    /// What was issued was published, and had its effect once.
    Delivery(Identity),
    /// Behind every fault all was as before again, within this time of the heal or within the run.
    Recovery(Option<Duration>),
    /// A waiting queue kept its order and its limit, as [`Plan::queue`] says.
    Queue,
    /// No seat belonged to two users at the same time; which attempts are about a seat is in
    /// [`Plan::details`].
    Seats,
    /// Every charge is in the ledger once, and the balances follow from it; which attempts charge is in
    /// [`Plan::details`].
    Balances,
}

/// What an event and an issued row have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// The coupon's own id.
    #[default]
    Coupon,
    /// The user.
    User,
}

impl Identity {
    /// All, the default first.
    pub const ALL: [Self; 2] = [Self::Coupon, Self::User];

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coupon => "coupon",
            Self::User => "user",
        }
    }
}

/// What a user is told who holds one and asks again when nothing is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Duplicates {
    /// "Duplicate" or "sold out".
    #[default]
    Any,
    /// Always "duplicate": the system asks for an earlier one before it looks at the stock.
    First,
}

impl Duplicates {
    /// All, the default first.
    pub const ALL: [Self; 2] = [Self::Any, Self::First];

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::First => "first",
        }
    }
}

impl Invariant {
    /// All, with their defaults, in the order in which they are explained.
    pub const ALL: [Self; 9] = [
        Self::Stock,
        Self::OnePerUser,
        Self::Acknowledged,
        Self::FirstComeFirstServed(Duplicates::Any),
        Self::Delivery(Identity::Coupon),
        Self::Queue,
        Self::Recovery(None),
        Self::Seats,
        Self::Balances,
    ];

    /// The one with this name, with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether it is decided by the issued rows.
    pub const fn needs_rows(self) -> bool {
        !matches!(
            self,
            Self::Queue | Self::Recovery(_) | Self::Seats | Self::Balances
        )
    }

    /// Whether it is decided where the stock ends: it needs to know how much there is, and that
    /// somebody asked until nothing was left.
    pub const fn is_of_the_end(self) -> bool {
        matches!(self, Self::Stock | Self::FirstComeFirstServed(_))
    }

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::OnePerUser => "one_per_user",
            Self::Acknowledged => "acknowledged",
            Self::FirstComeFirstServed(_) => "first_come_first_served",
            Self::Delivery(_) => "delivery",
            Self::Queue => "queue",
            Self::Recovery(_) => "recovery",
            Self::Seats => "seats",
            Self::Balances => "balances",
        }
    }
}

/// With what is not its default.
impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::FirstComeFirstServed(Duplicates::First) => f.write_str(" (duplicates first)"),
            Self::Delivery(Identity::User) => f.write_str(" (by user)"),
            Self::Recovery(Some(within)) => write!(f, " (within {})", Span(*within)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}{}", self.host, self.port, self.prefix)
        } else {
            write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.prefix)
        }
    }
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
}

impl Executor {
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

impl Step {
    /// The slots that its request needs, each once.
    pub fn slots(&self) -> impl Iterator<Item = u8> {
        let templates = self.templates().into_iter();
        let slots: BTreeSet<u8> = templates.flat_map(Template::slots).collect();
        slots.into_iter()
    }

    /// Every text of its request that is filled in.
    pub fn templates(&self) -> Vec<&Template> {
        let body = match &self.body {
            Body::None => None,
            Body::Text(template) => Some(template),
        };
        let pairs = self.query.iter().chain(&self.headers);
        let templates = pairs.map(|(_, template)| template);
        templates.chain([&self.path]).chain(body).collect()
    }
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

    /// The latest regular end of the load part, without graceful stops.
    pub fn duration(&self) -> Duration {
        let ends = self
            .phases
            .iter()
            .filter(|phase| phase.load.is_some())
            .map(|phase| phase.to);
        ends.max().unwrap_or_default()
    }

    /// What the phase is called; `?` for a number that the plan does not have.
    pub fn phase_name(&self, phase: u16) -> &str {
        self.phases
            .get(usize::from(phase))
            .map_or("?", |phase| phase.name.as_str())
    }
}
