//! The envelope of document C: every answer is `{statusCode, code, message, data}`.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::body::ReadBody;
use crate::jwt::BadToken;

/// 200 with data, which is JSON already: most of these answers are put together from numbers.
pub(crate) fn success(data: &str) -> Response {
    const BEGIN: &str = r#"{"statusCode":200,"code":"success","message":"ok","data":"#;
    let mut body = String::with_capacity(BEGIN.len() + data.len() + 1);
    body.push_str(BEGIN);
    body.push_str(data);
    body.push('}');
    json(StatusCode::OK, body)
}

/// Any other answer; the code is what tells refusals of one status apart.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub(crate) fn not_admitted() -> Self {
        let why = "the queue has not admitted this user";
        Self::new(StatusCode::FORBIDDEN, "NOT_ADMITTED", why)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    status_code: u16,
    code: &'a str,
    message: &'a str,
    data: (),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&Fields {
            status_code: self.status.as_u16(),
            code: self.code,
            message: &self.message,
            data: (),
        });
        json(self.status, body.unwrap_or_default())
    }
}

impl From<BadToken> for Refusal {
    fn from(bad: BadToken) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, bad.code(), bad.to_string())
    }
}

/// The queue's Redis does not answer. Its details belong into the log, not to a client.
impl From<redis::RedisError> for Refusal {
    fn from(error: redis::RedisError) -> Self {
        tracing::error!(event = "queue_unavailable", %error);
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "QUEUE_UNAVAILABLE",
            "the queue cannot be reached",
        )
    }
}

pub(crate) async fn no_such_route() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", "no such route")
}

/// The bytes of a body; too large or cut short, it is refused.
pub(crate) fn bytes(body: ReadBody) -> Result<axum::body::Bytes, Refusal> {
    body.map_err(|rejection| {
        let why = rejection.to_string();
        Refusal::new(rejection.status(), "BAD_REQUEST", why)
    })
}

/// What a body says, whatever its content type; keys that are not known do not matter.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(body: ReadBody) -> Result<T, Refusal> {
    serde_json::from_slice(&bytes(body)?)
        .map_err(|error| Refusal::bad_request(format!("invalid body: {error}")))
}

fn json(status: StatusCode, body: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], Body::from(body)).into_response()
}
