//! What the user wrote, as types: nothing is resolved, every value knows where it stands.

use serde_json::Value as Json;

use super::fault::Fault;
use super::identity::{Auth, Users};
use super::node::Node;
use super::parts::OwnPart;
use super::position::{At, Position, Source};
use super::reader::Given;
use super::server::Server;
use super::setup::SetupStep;
use super::value::{
    Count, HeaderName, HeaderValue, Image, Listen, Name, OutputMode, Pattern, Pointer, Rate, Size,
    Span, Status, Url,
};

/// A scenario as it was written, with positions; only planning looks inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    pub(crate) source: Source,
    pub(crate) name: Option<At<Name>>,
    pub(crate) about: Option<At<String>>,
    pub(crate) seed: Option<At<Count>>,
    pub(crate) engine: Option<At<String>>,
    pub(crate) target: Given<Target>,
    pub(crate) subject: Given<Subject>,
    pub(crate) users: Given<Users>,
    pub(crate) loads: Vec<Load>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) before: Vec<SetupStep>,
    pub(crate) after: Vec<SetupStep>,
    /// What steps that are wrong would have captured.
    pub(crate) lost_captures: Vec<String>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) alerts: Given<Alerts>,
    pub(crate) outputs: Given<Outputs>,
    pub(crate) faults: Vec<Fault>,
    /// Whether all that were written are there: one that is wrong was reported.
    pub(crate) whole_faults: bool,
    pub(crate) truth: Given<Truth>,
    pub(crate) invariants: Vec<Invariant>,
    pub(crate) thresholds: Vec<Threshold>,
}

/// One claim, and what is said of it beside its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Invariant {
    pub(crate) name: At<String>,
    /// Of `first_come_first_served`.
    pub(crate) duplicates: Option<At<String>>,
    pub(crate) by: Option<At<String>>,
    /// Of `recovery`.
    pub(crate) within: Option<At<Span>>,
    pub(crate) queue: Option<Box<Queue>>,
    /// Of `seats` and `balances`.
    pub(crate) details: Given<Details>,
}

/// Of the invariant `queue`: where a waiting queue is told of, and what must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Queue {
    pub(crate) position: Position,
    pub(crate) entered: Option<Answers>,
    pub(crate) waiting: Option<Answers>,
    pub(crate) admitted: Option<Answers>,
    pub(crate) ticket: Option<At<String>>,
    pub(crate) gapless: Option<At<bool>>,
    pub(crate) ahead: Option<At<String>>,
    pub(crate) at_most: Option<At<Count>>,
    pub(crate) lease: Option<At<Span>>,
    pub(crate) before: Vec<At<String>>,
}

/// Steps, and outcomes of each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answers {
    pub(crate) position: Position,
    pub(crate) of: Vec<(At<String>, Vec<At<String>>)>,
}

/// What an invariant has to know of attempts beside who made them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Details {
    Seats(Box<Seats>),
    Balances(Box<Balances>),
}

/// Which attempts are about a seat, and which.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seats {
    pub(crate) seat: At<String>,
    /// Names of steps; `None`: those with the outcome `issued`.
    pub(crate) sold: Option<Vec<At<String>>>,
    pub(crate) hold: Option<(Vec<At<String>>, At<Span>)>,
    pub(crate) release: Vec<At<String>>,
}

/// Which attempts charge an account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Balances {
    pub(crate) key: At<String>,
    pub(crate) account: Option<At<String>>,
    pub(crate) amount: Option<At<String>>,
    /// Names of steps; `None`: those with the outcome `issued`.
    pub(crate) charge: Option<Vec<At<String>>>,
    pub(crate) conserved: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    Stack {
        position: Position,
        provider: Option<At<String>>,
        server: Server,
        redis: Option<Box<Redis>>,
        kafka: Option<Kafka>,
        database: Option<At<String>>,
        images: Box<Images>,
    },
    Urls {
        urls: Vec<Url>,
        ready: Option<At<String>>,
        http2: bool,
        auth: Option<Auth>,
        ca: Option<At<String>>,
        by: Option<At<String>>,
        parts: Vec<OwnPart>,
        compose: Option<At<String>>,
    },
}

/// The Redis of the bundled stack.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Redis {
    pub(crate) position: Position,
    pub(crate) instances: Option<At<Count>>,
    pub(crate) replicas: Option<At<Count>>,
    pub(crate) sentinels: Option<At<Count>>,
}

/// The images of the services' containers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Images {
    pub(crate) redis: Option<At<Image>>,
    pub(crate) mysql: Option<At<Image>>,
    pub(crate) kafka: Option<At<Image>>,
}

