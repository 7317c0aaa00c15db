//! A reader of the output that goes away (`2>&1 | head -1`) ends no run, and changes no exit code.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::scenario::Scenario;
use harness::{Bench, verdict_of};

/// Which ways out are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Stderr,
    Stdout,
    Both,
}

/// The exit code of the program, whose output is closed after its first line, or before it.
fn code(bench: &Bench, args: &[&str], closed: Closed, lines: usize) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"));
    command.args(args).current_dir(bench.path(""));
    command.stdin(Stdio::null());
    let (from, to) = std::io::pipe().unwrap();
    let rest = || File::create(bench.path("rest.txt")).unwrap();
    match closed {
        Closed::Stderr => command.stderr(to).stdout(rest()),
        Closed::Stdout => command.stdout(to).stderr(rest()),
        Closed::Both => command.stdout(to.try_clone().unwrap()).stderr(to),
    };
    let mut child = command.spawn().unwrap();
    // The command keeps the ends that the child has got.
    drop(command);
    let mut reader = BufReader::new(from);
    for _ in 0..lines {
        reader.read_line(&mut String::new()).unwrap();
    }
    drop(reader);
    child.wait().unwrap().code()
}

#[test]
fn a_run_goes_on_and_ends_with_its_own_code() {
    let impossible = "http_req_duration: [\"p(99)<0.001ms\"]";
    for (closed, lines) in [(Closed::Stderr, 0), (Closed::Stdout, 0), (Closed::Both, 1)] {
        for (thresholds, expected) in [("http_req_failed: [\"rate<1%\"]", 0), (impossible, 99)] {
            let bench = Bench::with(&Scenario::short().thresholds(thresholds));
            let args = ["run", "scenario.yaml", "--out", "run"];
            let ended = code(&bench, &args, closed, lines);
            assert_eq!(ended, Some(expected), "{closed:?}");
            let summary = bench.summary();
            assert_eq!(summary["exit_code"], expected);
            let stock = verdict_of(&summary, "invariants", "stock");
            assert_eq!(stock["verdict"], "pass", "{closed:?}");
        }
    }
}

#[test]
fn a_complaint_that_nobody_reads_ends_with_its_own_code() {
    let bench = Bench::new();
    bench.write("wrong.yaml", "name: [\n");
    for closed in [Closed::Stderr, Closed::Both] {
        for args in [["validate", "wrong.yaml"], ["plan", "wrong.yaml"]] {
            assert_eq!(code(&bench, &args, closed, 0), Some(104), "{args:?}");
        }
        assert_eq!(code(&bench, &["check", "nowhere"], closed, 0), Some(2));
    }
    assert_eq!(code(&bench, &["schema"], Closed::Stdout, 1), Some(0));
}

/// `eprintln!` and `println!` panic when their reader has gone away.
#[test]
fn nothing_of_the_program_prints_in_another_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> = vec![root.join("src"), root.join("engine/src")];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            waiting.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in lines {
                let words = ["eprintln!", "println!", "eprint!", "print!"];
                let printed = words.iter().find(|word| line.contains(**word));
                assert_eq!(printed, None, "{}: {line}", path.display());
            }
        }
    }
    assert!(files > 200, "{files} files");
}
