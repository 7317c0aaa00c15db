//! Answers good and bad, in all pieces; and hyper's reading of the same bytes beside ours.

use std::net::SocketAddr;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::history::Cause;
use crate::load::RunClock;
use crate::load::http::connection::{Connection, Outgoing};
use crate::load::http::wire::Stream;

/// What became of bytes that end with their connection.
type Reading = Result<Answer, Cause>;

/// Fed in pieces of these sizes, the last for all that is left. With the answer: how many bytes
/// were left over, and whether the connection may go on.
fn read(bytes: &[u8], pieces: &[usize], to_head: bool) -> Result<(Answer, usize, bool), Cause> {
    let (mut decoder, mut answer) = (Decoder::new(to_head), Answer::default());
    let mut rest = bytes;
    let mut sizes = pieces.iter().copied().chain(std::iter::repeat(usize::MAX));
    while !rest.is_empty() && !decoder.is_done() {
        let size = sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len());
        let taken = decoder.feed(&rest[..size], &mut answer);
        let taken = taken.map_err(|Malformed| Cause::BadAnswer)?;
        assert!(
            taken == size || decoder.is_done(),
            "everything is taken before the end"
        );
        rest = &rest[taken..];
    }
    let kept = decoder.keeps_alive();
    match decoder.close(&mut answer) {
        Ok(true) => Ok((answer, rest.len(), kept)),
        Ok(false) => Err(Cause::ConnectionLost),
        Err(Malformed) => Err(Cause::BadAnswer),
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut answer = Answer::default();
    answer.status = status;
    for (name, value) in headers {
        answer.push_header(name.as_bytes(), value.as_bytes());
    }
    answer.push_body(body.as_bytes());
    answer
}

#[test]
fn answers_are_read_whole_in_pieces_of_every_size() {
    let length = [("Content-Length", "2")];
    let chunked = [("Transfer-Encoding", "gzip, Chunked")];
    let close = [("Connection", "x, Close"), ("connection", "keep-alive")];
    let old = [("Connection", "Keep-Alive"), ("Content-Length", "0")];
    // bytes, to a HEAD request -> answer, bytes left over, goes on
    let table = [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP",
            false,
            answer(200, &length, "{}"),
            4,
            true,
        ),
        (
            "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
            true,
            answer(200, &length, ""),
            2,
            true,
        ),
        (
            "\r\nHTTP/1.1 204 N\nContent-Length: 2\n\n",
            false,
            answer(204, &length, ""),
            0,
            true,
        ),
        (
            "HTTP/1.1 304 N\r\nContent-Length: 2\r\n\r\n",
            false,
            answer(304, &length, ""),
            0,
            true,
        ),
        (
            "HTTP/1.1 100 C\r\nx: y\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 2\r\n\r\n{}",
            false,
            answer(201, &length, "{}"),
            0,
            true,
        ),
        (
            "HTTP/1.1 101 S\r\n\r\nwhatever",
            false,
            answer(101, &[], ""),
            8,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n1;a=b\r\n{\r\n01 \r\n}\r\n0\r\nx: y\r\n\r\nHTTP",
            false,
            answer(200, &chunked, "{}"),
            4,
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nconnection: keep-alive\r\n\r\n{}",
            false,
            answer(200, &close, "{}"),
            0,
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
            false,
            answer(200, &old, ""),
            0,
            true,
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            false,
            answer(200, &length, "{}"),
            0,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n",
            false,
            answer(200, &[], ""),
            0,
            false,
        ),
    ];
    for (bytes, to_head, answer, left, kept) in table {
        for size in 1..=bytes.len() {
            let pieces = vec![size; bytes.len()];
            let read = read(bytes.as_bytes(), &pieces, to_head);
            assert_eq!(
                read,
                Ok((answer.clone(), left, kept)),
                "{bytes:?} by {size}"
            );
        }
    }
}

#[test]
fn what_cannot_be_an_answer_is_refused_and_what_ends_early_is_lost() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let with = |rest: &str| format!("{chunked}{rest}");
    let length = |value: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {value}\r\n\r\n{{}}");
    let refused = [
        "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
        "HTTP/2.0 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 099 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nfolded: a\r\n b\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "a: b\r\n".repeat(MAX_HEADERS + 1)
        ),
        format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(HEAD_LIMIT)),
        length("2, 3"),
        length("-2"),
        length("+2"),
        length(""),
        length("18446744073709551616"),
        with("g\r\n"),
        with("\r\n"),
        with("1\n{"),
        with("1;a\n{"),
        with("10000000000000000\r\n"),
        with("1\r\n{}"),
        with("0\r\nno colon\r\n\r\n"),
        with(&format!("0;{}", "a".repeat(16 << 10))),
        with(&format!("0\r\na: {}", "b".repeat(16 << 10))),
    ];
    for bytes in &refused {
        let read = read(bytes.as_bytes(), &[], false);
        assert_eq!(read, Err(Cause::BadAnswer), "{bytes:?}");
    }
    let lost = [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-le".to_owned(),
        "HTTP/1.1 100 Continue\r\n\r\n".to_owned(),
        length("3"),
        with("2\r\n{"),
        with("2\r\n{}\r\n"),
        with("2\r\n{}\r\n0\r\n"),
    ];
    for bytes in &lost {
        let read = read(bytes.as_bytes(), &[], false);
        assert_eq!(read, Err(Cause::ConnectionLost), "{bytes:?}");
    }
}

