//! The scenarios of the source documents, as they are shipped.

#[path = "support/harness/mod.rs"]
mod harness;

use std::path::PathBuf;

use harness::{Bench, shipped, verdict_of};

fn documents() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shipped("scenarios/documents")).expect("a folder");
    let paths = entries.flatten().map(|entry| entry.path());
    let mut found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    found.sort();
    assert!(found.len() >= 7, "{found:?}");
    found
}

/// The comment before the first key, without its marks.
fn comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// What a comment lacks; nothing if it says all.
fn lacks(comment: &str) -> Option<&'static str> {
    let Some((first, run)) = comment.split_once("What the run must show:") else {
        return Some("what the run must show");
    };
    let names_it = first.contains(" document");
    let figure = |word: &str| word.trim_matches(['(', ',']).starts_with(char::is_numeric);
    let checks = [
        (names_it, "the name of a document"),
        (first.split(' ').any(figure), "a figure of it"),
        (
            run.contains("fcfs-bench run scenarios/documents/"),
            "how to run it",
        ),
    ];
    checks.iter().find(|check| !check.0).map(|check| check.1)
}

#[test]
fn a_comment_without_its_document_or_a_figure_is_found() {
    let run = "What the run must show: all. fcfs-bench run scenarios/documents/x.yaml";
    let table = [
        ("The lock document: 12 refused.", None),
        ("The lock: 12 refused.", Some("the name of a document")),
        ("The lock document: some refused.", Some("a figure of it")),
    ];
    for (first, lack) in table {
        assert_eq!(lacks(&format!("{first} {run}")), lack, "{first}");
    }
    let bare = "The lock document: 12 refused.";
    assert_eq!(lacks(bare), Some("what the run must show"));
}

#[test]
fn each_is_planned_and_names_its_document_with_a_figure() {
    let bench = Bench::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a scenario");
        assert_eq!(lacks(&comment(&text)), None, "{}", path.display());
        let path = path.to_str().expect("a text");
        bench.run(&["validate", path]).expect(0);
        bench.run(&["plan", path]).expect(0);
    }
}

/// Runs a document's scenario with a fraction of its users and its time, to the end of its stock.
#[track_caller]
fn passes(name: &str, scale: &str, settings: &[&str]) {
    let bench = Bench::new();
    let scenario = shipped(&format!("scenarios/documents/{name}.yaml"));
    let mut args = vec!["run", &scenario, "--out", "run", "--provider", "local"];
    args.extend(["--scale", scale]);
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let running = bench.start(&args);
    let ended = running.wait().expect(0);
    let summary = bench.summary();
    for invariant in ["stock", "one_per_user", "acknowledged"] {
        let judged = verdict_of(&summary, "invariants", invariant);
        assert_eq!(judged["verdict"], "pass", "{}", ended.all());
    }
    assert!(
        summary["outcomes"]["issued"].as_u64() > Some(0),
        "{summary}"
    );
}

#[test]
fn redlock_with_its_fixes_holds() {
    let settings = ["subject.coupon.stock=40"];
    passes("a-redlock-after", "time=0.003,vus=0.03", &settings);
}

#[test]
fn the_queue_of_all_roles_holds() {
    // A few dozen users would all be let in at once.
    let settings = [
        "subject.coupon.stock=60",
        "target.stack.server.queue_threshold=20",
        "target.stack.server.queue_traffic_rpm=60",
    ];
    passes("c-queue-4500", "time=0.02,vus=0.01", &settings);
}
