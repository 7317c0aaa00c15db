//! A system in the bundled dialect that a test can hold still: slow, or with a truth that moves or
//! goes away. It follows requests, not the clock.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// How the system behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It answers no request to issue.
    Silent,
    /// Each reading of the truth shows one more row than the one before.
    TruthGrows,
    /// The truth can be read until the first request to issue.
    TruthGoes,
}

/// A running system; its threads end with the test.
pub(crate) struct Shop {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: usize,
    readings: usize,
    holders: Vec<String>,
}

impl Shop {
    pub(crate) fn open(stock: usize, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A connection ends when the other side closes it, and with an error if that was
                // sudden; both are the end of its thread.
                std::thread::spawn(move || serve(stream, stock, manner, &state));
            }
        });
        Self { url, state }
    }

    /// How often it was asked to issue.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().expect("no thread has panicked").asked
    }
}

/// What `truth` of a scenario says about this system.
pub(crate) const TRUTH: &str =
    "issued: { http: { get: /issued, at: /rows, user: /userId, id: /id } }";

fn serve(
    stream: TcpStream,
    stock: usize,
    manner: Manner,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some((line, body)) = request(&mut reader)? {
        let (status, answer) = if line.starts_with("POST") {
            let user: Value = serde_json::from_slice(&body)?;
            issue(&user["userId"], stock, manner, state)
        } else {
            rows(manner, state)
        };
        let answer = answer.to_string();
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{answer}"
        )?;
    }
    Ok(())
}

/// The first line and the body of the next request; `None` at the end of the connection.
fn request(reader: &mut impl BufRead) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let header = line.to_ascii_lowercase();
        if let Some(number) = header.strip_prefix("content-length:") {
            length = number.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((first, body)))
}

fn issue(user: &Value, stock: usize, manner: Manner, state: &Mutex<State>) -> (u16, Value) {
    let user = user.as_str().unwrap_or_default().to_owned();
    let mut state = state.lock().expect("no thread has panicked");
    state.asked += 1;
    if manner == Manner::Silent {
        drop(state);
        std::thread::sleep(Duration::from_hours(1));
        return (500, Value::Null);
    }
    if state.holders.contains(&user) {
        return (400, json!({ "message": "이미 발급된 쿠폰입니다" }));
    }
    if state.holders.len() == stock {
        return (400, json!({ "message": "Coupon stock is empty" }));
    }
    state.holders.push(user);
    (201, json!({ "id": state.holders.len() }))
}

fn rows(manner: Manner, state: &Mutex<State>) -> (u16, Value) {
    let mut state = state.lock().expect("no thread has panicked");
    state.readings += 1;
    let shown = match manner {
        Manner::TruthGoes if state.asked > 0 => return (500, Value::Null),
        Manner::Silent | Manner::TruthGoes => 0,
        Manner::TruthGrows => state.readings.min(state.holders.len()),
    };
    let row = |(at, user): (usize, &String)| json!({ "userId": user, "id": at + 1 });
    let rows: Vec<_> = state
        .holders
        .iter()
        .take(shown)
        .enumerate()
        .map(row)
        .collect();
    (200, json!({ "rows": rows }))
}