/// The Kafka of the bundled stack.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kafka {
    pub(crate) position: Position,
    pub(crate) brokers: Option<At<Count>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    pub(crate) coupon: String,
    pub(crate) stock: At<Count>,
    pub(crate) lease: Option<Span>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Load {
    pub(crate) name: At<Name>,
    pub(crate) flow: Option<At<String>>,
    pub(crate) start_after: Option<Span>,
    pub(crate) graceful_stop: Option<Span>,
    /// `None` when it is wrong, which was reported.
    pub(crate) executor: Option<Executor>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Executor {
    ConstantVus {
        vus: At<Count>,
        duration: At<Span>,
    },
    RampingVus {
        start: u64,
        stages: Vec<Stage<Count>>,
        graceful_ramp_down: Option<Span>,
    },
    PerVuIterations {
        vus: At<Count>,
        iterations: At<Count>,
        within: Option<At<Span>>,
    },
    SharedIterations {
        vus: At<Count>,
        iterations: At<Count>,
        within: Option<At<Span>>,
    },
    ConstantArrivalRate {
        rate: At<Rate>,
        duration: At<Span>,
        vus: At<Count>,
        max_vus: Option<At<Count>>,
    },
    RampingArrivalRate {
        start: f64,
        stages: Vec<Stage<Rate>>,
        vus: At<Count>,
        max_vus: Option<At<Count>>,
    },
    Stampede {
        users: At<Count>,
        connect_within: Option<At<Span>>,
        within: Option<At<Span>>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage<T> {
    pub(crate) position: Position,
    pub(crate) name: Option<At<Name>>,
    pub(crate) duration: Span,
    pub(crate) to: At<T>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flow {
    pub(crate) name: At<Name>,
    pub(crate) steps: Vec<Step>,
    /// Whether every step and outcome is right.
    pub(crate) whole: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Request(Box<Request>),
    Think(Span, Span),
    Poll(Box<Poll>),
    When(Box<When>),
    Each(Box<Each>),
    Parallel(Box<Parallel>),
}

/// A request that is repeated until its answer is what is waited for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Poll {
    pub(crate) request: Request,
    pub(crate) every: Span,
    pub(crate) within: Span,
    pub(crate) until: Option<Until>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Until {
    Outcomes(Vec<At<String>>),
    Answer(Box<Outcome>),
}

/// Steps that depend on what came before; all conditions must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct When {
    pub(crate) outcomes: Vec<(At<String>, Vec<At<String>>)>,
    pub(crate) captures: Vec<(At<String>, TextMatch)>,
    pub(crate) then: Vec<Step>,
    pub(crate) otherwise: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TextMatch {
    AnyOf(Vec<String>),
    Exists(bool),
    Matches(Pattern),
}

/// Steps for each of several values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Each {
    pub(crate) name: At<Name>,
    pub(crate) items: Items,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Items {
    List(Vec<At<String>>),
    Range(u64, u64),
    /// A capture that holds a JSON list.
    In(At<String>),
}

/// Branches that one user goes at the same time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parallel {
    pub(crate) position: Position,
    pub(crate) times: u64,
    pub(crate) branches: Vec<Vec<Step>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Capture {
    pub(crate) name: At<Name>,
    pub(crate) from: CaptureFrom,
    pub(crate) secret: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CaptureFrom {
    Json(Pointer),
    Header(HeaderName),
    Cookie(String),
    Matches(Pattern),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) position: Position,
    pub(crate) name: Option<At<Name>>,
    pub(crate) method: &'static str,
    pub(crate) path: At<String>,
    pub(crate) headers: Vec<(At<HeaderName>, At<HeaderValue>)>,
    pub(crate) query: Vec<(String, At<String>)>,
    pub(crate) body: Body,
    pub(crate) timeout: Option<At<Span>>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) captures: Vec<Capture>,
    /// Whether everything in it is right, and nothing was left out.
    pub(crate) whole: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    None,
    Json(Node),
    Form(Vec<(String, At<String>)>),
    Text(At<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) name: At<Name>,
    pub(crate) is: Option<At<String>>,
    pub(crate) status: Vec<Status>,
    pub(crate) body: Option<String>,
    pub(crate) json: Vec<(Pointer, JsonMatch)>,
    pub(crate) headers: Vec<(HeaderName, Option<HeaderValue>)>,
    pub(crate) matches: Option<Pattern>,
    pub(crate) empty: Option<bool>,
    pub(crate) id: Option<Pointer>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JsonMatch {
    Equals(Json),
    AnyOf(Vec<Json>),
    Exists(bool),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Truth {
    pub(crate) issued: Given<TruthSource>,
    pub(crate) stock: Given<TruthSource>,
    pub(crate) remaining: Given<TruthSource>,
    pub(crate) outbox: Given<TruthSource>,
    pub(crate) events: Given<EventSource>,
    pub(crate) effects: Given<TruthSource>,
    /// The first of the three above.
    pub(crate) delivery: Option<Position>,
    /// Always SQL.
    pub(crate) seats: Given<TruthSource>,
    pub(crate) ledger: Given<TruthSource>,
    pub(crate) balances: Given<TruthSource>,
    pub(crate) quiet: Option<At<Span>>,
    pub(crate) within: Option<At<Span>>,
    pub(crate) pending: Vec<Backlog>,
    pub(crate) drain: Option<At<bool>>,
}

/// A topic, and what is read of each of its events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventSource {
    pub(crate) brokers: At<String>,
    pub(crate) topic: At<String>,
    pub(crate) id: Option<Pointer>,
    pub(crate) sequence: Option<Pointer>,
    pub(crate) coupon: Option<At<Pointer>>,
}

/// What must be 0 before the rows count as final.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Backlog {
    pub(crate) position: Position,
    pub(crate) of: BacklogOf,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BacklogOf {
    Number(TruthSource),
    Lag(ConsumerGroup),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TruthSource {
    pub(crate) query: Query,
    pub(crate) offset: i64,
}

/// How the rows of a query are read piece by piece.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pages {
    pub(crate) key: At<String>,
    pub(crate) rows: Option<At<Count>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    Sql {
        url: At<String>,
        query: At<String>,
        pages: Option<Pages>,
    },
    Redis {
        url: At<String>,
        command: Vec<At<String>>,
    },
    Http {
        get: At<String>,
        headers: Vec<(At<HeaderName>, At<HeaderValue>)>,
        at: Pointer,
        user: Option<Pointer>,
        id: Option<Pointer>,
        time: Option<Pointer>,
    },
}

/// A measurement of the scenario's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: At<Name>,
    /// `None` when it is wrong, which was reported.
    pub(crate) measure: Option<Measure>,
}

/// What is made of the capture of this name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measure {
    Trend(At<String>),
    Counter(At<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold {
    pub(crate) key: At<String>,
    pub(crate) assertion: At<String>,
    pub(crate) abort: Option<Span>,
    pub(crate) allow_empty: bool,
    pub(crate) windows: Option<Windowed>,
}

/// `over` and `for` of a threshold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Windowed {
    /// Whole seconds, at least one.
    pub(crate) over: At<Span>,
    /// At least one.
    pub(crate) in_a_row: u64,
}

/// Something that is measured from outside of the load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) name: At<Name>,
    /// `None` when it is wrong, which was reported.
    pub(crate) of: Option<ResourceOf>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ResourceOf {
    Sql(At<String>),
    Redis(At<String>),
    Kafka(ConsumerGroup),
    PidFile(At<String>),
    Port(At<Count>),
}

/// A consumer group of Kafka, and a topic that it reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConsumerGroup {
    pub(crate) brokers: At<String>,
    pub(crate) group: At<String>,
    pub(crate) topic: At<String>,
}

/// Who says that something is wrong, beside the load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alerts {
    pub(crate) position: Position,
    pub(crate) prometheus: At<String>,
    pub(crate) auth: Option<Auth>,
    /// Empty: all.
    pub(crate) only: Vec<At<String>>,
}

/// What leaves the run while it goes on, and where to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outputs {
    pub(crate) influxdb: Vec<Influxdb>,
    pub(crate) json: Option<FileOutput>,
    pub(crate) csv: Option<FileOutput>,
    pub(crate) prometheus: Option<Prometheus>,
}

