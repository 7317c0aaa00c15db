//! `benches/peers` measures, names what is missing, and leaves nothing behind.

#[path = "support/harness/mod.rs"]
mod harness;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use harness::{Bench, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// `benches/peers` on the bundled server alone, which needs no program from elsewhere; what it makes is
/// within the place.
fn peers(bench: &Bench, more: &[&str]) -> Command {
    let mut command = Command::new(PathBuf::from(ROOT).join("benches/peers"));
    command
        .env("TMPDIR", bench.path("tmp"))
        .args(["--targets", "reference", "--connections", "5"])
        .args(["--bench", env!("CARGO_BIN_EXE_fcfs-bench")])
        .arg("--cache")
        .arg(bench.path("cache"))
        .arg("--document")
        .arg(bench.path("page.md"))
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    std::fs::create_dir_all(bench.path("tmp")).expect("a directory");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Nobody works for the place any more, and nothing lies about.
fn is_given_back(bench: &Bench) {
    assert_eq!(bench.processes(), Vec::<String>::new());
    let left = std::fs::read_dir(bench.path("tmp")).expect("a directory");
    assert_eq!(left.count(), 0, "a temporary directory is left");
}

#[test]
fn what_each_tool_prints_is_read_as_it_is_meant() {
    let mut python = Command::new("python3");
    python.args([
        "-m",
        "unittest",
        "discover",
        "-s",
        "sitting/tests",
        "-t",
        ".",
    ]);
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = python
        .current_dir(PathBuf::from(ROOT).join("benches"))
        .output();
    let ended = ended.expect("python3 is installed");
    assert!(ended.status.success(), "{}", said(&ended));
}

#[test]
fn a_sitting_measures_both_models_and_names_who_is_missing() {
    let bench = Bench::new();
    let words = [
        "--tools",
        "fcfs-bench,goose",
        "--rounds",
        "1",
        "--seconds",
        "1",
        "--rate",
        "50",
    ];
    let ended = peers(&bench, &words).output().expect("it starts");
    assert!(ended.status.success(), "{}", said(&ended));
    assert!(
        said(&ended).contains("goose is MISSING"),
        "{}",
        said(&ended)
    );
    is_given_back(&bench);

    let page = bench.read("page.md");
    assert!(
        page.contains("**Missing, and not measured: goose**"),
        "{page}"
    );
    let sitting: Value = serde_json::from_str(&bench.read("page.json")).expect("JSON");
    let records = sitting["records"].as_array().expect("a list");
    let models: Vec<_> = records.iter().map(|record| &record["model"]).collect();
    assert_eq!(models, ["closed", "open"]);
    for record in records {
        assert_eq!(record["errors"], 0, "{record}");
        // The server has counted the same, but for what was under way at the end.
        let [own, server] = ["requests", "server_counted"].map(|name| record[name].as_u64());
        let more = server
            .expect("a number")
            .checked_sub(own.expect("a number"));
        assert!(more.is_some_and(|more| more <= 5), "{record}");
        assert!(record["cpu_us"].as_f64() > Some(0.0), "{record}");
        assert!(
            record["memory_bytes"].as_u64() > Some(1_000_000),
            "{record}"
        );
    }
    assert_eq!(records[1]["requests"], 50, "{}", records[1]);
}

#[test]
fn a_sitting_that_is_interrupted_gives_everything_back_and_writes_nothing() {
    let bench = Bench::new();
    let words = ["--tools", "fcfs-bench", "--rounds", "1", "--seconds", "60"];
    let child: Child = peers(&bench, &words).spawn().expect("it starts");
    // Server and load generator, each beside whoever has started it.
    wait_until("a load is under way", || {
        let mut running = bench.processes().into_iter();
        running.any(|line| line.contains("--threads 1"))
    });
    kill_process(Pid::from_child(&child), Signal::INT).expect("the process is there");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(1));
    assert!(said(&ended).contains("interrupted: "), "{}", said(&ended));
    is_given_back(&bench);
    assert!(!bench.path("page.md").exists());
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let bench = Bench::new();
    for (words, reason) in [
        (
            ["--tools", "ab"],
            "`ab` is none of fcfs-bench, fcfs-bench-goose, wrk",
        ),
        (["--connections", "0"], "`0` is not a number above zero"),
        (["--connections", "900000000"], "open files"),
        (["--bench", "nowhere"], "nowhere is not there"),
    ] {
        let ended = peers(&bench, &words).output().expect("it starts");
        assert!(!ended.status.success(), "{words:?}");
        assert!(said(&ended).contains(reason), "{words:?}: {}", said(&ended));
    }
}
