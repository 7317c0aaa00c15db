//! One connection of one VU: a request in, a whole answer out.

use std::rc::Rc;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::answer::Answer;
use super::library::{Library, Message};
use super::plain::{Plain, Text};
use super::trace::Trace;
use super::wire::{Stream, Wire};
use crate::history::Cause;
use crate::load::RunClock;

/// An open connection: our own codec for plain HTTP/1.1, hyper for the rest.
#[derive(Debug)]
pub struct Connection(Kind);

#[derive(Debug)]
enum Kind {
    Plain(Plain),
    Library(Library),
}

/// A request, ready to be sent on a connection of the endpoint for which it was made.
#[derive(Debug)]
pub enum Outgoing<'a> {
    /// For plain HTTP/1.1.
    Text(Text<'a>),
    /// For TLS and HTTP/2.
    Message(Box<Message>),
}

impl Connection {
    pub(super) fn plain(stream: TcpStream, clock: RunClock) -> Self {
        Self(Kind::Plain(Plain::new(stream, clock, Trace::default())))
    }

    pub(super) async fn library(
        stream: Stream,
        clock: RunClock,
        http2: bool,
    ) -> hyper::Result<Self> {
        let trace = Rc::new(Trace::default());
        let io = TokioIo::new(Wire::new(stream, Rc::clone(&trace), clock));
        let library = if http2 {
            Library::http2(io, trace).await
        } else {
            Library::http1(io, trace).await
        };
        Ok(Self(Kind::Library(library?)))
    }

    /// What was seen on the wire.
    pub fn trace(&self) -> &Trace {
        match &self.0 {
            Kind::Plain(plain) => plain.trace(),
            Kind::Library(library) => library.trace(),
        }
    }

    /// Whether nothing has to be waited for before a request can be sent.
    pub(in crate::load) const fn is_at_once(&self) -> bool {
        matches!(self.0, Kind::Plain(_))
    }

    /// When the last byte of a whole answer was there; `None` where others may come behind it.
    pub(in crate::load) const fn whole_ns(&self) -> Option<u64> {
        match &self.0 {
            Kind::Plain(plain) => Some(plain.trace().last_read_ns()),
            Kind::Library(_) => None,
        }
    }

    /// Waits until a request can be sent; `false` if the peer has closed the connection meanwhile,
    /// so that the request can go over a new one instead of being lost with this one.
    pub async fn is_usable(&mut self) -> bool {
        match &mut self.0 {
            Kind::Plain(plain) => plain.is_usable(),
            Kind::Library(library) => library.is_usable().await,
        }
    }

    /// Sends the request and reads the whole answer into `answer`, which is to be empty. A
    /// connection whose `send` was dropped before its end must not be used again.
    ///
    /// # Errors
    /// When the connection is lost, or the answer is not HTTP. Whether anything was written is in
    /// the trace.
    ///
    /// # Panics
    /// If the request was made for an endpoint of another kind.
    pub async fn send(&mut self, request: Outgoing<'_>, answer: &mut Answer) -> Result<(), Cause> {
        match (&mut self.0, request) {
            (Kind::Plain(plain), Outgoing::Text(text)) => plain.send(text, answer).await,
            // Boxed, so that a VU on a plain connection does not carry the room for it.
            (Kind::Library(library), Outgoing::Message(message)) => {
                Box::pin(library.send(*message, answer)).await
            }
            _ => unreachable!("requests are made for the kind of connection of their endpoint"),
        }
    }
}
