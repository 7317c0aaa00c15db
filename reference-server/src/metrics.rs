//! What the server counts about itself, in Prometheus' text format.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{
    BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::coupon::{Issue, IssueError, Stock};

/// Upper bounds in seconds: fine around the SLA limits of 100 ms, 300 ms, 500 ms and 1 s.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0,
];

/// The recorder of one server. It is not the process-wide one, so servers run side by side.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    in_flight: Gauge,
    issued: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, BuildError> {
        let recorder = Arc::new(
            PrometheusBuilder::new()
                .set_buckets(&SECONDS)?
                .build_recorder(),
        );
        let handle = recorder.handle();
        Ok(metrics::with_local_recorder(&Arc::clone(&recorder), || {
            describe();
            Self {
                recorder,
                handle,
                in_flight: metrics::gauge!("http_requests_in_flight"),
                issued: metrics::counter!("coupons_issued_total"),
            }
        }))
    }

    /// Sets what is read at the time of a scrape.
    pub(crate) fn set_stock(&self, stock: &Stock) {
        self.with(|| {
            metrics::gauge!("coupon_stock_remaining").set(stock.remaining as f64);
            metrics::gauge!("coupon_write_queue_length").set(stock.pending as f64);
        });
    }

    /// Runs what registers or finds metrics of this server.
    pub(crate) fn with<T>(&self, metrics: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&*self.recorder, metrics)
    }

    /// The page to scrape.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds raw samples into buckets from time to time, for as long as it is polled. Without it
    /// memory grows until somebody scrapes.
    pub(crate) async fn keep_small(&self) {
        let mut every = tokio::time::interval(Duration::from_secs(5));
        loop {
            every.tick().await;
            self.handle.run_upkeep();
        }
    }

    pub(crate) fn count_answer(&self, answer: &Result<Issue, IssueError>) {
        let reason = match answer {
            Ok(Issue::Issued(_)) => return self.issued.increment(1),
            Ok(Issue::SoldOut) => "sold_out",
            Ok(Issue::Duplicate) => "duplicate",
            Err(IssueError::UnknownCoupon) => "unknown_coupon",
            Err(IssueError::Locked(_) | IssueError::NoQuorum(_)) => "locked",
            Err(IssueError::QueueFull) => "queue_full",
            Err(IssueError::Stopping) => "stopping",
            Err(IssueError::PoolExhausted) => "pool_exhausted",
            Err(IssueError::NotLoaded) => "not_loaded",
            Err(IssueError::NotOpen(_)) => "not_open",
            Err(IssueError::CannotCreate) => "cannot_create",
            Err(IssueError::OtherRole) => "other_role",
            Err(IssueError::NotPublished(_)) => "not_published",
            Err(IssueError::Kafka(_)) => "kafka",
            Err(IssueError::Storage(_)) => "storage",
            Err(IssueError::Redis(_)) => "redis",
        };
        metrics::with_local_recorder(&*self.recorder, || {
            metrics::counter!("coupons_refused_total", "reason" => reason).increment(1);
        });
    }

    /// The meter of one route.
    pub(crate) fn route(&self, method: &'static str, route: &'static str) -> RouteMeter {
        let by_status = Arc::new(Mutex::new(Vec::new()));
        RouteMeter {
            metrics: self.clone(),
            method,
            route,
            by_status,
        }
    }
}

fn describe() {
    metrics::describe_histogram!("http_request_duration_seconds", "Time to answer a request.");
    metrics::describe_gauge!("http_requests_in_flight", "Requests being answered.");
    metrics::describe_counter!("coupons_issued_total", "Coupons acknowledged.");
    metrics::describe_counter!("coupons_refused_total", "Requests refused, by reason.");
    metrics::describe_gauge!("coupon_stock_remaining", "Stock as the strategy sees it.");
    metrics::describe_gauge!(
        "coupon_write_queue_length",
        "Coupons acknowledged but not written."
    );
}

/// Measures the requests of one route.
#[derive(Clone)]
pub(crate) struct RouteMeter {
    metrics: Metrics,
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    /// A handful of statuses at most: a walk is faster than building a label for each request.
    by_status: Arc<Mutex<Vec<(StatusCode, Histogram)>>>,
}

impl RouteMeter {
    /// Counts a request as in flight until the result is dropped, even if its client hangs up.
    pub(crate) fn enter(&self) -> InFlight {
        self.metrics.in_flight.increment(1);
        InFlight(self.metrics.in_flight.clone())
    }

    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        let mut known = self
            .by_status
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, histogram)) = known.iter().find(|(of, _)| *of == status) {
            return histogram.record(took);
        }
        let histogram = metrics::with_local_recorder(&*self.metrics.recorder, || {
            metrics::histogram!("http_request_duration_seconds",
                "method" => self.method, "route" => self.route, "status" => status.as_str().to_owned())
        });
        histogram.record(took);
        known.push((status, histogram));
    }
}

/// One request that is being answered.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
