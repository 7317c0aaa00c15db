//! Reads the user out of a request's body.

use std::fmt;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::coupon::UserId;

/// Why a request names no user; said to the client.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadUser {
    #[error("userId is required")]
    Missing,
    #[error("invalid body: {0}")]
    Body(serde_json::Error),
    #[error("{0}")]
    Unread(BytesRejection),
    #[error("X-User-Id must be 1 to 255 bytes of text")]
    Header,
}

impl BadUser {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::Body(_) | Self::Header => StatusCode::BAD_REQUEST,
            // Too large, or cut short.
            Self::Unread(rejection) => rejection.status(),
        }
    }
}

/// A body as axum hands it over: read, or not.
pub(crate) type ReadBody = Result<Bytes, BytesRejection>;

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "userId")]
    user: Option<Sent>,
}

/// A user as sent: a text, or an integer whose digits become the text.
struct Sent(UserId);

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrInteger;

        impl Visitor<'_> for TextOrInteger {
            type Value = Sent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("userId as a text of 1 to 255 bytes or an integer")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sent, E> {
                UserId::new(text)
                    .map(Sent)
                    .ok_or_else(|| E::invalid_length(text.len(), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Sent, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sent, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(TextOrInteger)
    }
}

/// The user that a request's JSON body names, whatever its content type says.
pub(super) fn user_in_body(body: ReadBody) -> Result<UserId, BadUser> {
    user_in(&body.map_err(BadUser::Unread)?)
}

/// The user that the body names, or the header if the body names nobody. A broken body is an
/// error even so: silently skipped, it would hide a mistake of the client.
pub(super) fn user_in_body_or_header(
    body: ReadBody,
    headers: &HeaderMap,
) -> Result<UserId, BadUser> {
    let body = body.map_err(BadUser::Unread)?;
    let in_body = if body.is_empty() {
        Err(BadUser::Missing)
    } else {
        user_in(&body)
    };
    match (in_body, headers.get("x-user-id")) {
        (Err(BadUser::Missing), Some(header)) => std::str::from_utf8(header.as_bytes())
            .ok()
            .and_then(UserId::new)
            .ok_or(BadUser::Header),
        (in_body, _) => in_body,
    }
}

fn user_in(body: &[u8]) -> Result<UserId, BadUser> {
    let body: Body = serde_json::from_slice(body).map_err(BadUser::Body)?;
    body.user.map(|Sent(user)| user).ok_or(BadUser::Missing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn takes_a_user_as_sent() {
        let cases = [
            (r#"{"userId":"kim"}"#, "kim"),
            (r#"{"userId":5}"#, "5"),
            (r#"{"userId":-5}"#, "-5"),
            (r#"{"userId":"05"}"#, "05"), // another user than 5
            (r#"{"userId":"김\n"}"#, "김\n"),
            (
                r#"{"userId":18446744073709551615,"more":[]}"#,
                "18446744073709551615",
            ),
        ];
        for (body, user) in cases {
            assert_eq!(user_in(body.as_bytes()).unwrap().as_str(), user, "{body}");
        }
    }

    #[test]
    fn refuses_what_names_nobody() {
        let bodies = [
            "",
            "null",
            "[]",
            "{}",
            "{",
            "kim",
            r#"{"userId":null}"#,
            r#"{"userId":""}"#,
            r#"{"userId":1.5}"#,
            r#"{"userId":99999999999999999999999}"#, // would lose digits
            r#"{"userId":true}"#,
            r#"{"userId":{"userId":"kim"}}"#,
            r#"{"userId":["kim"]}"#,
            r#"{"userId":"a","userId":"b"}"#, // whose coupon would it be?
        ];
        for body in bodies {
            assert!(user_in(body.as_bytes()).is_err(), "{body}");
        }
        assert!(user_in(format!(r#"{{"userId":"{}"}}"#, "k".repeat(256)).as_bytes()).is_err());
    }
}
