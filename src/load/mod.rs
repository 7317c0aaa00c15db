//! The load path: pacers' schedules become iterations, iterations become operations.
//!
//! Nothing downstream slows it: a thread owns its VUs, connections, histograms and buffers, and
//! hands them over in batches.

mod classify;
mod clock;
mod engine;
mod executor;
pub mod http;
mod recorder;
mod request;
mod vu;

pub use classify::{Class, Classifier};
pub use clock::RunClock;
pub use engine::{Drained, Engine, Job, drain};
pub use executor::Stop;
pub use recorder::{Batch, Parts, Recorder, SecondOfThread, Shape};
pub use request::{CompiledStep, StepError};
