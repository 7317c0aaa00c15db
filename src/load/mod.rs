//! The load path: pacers' schedules become iterations, iterations become operations.
//!
//! Nothing downstream slows it: a thread owns its VUs, connections, histograms and buffers, and
//! hands them over in batches.

mod batch;
mod classify;
mod clock;
mod deadline;
mod engine;
mod executor;
pub mod http;
mod json;
mod outbox;
mod recorder;
mod records;
mod request;
mod series;
mod token;
mod vu;

pub use batch::{Batch, Parts, SecondOfThread, Shape};
pub use classify::{Class, Classifier};
pub use clock::RunClock;
pub use engine::{Drained, Engine, Job, drain};
pub use executor::Stop;
pub use recorder::Recorder;
pub use records::Records;
pub use request::{CompiledStep, Scratch, StepError};
