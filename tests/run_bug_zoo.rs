//! The bugs of the zoo that need no service: each is caught by the part that the table says, which
//! tells of a user, times and the truth, and the right servers of their scenarios are not accused.

#[path = "support/explained.rs"]
mod explained;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/zoo.rs"]
mod zoo;

use std::collections::BTreeMap;

use explained::{assert_listed, assert_told};
use harness::Bench;
use serde_json::Value;
use zoo::Row;

/// Requests that meet may fail to do so, on a machine with other work.
const TRIES: u32 = 5;

/// Without a fault: what takes a second or two.
fn of_a_file() -> Vec<Row> {
    let mut rows = zoo::rows();
    let alone = ["sqlite-atomic", "sqlite-lock", "memory-then-sqlite"];
    rows.retain(|row| alone.contains(&row.strategy.as_str()) && !row.fault.contains(": "));
    assert!(rows.len() >= 15, "{} rows", rows.len());
    rows
}

/// Runs it, and returns the parts that fail. That of the row tells how its gravest case came about.
fn failed(row: &Row, bug: bool, code: &[i32]) -> Vec<String> {
    let bench = Bench::new();
    let path = row.path().display().to_string();
    let set = format!("target.stack.server.strategy={}", row.strategy);
    let mut args = vec!["run", &path, "--set", &set];
    args.extend(["--provider", "embedded", "--quiet", "--out", "run"]);
    if bug {
        args.extend(["--bug", &row.bug]);
    }
    let ended = bench.run(&args);
    let known = ended.code.is_some_and(|found| code.contains(&found));
    assert!(known, "{}: {}", row.name(), ended.all());
    let summary = bench.summary();
    let findings = summary["findings"].as_array().expect("a list");
    let parts = findings.iter().flat_map(|finding| {
        let parts = finding["parts"].as_array().expect("a list").iter();
        let failing = parts.filter(|part| part["verdict"] == "fail");
        failing.map(|part| (word(finding, "checker"), part))
    });
    let parts: Vec<(&str, &Value)> = parts.collect();
    for (invariant, part) in &parts {
        if *invariant == row.invariant && word(part, "name") == row.part {
            assert_told(&bench, invariant, part);
        }
    }
    assert_listed(&bench, &summary);
    let names = parts.iter();
    names
        .map(|(invariant, part)| format!("{invariant}.{}", word(part, "name")))
        .collect()
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a word")
}

#[test]
fn each_is_caught_by_its_part() {
    for row in of_a_file() {
        let expected = format!("{}.{}", row.invariant, row.part);
        let tries = if row.chance.is_empty() { 1 } else { TRIES };
        let mut seen = Vec::new();
        let caught = (0..tries).any(|_| {
            let parts = failed(&row, true, &[0, 111]);
            let caught = parts.contains(&expected);
            seen.push(parts);
            caught
        });
        assert!(caught, "{}: {expected} is not among {seen:?}", row.name());
    }
}

#[test]
fn no_right_server_is_accused() {
    let by_scenario: BTreeMap<_, _> = of_a_file()
        .into_iter()
        .map(|row| ((row.scenario.clone(), row.strategy.clone()), row))
        .collect();
    for row in by_scenario.values() {
        let parts = failed(row, false, &[0]);
        assert!(parts.is_empty(), "{}: {parts:?}", row.scenario);
    }
}
