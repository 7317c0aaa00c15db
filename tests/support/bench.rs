//! Runs the binary with a scenario against a target of the test, and reads what it wrote down.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use fcfs_bench::history::History as _;
use fcfs_bench::history::{Cause, HistoryFile, Operation, OutcomeKind};
use fcfs_bench::report::Summary;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// No run of the tests takes so long; one that hangs must not hang the tests.
const GIVE_UP: Duration = Duration::from_mins(1);

/// One request whose answer 201 is issued; `{load}` is the test's.
const SCENARIO: &str = r#"
name: load-test
target: { url: "http://127.0.0.1:1"{target} }
subject: { coupon: { id: 1, stock: 1000000 } }
users: {users}
load:
{load}
flows:
  opening:
    - name: issue
      post: /issue
      json: { userId: "{{ user }}" }
      timeout: {timeout}
      outcomes:
        issued: { status: [201, 204] }
        sold_out: { status: 400, body: sold out }
{more}
{outer}
"#;

/// A run in the making.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    load: String,
    target: String,
    more: String,
    outer: String,
    users: String,
    timeout: String,
    text: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Bench {
    /// With this load, such as `constant_vus: { vus: 1, for: 1s }`.
    pub(crate) fn load(load: &str) -> Self {
        Self::loads(&[("opening", load)])
    }

    /// With these loads side by side.
    pub(crate) fn loads(loads: &[(&str, &str)]) -> Self {
        let line = |(name, load): &(&str, &str)| format!("  {name}: {{ {load} }}\n");
        Self {
            load: loads.iter().map(line).collect(),
            target: String::new(),
            more: String::new(),
            outer: String::new(),
            users: "{ pool: 1000000 }".to_owned(),
            timeout: "10s".to_owned(),
            text: None,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Adds to the target, such as `http2: true`.
    pub(crate) fn target(mut self, more: &str) -> Self {
        self.target = format!(", {more}");
        self
    }

    /// Adds steps to the flow, indented by four.
    pub(crate) fn more(mut self, steps: &str) -> Self {
        steps.clone_into(&mut self.more);
        self
    }

    /// Adds lines to the scenario itself.
    pub(crate) fn outer(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.outer);
        self
    }

    pub(crate) fn users(mut self, users: &str) -> Self {
        users.clone_into(&mut self.users);
        self
    }

    pub(crate) fn timeout(mut self, timeout: &str) -> Self {
        timeout.clone_into(&mut self.timeout);
        self
    }

    /// Another scenario altogether.
    pub(crate) fn scenario(text: &str) -> Self {
        let mut bench = Self::load("");
        bench.text = Some(text.to_owned());
        bench
    }

    pub(crate) fn threads(self, threads: u32) -> Self {
        self.argument("--threads").argument(&threads.to_string())
    }

    pub(crate) fn seed(self, seed: u64) -> Self {
        self.argument("--seed").argument(&seed.to_string())
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &Path) -> Self {
        let value = value.to_str().unwrap().to_owned();
        self.environment.push((name.to_owned(), value));
        self
    }

    /// Starts against this URL.
    pub(crate) fn start(&self, url: &str) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let scenario = directory.path().join("scenario.yaml");
        let text = self.text.clone().unwrap_or_else(|| {
            SCENARIO
                .replace("{load}", &self.load)
                .replace("{target}", &self.target)
                .replace("{more}", &self.more)
                .replace("{outer}", &self.outer)
                .replace("{users}", &self.users)
                .replace("{timeout}", &self.timeout)
        });
        std::fs::write(&scenario, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"));
        command
            .arg("run")
            .arg(&scenario)
            .args(["--quiet", "--url", url, "--out"])
            .arg(directory.path().join("run"))
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if !self
            .arguments
            .iter()
            .any(|argument| argument == "--threads")
        {
            command.args(["--threads", "1"]);
        }
        let child = command.spawn().unwrap();
        Running { child, directory }
    }

    /// Runs to the end.
    pub(crate) fn run(&self, url: &str) -> Ran {
        self.start(url).ended()
    }
}

/// A run under way.
pub(crate) struct Running {
    child: Child,
    directory: TempDir,
}

impl Running {
    /// As Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    }

    pub(crate) fn ended(mut self) -> Ran {
        let begin = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begin.elapsed() > GIVE_UP {
                let _ = self.child.kill();
                panic!("the run does not end");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let output = self.child.wait_with_output().unwrap();
        Ran {
            status: output.status,
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            directory: self.directory,
        }
    }
}

/// A run that has ended, with its directory.
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) errors: String,
    directory: TempDir,
}

impl Ran {
    pub(crate) fn summary(&self) -> Summary {
        let path = self.directory.path().join("run/summary.json");
        let text = std::fs::read_to_string(path);
        let text = text.unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.errors));
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    /// In the order in which they were recorded.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let history = HistoryFile::open(&self.directory.path().join("run"));
        let history = history.unwrap_or_else(|error| panic!("{error}: {}", self.errors));
        let operations = history.operations().unwrap();
        operations.map(|operation| operation.unwrap()).collect()
    }

    /// Attempts that went over the wire.
    pub(crate) fn sent(&self) -> Vec<Operation> {
        let mut operations = self.operations();
        operations.retain(|operation| operation.kind != OutcomeKind::NotSent);
        operations
    }

    pub(crate) fn ending(&self, kind: OutcomeKind, cause: Cause) -> usize {
        let operations = self.operations();
        let same = |operation: &&Operation| (operation.kind, operation.cause) == (kind, cause);
        operations.iter().filter(same).count()
    }

    pub(crate) fn issued(&self) -> usize {
        self.ending(OutcomeKind::Issued, Cause::None)
    }

    /// When the load part began, in nanoseconds of the history's clock.
    pub(crate) fn start_ns(&self) -> u64 {
        let events = self.file("events.jsonl");
        let started = events
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .find(|event| event["event"] == "load_started");
        started.unwrap()["at_ns"].as_u64().unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join("run").join(name)).unwrap()
    }
}
