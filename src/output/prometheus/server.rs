//! The page over HTTP: one request for each connection, few connections, little time.

use std::convert::Infallible;
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections at one time; the next waits in the kernel's queue.
const MOST: usize = 16;

/// From accepting a connection to the last byte of its answer. Whoever reads slower is cut.
const WITHIN: Duration = Duration::from_secs(10);

/// What has begun when the run ends may take so much longer.
const GRACE: Duration = Duration::from_secs(1);

/// How long nothing is accepted after the system refused to, as it does without file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// The only format. One format is one set of series: `OpenMetrics` would write bounds of buckets in
/// another way.
const FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const ABOUT: &str = "fcfs-bench, a load test that is running: its metrics are at /metrics\n";

/// Answers until `stop` is there. `page` is asked for each scrape; `None` is an internal error.
///
/// # Errors
/// When the listener cannot be used.
pub(super) async fn serve<P>(
    listener: TcpListener,
    page: P,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()>
where
    P: Fn() -> Option<String> + Clone + Send + Sync + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MOST => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(timeout(WITHIN, answer(stream, page.clone())));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
    drop(listener);
    let _ = timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    Ok(())
}

/// Answers one request. That somebody went away or spoke nonsense is no matter of the run.
async fn answer<P: Fn() -> Option<String>>(stream: TcpStream, page: P) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = respond(
            request.method(),
            request.uri().path(),
            request.headers(),
            &page,
        );
        async { Ok::<_, Infallible>(response) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn respond(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    page: impl Fn() -> Option<String>,
) -> Response<Full<Bytes>> {
    if !matches!(path, "/" | "/metrics") {
        return text(
            StatusCode::NOT_FOUND,
            "not found: the metrics are at /metrics\n",
        );
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if path == "/" {
        return text(StatusCode::OK, ABOUT);
    }
    if !takes_text(headers) {
        let words = "metrics are there as text/plain; version=0.0.4 only\n";
        return text(StatusCode::NOT_ACCEPTABLE, words);
    }
    match page() {
        Some(page) => text(StatusCode::OK, page),
        None => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the page cannot be written\n",
        ),
    }
}

fn text(status: StatusCode, words: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(words.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, FORMAT);
    response
}

/// Whether the one format that there is will be understood (RFC 9110, `Accept`).
fn takes_text(headers: &HeaderMap) -> bool {
    let mut wishes = headers.get_all(ACCEPT).iter().peekable();
    if wishes.peek().is_none() {
        return true;
    }
    wishes
        .filter_map(|wish| wish.to_str().ok())
        .flat_map(|wish| wish.split(','))
        .any(is_text)
}

/// One range of media types with its parameters.
fn is_text(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let fits = |parameter: &str| match parameter.split_once('=') {
        Some(("q", weight)) => weight.parse().is_ok_and(|weight: f32| weight > 0.0),
        Some(("version", version)) => version.trim_matches('"') == "0.0.4",
        _ => true,
    };
    matches!(media.as_str(), "text/plain" | "text/*" | "*/*") && parts.all(fits)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::SocketAddr;

    use super::*;

    fn status(method: &Method, path: &str, accept: Option<&'static str>) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        let page = || Some("fcfs_vus 0\n".to_owned());
        respond(method, path, &headers, page).status().as_u16()
    }

    #[test]
    fn nothing_but_the_metrics_and_a_line_about_them_is_there() {
        for (method, path, expected) in [
            (Method::GET, "/metrics", 200),
            (Method::HEAD, "/metrics", 200),
            (Method::GET, "/", 200),
            (Method::GET, "/metrics/", 404),
            (Method::GET, "/-/reload", 404),
            (Method::POST, "/metrics", 405),
            (Method::POST, "/other", 404),
        ] {
            assert_eq!(status(&method, path, None), expected, "{method} {path}");
        }
    }

    #[test]
    fn who_does_not_take_the_text_format_gets_no_other() {
        let of_2_42 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
                       version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            (of_2_42, 200),
            ("*/*", 200),
            ("TEXT/PLAIN", 200),
            ("text/*;q=0.3", 200),
            ("text/plain;version=0.0.4;q=0", 406),
            ("text/plain;version=1.0.0", 406),
            ("application/openmetrics-text;version=1.0.0", 406),
            ("", 406),
        ] {
            let got = status(&Method::GET, "/metrics", Some(accept));
            assert_eq!(got, expected, "{accept}");
        }
    }

    #[test]
    fn a_page_that_cannot_be_written_is_an_error_of_ours() {
        let response = respond(&Method::GET, "/metrics", &HeaderMap::new(), || None);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    /// A server on a thread of its own; dropping the sender ends it.
    fn started() -> (
        SocketAddr,
        tokio::sync::oneshot::Sender<()>,
        std::thread::JoinHandle<()>,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let page = || Some("x 1\n".repeat(1 << 20));
            let stopped = async {
                let _ = stopped.await;
            };
            runtime
                .block_on(serve(listener, page, stopped))
                .expect("it listens");
        });
        (address, stop, thread)
    }

    fn get(address: SocketAddr) -> String {
        let mut stream = std::net::TcpStream::connect(address).expect("it accepts");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn those_who_say_nothing_or_read_nothing_do_not_keep_others_out_and_the_port_comes_back() {
        let (address, stop, thread) = started();
        let mut stuck = Vec::new();
        for ask in [
            &b""[..],
            b"GET /met",
            b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            for _ in 0..5 {
                let mut stream = std::net::TcpStream::connect(address).expect("it accepts");
                stream.write_all(ask).expect("it reads");
                stuck.push(stream);
            }
        }
        let answer = get(address);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(ABOUT), "{answer}");
        drop(stop);
        thread.join().expect("it ends although they are stuck");
        TcpListener::bind(address).expect("the port is free again");
    }

    #[test]
    fn one_more_than_there_is_room_for_waits_until_somebody_goes() {
        let (address, _stop, _thread) = started();
        let mut stuck: Vec<_> = (0..MOST)
            .map(|_| std::net::TcpStream::connect(address).expect("it accepts"))
            .collect();
        let waiting = std::thread::spawn(move || get(address));
        stuck.pop();
        assert!(
            waiting
                .join()
                .expect("answered")
                .starts_with("HTTP/1.1 200")
        );
    }
}
