//! Asks a service over HTTP and picks the truth out of its JSON answer.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url, redirect};
use rustls::pki_types::CertificateDer;
use serde_json::Value;

use super::LIMIT;
use super::error::Fault;
use super::shape::{self, quoted};
use crate::check::IssuedRow;
use crate::plan::Secret;

/// More than this is not read: the whole answer has to fit into memory as JSON.
const MAX_BODY: usize = 64 << 20;

/// Where things stand within a row.
#[derive(Debug, Clone, Default)]
pub(super) struct RowPointers {
    pub(super) user: String,
    pub(super) id: Option<String>,
    pub(super) time: Option<String>,
}

/// A URL and what to look for in its answer.
#[derive(Debug)]
pub(super) struct HttpProbe {
    client: Client,
    url: Url,
    headers: HeaderMap,
    pointer: String,
    row: RowPointers,
}

/// The URL itself, or the path appended to the target's base.
pub(super) fn absolute(url: &str, base: Option<&str>) -> String {
    match base {
        Some(base) if url.starts_with('/') => format!("{}{url}", base.trim_end_matches('/')),
        _ => url.to_owned(),
    }
}

impl HttpProbe {
    pub(super) fn open(
        url: &str,
        headers: &[(String, Secret)],
        pointer: String,
        row: RowPointers,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, Fault> {
        if url.starts_with('/') {
            let words = "is a path, but the target has no URL that it could belong to";
            return Err(Fault::asked(words));
        }
        let url = Url::parse(url);
        let url = url.map_err(|error| Fault::asked(format!("is not well-formed: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Fault::asked("is no http: or https: URL"));
        }
        crate::tls::install_provider();
        let roots: Result<Vec<_>, _> = roots
            .iter()
            .map(|root| reqwest::Certificate::from_der(root))
            .collect();
        let client = Client::builder()
            .tls_certs_merge(roots.map_err(|error| Fault::asked(chain(&error)))?)
            // A redirect would silently read another page, and send our headers there.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(LIMIT)
            .read_timeout(LIMIT)
            .build()
            .map_err(|error| Fault::asked(chain(&error)))?;
        Ok(Self {
            client,
            url,
            headers: header_map(headers)?,
            pointer,
            row,
        })
    }

    pub(super) async fn rows(&self) -> Result<Vec<IssuedRow>, Fault> {
        let answer = self.get(MAX_BODY).await?;
        let Value::Array(items) = at(&answer, &self.pointer)? else {
            let words = format!("there is no array at {}", quoted(&self.pointer));
            return Err(Fault::answer(words));
        };
        let rows = items.iter().enumerate();
        rows.map(|(index, item)| self.row.read(index, item))
            .collect()
    }

    pub(super) async fn number(&self) -> Result<i64, Fault> {
        let answer = self.get(MAX_BODY).await?;
        match at(&answer, &self.pointer)? {
            Value::Number(number) => shape::number(&number.to_string()),
            Value::String(text) => shape::number(text),
            _ => {
                let words = format!("there is no number at {}", quoted(&self.pointer));
                Err(Fault::answer(words))
            }
        }
    }

    /// The JSON of the whole answer, of so many bytes at most.
    pub(super) async fn get(&self, most: usize) -> Result<Value, Fault> {
        let request = self
            .client
            .get(self.url.clone())
            .headers(self.headers.clone());
        let mut response = request.send().await.map_err(fault)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > most {
                let words = format!("the answer is longer than {} MiB", most >> 20);
                return Err(Fault::answer(words));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let words = format!("answered {}: {}", status.as_u16(), start_of(&body));
            return Err(Fault::answer(words));
        }
        serde_json::from_slice(&body).map_err(|error| {
            let start = start_of(&body);
            let status = status.as_u16();
            Fault::answer(format!("answered {status} without JSON ({error}): {start}"))
        })
    }
}

impl RowPointers {
    fn read(&self, index: usize, item: &Value) -> Result<IssuedRow, Fault> {
        let user = text(item.pointer(&self.user));
        let part = |pointer: &Option<String>| {
            let pointer = pointer.as_ref()?;
            text(item.pointer(pointer))
        };
        shape::row(index, user, part(&self.id), part(&self.time).as_deref())
    }
}

/// Numbers and strings as text; nothing else can be an id.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn at<'a>(answer: &'a Value, pointer: &str) -> Result<&'a Value, Fault> {
    answer.pointer(pointer).ok_or_else(|| {
        let start = quoted(&answer.to_string());
        let words = format!("there is nothing at {} in {start}", quoted(pointer));
        Fault::answer(words)
    })
}

fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let wrong = || Fault::asked(format!("the header {} cannot be sent", quoted(name)));
        let header = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        let mut value = HeaderValue::try_from(value.reveal()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        map.append(header, value);
    }
    Ok(map)
}

fn start_of(body: &[u8]) -> String {
    // A character has at most four bytes, so this is enough for any 200 of them, and one more.
    quoted(&String::from_utf8_lossy(&body[..body.len().min(804)]))
}

fn fault(error: reqwest::Error) -> Fault {
    // The error would show the URL with its query.
    let error = error.without_url();
    if error.is_timeout() {
        Fault::slow(LIMIT)
    } else if error.is_connect() || error.is_request() || error.is_body() || error.is_decode() {
        Fault::lost(chain(&error))
    } else {
        Fault::answer(chain(&error))
    }
}

/// An error with all its causes: the outermost one only says that sending failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests;
