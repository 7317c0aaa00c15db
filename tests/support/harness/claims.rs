//! Starts `tests/systems/claims.py`, a system that the harness knows nothing about.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::shipped;

/// A running system; it ends with this value.
pub(crate) struct Claims {
    child: Child,
    port: u16,
}

impl Claims {
    /// Starts it on a database, which it makes if there is none.
    pub(crate) fn start(database: &Path, stock: u64, more: &[&str]) -> Self {
        let mut command = Command::new("python3");
        command
            .arg(shipped("tests/systems/claims.py"))
            .arg("--database")
            .arg(database)
            .args(["--stock", &stock.to_string()])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 is installed");
        let stdout = child.stdout.take().expect("its stdout is a pipe");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it prints its port");
        let port = line.trim().parse();
        let port = port.unwrap_or_else(|_| panic!("not a port: {line:?}"));
        Self { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many claims it has answered.
    pub(crate) fn answered(&self) -> u64 {
        let answer = get(self.port, "/answered");
        answer.parse().expect("a number")
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of an answer.
pub(crate) fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    body.to_owned()
}