/// A page that is scraped, and where series are written to; at least one of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prometheus {
    pub(crate) listen: Option<At<Listen>>,
    pub(crate) remote_write: Option<RemoteWrite>,
}

/// A receiver of remote write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RemoteWrite {
    pub(crate) url: At<Url>,
    pub(crate) auth: Option<Auth>,
    pub(crate) every: Option<At<Span>>,
    pub(crate) drain: Option<At<Span>>,
}

/// Lines in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileOutput {
    pub(crate) file: At<String>,
    pub(crate) mode: Option<OutputMode>,
}

/// A store that takes line protocol, or a file of it; which keys belong together is known to who
/// resolves it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Influxdb {
    pub(crate) to: InfluxdbTo,
    pub(crate) org: Option<At<String>>,
    pub(crate) bucket: Option<At<String>>,
    pub(crate) token: Option<At<String>>,
    pub(crate) db: Option<At<String>>,
    pub(crate) user: Option<At<String>>,
    pub(crate) password: Option<At<String>>,
    pub(crate) mode: Option<OutputMode>,
    pub(crate) testid: Option<At<String>>,
    /// Names and values.
    pub(crate) tags: Vec<(At<String>, At<String>)>,
    pub(crate) every: Option<At<Span>>,
    pub(crate) batch: Option<At<Count>>,
    pub(crate) gzip: Option<At<bool>>,
    pub(crate) spool: Option<At<Size>>,
    pub(crate) drain: Option<At<Span>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InfluxdbTo {
    Url(At<Url>),
    File(At<String>),
}
