//! The dialect of document C: members with a token ask for the coupon of an event.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::AppState;
use super::body::ReadBody;
use super::envelope::{self, Refusal, read};
use super::reply;
use super::resource::Resource;
use crate::coupon::{CouponId, Issue, IssueError, Stock, UserCoupon, UserId};
use crate::error::ServerError;
use crate::jwt::Members;
use crate::node;
use crate::options::Options;
use crate::period::Period;
use crate::queue::Queue;

/// What the dialect needs; without a secret there is none of it, and no dialect.
pub(super) struct MembersOnly {
    members: Members,
    queue: Option<Arc<Queue>>,
    guard: bool,
}

impl MembersOnly {
    pub(super) async fn open(options: &Options) -> Result<Option<Self>, ServerError> {
        let guard = options.line.guard_issue;
        if guard && options.jwt_secret.is_none() {
            node::members(options, "--guard-issue")?;
        }
        let Some(secret) = &options.jwt_secret else {
            return Ok(None);
        };
        let queue = if guard || !options.redis.is_empty() {
            Some(Arc::new(node::open_queue(options, "--guard-issue").await?))
        } else {
            None
        };
        Ok(Some(Self {
            members: Members::new(secret),
            queue,
            guard,
        }))
    }

    /// The queue that users leave with their coupon.
    pub(super) fn queue(&self) -> Option<&Arc<Queue>> {
        self.queue.as_ref()
    }

    /// Refuses who comes past the queue, if that is guarded.
    async fn check_admitted(&self, coupon: CouponId, user: &UserId) -> Result<(), Refusal> {
        match &self.queue {
            Some(queue) if self.guard && !queue.may_get(coupon, user).await? => {
                Err(Refusal::not_admitted())
            }
            _ => Ok(()),
        }
    }
}

/// A dialect that is not offered is a route that is not there.
fn offered(state: &AppState) -> Result<&MembersOnly, Refusal> {
    let members = state.0.members.as_ref();
    members.ok_or_else(|| {
        let why = "no such route: it needs a secret in FCFS_JWT_SECRET";
        Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", why)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    resource_id: Resource,
}

/// `POST /api/coupon/{id}`: the event of a coupon has the coupon's number.
pub(super) async fn issue(
    State(state): State<AppState>,
    Path(coupon): Path<String>,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    let members = offered(&state)?;
    let user = members.members.member(&headers)?;
    let event = read::<Asked>(body)?.resource_id.coupon();
    let id = coupon.parse().ok().filter(|id| event == Some(*id));
    let id = id.ok_or_else(|| refusal(&IssueError::UnknownCoupon))?;
    members.check_admitted(id, &user).await?;
    match state.issue(&coupon, &user).await {
        Ok(Issue::Issued(row)) => Ok(envelope::success(&row_json(&row))),
        Ok(Issue::SoldOut) => Err(denial("COUPON_03", "the coupon is sold out")),
        Ok(Issue::Duplicate) => Err(denial("COUPON_05", "the member holds this coupon already")),
        Err(error) => Err(refusal(&error)),
    }
}

fn row_json(row: &UserCoupon) -> String {
    // A member is a number, so there is nothing to escape.
    let (id, coupon, user, at) = (row.id, row.coupon, &row.user, row.created_at);
    format!(r#"{{"id":{id},"couponId":{coupon},"userId":{user},"createdAt":"{at}"}}"#)
}

/// `GET /api/event/coupon/{event}`: the coupon and what is left of it.
pub(super) async fn page(
    State(state): State<AppState>,
    Path(event): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    offered(&state)?.members.member(&headers)?;
    let coupon = event.parse().map_err(|_| IssueError::UnknownCoupon);
    let coupon = coupon.map_err(|error| refusal(&error))?;
    let stock = state.0.strategy.stock(coupon).await;
    let stock = stock.map_err(|error| refusal(&error))?;
    Ok(envelope::success(&page_json(
        coupon,
        &stock,
        state.0.period,
    )))
}

fn page_json(coupon: CouponId, stock: &Stock, period: Period) -> String {
    let [opens, closes] = period.as_json();
    let (left, total) = (stock.remaining, stock.total);
    format!(
        r#"{{"couponId":{coupon},"resourceId":"{coupon}","quantity":{left},"totalQuantity":{total},"opensAt":{opens},"closesAt":{closes}}}"#
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    coupon_id: CouponId,
    quantity: u32,
}

/// `POST /api/admin/coupon`: a coupon that is there keeps its stock.
pub(super) async fn create(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: ReadBody,
) -> Result<Response, Refusal> {
    offered(&state)?.members.member(&headers)?;
    let asked: Created = read(body)?;
    match state
        .0
        .strategy
        .create(asked.coupon_id, asked.quantity)
        .await
    {
        Ok(true) => Ok(envelope::success(&format!(
            r#"{{"couponId":{}}}"#,
            asked.coupon_id
        ))),
        Ok(false) => {
            let why = "the coupon is there already";
            Err(Refusal::new(StatusCode::CONFLICT, "COUPON_EXISTS", why))
        }
        Err(error) => Err(refusal(&error)),
    }
}

fn denial(code: &'static str, why: &'static str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, why)
}

fn refusal(error: &IssueError) -> Refusal {
    let (status, text) = reply::explain(error);
    let code = match error {
        IssueError::UnknownCoupon => "COUPON_04",
        IssueError::NotOpen(_) => "COUPON_07",
        IssueError::Locked(_) => "LOCK_FAILED",
        _ if status == StatusCode::INTERNAL_SERVER_ERROR => "PUBLISH_FAILED",
        _ => "UNAVAILABLE",
    };
    Refusal::new(status, code, text)
}
