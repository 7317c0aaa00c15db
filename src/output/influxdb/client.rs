//! One batch to a store over HTTP, and what its answer means.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url, redirect};

use super::queue::Batch;
use crate::plan::{Mask, Store, StoreGate};

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// How long a store may take for one batch.
const WITHIN: Duration = Duration::from_secs(10);

/// Bytes of an answer that are looked at, and characters that are kept of it.
const READ: usize = 4 << 10;
const KEPT: usize = 300;

/// What came of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it is there.
    Taken,
    /// Some points are, so many are wrong.
    Partly { dropped: u64, why: String },
    /// Nothing is known of it, or it was not taken now.
    Again {
        why: String,
        after: Option<Duration>,
    },
    /// The store does not let us in, or has no such place.
    NotLetIn(String),
    /// The points are wrong: they will never be taken.
    Wrong(String),
}

/// A store.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    authorization: Option<HeaderValue>,
    account: Option<(String, String)>,
    gzip: bool,
    mask: Mask,
}

/// The address that points are posted to.
///
/// # Errors
/// When it is none.
pub(super) fn address(store: &Store) -> Result<Url, String> {
    let parsed = |path: &str| Url::parse(&format!("{}{path}", store.url));
    let url = match &store.gate {
        StoreGate::V1 { db, .. } => parsed("/write").map(|mut url| {
            url.query_pairs_mut().append_pair("db", db);
            url
        }),
        StoreGate::V2 { org, bucket, .. } => parsed("/api/v2/write").map(|mut url| {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("org", org).append_pair("bucket", bucket);
            drop(pairs);
            url
        }),
    };
    let mut url = url.map_err(|error| format!("{}: {error}", store.url))?;
    url.query_pairs_mut().append_pair("precision", "ns");
    Ok(url)
}

impl Client {
    /// A client that keeps one connection.
    ///
    /// # Errors
    /// When the address or the token cannot be sent.
    pub(super) fn new(store: &Store, mask: Mask) -> Result<Self, String> {
        crate::tls::install_provider();
        let http = reqwest::Client::builder()
            // A redirect would send the token to somebody else.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(WITHIN)
            .build()
            .map_err(|error| error.to_string())?;
        let (mut authorization, mut account) = (None, None);
        match &store.gate {
            StoreGate::V1 { account: of, .. } => {
                account = of
                    .as_ref()
                    .map(|(user, password)| (user.clone(), password.reveal().to_owned()));
            }
            StoreGate::V2 { token, .. } => {
                if let Some(token) = token {
                    let value = HeaderValue::from_str(&format!("Token {}", token.reveal()));
                    let mut value =
                        value.map_err(|_| "the token cannot stand in a header".to_owned())?;
                    value.set_sensitive(true);
                    authorization = Some(value);
                }
            }
        }
        Ok(Self {
            http,
            url: address(store)?,
            authorization,
            account,
            gzip: store.gzip,
            mask,
        })
    }

    /// Posts the batch.
    pub(super) async fn write(&self, batch: &Batch) -> Answer {
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8");
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Some((user, password)) = &self.account {
            request = request.basic_auth(user, Some(password));
        }
        request = if self.gzip {
            request
                .header(CONTENT_ENCODING, "gzip")
                .body(batch.body.to_vec())
        } else {
            match unzipped(&batch.body) {
                Ok(body) => request.body(body),
                Err(error) => return Answer::Wrong(format!("what was spooled: {error}")),
            }
        };
        match request.send().await {
            Ok(response) => self.answer(response, batch.points).await,
            Err(error) => Answer::Again {
                why: self.mask.hide(&chain(&error)),
                after: None,
            },
        }
    }

    async fn answer(&self, mut response: reqwest::Response, points: u64) -> Answer {
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER);
        let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let after = after.map(Duration::from_secs);
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > READ {
                break;
            }
        }
        let said = self.mask.hide(&said(&String::from_utf8_lossy(&body)));
        meaning(status, &said, after, points)
    }
}

