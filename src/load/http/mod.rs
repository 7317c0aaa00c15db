//! The HTTP client of the load path: one connection a VU, everything about an attempt measured.

mod connect;
mod connection;
mod tasks;
mod wire;

pub use connect::{ConnectError, Endpoint, Opened};
pub use connection::{Answer, Connection, cause_of};
pub use wire::Trace;
