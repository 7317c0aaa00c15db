//! The HTTP client of a user of Goose, and what its errors say: less than our own connections do.

use std::error::Error;
use std::io;

use hyper::StatusCode;
use reqwest::redirect::Policy;
use rustls::ClientConfig;

use crate::history::{Cause, OutcomeKind};
use crate::load::http::{Answer, Endpoint, Message};
use crate::plan::BaseUrl;

/// A client as our own connections are: no redirects, no proxy, no compression, and addresses that
/// are known already.
pub(super) fn builder(endpoints: &[Endpoint], tls: &ClientConfig) -> reqwest::ClientBuilder {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(Policy::none())
        .no_proxy()
        .no_gzip()
        .referer(false)
        .http1_only();
    for endpoint in endpoints {
        if let Some(address) = endpoint.address() {
            builder = builder.resolve(&endpoint.url.host, address);
        }
    }
    builder
}

/// What the URLs of this endpoint begin with, without a prefix. Over HTTP it is the address, which
/// may be another one than the host's name stands for; the host is in its header.
pub(super) fn base(endpoint: &Endpoint) -> String {
    let url = &endpoint.url;
    let address = endpoint.address();
    if let Some(address) = address.filter(|_| !url.https) {
        return format!("http://{address}");
    }
    let port = address.map_or(url.port, |address| address.port());
    let bare = BaseUrl {
        port,
        prefix: String::new(),
        ..url.clone()
    };
    bare.to_string()
}

/// Reads a whole answer.
///
/// # Errors
/// When it breaks off.
pub(super) async fn read(
    mut response: reqwest::Response,
    answer: &mut Answer,
) -> Result<(), reqwest::Error> {
    answer.status = response.status().as_u16();
    for (name, value) in response.headers() {
        answer.push_header(name.as_str().as_bytes(), value.as_bytes());
    }
    while let Some(piece) = response.chunk().await? {
        answer.push_body(&piece);
    }
    Ok(())
}

/// What there is of an attempt that has brought no answer. Only where no connection came about it is
/// certain that nothing was sent; a time that ran out may have done so before or after.
pub(super) fn failed(error: &reqwest::Error) -> (OutcomeKind, Cause) {
    if error.is_builder() {
        return (OutcomeKind::NotSent, Cause::ValueUnfit);
    }
    if error.is_connect() {
        return (OutcomeKind::NotSent, cause_of_no_connection(error));
    }
    let cause = if error.is_timeout() {
        Cause::Timeout
    } else if sources(error).any(is_malformed) {
        Cause::BadAnswer
    } else {
        Cause::ConnectionLost
    };
    (OutcomeKind::Unknown, cause)
}

fn cause_of_no_connection(error: &reqwest::Error) -> Cause {
    let kinds = sources(error).filter_map(|error| error.downcast_ref::<io::Error>());
    let kinds: Vec<io::ErrorKind> = kinds.map(io::Error::kind).collect();
    if sources(error).any(|error| error.is::<rustls::Error>() || inner_is_tls(error)) {
        Cause::TlsFailed
    } else if kinds.contains(&io::ErrorKind::ConnectionRefused) {
        Cause::ConnectRefused
    } else if error.is_timeout() || kinds.contains(&io::ErrorKind::TimedOut) {
        Cause::ConnectTimeout
    } else {
        Cause::ConnectFailed
    }
}

/// An error of the system may hold another one that is no source of it.
fn inner_is_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>();
    let inner = inner.and_then(io::Error::get_ref);
    let Some(inner) = inner else { return false };
    inner.is::<rustls::Error>()
}

fn is_malformed(error: &(dyn Error + 'static)) -> bool {
    let parsed = error.downcast_ref::<hyper::Error>();
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    parsed.is_some_and(hyper::Error::is_parse)
        || matches!(
            kind,
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
        )
}

fn sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// Bytes of the request as HTTP/1.1 writes it.
pub(super) fn bytes_sent(request: &Message, body: usize) -> u64 {
    let line = request.method().as_str().len() + request.uri().to_string().len() + 12;
    let headers = request.headers().iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let length = if body == 0 {
        0
    } else {
        "content-length: \r\n".len() + body.to_string().len()
    };
    (line + headers + length + 2 + body) as u64
}

/// Bytes of the answer as HTTP/1.1 writes it with the usual words of its status, but for the lengths of
/// chunks.
pub(super) fn bytes_received(answer: &Answer) -> u64 {
    let status = StatusCode::from_u16(answer.status).ok();
    let words = status.and_then(|status| status.canonical_reason());
    let line = "HTTP/1.1 200 \r\n\r\n".len() + words.map_or(0, str::len);
    let headers = answer.headers();
    let headers: usize = headers
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    (line + headers + answer.body().len()) as u64
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    /// What comes of a request to a peer that reads it, says this and closes the connection; `None`:
    /// it says nothing and keeps the connection.
    async fn asked(answer: Option<&'static str>) -> Result<Answer, (OutcomeKind, Cause)> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/x", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            let _ = stream.read(&mut [0; 4096])?;
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()),
                None => stream.read(&mut [0; 1]).map(|_| ()),
            }
        });
        ask(&url).await
    }

    async fn ask(url: &str) -> Result<Answer, (OutcomeKind, Cause)> {
        crate::tls::install_provider();
        let tls = crate::tls::client(&[]).expect("settings");
        let client = builder(&[], &tls).build().expect("a client");
        let request = client.post(url).timeout(Duration::from_millis(300)).send();
        let response = request.await.map_err(|error| failed(&error))?;
        let mut answer = Answer::default();
        let read = read(response, &mut answer).await;
        read.map(|()| answer).map_err(|error| failed(&error))
    }

    #[tokio::test]
    async fn an_attempt_without_a_whole_answer_is_unknown_with_its_cause() {
        let unknown = |cause| Err((OutcomeKind::Unknown, cause));
        let torn = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc";
        let table = [
            (Some(""), unknown(Cause::ConnectionLost)),
            (Some("HTTP/1.1 200 O"), unknown(Cause::ConnectionLost)),
            (Some(torn), unknown(Cause::ConnectionLost)),
            (Some("SSH-2.0-x\r\n"), unknown(Cause::BadAnswer)),
            (None, unknown(Cause::Timeout)),
        ];
        for (answer, expected) in table {
            assert_eq!(asked(answer).await, expected, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn an_attempt_without_a_connection_is_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/x", listener.local_addr().expect("an address"));
        drop(listener);
        let refused = (OutcomeKind::NotSent, Cause::ConnectRefused);
        assert_eq!(ask(&url).await, Err(refused));
    }

    #[tokio::test]
    async fn a_whole_answer_is_read_as_it_is_and_redirects_are_not_followed() {
        let text =
            "HTTP/1.1 302 Found\r\nlocation: /y\r\nx-result: SOLD\r\ncontent-length: 2\r\n\r\nno";
        let answer = asked(Some(text)).await.expect("an answer");
        assert_eq!((answer.status, answer.body()), (302, b"no".as_slice()));
        assert_eq!(answer.header("X-Result").collect::<Vec<_>>(), [b"SOLD"]);
        assert_eq!(bytes_received(&answer), text.len() as u64);
    }
}
