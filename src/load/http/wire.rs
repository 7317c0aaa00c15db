//! The byte stream under an HTTP connection, which notes when and how much was written and read.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::load::RunClock;

/// What was seen on the wire since the last [`Trace::begin`]. Times are 0 until they happened.
#[derive(Debug, Default)]
pub struct Trace {
    first_write_ns: Cell<u64>,
    last_write_ns: Cell<u64>,
    first_read_ns: Cell<u64>,
    last_read_ns: Cell<u64>,
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Trace {
    /// Forgets what was seen: a new attempt begins.
    pub fn begin(&self) {
        self.first_write_ns.set(0);
        self.last_write_ns.set(0);
        self.first_read_ns.set(0);
        self.last_read_ns.set(0);
        self.sent.set(0);
        self.received.set(0);
    }

    /// Bytes written; with 0 the attempt certainly did nothing.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Bytes read.
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// Nanoseconds spent sending, waiting for the first byte, and receiving.
    pub fn parts_ns(&self) -> (u64, u64, u64) {
        let (first_write, last_write) = (self.first_write_ns.get(), self.last_write_ns.get());
        let (first_read, last_read) = (self.first_read_ns.get(), self.last_read_ns.get());
        (
            last_write.saturating_sub(first_write),
            first_read.saturating_sub(last_write),
            last_read.saturating_sub(first_read),
        )
    }

    fn wrote(&self, clock: &RunClock, bytes: usize) {
        let now = clock.now_ns();
        if self.sent.get() == 0 {
            self.first_write_ns.set(now);
        }
        self.last_write_ns.set(now);
        self.sent.set(self.sent.get() + bytes as u64);
    }

    fn read(&self, clock: &RunClock, bytes: usize) {
        let now = clock.now_ns();
        if self.received.get() == 0 {
            self.first_read_ns.set(now);
        }
        self.last_read_ns.set(now);
        self.received.set(self.received.get() + bytes as u64);
    }
}

/// Plain TCP or TLS over it.
#[derive(Debug)]
pub(super) enum Stream {
    /// `http:`
    Plain(TcpStream),
    /// `https:`
    Tls(Box<TlsStream<TcpStream>>),
}

/// A stream with its trace.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    trace: Rc<Trace>,
    clock: RunClock,
}

impl Wire {
    /// Traces this stream.
    pub(super) const fn new(stream: Stream, trace: Rc<Trace>, clock: RunClock) -> Self {
        Self {
            stream,
            trace,
            clock,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        })?;
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.trace.read(&self.clock, bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        })?;
        self.trace.wrote(&self.clock, written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        })?;
        self.trace.wrote(&self.clock, written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
