//! One HTTP/1.1 connection over plain TCP, of one VU, with as little between the request and the
//! socket as there can be: one write and one read for a small request and its answer.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::decoder::{Decoder, Malformed};
use super::trace::Trace;
use crate::history::Cause;
use crate::load::RunClock;

/// What one read can take.
const READ_BYTES: usize = 16 << 10;

/// A request as it goes over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Head and body.
    pub bytes: &'a [u8],
    /// A HEAD request, whose answer has no body.
    pub is_head: bool,
    /// It asks the server to close the connection after the answer.
    pub closes: bool,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Plain {
    stream: TcpStream,
    clock: RunClock,
    trace: Trace,
    decoder: Decoder,
    /// The last answer was whole, and nothing stands against another request.
    reusable: bool,
}

impl Plain {
    pub(super) const fn new(stream: TcpStream, clock: RunClock, trace: Trace) -> Self {
        Self {
            stream,
            clock,
            trace,
            decoder: Decoder::new(false),
            reusable: true,
        }
    }

    pub(super) const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// `false` if the peer has closed the connection or said something unasked. Costs no system
    /// call unless something has arrived.
    pub(super) fn is_usable(&self) -> bool {
        let nothing_there = || {
            let read = self.stream.try_read(&mut [0]);
            read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        };
        self.reusable && nothing_there()
    }

    /// Sends the request and reads the whole answer. A connection whose exchange was given up must
    /// not be used again.
    pub(super) async fn send(
        &mut self,
        request: Text<'_>,
        answer: &mut Answer,
    ) -> Result<(), Cause> {
        self.reusable = false;
        self.decoder.begin(request.is_head);
        let mut written = 0;
        poll_fn(|cx| self.poll_exchange(cx, request.bytes, &mut written, answer)).await?;
        // An answer that came before the end of the request leaves the rest of it unsaid.
        let whole = written == request.bytes.len();
        self.reusable &= whole && !request.closes && self.decoder.keeps_alive();
        Ok(())
    }

    /// Writes and reads side by side: a server may answer, and wait, before it has read it all.
    fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        request: &[u8],
        written: &mut usize,
        answer: &mut Answer,
    ) -> Poll<Result<(), Cause>> {
        let mut writes = true;
        while writes && *written < request.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &request[*written..]) {
                Poll::Ready(Ok(bytes)) if bytes > 0 => {
                    *written += bytes;
                    self.trace.wrote(self.clock.now_ns(), bytes);
                }
                Poll::Pending => break,
                // Who no longer listens may still have said why.
                Poll::Ready(_) => writes = false,
            }
        }
        match self.poll_answer(cx, answer) {
            Poll::Pending if !writes => Poll::Ready(Err(Cause::ConnectionLost)),
            polled => polled,
        }
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        answer: &mut Answer,
    ) -> Poll<Result<(), Cause>> {
        loop {
            let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut space);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            let bytes = match read {
                Ok(()) => buffer.filled(),
                Err(_) => return Poll::Ready(Err(Cause::ConnectionLost)),
            };
            self.trace.read(self.clock.now_ns(), bytes.len());
            if bytes.is_empty() {
                return Poll::Ready(match self.decoder.close(answer) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Cause::ConnectionLost),
                    Err(Malformed) => Err(Cause::BadAnswer),
                });
            }
            let taken = self.decoder.feed(bytes, answer);
            let taken = taken.map_err(|Malformed| Cause::BadAnswer)?;
            if self.decoder.is_done() {
                // What is there beyond the answer belongs to no request.
                self.reusable = taken == bytes.len();
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// More than the buffers of both sides hold.
    const LARGE: usize = 64 << 20;

    const NO: &[u8] = b"HTTP/1.1 413 No\r\ncontent-length: 3\r\n\r\nno.";

    /// Sends a large request to a server that says no after the first bytes, and reads the rest
    /// of the request or goes.
    async fn refused_early(reads_on: bool) -> (Result<(), Cause>, Answer, bool, u64) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream.read_exact(&mut [0; 100]).await.expect("a request");
            stream.write_all(NO).await.expect("an answer is sent");
            let mut rest = vec![0; 1 << 20];
            while reads_on && stream.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {}
        };
        let client = async {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let mut plain = Plain::new(stream, RunClock::start(), Trace::default());
            let request = Text {
                bytes: &vec![b'.'; LARGE],
                is_head: false,
                closes: false,
            };
            let mut answer = Answer::default();
            let sent = plain.send(request, &mut answer).await;
            (sent, answer, plain.is_usable(), plain.trace().sent())
        };
        tokio::join!(server, client).1
    }

    #[tokio::test]
    async fn an_answer_before_the_end_of_the_request_is_taken_and_ends_the_connection() {
        let (sent, answer, usable, bytes) = refused_early(true).await;
        assert_eq!(sent, Ok(()));
        assert_eq!((answer.status, answer.body()), (413, b"no.".as_slice()));
        assert!(!usable && bytes < LARGE as u64, "{bytes}");
    }

    #[tokio::test]
    async fn a_server_that_answers_and_goes_is_heard_or_lost_but_never_waited_for() {
        // Its reset may overtake its answer: both are the truth.
        let (sent, answer, usable, _) = refused_early(false).await;
        assert!(!usable);
        match sent {
            Ok(()) => assert_eq!(answer.status, 413),
            Err(cause) => assert_eq!(cause, Cause::ConnectionLost),
        }
    }
}
