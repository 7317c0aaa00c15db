//! The systems under test: a first-come-first-served coupon server with switchable strategies
//! and switchable bugs.
//!
//! [`serve`] runs it on a port until it is told to stop. [`AppState::prepare`] and [`app`] give
//! the same server as a router without a port, for tests.
//!
//! ```text
//! server ── http ── strategy ── store ── SQLite
//!   │         │        │     └── mysql, redis, kafka ── services that run beside it
//!   │         │        └ bug: every planted defect, in one file
//!   └ stop    └ metrics
//!
//! issuer ── kafka ── mysql: the rows of the strategies that publish events
//! ```

mod address;
mod bug;
mod coupon;
mod error;
mod http;
mod issuer;
mod kafka;
mod listener;
mod logging;
mod metrics;
mod mysql;
mod options;
mod redis_store;
mod role;
mod rows;
mod schema;
mod server;
mod stop;
mod store;
mod strategy;
mod timestamp;

pub use address::StoreUrl;
pub use bug::Bug;
pub use error::ServerError;
pub use http::{AppState, app};
pub use logging::init_logging;
pub use options::Options;
pub use role::Role;
pub use server::{run, serve};
pub use strategy::StrategyName;
