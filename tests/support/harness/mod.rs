//! Runs the compiled binary as its users do: real processes, a directory of their own each.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod claims;
pub(crate) mod fault;
pub(crate) mod scenario;
pub(crate) mod shop;
pub(crate) mod system;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use scenario::Scenario;

/// Nothing here takes so long, also on a machine with other things to do.
const LIMIT: Duration = Duration::from_mins(3);

/// A place to run commands in; everything that is started from it ends with it.
pub(crate) struct Bench {
    directory: TempDir,
}

/// A command that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command under way, with its output in files.
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { directory }
    }

    /// A place that holds `scenario.yaml`.
    pub(crate) fn with(scenario: &Scenario) -> Self {
        let bench = Self::new();
        bench.write("scenario.yaml", scenario.to_string());
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("a file");
    }

    /// A file of this place.
    ///
    /// # Panics
    ///
    /// Where it is not there, with all that the commands of this place have said: most often one of
    /// them should have written it.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| {
            let path = path.display();
            panic!("{path}: {error}; what was said here: {}", self.said())
        })
    }

    /// What the commands of this place have said on stderr.
    fn said(&self) -> String {
        let files = (0..).map(|number| self.path(&format!("{number}.stderr")));
        let said = files.map_while(|path| std::fs::read_to_string(path).ok());
        said.collect()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.start(args).wait()
    }

    /// Runs `scenario.yaml` into the directory `run`.
    pub(crate) fn run_scenario(&self, more: &[&str]) -> Ended {
        self.start_scenario(more).wait()
    }

    pub(crate) fn start_scenario(&self, more: &[&str]) -> Running {
        let out = self.path("run").display().to_string();
        let mut args = vec!["run", "scenario.yaml", "--out", &out];
        args.extend(more);
        self.start(&args)
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_with(args, |_| {})
    }

    pub(crate) fn start_with(&self, args: &[&str], more: impl FnOnce(&mut Command)) -> Running {
        let (stdout, stderr) = (self.fresh("stdout"), self.fresh("stderr"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"));
        command
            .args(args)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).expect("a file for stdout"))
            .stderr(File::create(&stderr).expect("a file for stderr"));
        more(&mut command);
        Running {
            child: command.spawn().expect("the binary starts"),
            stdout,
            stderr,
        }
    }

    fn fresh(&self, name: &str) -> PathBuf {
        let names = (0..).map(|number| self.path(&format!("{number}.{name}")));
        let mut names = names.filter(|path| !path.exists());
        names.next().expect("there are names enough")
    }

    /// `summary.json` of the run directory `run`.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        serde_json::from_str(&self.read("run/summary.json")).expect("summary.json is JSON")
    }

    /// Processes that were started for this place, by their command lines.
    pub(crate) fn processes(&self) -> Vec<String> {
        let here = self.directory.path().to_string_lossy().into_owned();
        let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
        let lines = entries.flatten().filter_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
        lines.filter(|line| line.contains(&here)).collect()
    }

    /// Waits until nothing runs here any more.
    pub(crate) fn wait_until_empty(&self) {
        wait_until("every process has ended", || self.processes().is_empty());
    }
}

impl Running {
    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is there");
    }

    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Waits until the process has said something on stderr.
    #[track_caller]
    pub(crate) fn wait_until_it_says(&mut self, words: &str) {
        self.wait_until(words, |running| running.stderr().contains(words));
    }

    /// Waits until the process has printed a whole line to stdout.
    #[track_caller]
    pub(crate) fn wait_until_it_prints_a_line(&mut self) {
        self.wait_until("a line", |running| running.stdout().ends_with('\n'));
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().expect("the child can be asked");
            assert_eq!(ended, None, "it ended without {what:?}: {}", self.stderr());
            assert!(begin.elapsed() < LIMIT, "no {what:?}: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait();
        ended.expect("the child can be asked").is_some()
    }

    /// Waits for the end, however it comes.
    pub(crate) fn wait(mut self) -> Ended {
        let begin = Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                break status;
            }
            assert!(begin.elapsed() < LIMIT, "no end: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        };
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Everything that was printed, for the message of a failed assertion.
    pub(crate) fn all(&self) -> String {
        let code = self.code;
        format!("exit code {code:?}\n{}\n{}", self.stdout, self.stderr)
    }

    /// The sentence is on stdout, wherever its lines break: that depends on the figures in it.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        let said: Vec<&str> = self.stdout.split_whitespace().collect();
        let wanted: Vec<&str> = words.split_whitespace().collect();
        let is_said = said.join(" ").contains(&wanted.join(" "));
        assert!(is_said, "no {words:?}: {}", self.all());
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }

    /// The message is on stderr, and stdout is empty.
    #[track_caller]
    pub(crate) fn complains(&self, words: &str) {
        assert!(self.stderr.contains(words), "no {words:?}: {}", self.all());
        assert_eq!(self.stdout, "", "a complaint is not a result");
    }
}

/// Waits for what will certainly come, however slow the machine is.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A file of the repository.
pub(crate) fn shipped(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.display().to_string()
}

/// The verdict of an invariant or threshold in a summary.
#[track_caller]
pub(crate) fn verdict_of<'a>(summary: &'a Value, list: &str, name: &str) -> &'a Value {
    let judged = summary[list].as_array().expect("a list");
    let one = judged.iter().find(|one| one["name"] == name);
    one.unwrap_or_else(|| panic!("no {name} in {list}: {judged:?}"))
}

/// One part of a finding in a summary.
#[track_caller]
pub(crate) fn part_of<'a>(summary: &'a Value, invariant: &str, name: &str) -> &'a Value {
    let findings = summary["findings"].as_array().expect("a list");
    let finding = findings.iter().find(|one| one["checker"] == invariant);
    let parts = finding.expect("the finding")["parts"].as_array();
    let part = parts.expect("parts").iter().find(|one| one["name"] == name);
    part.unwrap_or_else(|| panic!("no part {name}: {findings:?}"))
}
