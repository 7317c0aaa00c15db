//! What will run: complete, valid, printable, and a pure function of scenario, overrides and seed.

mod alerts;
mod allowed;
mod backlog;
mod curve;
mod delivery;
mod details;
mod engine;
mod executor;
pub mod fault;
mod flow;
mod identity;
mod invariant;
mod link;
mod model;
mod outputs;
mod parts;
mod print;
mod prometheus;
mod queue;
mod resolve;
mod resource;
mod segment;
mod servers;
mod setup;
mod slots;
mod stack;
mod statement;
mod step;
mod target;
mod template;
mod truth;
mod users;

pub use crate::scenario::Mask;
pub use alerts::Alerts;
pub use backlog::{Backlog, BacklogOf};
pub use curve::{Ticks, VuCurve};
pub use delivery::{Delivery, EventId, Events, EventsOf, OfCoupon, Topic};
pub use details::{Balances, Details, Hold, Seats, Table, Tables};
pub use engine::EngineKind;
pub use executor::{Executor, Load, Phase, RateStage, Stage};
pub use flow::{
    Action, Capture, CaptureFrom, Each, Flow, Items, Parallel, Poll, TextMatch, Until, When,
};
pub use identity::{Draw, Per, RecordSource, Records, Token, TokenMaker, Users};
pub use invariant::{Duplicates, Identity, Invariant};
pub use link::{
    After, Command, Direction, LONGEST_COMMAND, LONGEST_DELAY, LinkFault, LinkRule, Protocol,
    Selection, Spread,
};
pub use model::{Plan, Subject};
pub use outputs::{FileOutput, Influxdb, InfluxdbTo, Outputs, Store, StoreGate};
pub use parts::{Found, OwnPart};
pub use print::{conditions, print, what_is_broken};
pub use prometheus::{Prometheus, RemoteWrite};
pub use queue::{Answers, Queue};
pub use resolve::{
    DEFAULT_SEED, Overrides, Scale, is_redis_read, load, load_written, resolve, validate,
};
pub use resource::{ConsumerGroup, HARNESS, Process, Resource, ResourceOf};
pub use segment::Segment;
pub use servers::{Group, Role, ServerSetting, process_name};
pub use setup::{EachUser, Setup, SetupCapture, SetupStep, Task};
pub use slots::{Slot, SlotValues};
pub use stack::{Database, Images, KEPT_BY_MOCK, Provider, Stack, Standby};
pub use statement::{Marks, SqlPart, Statement};
pub use step::{Body, JsonMatch, Label, Rule, StatusMatch, Step};
pub use target::{BaseUrl, By, Target};
pub use template::{Escape, Part, Template, Values, Variable};
pub use truth::{Pages, Query, Secret, Settle, Source, Truth};
pub use users::{UserSequence, mix};

pub use crate::scenario::value::{Image, Listen, OutputMode, Pattern};
