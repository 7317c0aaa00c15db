use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::super::fixture;
use super::*;

/// What a real parser reads, which also looks at the shape.
fn read(text: &str) -> Value {
    let mut command = Command::new("python3");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/junit.py");
    command.arg(script).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python3 is installed");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{text}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn cases(summary: &Summary) -> Vec<(String, String, String)> {
    let read = read(&junit(summary));
    let cases = read["cases"].as_array().expect("cases").iter();
    let text = |case: &Value, key: &str| case[key].as_str().unwrap_or_default().to_owned();
    let cases = cases.map(|case| (text(case, "class"), text(case, "name"), text(case, "is")));
    cases.collect()
}

#[test]
fn every_summary_has_the_shape_of_junit() {
    for summary in fixture::all() {
        let read = read(&junit(&summary));
        assert_eq!(read["properties"]["verdict"], summary.verdict.to_string());
    }
}

#[test]
fn a_run_that_is_not_green_has_a_case_that_is_not_green() {
    for summary in fixture::all() {
        let cases = cases(&summary);
        let red = cases.iter().any(|(_, _, is)| is != "passed");
        assert_eq!(red, summary.exit_code != 0, "{}: {cases:?}", summary.name);
    }
}

#[test]
fn the_fail_of_a_claim_is_a_failure_with_its_first_cases() {
    let summary = fixture::failed();
    let read = read(&junit(&summary));
    let mut cases = read["cases"].as_array().expect("cases").iter();
    let stock = cases.find(|case| case["name"] == "stock").expect("it");
    assert_eq!(stock["is"], "failure");
    assert_eq!(stock["class"], format!("{}.invariant", summary.name));
    let text = stock["text"].as_str().expect("a text");
    let first = "first: user 4711 (sent 12.345678 s, answered 12.350000 s) in hold: row 5,001";
    assert!(text.contains(first), "{text}");
    assert!(!text.contains("never asked"), "what holds is no evidence");
}

#[test]
fn unknown_is_an_error_and_never_green() {
    let mut summary = fixture::passed();
    summary.verdict = Verdict::Unknown;
    summary.exit_code = 112;
    summary.invariants[0].verdict = Verdict::Unknown;
    let name = summary.invariants[0].name.clone();
    summary.reasons = vec![format!("{name}: {}", summary.invariants[0].detail)];
    let cases = cases(&summary);
    let claim = cases.iter().find(|case| case.1 == name).expect("it");
    assert_eq!(claim.2, "error");
    let of_the_run = cases
        .iter()
        .filter(|case| case.0.rsplit('.').next() == Some("run"));
    let of_the_run: Vec<_> = of_the_run.map(|case| case.2.as_str()).collect();
    assert_eq!(of_the_run, ["passed"], "the reason is that of the claim");
}

#[test]
fn what_no_claim_has_said_is_a_case_of_its_own() {
    let mut summary = fixture::passed();
    summary.verdict = Verdict::Unknown;
    summary.exit_code = 112;
    summary.reasons = vec!["evidence was lost".to_owned(), "it was late".to_owned()];
    let cases = cases(&summary);
    let of_the_run = cases
        .iter()
        .filter(|case| case.0.rsplit('.').next() == Some("run"));
    let of_the_run: Vec<_> = of_the_run
        .map(|case| (case.1.as_str(), case.2.as_str()))
        .collect();
    assert_eq!(of_the_run, [("doubt 1", "error"), ("doubt 2", "error")]);
}

#[test]
fn a_run_without_a_reason_that_does_not_end_with_0_is_not_green() {
    let mut summary = fixture::passed();
    summary.exit_code = 105;
    summary.reasons.clear();
    assert!(cases(&summary).iter().any(|case| case.2 == "error"));
}

#[test]
fn what_xml_cannot_hold_is_spelled_out() {
    let mut summary = fixture::failed();
    let all: String = (0..=0x24f_u32)
        .chain([0x2028, 0xfffd, 0xfffe, 0xffff, 0x1_f600])
        .filter_map(char::from_u32)
        .collect();
    summary.name.clone_from(&all);
    summary.environment.target = format!("]]>{all}");
    summary.thresholds[0].name.clone_from(&all);
    summary.findings[0].parts[0].cases[0].text = format!("]]></failure>{all}");
    let read = read(&junit(&summary));
    assert_eq!(read["suite"], one_line(&all));
    assert_eq!(read["properties"]["target"], one_line(&format!("]]>{all}")));
}
