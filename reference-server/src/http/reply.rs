//! The JSON that every refusal and failure is told in.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::coupon::IssueError;

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    message: &'a str,
}

pub(super) fn message(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(Message {
            status_code: status.as_u16(),
            message,
        }),
    )
        .into_response()
}

pub(super) fn failure(error: &IssueError) -> Response {
    let (status, text) = explain(error);
    message(status, &text)
}

/// The status and the text for a user who could not be told anything of use.
pub(super) fn explain(error: &IssueError) -> (StatusCode, String) {
    let status = match error {
        IssueError::UnknownCoupon | IssueError::OtherRole => StatusCode::NOT_FOUND,
        IssueError::NotOpen(_) => StatusCode::BAD_REQUEST,
        IssueError::Locked(_) | IssueError::NoQuorum(_) => StatusCode::CONFLICT,
        IssueError::CannotCreate => StatusCode::NOT_IMPLEMENTED,
        IssueError::QueueFull
        | IssueError::Stopping
        | IssueError::PoolExhausted
        | IssueError::NotLoaded
        | IssueError::NotPublished(_) => StatusCode::SERVICE_UNAVAILABLE,
        IssueError::Storage(_) | IssueError::Redis(_) | IssueError::Kafka(_) => {
            tracing::error!(event = "storage_failed", %error);
            // Its details belong into the log, not to a client.
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                "storage error".to_owned(),
            );
        }
    };
    tracing::debug!(event = "issue_failed", %error);
    (status, error.to_string())
}

pub(super) async fn no_such_route() -> Response {
    message(StatusCode::NOT_FOUND, "no such route")
}