/// What an answer with this status means.
fn meaning(status: StatusCode, said: &str, after: Option<Duration>, points: u64) -> Answer {
    let why = if said.is_empty() {
        format!("HTTP {status}")
    } else {
        format!("HTTP {}: {said}", status.as_u16())
    };
    match status.as_u16() {
        200..=299 => Answer::Taken,
        401 | 403 | 404 => Answer::NotLetIn(why),
        408 | 425 | 429 | 500..=599 => Answer::Again { why, after },
        // InfluxDB 1 keeps the points that are right and says how many are not.
        400 if said.contains("partial write") => {
            let dropped = said.rsplit_once("dropped=").map(|(_, rest)| rest);
            let digits = |rest: &str| {
                let end = rest.find(|c: char| !c.is_ascii_digit());
                rest[..end.unwrap_or(rest.len())].parse().ok()
            };
            let dropped = dropped
                .and_then(digits)
                .filter(|dropped| *dropped <= points);
            match dropped {
                Some(dropped) => Answer::Partly { dropped, why },
                None => Answer::Wrong(why),
            }
        }
        _ => Answer::Wrong(why),
    }
}

/// The message of an answer, in one line.
fn said(body: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let told = json.as_ref().and_then(|json| {
        let told = json.get("error").or_else(|| json.get("message"))?;
        told.as_str()
    });
    let text: Vec<&str> = told.unwrap_or(body).split_whitespace().collect();
    text.join(" ").chars().take(KEPT).collect()
}

fn unzipped(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(body).read_to_end(&mut plain)?;
    Ok(plain)
}

/// The error and what caused it, without the address, which is said beside it.
fn chain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", WITHIN.as_secs());
    }
    let mut source = std::error::Error::source(error);
    let mut last = None;
    while let Some(cause) = source {
        last = Some(cause.to_string());
        source = cause.source();
    }
    last.unwrap_or_else(|| "no answer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Secret;

    fn means(status: u16, said: &str) -> Answer {
        let status = StatusCode::from_u16(status).expect("a status");
        meaning(status, said, None, 10)
    }

    #[test]
    fn what_will_never_be_taken_is_not_sent_again() {
        assert_eq!(means(204, ""), Answer::Taken);
        for status in [408, 429, 500, 502, 503] {
            assert!(
                matches!(means(status, ""), Answer::Again { .. }),
                "{status}"
            );
        }
        for status in [401, 403, 404] {
            assert!(matches!(means(status, ""), Answer::NotLetIn(_)), "{status}");
        }
        for status in [302, 400, 413, 422] {
            assert!(matches!(means(status, ""), Answer::Wrong(_)), "{status}");
        }
    }

    #[test]
    fn of_a_partial_write_only_what_is_wrong_is_lost() {
        let told = "partial write: field type conflict: input field \"value\" dropped=3";
        assert!(matches!(
            means(400, told),
            Answer::Partly { dropped: 3, .. }
        ));
        for told in [
            "partial write: dropped=11",
            "partial write",
            "unable to parse",
        ] {
            assert!(matches!(means(400, told), Answer::Wrong(_)), "{told}");
        }
    }

    #[test]
    fn messages_are_taken_out_of_json() {
        for (body, words) in [
            (
                r#"{"error":"database not found: \"k6\""}"#,
                "database not found: \"k6\"",
            ),
            (
                r#"{"code":"unauthorized","message":"unauthorized access"}"#,
                "unauthorized access",
            ),
            ("plain\n text", "plain text"),
        ] {
            assert_eq!(said(body), words);
        }
        assert_eq!(said(&"x".repeat(5_000)).len(), KEPT);
    }

    #[test]
    fn names_of_places_are_encoded() {
        let mut store = Store {
            url: "http://h:8086/base".to_owned(),
            gate: StoreGate::V2 {
                org: "a&b".to_owned(),
                bucket: "c d".to_owned(),
                token: Some(Secret::new("s3cret")),
            },
            every: Duration::from_secs(1),
            batch: 1,
            gzip: true,
            spool: 0,
            drain: Duration::ZERO,
        };
        let v2 = "http://h:8086/base/api/v2/write?org=a%26b&bucket=c+d&precision=ns";
        assert_eq!(address(&store).expect("a URL").as_str(), v2);
        store.gate = StoreGate::V1 {
            db: "k6".to_owned(),
            account: None,
        };
        let v1 = "http://h:8086/base/write?db=k6&precision=ns";
        assert_eq!(address(&store).expect("a URL").as_str(), v1);
    }
}
