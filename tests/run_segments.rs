//! A load that several processes share: run side by side against one server and merged, it is the load
//! of one process.

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use fcfs_bench::history::{History as _, HistoryFile, Operation};
use fcfs_bench::plan::Ticks;
use harness::{Bench, Ended, verdict_of};
use own::Own;
use serde_json::Value;

/// Processes that start side by side on a machine with other things to do are ready by then.
const READY: Duration = Duration::from_secs(12);

/// Requests of new users to the bundled server, which has coupons for all of them.
fn scenario(bench: &Bench, load: &str) -> String {
    format!(
        "name: shared
target: {{ url: \"http://127.0.0.1:1\" }}
subject: {{ coupon: {{ id: 1, stock: 1000000 }} }}
users: {{ pool: 100_000, repeat: 5%, id: \"u-{{{{ n }}}}\" }}
load: {{ event: {{ flow: issue, graceful_stop: 1s, {load} }} }}
flows:
  issue:
    - post: /coupons/fcfs/1/issue
      json: {{ userId: \"{{{{ user }}}}\" }}
      timeout: 30s
      outcomes:
        issued: {{ status: 201, id: /id }}
        duplicate: {{ status: 400, body: 이미 발급된 쿠폰입니다 }}
truth:
  issued: {{ sql: {{ url: \"sqlite:{}\", query: \"SELECT userId, id, createdAt FROM user_coupons\" }} }}
  settle: {{ quiet: 300ms, within: 30s }}
  drain: false
invariants: [one_per_user, acknowledged]
thresholds: {{ http_req_failed: [\"rate<1%\"] }}
",
        bench.path("own.db").display()
    )
}

/// A server with a database of its own, and the scenario for it.
fn with_server(load: &str) -> (Bench, Own) {
    let bench = Bench::new();
    let own = Own::start(&bench);
    bench.write("scenario.yaml", scenario(&bench, load));
    (bench, own)
}

/// The load in one process.
fn undivided(load: &str) -> Bench {
    let (bench, own) = with_server(load);
    bench.run_scenario(&["--url", own.url()]).expect(0);
    bench
}

/// The load in so many processes, in the directories `1`, `2` and so on, merged into `run`.
fn divided(load: &str, of: u64) -> (Bench, Ended) {
    let (bench, own) = with_server(load);
    let at = SystemTime::now() + READY;
    let at = humantime::format_rfc3339_seconds(at).to_string();
    let start = |number: u64| {
        let (segment, out) = (format!("{number}/{of}"), bench.path(&number.to_string()));
        let out = out.display().to_string();
        let args = ["run", "scenario.yaml", "--url", own.url(), "--out", &out];
        let more = ["--segment", &segment, "--start-at", &at];
        bench.start(&[&args[..], &more].concat())
    };
    let running: Vec<_> = (1..=of).map(start).collect();
    for one in running {
        one.wait().expect(0);
    }
    let numbers: Vec<String> = (1..=of).map(|number| number.to_string()).collect();
    let merged = merge(&bench, &numbers, "run");
    (bench, merged)
}

fn merge(bench: &Bench, directories: &[String], out: &str) -> Ended {
    let mut args = vec!["merge", "--out", out];
    args.extend(directories.iter().map(String::as_str));
    bench.run(&args)
}

fn operations(run: &Path) -> Vec<Operation> {
    let history = HistoryFile::open(run).expect("a history");
    let operations = history.operations().expect("readable");
    operations.map(|one| one.expect("whole")).collect()
}

/// How often each user asked.
fn users(operations: &[Operation]) -> BTreeMap<u64, u64> {
    let mut users = BTreeMap::new();
    for operation in operations {
        *users.entry(operation.user.0).or_default() += 1;
    }
    users
}

/// The plan but for the address of the server.
fn plan(bench: &Bench) -> Vec<String> {
    let plan = bench.read("run/plan.txt");
    let lines = plan.lines().filter(|line| !line.starts_with("target"));
    let lines = lines.filter(|line| !line.starts_with("  issued    sql"));
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn passes(bench: &Bench, merged: &Ended) -> Value {
    assert_eq!(merged.code, Some(0), "{}", merged.all());
    let summary = bench.summary();
    for invariant in ["one_per_user", "acknowledged"] {
        let judged = verdict_of(&summary, "invariants", invariant);
        assert_eq!(judged["verdict"], "pass", "{judged}");
    }
    summary
}

#[test]
fn three_segments_of_shared_iterations_are_the_undivided_run() {
    let load = "shared_iterations: { vus: 7, iterations: 400, within: 4s }";
    let whole = undivided(load);
    let (bench, merged) = divided(load, 3);
    let summary = passes(&bench, &merged);
    assert_eq!(summary["requests"], 400);
    assert_eq!(summary["loads"][0]["iterations"], 400);
    assert_eq!(summary["requests"], whole.summary()["requests"]);
    assert_eq!(plan(&bench), plan(&whole));
    let words = "3 segments, all begun at ";
    let from = summary["environment"]["merged"].as_str().expect("said");
    assert!(
        from.starts_with(words) && from.ends_with(" by one clock"),
        "{from}"
    );
    assert!(bench.read("run/report.md").contains(words));

    let (all, of_whole) = (
        operations(&bench.path("run")),
        operations(&whole.path("run")),
    );
    assert_eq!(users(&all), users(&of_whole));
    let vus: std::collections::BTreeSet<_> = all.iter().map(|one| one.vu).collect();
    assert_eq!(vus.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    percentiles_are_those_of_all_attempts(&summary, &all);
    seconds_add_up(&bench, 400);
}

/// Not the mean of what the segments had.
fn percentiles_are_those_of_all_attempts(summary: &Value, all: &[Operation]) {
    let mut times: Vec<u64> = all
        .iter()
        .map(|operation| (operation.ret_ns - operation.inv_ns) / 1_000)
        .collect();
    times.sort_unstable();
    let of_all = &summary["latency_ms"]["all"];
    assert_eq!(of_all["count"], times.len());
    for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        let at = (quantile * times.len() as f64).ceil() as usize - 1;
        let exact_ms = times[at] as f64 / 1_000.0;
        let told_ms = of_all[name].as_f64().expect("a number");
        // Three digits, and a microsecond of rounding.
        let off = (told_ms - exact_ms).abs();
        assert!(
            off <= exact_ms / 500.0 + 0.001,
            "{name}: {told_ms} is not {exact_ms}"
        );
    }
}

/// Each second is the sum of those of the segments.
fn seconds_add_up(bench: &Bench, requests: u64) {
    let read = |name: &str| -> Vec<Value> {
        let lines = bench.read(&format!("{name}/seconds.jsonl"));
        let lines = lines.lines().map(serde_json::from_str);
        lines.map(|line| line.expect("JSON")).collect()
    };
    let sum = |seconds: &[Value], key: &str| -> u64 {
        seconds.iter().filter_map(|one| one[key].as_u64()).sum()
    };
    let merged = read("run");
    assert_eq!(sum(&merged, "requests"), requests);
    let parts: Vec<Value> = ["1", "2", "3"].map(read).concat();
    for key in [
        "requests",
        "iterations",
        "data_sent",
        "data_received",
        "vus",
    ] {
        assert_eq!(sum(&merged, key), sum(&parts, key), "{key}");
    }
    let times: Vec<u64> = merged.iter().filter_map(|one| one["t"].as_u64()).collect();
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
}

#[test]
fn three_segments_of_arrivals_keep_every_tick_of_the_schedule() {
    let load = "constant_arrival_rate: { rate: 61/s, for: 3s, vus: 40, max_vus: 200 }";
    let (bench, merged) = divided(load, 3);
    let summary = passes(&bench, &merged);
    assert_eq!(summary["dropped_iterations"], 0, "{}", merged.all());
    let start_ns = bench
        .read("run/events.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|event| event["event"] == "load_started")
        .and_then(|event| event["at_ns"].as_u64());
    let start_ns = start_ns.expect("the load began");
    let all = operations(&bench.path("run"));
    let due = |one: &Operation| one.inv_ns - u64::from(one.lag_us) * 1_000 - start_ns;
    let mut dues: Vec<u64> = all.iter().map(due).collect();
    dues.sort_unstable();
    let ticks = Ticks::constant(61.0, Duration::from_secs(3));
    let expected = (0..ticks.total()).filter_map(|k| ticks.due(k));
    let expected: Vec<u64> = expected.map(|due| due.as_nanos() as u64).collect();
    assert_eq!(dues.len(), expected.len());
    for (due, expected) in std::iter::zip(dues, expected) {
        // The lag is kept in whole microseconds.
        assert!(due.abs_diff(expected) <= 2_000, "{due} is not {expected}");
    }
}

#[test]
fn the_users_of_a_stampede_are_released_together_by_all_segments() {
    let load = "stampede: { users: 9, connect_within: 3s, within: 3s }";
    let (bench, merged) = divided(load, 2);
    let summary = passes(&bench, &merged);
    assert_eq!(summary["requests"], 9);
    let all = operations(&bench.path("run"));
    let due = |one: &Operation| one.inv_ns / 1_000 - u64::from(one.lag_us);
    let dues: Vec<u64> = all.iter().map(due).collect();
    let (first, last) = (dues.iter().min(), dues.iter().max());
    let apart_us = last.expect("users") - first.expect("users");
    assert!(
        apart_us <= 2,
        "{apart_us} us between the first and the last: {dues:?}"
    );
}

#[test]
fn only_all_segments_of_one_run_are_merged() {
    let load = "per_vu_iterations: { vus: 4, iterations: 5, within: 2s }";
    let (bench, merged) = divided(load, 2);
    let summary = passes(&bench, &merged);
    assert_eq!(summary["requests"], 20);
    alone(&bench);
    on_two_machines(&bench);

    let refused = |directories: &[&str], words: &str| {
        let directories: Vec<String> = directories.iter().map(|one| (*one).to_owned()).collect();
        merge(&bench, &directories, "refused")
            .expect(2)
            .complains(words);
        assert!(!bench.path("refused").exists(), "{words}");
    };
    refused(&["1"], "not all segments of the run are there: 2/2 missing");
    refused(&["1", "2", "2"], "segment 2/2 is there twice");
    refused(&["1", "run"], "run is a whole run and no segment of one");
    refused(&["1", "stack"], "stack is not a run directory");
    let changed = |file: &str, from: &str, to: &str| {
        let of = if file == "events.jsonl" { "1" } else { "2" };
        copied(&bench, of, "other");
        let text = bench.read(&format!("other/{file}"));
        assert!(text.contains(from), "{text}");
        bench.write(&format!("other/{file}"), text.replace(from, to));
    };
    changed("run.json", "\"seed\": null", "\"seed\": 7");
    refused(
        &["1", "other"],
        "are not of one run: the command lines differ",
    );
    changed("run.json", "\"segment\": \"2/2\"", "\"segment\": \"2/3\"");
    refused(&["1", "other"], "the number of segments differs");
    changed("scenario.yaml", "5%", "6%");
    refused(&["1", "other"], "the scenarios differ");
    changed("events.jsonl", "segments_over", "segments_gone");
    refused(
        &["other", "2"],
        "segment 1 has not waited until the others had ended",
    );
    let early = "\"segments_over\",\"at_ns\":1,\"was\":";
    changed("events.jsonl", "\"segments_over\",\"at_ns\":", early);
    refused(&["other", "2"], "after segment 1 began to read the truth");
    changed("events.jsonl", "load_started", "load_stopped");
    refused(&["other", "2"], "segment 1/2 did not begin its load");
}

/// The files of one run directory in another.
fn copied(bench: &Bench, from: &str, to: &str) {
    let _ = std::fs::remove_dir_all(bench.path(to));
    std::fs::create_dir(bench.path(to)).expect("a directory");
    for entry in std::fs::read_dir(bench.path(from)).expect("a run directory") {
        let path = entry.expect("readable").path();
        if path.is_file() {
            let name = path.file_name().expect("a name");
            std::fs::copy(&path, bench.path(to).join(name)).expect("copied");
        }
    }
}

/// What ran on another machine began perhaps a little earlier and ended a little later.
fn on_two_machines(bench: &Bench) {
    copied(bench, "2", "elsewhere");
    let mut record: Value = serde_json::from_str(&bench.read("2/run.json")).expect("JSON");
    record["segment"]["boot"] = "of another machine".into();
    bench.write("elsewhere/run.json", record.to_string());
    let directories = ["1", "elsewhere"].map(str::to_owned);
    merge(bench, &directories, "skewed").expect(0);
    let summary: Value = serde_json::from_str(&bench.read("skewed/summary.json")).expect("JSON");
    let words = "by 2 clocks, which are taken to be at most 10ms from that of segment 1";
    for said in [&summary["environment"]["merged"], &summary["warnings"]] {
        assert!(said.to_string().contains(words), "{said}");
    }
    let lasted = |run: &str| -> BTreeMap<(u32, u64), u64> {
        let all = operations(&bench.path(run)).into_iter();
        all.map(|one| ((one.vu, one.coupon.0), one.ret_ns - one.inv_ns))
            .collect()
    };
    let (exact, wide) = (lasted("run"), lasted("skewed"));
    assert_eq!(exact.len(), wide.len());
    for (which, lasted) in exact {
        let wider = if which.0 % 2 == 1 { 20_000_000 } else { 0 };
        assert_eq!(wide[&which], lasted + wider, "{which:?}");
    }
}

/// A segment that ran well fails no CI job, and claims nothing.
fn alone(bench: &Bench) {
    let checked = bench.run(&["check", "2"]).expect(0);
    let words = "segment 2 of 2: `fcfs-bench merge` of all 2 judges them";
    let said = checked
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.contains(words), "{}", checked.all());
    let summary: Value = serde_json::from_str(&bench.read("2/summary.json")).expect("JSON");
    assert_eq!(
        (&summary["verdict"], &summary["requests"]),
        (&"unknown".into(), &10.into())
    );
    assert_eq!(bench.read("2/truth.jsonl"), "", "only the first reads it");
    let events = bench.read("1/events.jsonl");
    assert!(events.contains("\"event\":\"segments_over\""), "{events}");
}

#[test]
fn what_no_segment_can_do_alone_is_refused_before_anything_runs() {
    let bench = Bench::new();
    let load = "ramping_vus: { stages: [ { for: 4s, to: 8 } ] }";
    let text = scenario(&bench, load);
    bench.write("scenario.yaml", &text);
    let planned = bench
        .run(&["plan", "scenario.yaml", "--segment", "3/3"])
        .expect(0);
    for words in [
        "segment     3 of 3; what is done once is done by segment 1",
        "  here      2 VUs at most",
        "depend on the answers: 4 VU-seconds",
    ] {
        assert!(
            planned.stdout.contains(words),
            "no {words:?}: {}",
            planned.all()
        );
    }
    assert!(!planned.stdout.contains("truth"), "{}", planned.all());

    let segment = ["--segment", "1/3"];
    bench
        .run_scenario(&segment)
        .expect(2)
        .complains("segments must begin together");
    let late = [&segment[..], &["--start-at", "2026-01-01T00:00:00Z"]].concat();
    let ended = bench.run_scenario(&late).expect(113);
    ended.complains("start all segments again, with a later --start-at");
    assert!(!bench.path("run").exists());

    let refused = |from: &str, to: &str, words: &str| {
        assert!(text.contains(from), "{text}");
        bench.write("scenario.yaml", text.replace(from, to));
        let ended = bench
            .run(&["plan", "scenario.yaml", "--segment", "2/3"])
            .expect(104);
        ended.complains(words);
    };
    let stack = "target: { stack: {} }";
    refused(
        "target: { url: \"http://127.0.0.1:1\" }",
        stack,
        "each segment would bring up a system of its own",
    );
    let abort = "[ { threshold: \"rate<1%\", abort: true } ]";
    refused(
        "[\"rate<1%\"]",
        abort,
        "ends the load, but a segment knows only its own figures",
    );
    let fault = "faults: [ { name: slow, client: { delay: { by: 5ms } }, after: 1s, for: 1s } ]\nthresholds:";
    refused("thresholds:", fault, "on the way of one segment's requests");
    let before = "before: [ { name: make, post: /coupons, capture: { made: /id } } ]\nthresholds:";
    refused(
        "thresholds:",
        before,
        "captures `made`, which only segment 1 would know",
    );
}

#[test]
fn a_pod_of_a_job_knows_its_segment() {
    let bench = Bench::new();
    bench.write(
        "scenario.yaml",
        scenario(&bench, "constant_vus: { vus: 5, for: 1s }"),
    );
    let plan = |index: Option<&str>| {
        let args = ["plan", "scenario.yaml", "--segment", "job/3"];
        let running = bench.start_with(&args, |command| {
            command.env_remove("JOB_COMPLETION_INDEX");
            if let Some(index) = index {
                command.env("JOB_COMPLETION_INDEX", index);
            }
        });
        running.wait()
    };
    let planned = plan(Some("2")).expect(0);
    assert!(
        planned.stdout.contains("segment     3 of 3"),
        "{}",
        planned.all()
    );
    plan(None)
        .expect(2)
        .complains("JOB_COMPLETION_INDEX is not set");
    plan(Some("3")).expect(2).complains("`4/3` is no segment");
}
