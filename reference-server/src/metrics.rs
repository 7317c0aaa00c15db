//! What the server counts about itself, in Prometheus' text format.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{
    BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::coupon::{Issue, IssueError, Stock};
use crate::health::Sign;
use crate::process;

/// Upper bounds in seconds: fine around the SLA limits of 100 ms, 300 ms, 500 ms and 1 s.
const SECONDS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0,
];

/// Reads what has a value only at the time of a scrape.
type Reading = Box<dyn Fn() + Send + Sync>;

/// The recorder of one server. It is not the process-wide one, so servers run side by side.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    in_flight: Gauge,
    issued: Counter,
    readings: Arc<Mutex<Vec<Reading>>>,
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
                readings: Arc::default(),
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

    /// Sets which stores answered just now, and after how long.
    pub(crate) fn set_signs(&self, signs: &[Sign]) {
        self.with(|| {
            for Sign {
                store,
                took,
                answer,
            } in signs
            {
                let up = if answer.is_ok() { 1.0 } else { 0.0 };
                metrics::gauge!("dependency_up", "dependency" => *store).set(up);
                metrics::gauge!("dependency_response_seconds", "dependency" => *store)
                    .set(took.as_secs_f64());
            }
        });
    }

    /// Reads this before each scrape, for as long as the server lives.
    pub(crate) fn read_at_scrape(&self, reading: impl Fn() + Send + Sync + 'static) {
        self.readings().push(Box::new(reading));
    }

    fn readings(&self) -> MutexGuard<'_, Vec<Reading>> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what registers or finds metrics of this server.
    pub(crate) fn with<T>(&self, metrics: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&*self.recorder, metrics)
    }

    /// The page to scrape.
    pub(crate) fn render(&self) -> String {
        for reading in self.readings().iter() {
            reading();
        }
        let mut page = self.handle.render();
        page.push_str(&process::page());
        page
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
        let failed = match answer {
            Err(IssueError::Redis(_)) => Some("redis"),
            Err(IssueError::Storage(_) | IssueError::PoolExhausted) => Some("database"),
            Err(IssueError::Kafka(_) | IssueError::NotPublished(_)) => Some("kafka"),
            _ => None,
        };
        self.with(|| {
            metrics::counter!("coupons_refused_total", "reason" => reason).increment(1);
            if let Some(dependency) = failed {
                metrics::counter!("dependency_errors_total", "dependency" => dependency)
                    .increment(1);
            }
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
    metrics::describe_counter!("http_requests_total", "Requests answered.");
    metrics::describe_gauge!("http_requests_in_flight", "Requests being answered.");
    metrics::describe_counter!("coupons_issued_total", "Coupons acknowledged.");
    metrics::describe_counter!("coupons_refused_total", "Requests refused, by reason.");
    metrics::describe_gauge!("coupon_stock_remaining", "Stock as the strategy sees it.");
    metrics::describe_gauge!(
        "coupon_write_queue_length",
        "Coupons acknowledged but not written."
    );
    metrics::describe_gauge!(
        "dependency_up",
        "Whether a store answered at the time of the scrape."
    );
    metrics::describe_gauge!(
        "dependency_response_seconds",
        "Time of a store's answer to a sign of life, at the time of the scrape."
    );
    metrics::describe_counter!(
        "dependency_errors_total",
        "Requests that failed by an error of a store."
    );
}

/// Measures the requests of one route.
#[derive(Clone)]
pub(crate) struct RouteMeter {
    metrics: Metrics,
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    /// A handful of statuses at most: a walk is faster than building a label for each request.
    by_status: Arc<Mutex<Vec<(StatusCode, Answers)>>>,
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
        if let Some((_, answers)) = known.iter().find(|(of, _)| *of == status) {
            return answers.record(took);
        }
        let labels = [
            ("method", self.method.to_owned()),
            ("route", self.route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        let answers = self.metrics.with(|| Answers {
            count: metrics::counter!("http_requests_total", &labels),
            took: metrics::histogram!("http_request_duration_seconds", &labels),
        });
        answers.record(took);
        known.push((status, answers));
    }
}

/// The answers of one route with one status.
struct Answers {
    count: Counter,
    took: Histogram,
}

impl Answers {
    fn record(&self, took: Duration) {
        self.count.increment(1);
        self.took.record(took);
    }
}

/// One request that is being answered.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
