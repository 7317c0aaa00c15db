//! `compare` and `run --baseline` on real runs: the same load twice is no regression, and what has
//! become slower or wrong is one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use bench::{Bench, Ran};
use fcfs_bench::fault::proxy::Proxies;
use fcfs_bench::plan::{LinkFault, LinkRule, Protocol, Selection, Spread};
use fcfs_bench::report::Comparison;
use target::{Reply, Target};

const LOAD: &str = "constant_vus: { vus: 8, for: 12s }";

/// Answers after 20 ms.
fn steady() -> Target {
    Target::start(|_| Reply::issued().after(Duration::from_millis(20)))
}

fn compare(base: &Path, new: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fcfs-bench"))
        .arg("compare")
        .args([base, new])
        .args(more)
        .output()
        .unwrap()
}

fn comparison(base: &Ran, new: &Ran) -> (Option<i32>, Comparison) {
    let output = compare(&base.directory(), &new.directory(), &["--json"]);
    let comparison = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), comparison)
}

#[test]
fn a_run_and_its_like_are_no_regression_and_fifteen_percent_more_is() {
    let target = steady();
    let base = Bench::load(LOAD).run(&target.url());
    let (code, itself) = comparison(&base, &base);
    assert_eq!((code, itself.regressions), (Some(0), Vec::new()));

    // The proxy, once untouched and once with 1.5 ms more on each way.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let proxies = Proxies::start().unwrap();
    let upstream = Some(target.address);
    let opened = proxies.open("service", None, upstream, Protocol::Opaque, 7);
    let link = runtime.block_on(opened).unwrap();
    let url = format!("http://{}", link.address());
    let equal = Bench::load(LOAD).run(&url);
    let (code, like) = comparison(&base, &equal);
    assert_eq!((code, like.regressions), (Some(0), Vec::new()));

    let fault = LinkFault::Delay {
        by: Duration::from_micros(1_500),
        jitter: Duration::ZERO,
        spread: Spread::Uniform,
    };
    let rule = LinkRule {
        fault,
        selection: Selection::default(),
    };
    runtime
        .block_on(link.apply(rule, Duration::from_hours(1)))
        .unwrap();
    let slower = Bench::load(LOAD).run(&url);
    let (code, found) = comparison(&base, &slower);
    assert_eq!(code, Some(115), "{:?}", found.figures);
    in_korean(&base, &slower);
    let p50 = found
        .regressions
        .iter()
        .any(|one| one.starts_with("p50 of `issue`"));
    assert!(p50, "{:?}", found.regressions);
}

/// The table and the Markdown are Korean then; JSON and exit code do not know of it.
fn in_korean(base: &Ran, new: &Ran) {
    let of = |more: &[&str]| {
        let output = compare(&base.directory(), &new.directory(), more);
        assert_eq!(output.status.code(), Some(115), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for form in [&["--lang", "ko"][..], &["--lang", "ko", "--markdown"]] {
        let korean = of(form);
        assert!(korean.contains("스텝 `issue`의 응답 시간 p50"), "{korean}");
        assert!(!korean.contains(" before"), "{korean}");
    }
    assert_eq!(of(&["--json", "--lang", "ko"]), of(&["--json"]));
}

#[test]
fn a_run_with_a_baseline_ends_with_115_and_its_report_says_why() {
    let target = Target::start(|_| Reply::issued().after(Duration::from_millis(10)));
    let base = Bench::load(LOAD).run(&target.url());
    let target = steady();
    let baseline = base.directory().display().to_string();
    let slower = Bench::load(LOAD)
        .argument("--baseline")
        .argument(&baseline)
        .argument("--max")
        .argument("p95=+20%")
        .run(&target.url());
    assert_eq!(slower.status.code(), Some(115));
    let summary = slower.summary();
    assert_eq!(summary.exit_code, 115);
    assert!(
        summary.reasons[0].contains("regression against"),
        "{:?}",
        summary.reasons
    );
    let report = std::fs::read_to_string(slower.directory().join("report.md")).unwrap();
    assert!(
        report.contains("against its baseline: 1 regression"),
        "{report}"
    );

    // Written again from what the run has left.
    let directory = slower.directory();
    let again = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"))
        .args(["check".as_ref(), directory.as_os_str()])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(115));
}

#[test]
fn runs_that_did_not_do_the_same_are_refused() {
    let target = Target::start(|_| Reply::issued());
    let one = Bench::load("constant_vus: { vus: 1, for: 1s }").run(&target.url());
    let other = Bench::load("constant_vus: { vus: 2, for: 1s }").run(&target.url());
    let output = compare(&one.directory(), &other.directory(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("did not do the same: the load `opening`"),
        "{said}"
    );

    // Before anything is asked.
    let asked = target.seen().len();
    let baseline = one.directory().display().to_string();
    let refused = Bench::load("constant_vus: { vus: 2, for: 1s }")
        .argument("--baseline")
        .argument(&baseline)
        .run(&target.url());
    assert_eq!(
        (refused.status.code(), target.seen().len()),
        (Some(2), asked)
    );
}

#[test]
fn what_is_no_run_or_no_limit_is_a_wrong_command_line() {
    let nothing = tempfile::tempdir().unwrap();
    let output = compare(nothing.path(), nothing.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is not a run directory"), "{said}");
    let output = compare(nothing.path(), nothing.path(), &["--max", "p99=10"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`p99=10` is no limit"), "{said}");
    let output = compare(nothing.path(), nothing.path(), &["--lang", "fr"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no language of reports: en or ko"), "{said}");
}
