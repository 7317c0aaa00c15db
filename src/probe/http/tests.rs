#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::plan::{Query, Source};
use crate::probe::{Probe, Reason};

/// Answers every connection with the same bytes and keeps the requests' heads.
async fn server(answer: impl Into<Vec<u8>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let (answer, kept) = (answer.into(), heads.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            kept.lock().unwrap().push(head);
            let _ = stream.write_all(&answer).await;
        }
    });
    (base, heads)
}

fn json(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n{body}")
}

async fn probe(base: &str, pointer: &str, user: &str) -> Probe {
    let source = Source {
        query: Query::Http {
            url: Secret::new("/issued?token=secret"),
            headers: vec![("authorization".to_owned(), Secret::new("Bearer secret"))],
            pointer: pointer.to_owned(),
            user: user.to_owned(),
            id: Some("/coupon/id".to_owned()),
            time: Some("/at".to_owned()),
        },
        offset: -1,
    };
    Probe::open(&source, Some(base)).await.unwrap()
}

#[tokio::test]
async fn rows_are_found_by_their_pointers() {
    let body = r#"{"data":[
        {"who":17,"coupon":{"id":"c-1"},"at":"2023-11-14T22:13:20.5Z"},
        {"who":"u2","coupon":{"id":9},"at":1700000000123},
        {"who":3,"at":"2023-11-14 22:13:20"}
    ]}"#;
    let (base, heads) = server(json("200 OK", body)).await;
    let probe = probe(&base, "/data", "/who").await;
    let rows = probe.rows().await.unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.user.as_str(),
                row.id.as_deref(),
                row.created_us,
                row.grain_us,
            )
        })
        .collect();
    let expected = [
        (
            "17",
            Some("c-1"),
            Some(1_700_000_000_500_000),
            Some(100_000),
        ),
        ("u2", Some("9"), Some(1_700_000_000_123_000), Some(1_000)),
        ("3", None, None, None),
    ];
    assert_eq!(shown, expected);
    assert_eq!(probe.count().await.unwrap(), 2);

    let heads = heads.lock().unwrap();
    assert!(
        heads[0].starts_with("GET /issued?token=secret HTTP/1.1\r\n"),
        "{heads:?}"
    );
    assert!(
        heads[0].contains("authorization: Bearer secret\r\n"),
        "{heads:?}"
    );
}

#[tokio::test]
async fn a_row_can_be_the_user_itself() {
    let (base, _) = server(json("200 OK", r#"["a", 2]"#)).await;
    let rows = probe(&base, "", "").await.rows().await.unwrap();
    let users: Vec<_> = rows.iter().map(|row| row.user.as_str()).collect();
    assert_eq!(users, ["a", "2"]);
}

#[tokio::test]
async fn a_number_may_be_written_as_text() {
    for body in [r#"{"left":41}"#, r#"{"left":"41"}"#, r#"{"left":41.0}"#] {
        let (base, _) = server(json("200 OK", body)).await;
        let number = probe(&base, "/left", "").await.number().await;
        assert_eq!(number.unwrap(), 40, "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_truth_is_an_error_with_its_start() {
    let long = "x".repeat(500);
    let cases = [
        (
            json("503 Busy", "try\nlater"),
            "answered 503: \"try\\nlater\"",
        ),
        (json("302 Found", ""), "answered 302"),
        (json("200 OK", &long), "xxx\"..."),
        (json("200 OK", "<html>"), "answered 200 without JSON"),
        (
            json("200 OK", r#"{"rows":[]}"#),
            "there is nothing at \"/data\" in \"{\"rows\":[]}\"",
        ),
        (
            json("200 OK", r#"{"data":7}"#),
            "there is no array at \"/data\"",
        ),
        (
            json("200 OK", r#"{"data":[{"who":1},{"who":null}]}"#),
            "row 2 has no user",
        ),
    ];
    for (answer, expected) in cases {
        let (base, _) = server(answer).await;
        let error = probe(&base, "/data", "/who")
            .await
            .rows()
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(error.reason(), Reason::Answer);
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let body = " ".repeat(MAX_BODY + 1);
    let (base, _) = server(json("200 OK", &body)).await;
    let error = probe(&base, "", "").await.rows().await.unwrap_err();
    assert!(error.to_string().contains("longer than 64 MiB"), "{error}");
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_is_asked_once_more() {
    let (base, heads) = server("").await;
    let error = probe(&base, "", "").await.number().await.unwrap_err();
    assert_eq!(error.reason(), Reason::Lost, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(heads.lock().unwrap().len() >= 2);
}

#[tokio::test]
async fn a_path_needs_a_target_with_a_url() {
    let source = Source {
        query: Query::Http {
            url: Secret::new("/x"),
            headers: Vec::new(),
            pointer: String::new(),
            user: String::new(),
            id: None,
            time: None,
        },
        offset: 0,
    };
    let error = Probe::open(&source, None).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Asked);
}

#[test]
fn a_path_is_appended_to_the_targets_prefix() {
    let cases = [
        ("/a", Some("http://h:1/api"), "http://h:1/api/a"),
        ("/a", Some("http://h:1/"), "http://h:1/a"),
        ("https://x/a", Some("http://h:1"), "https://x/a"),
        ("/a", None, "/a"),
    ];
    for (url, base, expected) in cases {
        assert_eq!(absolute(url, base), expected);
    }
}
