//! The systems under test: a first-come-first-served coupon server with switchable strategies
//! and switchable bugs.
//!
//! [`serve`] runs it on a port until it is told to stop. [`AppState::prepare`] and [`app`] give
//! the same server as a router without a port, for tests.
//!
//! ```text
//! server ── node ── http ── strategy ── store ── SQLite
//!   │         │       │        │     └── mysql, redis, kafka ── services that run beside it
//!   │         │       │        ├ lock: distributed locks, apart from what they protect
//!   │         │       │        └ bug: every planted defect, in one folder
//!   └ stop    │       └ metrics ── health, process: what is asked at a scrape
//!             ├ issuer ── kafka, tables: the rows of the strategies that publish events
//!             ├ router ── http of other servers
//!             └ queue ─── redis
//! ```

mod address;
mod background;
mod bug;
mod clock;
mod coupon;
mod error;
mod health;
mod http;
mod issuer;
mod jwt;
mod kafka;
mod listener;
mod lock;
mod logging;
mod metrics;
mod mysql;
mod node;
mod notices;
mod options;
mod period;
mod process;
mod queue;
mod redis_store;
mod role;
mod router;
mod rows;
mod schema;
mod server;
mod stop;
mod store;
mod strategy;
mod tables;
mod timestamp;

pub use address::StoreUrl;
pub use bug::Bug;
pub use error::ServerError;
pub use http::{AppState, app};
pub use jwt::JwtSecret;
pub use lock::LockOptions;
pub use logging::init_logging;
pub use node::Node;
pub use options::Options;
pub use period::{BadMoment, Moment};
pub use queue::QueueOptions;
pub use role::Role;
pub use router::{BadUpstream, RouterOptions, Upstream};
pub use server::{run, serve};
pub use strategy::{StockOptions, StockPreload, StockSync, StrategyName};
