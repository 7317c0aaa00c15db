//! One connection of one VU where hyper speaks: over TLS, and in HTTP/2.
//!
//! The connection's state machine is polled by the task that waits for the answer, not by a task
//! of its own: one wake-up an answer instead of two.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::answer::Answer;
use super::tasks::Tasks;
use super::trace::Trace;
use super::wire::Wire;
use crate::history::Cause;

/// A request as hyper takes it.
pub type Message = Request<Full<Bytes>>;

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>>>>;

/// An open connection.
pub(super) struct Library {
    sender: Sender,
    driver: Option<Driver>,
    trace: Rc<Trace>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("open", &self.driver.is_some())
            .finish_non_exhaustive()
    }
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Library {
    pub(super) async fn http1(io: TokioIo<Wire>, trace: Rc<Trace>) -> hyper::Result<Self> {
        // Head and body of a small request cost less to copy together than to write as two slices.
        let (sender, driver) = http1::Builder::new().writev(false).handshake(io).await?;
        Ok(Self {
            sender: Sender::Http1(sender),
            driver: Some(Box::pin(driver)),
            trace,
        })
    }

    pub(super) async fn http2(io: TokioIo<Wire>, trace: Rc<Trace>) -> hyper::Result<Self> {
        let tasks = Tasks::default();
        let (sender, driver) = http2::handshake(tasks.clone(), io).await?;
        Ok(Self {
            sender: Sender::Http2(sender),
            driver: Some(Box::pin(tasks.beside(driver))),
            trace,
        })
    }

    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Waits until a request can be sent; `false` if the peer has closed the connection meanwhile,
    /// so that the request can go over a new one instead of being lost with this one.
    pub(super) async fn is_usable(&mut self) -> bool {
        let Self { sender, driver, .. } = self;
        let ready = async {
            match sender {
                Sender::Http1(sender) => sender.ready().await,
                Sender::Http2(sender) => sender.ready().await,
            }
        };
        // The state machine runs first: a close that has already arrived must be seen.
        if !poll_once(driver).await {
            return false;
        }
        drive(driver, ready).await.is_ok() && driver.is_some()
    }

    /// Sends the request and reads the whole answer.
    pub(super) async fn send(
        &mut self,
        request: Message,
        answer: &mut Answer,
    ) -> Result<(), Cause> {
        let Self { sender, driver, .. } = self;
        let exchange = async {
            let response = match sender {
                Sender::Http1(sender) => sender.send_request(request).await?,
                Sender::Http2(sender) => sender.send_request(request).await?,
            };
            read(response, answer).await
        };
        drive(driver, exchange)
            .await
            .map_err(|error| cause_of(&error))
    }
}

/// Why there is no whole answer: the peer was not there, or not sane.
fn cause_of(error: &hyper::Error) -> Cause {
    let malformed = error.is_parse() || sources(error).any(is_malformed);
    if malformed {
        Cause::BadAnswer
    } else {
        Cause::ConnectionLost
    }
}

fn sources(error: &hyper::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// So hyper says that a chunk is malformed; where the end is missing it says so in another way.
fn is_malformed(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        )
    })
}

/// Polls the future, and the connection that it depends on, until the future is done.
async fn drive<F: Future>(driver: &mut Option<Driver>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        let Some(running) = driver.as_mut() else {
            return Poll::Pending;
        };
        if running.as_mut().poll(cx).is_ready() {
            *driver = None;
        }
        // What the connection has just read may complete the future in the same wake-up.
        future.as_mut().poll(cx)
    })
    .await
}

async fn poll_once(driver: &mut Option<Driver>) -> bool {
    poll_fn(|cx| {
        if driver
            .as_mut()
            .is_some_and(|running| running.as_mut().poll(cx).is_ready())
        {
            *driver = None;
        }
        Poll::Ready(driver.is_some())
    })
    .await
}

async fn read(response: Response<Incoming>, answer: &mut Answer) -> hyper::Result<()> {
    let (head, mut body) = response.into_parts();
    answer.status = head.status.as_u16();
    for (name, value) in &head.headers {
        answer.push_header(name.as_str().as_bytes(), value.as_bytes());
    }
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            answer.push_body(&data);
        }
    }
    Ok(())
}
