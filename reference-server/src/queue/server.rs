//! The role `queue`: users enter, ask for their place, and are let through by schedulers.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::meters::QueueMeters;
use super::schedule::Schedulers;
use super::{DOMAIN, Entry, Queue, Settings, Standing};
use crate::coupon::{CouponId, UserId};
use crate::error::ServerError;
use crate::health::{self, Question};
use crate::http::envelope::{self, Refusal, read};
use crate::http::{ReadBody, Resource, metered, metrics_page};
use crate::jwt::Members;
use crate::metrics::Metrics;

/// One queue server without its port. Clones share everything.
#[derive(Clone)]
pub(crate) struct QueueServer(Arc<Shared>);

struct Shared {
    queue: Arc<Queue>,
    members: Members,
    metrics: Metrics,
    schedulers: Mutex<Option<Schedulers>>,
}

impl QueueServer {
    /// Starts the schedulers as well.
    pub(crate) fn start(
        queue: Queue,
        members: Members,
        options: &super::QueueOptions,
    ) -> Result<Self, ServerError> {
        let queue = Arc::new(queue);
        let metrics = Metrics::new().map_err(|e| ServerError::Metrics(e.to_string()))?;
        let meters = Arc::new(QueueMeters::new(metrics.clone()));
        let schedulers = Schedulers::start(Arc::clone(&queue), meters, options);
        Ok(Self(Arc::new(Shared {
            queue,
            members,
            metrics,
            schedulers: Mutex::new(Some(schedulers)),
        })))
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Admits nobody any more.
    pub(crate) async fn shutdown(&self) {
        if let Some(schedulers) = self.0.schedulers.lock().await.take() {
            schedulers.stop().await;
        }
    }

    pub(crate) fn app(self) -> Router {
        let routes = vec![
            ("POST", "/api/queue/enter", post(enter)),
            ("GET", "/api/queue/order", get(order)),
            ("PATCH", "/api/queue/heartbeat", patch(heartbeat)),
            ("GET", Self::SETTINGS, get(settings)),
            ("POST", Self::SETTINGS, post(set)),
            ("PUT", Self::SETTINGS, axum::routing::put(set)),
            ("GET", "/health", get(health)),
            ("GET", "/metrics", get(metrics)),
            ("GET", "/clock", get(crate::clock::clock)),
        ];
        metered(&self.0.metrics, routes)
            .fallback(envelope::no_such_route)
            .with_state(self)
    }

    const SETTINGS: &str = "/api/admin/queue/config";
}

/// What names an event in a body; other keys may stand beside these.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    domain: String,
    resource_id: Resource,
}

#[derive(Deserialize)]
struct Changed {
    #[serde(flatten)]
    named: Named,
    #[serde(flatten)]
    settings: Settings,
}

async fn enter(
    State(server): State<QueueServer>,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    let (user, event) = server.asked(&headers, body)?;
    match server.0.queue.enter(event, &user).await? {
        Entry::Entered {
            rank,
            total,
            ticket,
        } => Ok(entered(rank, total, ticket)),
        Entry::WaitsAlready => Err(conflict("Q_ENTER_01", "the user waits already")),
        Entry::AdmittedAlready => Err(conflict("Q_ENTER_02", "the user is admitted already")),
    }
}

/// The load of this server: as many as wait, several times a second.
async fn order(
    State(server): State<QueueServer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let user = server.0.members.member(&headers)?;
    let event = event_in_query(query.as_deref())?;
    match server.0.queue.standing(event, &user).await? {
        Standing::Waiting { rank, total } => Ok(standing(1, rank, total)),
        Standing::Admitted => Ok(standing(2, 0, 0)),
        Standing::Unknown => Err(nobody("Q_WAIT_ORDER_01")),
    }
}

async fn heartbeat(
    State(server): State<QueueServer>,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    let (user, event) = server.asked(&headers, body)?;
    match server.0.queue.standing(event, &user).await? {
        Standing::Unknown => Err(nobody("Q_RUNNING_01")),
        Standing::Waiting { .. } | Standing::Admitted => Ok(envelope::success("null")),
    }
}

async fn settings(
    State(server): State<QueueServer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    server.0.members.member(&headers)?;
    server.settings(event_in_query(query.as_deref())?).await
}

async fn set(
    State(server): State<QueueServer>,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    server.0.members.member(&headers)?;
    let Changed { named, settings } = read(body)?;
    let event = named.event()?;
    server.0.queue.set(event, settings).await?;
    server.settings(event).await
}

impl QueueServer {
    /// The user, and the event that the body names.
    fn asked(&self, headers: &HeaderMap, body: ReadBody) -> Result<(UserId, CouponId), Refusal> {
        let user = self.0.members.member(headers)?;
        Ok((user, read::<Named>(body)?.event()?))
    }

    async fn settings(&self, event: CouponId) -> Result<Response, Refusal> {
        let Settings {
            threshold,
            transfer_size,
            traffic_rpm,
        } = self.0.queue.settings(event).await?;
        Ok(envelope::success(&format!(
            r#"{{"threshold":{threshold},"transferSize":{transfer_size},"trafficRpm":{traffic_rpm}}}"#
        )))
    }
}

impl Named {
    fn event(&self) -> Result<CouponId, Refusal> {
        event(&self.domain, self.resource_id)
    }
}

fn event(domain: &str, resource: Resource) -> Result<CouponId, Refusal> {
    if domain != DOMAIN {
        return Err(Refusal::bad_request("domain must be COUPON"));
    }
    let no_such_event = || Refusal::new(StatusCode::NOT_FOUND, "QUEUE_01", "no such event");
    resource.coupon().ok_or_else(no_such_event)
}

/// Neither value needs to be decoded: one is a word, and the other a number.
fn event_in_query(query: Option<&str>) -> Result<CouponId, Refusal> {
    let (mut domain, mut resource) = (None, None);
    for pair in query.unwrap_or_default().split('&') {
        match pair.split_once('=') {
            Some(("domain", value)) => domain = Some(value),
            Some(("resourceId", value)) => resource = Some(value),
            _ => {}
        }
    }
    let (Some(domain), Some(resource)) = (domain, resource) else {
        return Err(Refusal::bad_request("domain and resourceId are needed"));
    };
    event(domain, Resource::from_text(resource))
}

fn entered(rank: u64, total: u64, ticket: u64) -> Response {
    envelope::success(&format!(
        r#"{{"status":1,"rank":{rank},"total":{total},"ticket":{ticket}}}"#
    ))
}

fn standing(status: u8, rank: u64, total: u64) -> Response {
    envelope::success(&format!(
        r#"{{"status":{status},"rank":{rank},"total":{total}}}"#
    ))
}

fn conflict(code: &'static str, why: &'static str) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, code, why)
}

fn nobody(code: &'static str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, code, "the user is not in the queue")
}

impl QueueServer {
    fn check(&self) -> Vec<Question<'_>> {
        vec![Question::to_redis(self.0.queue.redis().check())]
    }
}

async fn health(State(server): State<QueueServer>) -> (StatusCode, Json<serde_json::Value>) {
    health::response(&health::ask(server.check()).await)
}

async fn metrics(State(server): State<QueueServer>) -> Response {
    let signs = health::ask_for_scrape(server.check()).await;
    server.0.metrics.set_signs(&signs);
    metrics_page(&server.0.metrics)
}
