//! What a run prints and leaves behind, for programs and for people.

#[path = "support/harness/mod.rs"]
mod harness;

use std::path::Path;

use harness::Bench;
use harness::scenario::Scenario;
use serde_json::Value;

#[test]
fn json_on_stdout_is_the_summary_file_and_nothing_else() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run_scenario(&["--json"]).expect(0);
    let printed: Value = serde_json::from_str(&ended.stdout).expect("stdout is JSON");
    assert_eq!(printed, bench.summary());
}

#[test]
fn the_summary_keeps_its_contract_with_ci_jobs() {
    let bench = Bench::with(&Scenario::short());
    bench.run_scenario(&[]).expect(0);
    let summary = bench.summary();
    assert_eq!(summary["verdict"], "pass");
    assert_eq!(summary["exit_code"], 0);
    for number in ["requests", "duration_s", "rps"] {
        assert!(summary[number].as_f64() > Some(0.0), "{number}: {summary}");
    }
    assert_eq!(summary["requests"], 400);
    let outcomes = summary["outcomes"].as_object().expect("a map");
    let attempts: u64 = outcomes.values().filter_map(Value::as_u64).sum();
    assert_eq!(attempts, 400, "every request has one outcome: {outcomes:?}");
    for step in ["issue", "all"] {
        for figure in ["p50", "p90", "p95", "p99", "max"] {
            let ms = &summary["latency_ms"][step][figure];
            assert!(ms.as_f64() > Some(0.0), "{step} {figure}: {summary}");
        }
    }
    for list in ["invariants", "thresholds"] {
        for judged in summary[list].as_array().expect("a list") {
            let detail = judged["detail"].as_str();
            assert!(judged["name"].is_string() && detail.is_some_and(|it| !it.is_empty()));
            assert_eq!(judged["verdict"], "pass", "{judged}");
        }
    }
    assert_eq!(summary["warnings"], Value::Array(Vec::new()));
}

#[test]
fn the_report_and_its_chart_are_there() {
    let bench = Bench::with(&Scenario::short());
    bench.run_scenario(&[]).expect(0);
    let report = bench.read("run/report.md");
    assert!(report.starts_with("# ✅ PASS: front-door\n"), "{report}");
    assert!(report.contains("](chart.svg)"), "{report}");
    assert!(bench.read("run/chart.svg").starts_with("<svg"));
    assert!(
        bench
            .read("run/plan.txt")
            .starts_with("scenario    front-door")
    );
    assert_eq!(bench.read("run/scenario.yaml"), bench.read("scenario.yaml"));
}

#[test]
fn quiet_prints_nothing_to_stdout_and_no_progress() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run_scenario(&["--quiet"]).expect(0);
    assert_eq!(ended.stdout, "");
    let report = bench.path("run/report.md").display().to_string();
    assert_eq!(ended.stderr, format!("report: {report}\n"));
}

#[test]
fn a_quiet_run_that_fails_still_says_why() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run_scenario(&["--quiet", "--bug", "last-one-refused"]);
    let ended = ended.expect(111);
    ended.complains("fail: stock: 1 left over, although sold out was answered");
}

#[test]
fn without_a_terminal_progress_is_plain_lines() {
    let load = "constant_vus: { vus: 2, for: 2s }";
    let bench = Bench::with(&Scenario::short().load(load).think("10ms").stock(10));
    let ended = bench.run_scenario(&[]).expect(0);
    let begin = "         front-door: evidence goes to ";
    assert!(ended.stderr.starts_with(begin), "{}", ended.all());
    let mut lines = ended.stderr.lines();
    let line = lines.find(|line| line.contains(" s  opening  2 VUs  "));
    let line = line.unwrap_or_else(|| panic!("no progress: {}", ended.all()));
    for words in ["/s  ", "p95 ", "issued ", "sold out ", " left"] {
        assert!(line.contains(words), "no {words:?}: {line}");
    }
    assert!(!ended.stderr.contains('\r'), "{}", ended.all());
}

#[test]
fn without_a_terminal_there_is_no_escape_code_anywhere() {
    let bench = Bench::with(&Scenario::short());
    for colour in [None, Some("1"), Some("")] {
        let out = format!(
            "run-{}",
            colour.map_or("unset".to_owned(), |it| format!("x{it}"))
        );
        let args = ["run", "scenario.yaml", "--bug", "oversell", "--out", &out];
        let running = bench.start_with(&args, |command| {
            command.env_remove("NO_COLOR");
            if let Some(value) = colour {
                command.env("NO_COLOR", value);
            }
        });
        let ended = running.wait().expect(111);
        assert!(!ended.all().contains('\u{1b}'), "{}", ended.all());
        for file in [
            "report.md",
            "chart.svg",
            "summary.json",
            "plan.txt",
            "events.jsonl",
        ] {
            assert!(
                !bench.read(&format!("{out}/{file}")).contains('\u{1b}'),
                "{file}"
            );
        }
    }
}

#[test]
fn a_run_without_out_makes_a_directory_under_reports() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run(&["run", "scenario.yaml"]).expect(0);
    let reports = std::fs::read_dir(bench.path("reports")).expect("reports/");
    let names: Vec<_> = reports.flatten().map(|entry| entry.file_name()).collect();
    let [name] = &names[..] else {
        panic!("one run, but {names:?}")
    };
    let report = Path::new("reports").join(name).join("report.md");
    let line = format!("report: {}\n", report.display());
    assert!(ended.stderr.ends_with(&line), "{}", ended.all());
}

#[test]
fn no_password_of_the_command_line_is_kept() {
    let bench = Bench::with(&Scenario::short());
    let target = "target={ url: \"http://127.0.0.1:1\" }";
    let database = "truth.issued.sql.url=mysql://shop:hunter2@127.0.0.1:1/shop";
    let query = "truth.issued.sql.query=SELECT user_id FROM coupons";
    let running = bench.start_scenario(&["--set", target, "--set", database, "--set", query]);
    let ended = running.wait().expect(113);
    assert!(!ended.all().contains("hunter2"), "{}", ended.all());
    for file in ["run.json", "plan.txt"] {
        assert!(
            !bench.read(&format!("run/{file}")).contains("hunter2"),
            "{file}"
        );
    }
    bench.run(&["report", "run"]).expect(0);
    let report = bench.read("run/report.md");
    assert!(
        !report.contains("hunter2") && report.contains("shop:***@"),
        "{report}"
    );
}

#[test]
fn json_of_a_run_that_fails_says_why_on_stderr() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run_scenario(&["--json", "--bug", "last-one-refused"]);
    let ended = ended.expect(111);
    let printed: Value = serde_json::from_str(&ended.stdout).expect("stdout is JSON");
    assert_eq!(printed["verdict"], "fail");
    let words = "\nfail: stock: 1 left over, although sold out was answered";
    assert!(ended.stderr.contains(words), "{}", ended.all());
}
