//! The whole server as a process: its announcement, its port, and how it stops.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

struct Server {
    child: Child,
    address: SocketAddr,
    announced: Value,
}

impl Server {
    fn start(database: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--strategy",
                "memory-then-sqlite",
            ])
            .args(["--stop-with-stdin", "--database"])
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        let address = announced["address"].as_str().unwrap().parse().unwrap();
        Self {
            child,
            address,
            announced,
        }
    }

    fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(self.address).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        connection
    }

    fn issue(&self, connection: &mut TcpStream, user: usize) -> String {
        let body = format!(r#"{{"userId":{user}}}"#);
        let length = body.len();
        write!(
            connection,
            "POST /coupons/fcfs/1/issue HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n\r\n{body}",
            self.address,
        )
        .unwrap();
        let mut answer = vec![0; 4096];
        let read = connection.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    fn has_ended_well(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

/// The other end sees the connection closed, not left hanging.
fn is_closed(mut connection: TcpStream) -> bool {
    matches!(connection.read(&mut [0; 16]), Ok(0))
}

#[tokio::test]
async fn stops_at_the_end_of_stdin_with_every_row_written() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("coupons.db");
    let mut server = Server::start(&database);
    assert_eq!(server.announced["event"], "listening");
    assert_eq!(server.announced["strategy"], "memory-then-sqlite");
    assert_eq!(server.announced["database"], database.to_str().unwrap());

    // Accepted in the order of connecting: before the first answer on the second one.
    let silent = server.connect();
    let mut idle = server.connect();
    for user in 0..20 {
        assert!(server.issue(&mut idle, user).starts_with("HTTP/1.1 201 "));
    }
    drop(server.child.stdin.take());

    assert!(server.has_ended_well());
    assert!(is_closed(idle), "a kept-alive connection is closed");
    assert!(is_closed(silent), "a connection that never spoke is closed");
    assert_eq!(common::rows_in(&database).await.len(), 20);
}

#[tokio::test]
async fn stops_at_sigterm_and_sigint() {
    for signal in [Signal::TERM, Signal::INT] {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("coupons.db");
        let server = Server::start(&database);
        assert!(
            server
                .issue(&mut server.connect(), 1)
                .starts_with("HTTP/1.1 201 ")
        );
        kill_process(Pid::from_child(&server.child), signal).unwrap();
        assert!(server.has_ended_well(), "{signal:?}");
        assert_eq!(common::rows_in(&database).await.len(), 1, "{signal:?}");
    }
}
