//! Routes with a meter around each.

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;

use crate::metrics::{Metrics, RouteMeter};

/// The largest body that is read, in bytes. What is asked for here is far smaller.
const BODY_LIMIT: usize = 16 * 1024;

/// A router of these methods, paths and handlers.
pub(crate) fn metered<S: Clone + Send + Sync + 'static>(
    metrics: &Metrics,
    routes: Vec<(&'static str, &'static str, MethodRouter<S>)>,
) -> Router<S> {
    let mut router = Router::new();
    for (method, path, handler) in routes {
        let meter = metrics.route(method, path);
        router = router.route(
            path,
            handler.layer(middleware::from_fn_with_state(meter, measure)),
        );
    }
    router.layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Times a request. Its log line is of debug level: at thousands a second it would be the load.
async fn measure(State(meter): State<RouteMeter>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let in_flight = meter.enter();
    let response = next.run(request).await;
    drop(in_flight);
    let (status, took) = (response.status(), started.elapsed());
    meter.record(status, took);
    tracing::debug!(
        event = "request",
        method = meter.method,
        route = meter.route,
        status = status.as_u16(),
        took_us = took.as_micros() as u64,
    );
    response
}
