//! Which bytes of a connection are the reply to which call: watches, and never changes a byte.
//!
//! Pure functions of the bytes in the order in which they came, however they are cut.

mod kafka;
mod mysql;
mod resp;

#[cfg(test)]
mod tests;

use self::kafka::Kafka;
use self::mysql::MySql;
use self::resp::Resp;
use crate::plan::{Command, Protocol};

/// Calls of one connection that were chosen and have no reply yet. What is chosen when there are so
/// many is not dropped.
const CHOSEN: usize = 1_024;

/// What is called, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    /// The first word of a command or statement.
    Word(&'a [u8]),
    /// Kafka's number of it.
    Api(i16),
}

impl Call<'_> {
    /// Whether it is this command.
    pub fn is(&self, command: &Command) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(command.name().as_bytes()),
            Self::Api(api) => command.protocol() == Protocol::Kafka && *api == command.api(),
        }
    }
}

/// What is to be done with bytes from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replies {
    /// So many of them go on, the rest does not.
    pub pass: usize,
    /// The reply that does not go on is whole. Nothing that comes later may go on either.
    pub dropped: bool,
}

impl Replies {
    const fn all(bytes: &[u8]) -> Self {
        Self {
            pass: bytes.len(),
            dropped: false,
        }
    }
}

/// Follows one connection.
#[derive(Debug)]
pub struct Follower(Speech);

#[derive(Debug)]
enum Speech {
    Resp(Box<Resp>),
    MySql(Box<MySql>),
    Kafka(Box<Kafka>),
}

impl Follower {
    /// For a connection that begins; none where calls cannot be seen.
    pub fn new(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Opaque => None,
            Protocol::Resp => Some(Self(Speech::Resp(Box::default()))),
            Protocol::MySql => Some(Self(Speech::MySql(Box::default()))),
            Protocol::Kafka => Some(Self(Speech::Kafka(Box::default()))),
        }
    }

    /// Bytes from the client. `choose` is asked once for each call, when it is whole, and says
    /// whether its reply is to be dropped.
    pub fn requests(&mut self, bytes: &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) {
        match &mut self.0 {
            Speech::Resp(resp) => resp.requests(bytes, choose),
            Speech::MySql(mysql) => mysql.requests(bytes, choose),
            Speech::Kafka(kafka) => kafka.requests(bytes, choose),
        }
    }

    /// Bytes from the server; those of a call are asked for after the call itself.
    pub fn replies(&mut self, bytes: &[u8]) -> Replies {
        match &mut self.0 {
            Speech::Resp(resp) => resp.replies(bytes),
            Speech::MySql(mysql) => mysql.replies(bytes),
            Speech::Kafka(kafka) => kafka.replies(bytes),
        }
    }

    /// Why calls cannot be seen any more; what is said from then on is let through.
    pub fn lost(&self) -> Option<&'static str> {
        match &self.0 {
            Speech::Resp(resp) => resp.lost(),
            Speech::MySql(mysql) => mysql.lost(),
            Speech::Kafka(kafka) => kafka.lost(),
        }
    }
}

/// Takes up to `count` bytes off the front.
fn take<'b>(bytes: &mut &'b [u8], count: usize) -> &'b [u8] {
    let (taken, rest) = bytes.split_at(count.min(bytes.len()));
    *bytes = rest;
    taken
}

/// Appends what there is room for.
fn keep(kept: &mut Vec<u8>, bytes: &[u8], room: usize) {
    let free = room.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(free)]);
}
