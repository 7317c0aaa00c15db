//! The two dialects in which a coupon is asked for.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::AppState;
use super::body::{ReadBody, user_in_body, user_in_body_or_header};
use super::reply;
use crate::coupon::{Issue, IssueError, UserCoupon, UserId};
use crate::timestamp::Timestamp;

const SOLD_OUT: &str = "Coupon stock is empty";
const DUPLICATE: &str = "이미 발급된 쿠폰입니다.";

/// An issued coupon as the client sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Issued<'a> {
    id: i64,
    coupon_id: i64,
    user_id: &'a str,
    created_at: String,
}

fn issued(status: StatusCode, row: &UserCoupon) -> Response {
    let body = Issued {
        id: row.id,
        coupon_id: row.coupon,
        user_id: row.user.as_str(),
        created_at: row.created_at.to_string(),
    };
    (status, Json(body)).into_response()
}

/// `POST /coupons/fcfs/{id}/issue`: sold out and duplicate are both 400, told apart by the text.
pub(super) async fn with_body_outcomes(
    State(state): State<AppState>,
    Path(coupon): Path<String>,
    body: ReadBody,
) -> Response {
    let user = match user_in_body(body) {
        Ok(user) => user,
        Err(bad) => return reply::message(bad.status(), &bad.to_string()),
    };
    match state.issue(&coupon, &user).await {
        Ok(Issue::Issued(row)) => issued(StatusCode::CREATED, &row),
        Ok(Issue::SoldOut) => reply::message(StatusCode::BAD_REQUEST, SOLD_OUT),
        Ok(Issue::Duplicate) => reply::message(StatusCode::BAD_REQUEST, DUPLICATE),
        Err(error) => reply::failure(&error),
    }
}

/// `POST /api/v1/user-coupons/{id}/issue`: every outcome has a status of its own.
pub(super) async fn with_status_outcomes(
    State(state): State<AppState>,
    Path(coupon): Path<String>,
    headers: HeaderMap,
    body: ReadBody,
) -> Response {
    let user = match user_in_body_or_header(body, &headers) {
        Ok(user) => user,
        Err(bad) => return reply::message(bad.status(), &bad.to_string()),
    };
    match state.issue(&coupon, &user).await {
        Ok(Issue::Issued(row)) => issued(StatusCode::OK, &row),
        Ok(Issue::SoldOut) => StatusCode::NO_CONTENT.into_response(),
        Ok(Issue::Duplicate) => reply::message(StatusCode::CONFLICT, DUPLICATE),
        Err(error) => reply::failure(&error),
    }
}

impl AppState {
    pub(super) async fn issue(&self, coupon: &str, user: &UserId) -> Result<Issue, IssueError> {
        let answer = match (self.0.period.check(Timestamp::now()), coupon.parse()) {
            (Err(closed), _) => Err(closed),
            (Ok(()), Ok(coupon)) => self.0.strategy.issue(coupon, user).await,
            (Ok(()), Err(_)) => Err(IssueError::UnknownCoupon),
        };
        self.0.metrics.count_answer(&answer);
        answer
    }
}
