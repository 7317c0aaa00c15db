//! The HTTP client of the load path: one connection a VU, everything about an attempt measured.

mod answer;
mod chunked;
mod connect;
mod connection;
mod decoder;
mod library;
mod pace;
mod plain;
mod source;
mod tasks;
mod trace;
mod wire;

pub use answer::Answer;
pub use connect::{ConnectError, Endpoint, Opened};
pub use connection::{Connection, Outgoing};
pub use decoder::{Decoder, Malformed};
pub use library::Message;
pub use pace::{OPENED_AT_ONCE, Pace};
pub use plain::Text;
pub use source::Sources;
pub use trace::Trace;
