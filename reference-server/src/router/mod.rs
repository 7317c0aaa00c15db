//! The role `router`: the entrance, which forwards requests or sends users to the queue.

mod forward;
mod options;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use metrics::{Counter, counter};
use serde_json::json;

use crate::coupon::{CouponId, UserId};
use crate::error::ServerError;
use crate::health::{self, Question};
use crate::http::envelope::{self, Refusal};
use crate::http::{ReadBody, Resource, metered, metrics_page};
use crate::jwt::Members;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::queue::{DOMAIN, Queue, Reason, Way};
use forward::{Upstreams, Whole};

pub use options::{BadUpstream, RouterOptions, Upstream};

/// One router without its port. Clones share everything.
#[derive(Clone)]
pub(crate) struct RouterServer(Arc<Shared>);

struct Shared {
    queue: Queue,
    members: Members,
    coupons: Upstreams,
    queues: Upstreams,
    /// Whether only admitted users may ask for a coupon.
    guard: bool,
    metrics: Metrics,
    meters: Meters,
}

struct Meters {
    to_coupons: Counter,
    to_queues: Counter,
    waiting: Counter,
    running: Counter,
    traffic: Counter,
}

impl Meters {
    fn new(metrics: &Metrics) -> Self {
        metrics.with(|| {
            metrics::describe_counter!("router_forwarded_total", "Requests sent on, by role.");
            metrics::describe_counter!("router_failed_total", "Requests without an answer.");
            metrics::describe_counter!("router_redirected_total", "Users sent to the queue.");
            Self {
                to_coupons: counter!("router_forwarded_total", "to" => "coupon"),
                to_queues: counter!("router_forwarded_total", "to" => "queue"),
                waiting: counter!("router_redirected_total", "reason" => "waiting"),
                running: counter!("router_redirected_total", "reason" => "running"),
                traffic: counter!("router_redirected_total", "reason" => "traffic"),
            }
        })
    }

    fn redirected(&self, reason: Reason) {
        match reason {
            Reason::Waiting => self.waiting.increment(1),
            Reason::Running => self.running.increment(1),
            Reason::Traffic => self.traffic.increment(1),
        }
    }
}

impl RouterServer {
    pub(crate) fn new(
        queue: Queue,
        members: Members,
        options: &Options,
    ) -> Result<Self, ServerError> {
        let metrics = Metrics::new().map_err(|e| ServerError::Metrics(e.to_string()))?;
        let router = &options.router;
        Ok(Self(Arc::new(Shared {
            queue,
            members,
            coupons: Upstreams::new("coupon", &router.coupon_url, router, metrics.clone()),
            queues: Upstreams::new("queue", &router.queue_url, router, metrics.clone()),
            guard: options.line.guard_issue,
            meters: Meters::new(&metrics),
            metrics,
        })))
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn app(self) -> Router {
        let routes = vec![
            ("GET", "/api/event/coupon/{event}", get(event)),
            ("POST", "/api/coupon/{id}", post(issue)),
            ("*", "/api/queue/{*rest}", any(to_queue)),
            ("*", "/api/admin/queue/{*rest}", any(to_queue)),
            ("*", "/api/admin/coupon", any(to_coupon)),
            ("GET", "/health", get(health)),
            ("GET", "/metrics", get(metrics)),
            ("GET", "/clock", get(crate::clock::clock)),
        ];
        metered(&self.0.metrics, routes)
            .fallback(envelope::no_such_route)
            .with_state(self)
    }
}

/// What is forwarded, as axum hands it over.
type Parts = (Method, Uri, HeaderMap, ReadBody);

async fn event(
    State(router): State<RouterServer>,
    Path(event): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let user = router.0.members.member(&headers)?;
    let no_such_event = || Refusal::new(StatusCode::NOT_FOUND, "COUPON_04", "no such event");
    let event = Resource::from_text(&event).coupon();
    let event = event.ok_or_else(no_such_event)?;
    match router.way(event, &user).await? {
        Way::ToEvent => {
            let nothing = Ok(Bytes::new());
            router.to_coupon((method, uri, headers, nothing)).await
        }
        Way::ToQueue(reason) => {
            router.0.meters.redirected(reason);
            Ok(to_queue_page(event))
        }
    }
}

/// Its known hole: without the guard, who knows this path need not queue.
async fn issue(
    State(router): State<RouterServer>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    let user = router.0.members.member(&headers)?;
    if router.0.guard
        && let Some(coupon) = Resource::from_text(&id).coupon()
        && !router.0.queue.may_get(coupon, &user).await?
    {
        return Err(Refusal::not_admitted());
    }
    router.to_coupon((method, uri, headers, body)).await
}

async fn to_queue(
    State(router): State<RouterServer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    router.0.members.member(&headers)?;
    router.0.meters.to_queues.increment(1);
    let request = whole((method, uri, headers, body))?;
    router.0.queues.forward(request).await
}

async fn to_coupon(
    State(router): State<RouterServer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    router.0.members.member(&headers)?;
    router.to_coupon((method, uri, headers, body)).await
}

impl RouterServer {
    /// With the guard, who goes straight in takes a place among the admitted: the coupon server
    /// lets in nobody else.
    async fn way(&self, event: CouponId, user: &UserId) -> Result<Way, redis::RedisError> {
        let queue = &self.0.queue;
        let traffic = queue.count(event, user).await?;
        let way = traffic.way();
        if way == Way::ToEvent && self.0.guard && !queue.admit(event, user).await? {
            return Ok(Way::ToQueue(Reason::Running));
        }
        Ok(way)
    }

    async fn to_coupon(&self, parts: Parts) -> Result<Response, Refusal> {
        self.0.meters.to_coupons.increment(1);
        self.0.coupons.forward(whole(parts)?).await
    }
}

fn whole((method, uri, headers, body): Parts) -> Result<Whole, Refusal> {
    Ok(Whole {
        method,
        path: path_of(&uri),
        headers,
        body: envelope::bytes(body)?,
    })
}

fn path_of(uri: &Uri) -> PathAndQuery {
    let path = uri.path_and_query().cloned();
    path.unwrap_or_else(|| PathAndQuery::from_static("/"))
}

/// 308 keeps the method, unlike 301 and 302; a client decides by the status.
fn to_queue_page(event: CouponId) -> Response {
    let page = format!("/queue?domain={DOMAIN}&resourceId={event}");
    let why = "enter the queue: POST /api/queue/enter";
    let refusal = Refusal::new(StatusCode::PERMANENT_REDIRECT, "QUEUE_NEEDED", why);
    let mut response = refusal.into_response();
    if let Ok(page) = HeaderValue::from_str(&page) {
        response.headers_mut().insert(header::LOCATION, page);
    }
    response
}

async fn health(State(router): State<RouterServer>) -> (StatusCode, Json<serde_json::Value>) {
    let (redis, coupons, queues) = tokio::join!(
        router.0.queue.redis().check(),
        router.0.coupons.is_well(),
        router.0.queues.is_well(),
    );
    let up = |well: bool| if well { "up" } else { "down" };
    let well = redis.is_ok() && coupons && queues;
    let (status, word) = if well {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "down")
    };
    let body = json!({
        "status": word, "redis": up(redis.is_ok()), "coupon": up(coupons), "queue": up(queues),
    });
    (status, Json(body))
}

async fn metrics(State(router): State<RouterServer>) -> Response {
    let questions = vec![Question::to_redis(router.0.queue.redis().check())];
    let signs = health::ask_for_scrape(questions).await;
    router.0.metrics.set_signs(&signs);
    metrics_page(&router.0.metrics)
}
