//! The server's HTTP face: state, routes, and what is measured around each.

mod body;
mod issue;
mod reply;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use crate::coupon::CouponId;
use crate::error::ServerError;
use crate::issuer::Issuer;
use crate::metrics::{Metrics, RouteMeter};
use crate::options::Options;
use crate::strategy::{self, Opened, Strategy};

/// The largest body that is read. A user's name is far smaller.
const BODY_LIMIT: usize = 16 * 1024;

/// One running server without its port. Clones share everything.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    database: String,
    strategy: Box<dyn Strategy>,
    issuer: Option<Issuer>,
    metrics: Metrics,
    coupon: CouponId,
}

impl AppState {
    /// Opens the stores, creates what is missing, and restores the strategy's memory.
    ///
    /// Must be called within a tokio runtime.
    pub async fn prepare(options: &Options) -> Result<Self, ServerError> {
        let Opened {
            strategy,
            issuer,
            database,
        } = strategy::open(options).await?;
        let metrics = Metrics::new().map_err(|e| ServerError::Metrics(e.to_string()))?;
        Ok(Self(Arc::new(Shared {
            database,
            strategy,
            issuer,
            metrics,
            coupon: options.coupon,
        })))
    }

    /// Where the rows are: the absolute path of a file, or an address without credentials.
    pub fn database(&self) -> &str {
        &self.0.database
    }

    /// Refuses further coupons and writes those that are acknowledged.
    pub async fn shutdown(&self) -> Result<(), ServerError> {
        let lost = self.0.strategy.drain().await;
        if let Some(issuer) = &self.0.issuer {
            issuer.stop().await;
        }
        match lost {
            0 => Ok(()),
            rows => Err(ServerError::Undrained { rows }),
        }
    }

    /// Folds the samples of the metrics from time to time, for as long as it is polled.
    pub(crate) async fn keep_metrics_small(&self) {
        let mut every = tokio::time::interval(Duration::from_secs(5));
        loop {
            every.tick().await;
            self.0.metrics.fold();
        }
    }
}

/// The routes of the server, to be called in process or served on a port.
pub fn app(state: AppState) -> Router {
    let routes: [(&'static str, &'static str, MethodRouter<AppState>); 5] = [
        (
            "POST",
            "/coupons/fcfs/{id}/issue",
            post(issue::with_body_outcomes),
        ),
        (
            "POST",
            "/api/v1/user-coupons/{id}/issue",
            post(issue::with_status_outcomes),
        ),
        ("GET", "/coupons/fcfs/{id}", get(status::coupon)),
        ("GET", "/health", get(status::health)),
        ("GET", "/metrics", get(status::metrics)),
    ];
    let mut router = Router::new();
    for (method, path, handler) in routes {
        let meter = state.0.metrics.route(method, path);
        router = router.route(
            path,
            handler.layer(middleware::from_fn_with_state(meter, measure)),
        );
    }
    router
        .fallback(reply::no_such_route)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(state)
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
