//! Sends a request on to one of several servers, and its answer back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use metrics::counter;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::options::{RouterOptions, Upstream};
use crate::http::envelope::Refusal;
use crate::metrics::Metrics;

/// About a connection and not about the message (RFC 9110, section 7.6.1), beside those that
/// `Connection` names. The length is told again with the body that is sent.
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A request that has been read to its end.
pub(super) struct Whole {
    pub(super) method: Method,
    pub(super) path: PathAndQuery,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no connection to the {0} servers became free")]
    Full(&'static str),
    #[error("no {0} server can be reached")]
    Unreachable(&'static str),
    #[error("the {0} server broke off")]
    Broken(&'static str),
    #[error("the {0} server did not answer in time")]
    TooSlow(&'static str),
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable(_) | Self::Broken(_) => StatusCode::BAD_GATEWAY,
            Self::TooSlow(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Full(_) => "ROUTER_FULL",
            Self::Unreachable(_) => "ROUTER_UNREACHABLE",
            Self::Broken(_) => "ROUTER_BROKEN",
            Self::TooSlow(_) => "ROUTER_TIMEOUT",
        }
    }
}

/// The servers of one role, used in turn.
pub(super) struct Upstreams {
    role: &'static str,
    servers: Vec<Server>,
    next: AtomicUsize,
    client: Client<HttpConnector, Full<Bytes>>,
    timeout: Duration,
    metrics: Metrics,
}

struct Server {
    at: Upstream,
    /// As many as connections may be in use.
    room: Semaphore,
}

impl Upstreams {
    /// An answer beyond this is not one of these servers.
    const LARGEST_ANSWER: usize = 1 << 20;

    /// A server that is not there should be known soon, as the next one is tried.
    const CONNECT_LIMIT: Duration = Duration::from_secs(1);

    pub(super) fn new(
        role: &'static str,
        servers: &[Upstream],
        options: &RouterOptions,
        metrics: Metrics,
    ) -> Self {
        let connections = options.upstream_connections.get();
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Self::CONNECT_LIMIT.min(options.timeout())));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_mins(1))
            .pool_max_idle_per_host(connections)
            .build(connector);
        let server = |at: &Upstream| Server {
            at: at.clone(),
            room: Semaphore::new(connections.min(Semaphore::MAX_PERMITS)),
        };
        Self {
            role,
            servers: servers.iter().map(server).collect(),
            next: AtomicUsize::new(0),
            client,
            timeout: options.timeout(),
            metrics,
        }
    }

    /// The answer as it came, or the router's own when there is none.
    pub(super) async fn forward(&self, request: Whole) -> Result<Response, Refusal> {
        self.try_forward(request).await.map_err(|failure| {
            // At thousands a second, while a server is gone, lines of a higher level would be load.
            tracing::debug!(event = "forwarding_failed", to = self.role, error = %failure);
            self.metrics.with(|| {
                counter!("router_failed_total", "to" => self.role, "code" => failure.code())
                    .increment(1);
            });
            Refusal::new(failure.status(), failure.code(), failure.to_string())
        })
    }

    /// A server that refuses the connection has certainly not had the request: the next one gets
    /// it. After anything else it may have been carried out, and is not sent a second time.
    async fn try_forward(&self, mut request: Whole) -> Result<Response, Failure> {
        let deadline = Instant::now() + self.timeout;
        remove_hop_by_hop(&mut request.headers);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        for nth in 0..self.servers.len() {
            let server = &self.servers[turn.wrapping_add(nth) % self.servers.len()];
            let place = timeout_at(deadline, server.room.acquire()).await;
            let _place = place.map_err(|_| Failure::Full(self.role))?;
            let answer = timeout_at(deadline, self.client.request(at(server, &request))).await;
            match answer.map_err(|_| Failure::TooSlow(self.role))? {
                Ok(answer) => {
                    let read = timeout_at(deadline, self.read(answer)).await;
                    return read.map_err(|_| Failure::TooSlow(self.role))?;
                }
                Err(error) if error.is_connect() => self.note(server, &error),
                Err(error) => {
                    self.note(server, &error);
                    return Err(Failure::Broken(self.role));
                }
            }
        }
        Err(Failure::Unreachable(self.role))
    }

    fn note(&self, server: &Server, error: &Error) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::debug!(event = "upstream_failed", to = self.role, at = %server.at, %error, cause);
    }

    async fn read<B>(&self, answer: Response<B>) -> Result<Response, Failure>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut head, body) = answer.into_parts();
        let body = Limited::new(body, Self::LARGEST_ANSWER).collect().await;
        let body = body.map_err(|_| Failure::Broken(self.role))?.to_bytes();
        remove_hop_by_hop(&mut head.headers);
        Ok(Response::from_parts(head, Body::from(body)))
    }

    /// Whether any of the servers is well.
    pub(super) async fn is_well(&self) -> bool {
        let asked = self.servers.iter().map(|server| async {
            let uri = server.at.uri(&PathAndQuery::from_static("/health"));
            let answer = tokio::time::timeout(self.timeout, self.client.get(uri)).await;
            matches!(answer, Ok(Ok(answer)) if answer.status().is_success())
        });
        futures_util::future::join_all(asked).await.contains(&true)
    }
}

fn at(server: &Server, request: &Whole) -> Request<Full<Bytes>> {
    let mut sent = Request::new(Full::new(request.body.clone()));
    *sent.method_mut() = request.method.clone();
    *sent.uri_mut() = server.at.uri(&request.path);
    *sent.headers_mut() = request.headers.clone();
    sent
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if let Some(named) = headers.remove(CONNECTION) {
        for name in named.to_str().unwrap_or_default().split(',') {
            headers.remove(name.trim());
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_about_the_message() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Trace"),
            ("keep-alive", "timeout=5"),
            ("x-trace", "1"), // named by the connection
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
            ("host", "router"),
            ("content-length", "3"),
            ("authorization", "Bearer x"),
            ("content-type", "application/json"),
            ("x-user", "1"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        remove_hop_by_hop(&mut headers);
        let mut kept: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["authorization", "content-type", "x-user"]);
    }
}
