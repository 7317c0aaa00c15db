//! A system that the harness has not started: the bundled server as a process of the test, with its
//! number in a file.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

use crate::harness::{Bench, Running};

/// It ends with this value.
pub(crate) struct Own {
    child: Child,
    /// Its end is the server's end.
    _stdin: ChildStdin,
    url: String,
}

impl Own {
    /// In the directory of a test, with `app.pid` beside the scenario.
    pub(crate) fn start(bench: &Bench) -> Self {
        let log = File::create(bench.path("own.log")).expect("a file for the log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"))
            .args(["serve", "--listen", "127.0.0.1:0", "--stop-with-stdin"])
            .args(["--stock", "1000000", "--database"])
            .arg(bench.path("own.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("its stdout is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("it says where it listens");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let address = said["address"].as_str().expect("an address");
        bench.write("app.pid", format!("{}\n", child.id()));
        Self {
            url: format!("http://{address}"),
            _stdin: child.stdin.take().expect("its stdin is a pipe"),
            child,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As the kernel has it: `T` for stopped.
    pub(crate) fn state(&self) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.expect("it runs");
        let (_, behind) = stat.rsplit_once(") ").expect("a name");
        behind.chars().take(1).collect()
    }

    /// A few users who ask it for a while, and do not wait for long.
    pub(crate) fn scenario(&self, bench: &Bench, more: &str, lasts: &str, faults: &[&str]) {
        scenario(bench, self.url(), more, lasts, faults);
    }
}

/// A few users who ask a server at this address for a while, and do not wait for long.
fn scenario(bench: &Bench, url: &str, more: &str, lasts: &str, faults: &[&str]) {
    let rows = bench.path("own.db");
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("  - {{ {fault} }}\n"))
        .collect();
    let text = format!(
        "name: own
target: {{ url: \"{url}\", ready: /health, {more} }}
subject: {{ coupon: {{ id: 1, stock: 1000000 }} }}
users: {{ pool: 10_000_000 }}
load: {{ event: {{ flow: issue, graceful_stop: 5s, constant_vus: {{ vus: 4, for: {lasts} }} }} }}
flows:
  issue:
    - post: /coupons/fcfs/1/issue
      json: {{ userId: \"{{{{ user }}}}\" }}
      timeout: 500ms
      outcomes: {{ issued: {{ status: 201, id: /id }}, sold_out: {{ status: 400, body: empty }} }}
    - think: 20ms
truth:
  issued: {{ sql: {{ url: \"sqlite:{}\", query: \"SELECT userId, id, createdAt FROM user_coupons\" }} }}
  settle: {{ quiet: 300ms, within: 30s }}
  drain: false
invariants: [one_per_user, acknowledged]
faults:
{}",
        rows.display(),
        faults.concat()
    );
    bench.write("scenario.yaml", text);
}

/// The same server as a process that nobody here has started: a shell has, which is gone.
pub(crate) struct Daemon {
    bench: std::path::PathBuf,
    port: u16,
}

impl Daemon {
    /// With `start`, which starts it again, and `app.pid` beside the scenario.
    pub(crate) fn start(bench: &Bench, port: u16) -> Self {
        let binary = env!("CARGO_BIN_EXE_fcfs-bench");
        let script = format!(
            "{binary} serve --listen 127.0.0.1:{port} --stock 1000000 --database own.db \
             >> own.log 2>&1 & echo $! > app.pid"
        );
        bench.write("start", script);
        let daemon = Self {
            bench: bench.path(""),
            port,
        };
        let mut shell = Command::new("sh");
        let started = shell.arg("start").current_dir(&daemon.bench).status();
        assert!(started.expect("a shell").success());
        daemon
    }

    /// Whose number is in its file.
    pub(crate) fn pid(&self) -> u32 {
        let text = std::fs::read_to_string(self.bench.join("app.pid")).expect("a file");
        text.trim().parse().expect("a number")
    }

    pub(crate) fn runs(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    pub(crate) fn scenario(&self, bench: &Bench, more: &str, lasts: &str, faults: &[&str]) {
        let url = format!("http://127.0.0.1:{}", self.port);
        scenario(bench, &url, more, lasts, faults);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Whoever has started it again, the test has made it.
        let pid = rustix::process::Pid::from_raw(self.pid().cast_signed());
        if let Some(pid) = pid.filter(|_| self.runs()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It is gone already if this fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run whose leases are in the directory of the test.
pub(crate) fn start(bench: &Bench) -> Running {
    let state = bench.path("state");
    bench.start_with(&["run", "scenario.yaml", "--out", "run"], |command| {
        command.env("XDG_STATE_HOME", state);
    })
}

/// What is not undone yet.
pub(crate) fn leases(bench: &Bench) -> usize {
    let entries = std::fs::read_dir(bench.path("state/fcfs-bench/leases"));
    entries.map_or(0, Iterator::count)
}

/// Each of the faults was injected, seen to bite, and healed.
#[track_caller]
pub(crate) fn all_whole(bench: &Bench, said: &str) {
    let summary = bench.summary();
    for fault in summary["faults"].as_array().expect("a list") {
        assert_eq!(fault["state"], "healed", "{fault}\n{said}");
    }
}
