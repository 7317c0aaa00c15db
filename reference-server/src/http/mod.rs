//! The server's HTTP face: state, routes, and what is measured around each.

mod body;
mod issue;
mod reply;
mod status;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use crate::bug::Bugs;
use crate::coupon::{CouponId, IssueError};
use crate::error::ServerError;
use crate::metrics::{Metrics, RouteMeter};
use crate::options::Options;
use crate::schema;
use crate::store::Store;
use crate::strategy::{self, Strategy};

/// The largest body that is read. A user's name is far smaller.
const BODY_LIMIT: usize = 16 * 1024;

/// One running server without its port. Clones share everything.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    strategy: Box<dyn Strategy>,
    metrics: Metrics,
    coupon: CouponId,
}

impl AppState {
    /// Opens the database, creates what is missing, and restores the strategy's memory.
    ///
    /// Must be called within a tokio runtime.
    pub async fn prepare(options: &Options) -> Result<Self, ServerError> {
        let failed = |source| database_error(options, source);
        let bugs = Arc::new(Bugs::new(options.bug, options.seed));
        let store = Store::open(
            &options.database,
            options.database_pool,
            options.lock_timeout(),
        );
        let store = Arc::new(store.await.map_err(failed)?);
        let user_index = options.strategy.user_index(&bugs);
        {
            let mut writer = store.writer().await.map_err(|e| issue_error(options, e))?;
            schema::prepare(&mut writer, user_index, options.coupon, options.stock)
                .await
                .map_err(failed)?;
        }
        let strategy =
            strategy::build(options.strategy, Arc::clone(&store), bugs, options.queue).await;
        let strategy = strategy.map_err(|error| issue_error(options, error))?;
        let metrics = Metrics::new().map_err(|e| ServerError::Metrics(e.to_string()))?;
        Ok(Self(Arc::new(Shared {
            store,
            strategy,
            metrics,
            coupon: options.coupon,
        })))
    }

    /// The database file, as an absolute path.
    pub fn database(&self) -> &Path {
        self.0.store.path()
    }

    /// Refuses further coupons and writes those that are acknowledged.
    pub async fn shutdown(&self) -> Result<(), ServerError> {
        match self.0.strategy.drain().await {
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

fn database_error(options: &Options, source: sqlx::Error) -> ServerError {
    let path = options.database.clone();
    let twice = source
        .as_database_error()
        .is_some_and(|error| error.kind() == sqlx::error::ErrorKind::UniqueViolation);
    if twice {
        ServerError::TwoOfOneUser { path }
    } else {
        ServerError::Database { path, source }
    }
}

fn issue_error(options: &Options, error: IssueError) -> ServerError {
    let source = match error {
        IssueError::Storage(source) => source,
        other => sqlx::Error::Protocol(other.to_string()),
    };
    database_error(options, source)
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
