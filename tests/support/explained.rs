//! What a finding has to tell of its gravest case: of whom, when, and what the truth says.

use serde_json::Value;

use crate::harness::Bench;

/// Each of these parts tells a story: users by name, attempts with both of their times, and what the
/// rows say, in `summary.json` and in the report with a picture.
///
/// The case of a part may be nobody's, as a reading of the remaining stock or a row that nobody
/// asked for; `parts` are those of users.
#[track_caller]
pub(crate) fn assert_told(bench: &Bench, invariant: &str, part: &Value) {
    let name = part["name"].as_str().expect("words");
    let users = part["explanation"]["users"].as_array();
    let users = users.unwrap_or_else(|| panic!("{invariant}.{name} tells nothing: {part:#}"));
    let named = |user: &&Value| user.as_str().is_some_and(|user| !user.is_empty());
    assert!(users.iter().any(|user| named(&user)), "{part:#}");
    let moments = part["explanation"]["moments"].as_array();
    let moments = moments.expect("a list");
    let asked =
        |one: &&Value| one["what"] == "asked" && one["at_ns"].is_u64() && one["until_ns"].is_u64();
    assert!(moments.iter().any(|one| asked(&one)), "no times: {part:#}");
    let truth = |one: &&Value| one["what"] == "truth" && one["at_ns"].is_u64();
    assert!(moments.iter().any(|one| truth(&one)), "no truth: {part:#}");
    let picture = format!("explained/{invariant}-{name}.svg");
    assert!(bench.read("run/report.md").contains(&picture), "{picture}");
    assert!(bench.read(&format!("run/{picture}")).starts_with("<svg"));
}

/// Every case of every finding is in the file of cases.
#[track_caller]
pub(crate) fn assert_listed(bench: &Bench, summary: &Value) {
    let findings = summary["findings"].as_array().expect("a list");
    let listed: u64 = findings
        .iter()
        .flat_map(|finding| finding["parts"].as_array().expect("parts"))
        .map(|part| part["listed"].as_u64().expect("a number"))
        .sum();
    let lines = bench.read("run/cases.jsonl").lines().count() as u64;
    assert_eq!(lines, listed);
}
