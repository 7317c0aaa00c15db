//! Starts what watches a system as it is shipped in `deploy/`: Prometheus with its rules, at a pace
//! that a test can wait for.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::shipped;
use crate::support::{Service, free_port, program};

/// A Prometheus that scrapes the servers it is told of, by the shipped configuration and rules.
pub(crate) struct Watch {
    pub(crate) prometheus: Service,
    targets: PathBuf,
}

impl Watch {
    /// It looks every `every_s` seconds, and its rules wait for as long as `waits` at most.
    /// `alertmanager` is the port of one that is told.
    pub(crate) fn start(every_s: u32, waits: &str, alertmanager: Option<u16>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let targets = directory.path().join("targets.json");
        std::fs::write(&targets, "[]").expect("a file");
        configure(&directory, every_s, alertmanager);
        for name in ["p0.yml", "p1.yml", "p2.yml"] {
            let text = read(&format!("deploy/prometheus/rules/{name}"));
            let place = directory.path().join("rules").join(name);
            std::fs::write(place, quickened(&text, every_s, waits)).expect("a file");
        }
        let (port, binary) = (free_port(), program("prometheus"));
        let prometheus = Service::start(directory, port, Signal::KILL, move |place| {
            let mut command = Command::new(&binary);
            command
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg(path("--config.file=", place, "prometheus.yml"))
                .arg(path("--storage.tsdb.path=", place, "data"))
                .arg("--log.level=warn");
            command
        });
        Self {
            prometheus,
            targets,
        }
    }

    /// These are its servers from now on, as `HOST:PORT`.
    pub(crate) fn watch(&self, servers: &[String]) {
        let text = serde_json::json!([{ "targets": servers }]).to_string();
        // Renamed into its place: half a file would be read as none.
        let part = self.targets.with_extension("part");
        std::fs::write(&part, text).expect("a file");
        std::fs::rename(part, &self.targets).expect("it can be renamed");
    }

    /// The data of an answer of its API.
    pub(crate) fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let answer = ask(self.prometheus.port, "GET", &with(path, query), "");
        let answer: Value = serde_json::from_str(&answer).map_err(|_| answer.clone())?;
        if answer["status"] == "success" {
            Ok(answer["data"].clone())
        } else {
            Err(answer.to_string())
        }
    }
}

/// The shipped configuration, with the addresses of a test.
fn configure(directory: &TempDir, every_s: u32, alertmanager: Option<u16>) {
    let nobody = free_port();
    let mut text = read("deploy/prometheus/prometheus.yml");
    let every = format!("{every_s}s");
    for (shipped, here) in [
        ("scrape_interval: 5s", format!("scrape_interval: {every}")),
        ("scrape_timeout: 4s", format!("scrape_timeout: {every}")),
        (
            "evaluation_interval: 5s",
            format!("evaluation_interval: {every}"),
        ),
        (
            "static_configs:\n      - targets: [\"server:3000\"]",
            "file_sd_configs: [{ files: [targets.json], refresh_interval: 1s }]".to_owned(),
        ),
        ("host.docker.internal:9464", format!("127.0.0.1:{nobody}")),
        ("localhost:9090", format!("127.0.0.1:{nobody}")),
        (
            "alertmanager:9093",
            format!("127.0.0.1:{}", alertmanager.unwrap_or(nobody)),
        ),
    ] {
        assert!(text.contains(shipped), "no {shipped:?} in\n{text}");
        text = text.replace(shipped, &here);
    }
    std::fs::write(directory.path().join("prometheus.yml"), text).expect("a file");
    std::fs::create_dir(directory.path().join("rules")).expect("a directory");
}

/// The same rules, which wait for less.
fn quickened(rules: &str, every_s: u32, waits: &str) -> String {
    let mut text = String::new();
    for line in rules.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim_start().starts_with("for: ") {
            let _ = writeln!(text, "{indent}for: {waits}");
        } else if line.trim_start().starts_with("interval: ") {
            let _ = writeln!(text, "{indent}interval: {every_s}s");
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn path(option: &str, place: &Path, name: &str) -> String {
    format!("{option}{}", place.join(name).display())
}

/// A file of the repository.
pub(crate) fn read(name: &str) -> String {
    let read = std::fs::read_to_string(shipped(name));
    read.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A path with a query behind it.
pub(crate) fn with(path: &str, query: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (place, (name, value)) in query.iter().enumerate() {
        let _ = write!(text, "{}{name}=", if place == 0 { '?' } else { '&' });
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                text.push(byte.into());
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The body of an answer, whatever its status; in HTTP/1.0 it comes in one piece.
pub(crate) fn ask(port: u16, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.0\r\nhost: test\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    body.to_owned()
}
