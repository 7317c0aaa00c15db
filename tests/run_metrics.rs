//! Metrics that a scenario makes of its captures: in thresholds, in the report, and judged again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use harness::{Bench, verdict_of};
use serde_json::{Value, json};
use target::{Reply, Request, Target};

/// Everybody enters once, and asks for the rank until it is 0.
fn scenario(url: &str, thresholds: &str) -> String {
    format!(
        r#"
name: queue
target: {{ url: "{url}" }}
load:
  opening: {{ per_vu_iterations: {{ vus: 2, iterations: 10 }} }}
flows:
  queue:
    - name: enter
      post: /enter
      capture: {{ tries: {{ header: X-Tries }} }}
    - poll:
        name: wait
        get: /rank
        every: 1ms
        within: 1m
        until: {{ json: {{ /rank: 0 }} }}
        capture: {{ rank: /rank, shop: /shop }}
metrics:
  queue_rank: {{ trend: rank }}
  retries: {{ counter: tries }}
  shops: {{ trend: shop }}
thresholds:
  {thresholds}
"#
    )
}

/// Each entry took one and a half tries, and then ranks come down from 3 to 0.
fn queue(request: &Request) -> Reply {
    let asked = request.on_connection % 5;
    if asked == 0 {
        let head = "HTTP/1.1 200 OK\r\nx-tries: 1.5\r\ncontent-length: 0\r\n\r\n";
        return Reply::raw(head);
    }
    let rank = 4 - asked;
    let body = format!("{{\"rank\":{rank},\"shop\":\"north-{rank}\"}}");
    Reply::answer(200, &body)
}

fn bench(thresholds: &str) -> (Bench, Target) {
    let bench = Bench::new();
    let target = Target::start(queue);
    bench.write("scenario.yaml", scenario(&target.url(), thresholds));
    (bench, target)
}

/// Every iteration entered once and asked four times: 2 x 10 of them.
const KEPT: &str = r#"queue_rank: ["max<=3", "med<=1", "avg==1.5", "count==80"]
  "queue_rank{step:wait,load:opening}": ["min==0", { threshold: "max<=3", over: 1s }]
  retries: ["count==30", { threshold: "count>30", over: 10s, allow_empty: true }]"#;

#[test]
fn limits_on_captured_numbers_are_kept() {
    let (bench, _target) = bench(KEPT);
    let ended = bench.run_scenario(&[]).expect(0);
    let summary = bench.summary();
    for (name, detail) in [
        (
            "queue_rank: avg==1.5",
            "avg = 1.5 over 80 values, limit == 1.5",
        ),
        ("queue_rank: max<=3", "max = 3 over 80 values, limit <= 3"),
        ("retries: count==30", "count = 30 in 20 values, limit == 30"),
    ] {
        let judged = verdict_of(&summary, "thresholds", name);
        assert_eq!(judged["detail"], detail, "{}", ended.all());
    }
}

#[test]
fn limits_on_captured_numbers_that_are_missed_fail_the_run_and_check_says_the_same() {
    let missed = r#"queue_rank: ["p(95)<3", "max<=3"]
  retries: ["count<30"]
  shops: ["count>0"]"#;
    let (bench, _target) = bench(missed);
    bench.run_scenario(&[]).expect(99);
    let summary = bench.summary();
    for (name, verdict, detail) in [
        (
            "queue_rank: p(95)<3",
            "fail",
            "p(95) = 3 over 80 values, limit < 3",
        ),
        (
            "queue_rank: max<=3",
            "pass",
            "max = 3 over 80 values, limit <= 3",
        ),
        (
            "retries: count<30",
            "fail",
            "count = 30 in 20 values, limit < 30",
        ),
        // Texts are no values.
        ("shops: count>0", "fail", "no data (no values), limit > 0"),
    ] {
        let judged = verdict_of(&summary, "thresholds", name);
        assert_eq!(
            (&judged["verdict"], &judged["detail"]),
            (&json!(verdict), &json!(detail))
        );
    }

    let again = bench.run(&["check", "run", "--json"]).expect(99);
    let again: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again["thresholds"], summary["thresholds"]);
    assert_eq!(again["metrics"], summary["metrics"]);
    assert_eq!(again["warnings"], summary["warnings"]);
}

#[test]
fn the_report_shows_the_figures_and_counts_what_was_no_number() {
    let (bench, _target) = bench(KEPT);
    let ended = bench.run_scenario(&[]).expect(0);
    let mut metrics = bench.summary()["metrics"].clone();
    // It follows from the time that the run took.
    let rate = metrics[1]["counter"]["rate"].take();
    assert!(rate.as_f64().is_some_and(|rate| rate > 0.0), "{rate}");
    let nothing = json!({});
    let expected = json!([
        {
            "metric": "queue_rank", "kind": "trend", "values": 80,
            "trend": { "avg": 1.5, "min": 0.0, "med": 1.0, "p90": 3.0, "p95": 3.0, "max": 3.0 },
            "counter": null, "left_out": nothing,
        },
        {
            "metric": "retries", "kind": "counter", "values": 20, "trend": null,
            "counter": { "count": 30.0, "rate": null }, "left_out": nothing,
        },
        {
            "metric": "shops", "kind": "trend", "values": 0, "trend": null, "counter": null,
            "left_out": { "no_number": 80 },
        },
    ]);
    assert_eq!(metrics, expected);

    let warning = "the metric `shops`: 80 captured texts were not recorded (80 no number)";
    let report = bench.read("run/report.md");
    for part in [
        "| `queue_rank` | 80 | 1.5 | 0 | 1 | 3 | 3 | 3 |",
        "| `shops` | 0 | no data | – | – | – | – | – |",
        "| `retries` | 30 |",
        "80 captured texts were not recorded",
    ] {
        assert!(report.contains(part), "no {part:?} in {report}");
    }
    assert_eq!(bench.summary()["warnings"], json!([warning]));
    for part in [
        "│ queue_rank │    80 │     1.5 │",
        "80 captured texts were not recorded",
    ] {
        assert!(
            ended.stdout.contains(part),
            "no {part:?} in {}",
            ended.all()
        );
    }
    let plan = bench.read("run/plan.txt");
    assert!(
        plan.contains("\nmetrics\n  queue_rank  trend of rank\n"),
        "{plan}"
    );
}

#[test]
fn a_limit_on_captured_numbers_ends_the_load() {
    let aborting = r#"queue_rank: [{ threshold: "max<3", abort: true }]"#;
    let (bench, _target) = bench(aborting);
    let many = "load.opening.per_vu_iterations={ vus: 2, iterations: 10_000_000, within: 10m }";
    bench.run_scenario(&["--set", many]).expect(99);
    let reasons = bench.summary()["reasons"].to_string();
    assert!(
        reasons.contains("the load was ended by `queue_rank: max<3`"),
        "{reasons}"
    );
}
