//! The systems under test: a first-come-first-served coupon server with switchable strategies
//! and switchable bugs.
//!
//! [`serve`] runs it on a port until it is told to stop. [`AppState::prepare`] and [`app`] give
//! the same server as a router without a port, for tests.
//!
//! ```text
//! server ── http ── strategy ── store ── SQLite
//!   │         │        │     └── mysql, redis ── services that run beside it
//!   │         │        ├ lock: distributed locks, apart from what they protect
//!   │         │        └ bug: every planted defect, in one file
//!   └ stop    └ metrics
//! ```

mod address;
mod background;
mod bug;
mod coupon;
mod error;
mod http;
mod listener;
mod lock;
mod logging;
mod metrics;
mod mysql;
mod options;
mod redis_store;
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
pub use lock::LockOptions;
pub use logging::init_logging;
pub use options::Options;
pub use server::{run, serve};
pub use strategy::{StockOptions, StockPreload, StockSync, StrategyName};