/// A server for one connection after the other, each of which it sends the bytes that come with
/// it, after it has read a request.
async fn serve(listener: TcpListener, answers: Vec<Vec<u8>>) {
    for bytes in answers {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.expect("a request");
        }
        // Who has refused the first bytes need not read the others.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_buf(&mut request).await;
    }
}

/// What hyper, as we use it for TLS, makes of the bytes.
async fn hypers(address: SocketAddr, to_head: bool) -> Reading {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let connection = Connection::library(Stream::Plain(stream), RunClock::start(), false).await;
    let mut connection = connection.expect("a handshake");
    let mut request = hyper::Request::new(http_body_util::Full::default());
    if to_head {
        *request.method_mut() = hyper::Method::HEAD;
    }
    let mut answer = Answer::default();
    let sent = connection.send(Outgoing::Message(Box::new(request)), &mut answer);
    sent.await.map(|()| answer)
}

type Headers = Vec<(String, Vec<u8>)>;

/// Names in lower case and values of the same name together, as a map of headers gives them.
fn comparable(reading: Reading) -> Result<(u16, Headers, Vec<u8>), Cause> {
    let answer = reading?;
    let lower = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
    let headers = answer.headers();
    let mut headers: Headers = headers.map(|(n, v)| (lower(n), v.to_vec())).collect();
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok((answer.status, headers, answer.body().to_vec()))
}

/// Text that is nearly an answer.
fn nearly_an_answer() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 201 \r\n",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 304 Not Modified\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\n",
        "HTTP/1.1 999 What\n",
        "HTTP/1.0 200 OK\r\n",
        "\r\nHTTP/1.1 503 쿠폰\r\n",
    ]);
    let header = prop::sample::select(vec![
        "Content-Length: 5\r\n",
        "content-length: 5, 5\r\n",
        "content-length: 0\r\n",
        "content-length: 7\r\n",
        "content-length:\r\n",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: chunked, gzip\r\n",
        "transfer-encoding: gzip , CHUNKED \r\n",
        "Connection: close\r\n",
        "connection: keep-alive\r\n",
        "x-empty:\r\n",
        "X-Result:  SOLD \r\n",
        "x-result: OUT\n",
        "x-bytes: \u{e9}\r\n",
        "no colon\r\n",
    ]);
    let body = prop::sample::select(vec![
        "",
        "hello",
        "hello, and more",
        "5\r\nhello\r\n0\r\n\r\n",
        "2;a=b\r\nhe\r\n3 \r\nllo\r\n000\r\nx: y\r\n\r\nmore",
        "A\r\nhello",
        "1\r\nh\r\n0\r\nx y\r\n\r\n",
        "ffffffffffffffff\r\nhello",
    ]);
    let spoil = prop::option::weighted(0.5, (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8));
    let headers = prop::collection::vec(header, 0..4);
    (line, headers, body, spoil).prop_map(|(line, headers, body, spoil)| {
        let mut bytes = [line, &headers.concat(), "\r\n", body]
            .concat()
            .into_bytes();
        if let Some((at, byte, how)) = spoil {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

/// Bytes, the sizes of their pieces, and whether they answer a HEAD request.
fn cases() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<usize>, bool)>> {
    let pieces = prop::collection::vec(1..20_usize, 0..20);
    let case = (nearly_an_answer(), pieces, prop::bool::weighted(0.1));
    prop::collection::vec(case, 64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_bytes_are_the_same_answer_to_hyper(cases in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let answers = cases.iter().map(|(bytes, ..)| bytes.clone()).collect();
            let server = tokio::spawn(serve(listener, answers));
            for (bytes, pieces, to_head) in cases {
                let ours = read(&bytes, &pieces, to_head).map(|(answer, ..)| answer);
                let hypers = hypers(address, to_head).await;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                prop_assert_eq!(comparable(ours), comparable(hypers), "{:?}", text);
            }
            server.abort();
            Ok(())
        })?;
    }

    #[test]
    fn no_bytes_break_it_and_their_pieces_make_no_difference(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly_an_answer()],
        pieces in prop::collection::vec(1..9_usize, 0..99),
    ) {
        prop_assert_eq!(read(&bytes, &pieces, false), read(&bytes, &[], false));
    }
}
