//! The load path: pacers' schedules become iterations, iterations become operations.
//!
//! Nothing downstream slows it: a thread owns its VUs, connections, histograms and buffers, and
//! hands them over in batches.

mod batch;
mod capture;
mod classify;
mod clock;
mod cookies;
mod deadline;
mod detail;
mod engine;
mod executor;
mod files;
#[cfg(feature = "goose")]
pub mod goose;
mod hand_over;
pub mod http;
mod identity;
mod iteration;
mod json;
mod outbox;
mod place;
mod recorder;
mod records;
mod request;
mod series;
mod token;
mod vu;

pub use batch::{Batch, Beside, Parts, SecondOfThread, Shape};
pub use classify::{Class, Classifier, Explained};
pub use clock::RunClock;
pub use cookies::Cookies;
pub use engine::{Drained, Engine, Job, drain};
pub use executor::Stop;
pub use files::Files;
pub use identity::{Identities, Taken, Taking};
pub use recorder::Recorder;
pub use records::Records;
pub use request::{CompiledStep, Scratch, StepError};
