//! The four-server system under a crowd: by what its users are told, who enters first is admitted
//! first, and by what Redis says, never more than the threshold are inside.
//!
//! `FCFS_QUEUE` runs it at another size, as arguments of `run`: `FCFS_QUEUE=""` is the scenario as
//! it is shipped, 4,500 users for four minutes.

#[path = "support/harness/mod.rs"]
mod harness;

use std::path::Path;
use std::time::Duration;

use harness::{Bench, Running, part_of, shipped, verdict_of};
use serde_json::Value;

const SCENARIO: &str = "scenarios/documents/c-queue-4500.yaml";

/// 180 users, of whom 40 may be inside, and two queue servers that could disagree.
const SMALL: &str = "--scale time=0.06,vus=0.04 \
    --set target.stack.server.queue_threshold=40 \
    --set target.stack.server.queue_transfer_size=15 \
    --set target.stack.server.queue_traffic_rpm=60 \
    --set target.stack.server.replicas.router=2 \
    --set target.stack.server.replicas.queue=2 \
    --set target.stack.server.replicas.coupon=2 \
    --set subject.coupon.stock=300";

#[test]
fn first_in_is_first_admitted_and_never_more_than_the_threshold() {
    let arguments = std::env::var("FCFS_QUEUE").unwrap_or_else(|_| SMALL.to_owned());
    let mut more: Vec<&str> = arguments.split_whitespace().collect();
    more.extend(["--provider", "local"]);
    let bench = Bench::new();
    let threshold = threshold(&arguments);
    let limit = format!("at_most: {threshold}");
    bench.write("scenario.yaml", text().replace("at_most: 500", &limit));
    let mut running = bench.start_scenario(&more);
    let most = most_inside(&bench.path("run/stack/redis-1/redis.conf"), &mut running);
    running.wait().expect(0);

    assert!(most > 0, "nobody was ever seen inside");
    assert!(most <= threshold, "{most} inside, {threshold} may be");
    let summary = bench.summary();
    let verdict = verdict_of(&summary, "invariants", "queue");
    assert_eq!(verdict["verdict"], "pass", "{verdict}");
    let parts = [
        "tickets",
        "ticket_order",
        "gaps",
        "ahead",
        "swapped",
        "overtaken",
        "admitted",
    ];
    for name in parts {
        let part = part_of(&summary, "queue", name);
        assert_eq!(part["verdict"], "pass", "{part}");
    }
    eprintln!("at most {most} of {threshold} inside; {verdict}");
}

/// Runs a scenario of the zoo, with its bug, and judges it again from its directory.
fn zoo(scenario: &str, bug: Option<&str>) -> (Bench, Value) {
    let bench = Bench::new();
    let path = shipped(&format!("scenarios/zoo/{scenario}.yaml"));
    let mut args = vec![
        "run",
        &path,
        "--provider",
        "local",
        "--quiet",
        "--out",
        "run",
    ];
    args.extend(bug.into_iter().flat_map(|bug| ["--bug", bug]));
    let code = if bug.is_some() { 111 } else { 0 };
    bench.run(&args).expect(code);
    let judged = bench.summary();
    bench.run(&["check", "run"]).expect(code);
    assert_eq!(bench.summary()["findings"], judged["findings"]);
    (bench, judged)
}

#[test]
fn a_queue_with_a_guard_holds_and_one_that_asks_nobody_does_not() {
    let (_, right) = zoo("queued", None);
    let verdict = verdict_of(&right, "invariants", "queue");
    assert_eq!(verdict["verdict"], "pass", "{verdict}");
    let part = part_of(&right, "queue", "skipped");
    assert!(
        part["detail"]
            .as_str()
            .is_some_and(|text| text.contains("none of a user"))
    );

    let (bench, wrong) = zoo("queued", Some("queue-skipped"));
    let part = part_of(&wrong, "queue", "skipped");
    assert_eq!(part["verdict"], "fail", "{part}");
    let case = &part["cases"][0]["text"];
    assert_eq!(
        *case,
        "told \"issued\", and had asked nothing that lets in before"
    );
    let told = part["explanation"]["moments"].as_array().expect("a story");
    let has = |what: &str| told.iter().any(|one| one["what"] == what);
    assert!(has("asked") && has("truth"), "{part}");
    assert!(
        bench
            .read("run/report.md")
            .contains("explained/queue-skipped.svg")
    );
    assert_eq!(part_of(&wrong, "queue", "admitted")["verdict"], "pass");
}

#[test]
fn a_scheduler_that_forgets_who_is_inside_is_caught_by_the_limit() {
    let (_, wrong) = zoo("queued", Some("admission-over-limit"));
    let part = part_of(&wrong, "queue", "admitted");
    assert_eq!(part["verdict"], "fail", "{part}");
    assert_eq!(part_of(&wrong, "queue", "overtaken")["verdict"], "pass");
    assert_eq!(part_of(&wrong, "queue", "tickets")["verdict"], "pass");
}

#[test]
fn tickets_by_the_clocks_of_two_servers_are_out_of_order_and_counted_ones_are_not() {
    let (_, right) = zoo("queued-clocks", None);
    assert_eq!(part_of(&right, "queue", "ticket_order")["verdict"], "pass");
    let (_, wrong) = zoo("queued-clocks", Some("ticket-wall-clock"));
    let part = part_of(&wrong, "queue", "ticket_order");
    assert_eq!(part["verdict"], "fail", "{part}");
}

fn text() -> String {
    std::fs::read_to_string(shipped(SCENARIO)).expect("a scenario")
}

/// As the scenario has it, or as it was set.
fn threshold(arguments: &str) -> u64 {
    let set = arguments.split("queue_threshold=").nth(1);
    let text = text();
    let written = text.split("queue_threshold: ").nth(1);
    let number = set
        .or(written)
        .and_then(|text| text.split_whitespace().next());
    number.expect("a threshold").parse().expect("a number")
}

/// The most that were ever seen inside, looking as often as Redis answers.
fn most_inside(configuration: &Path, running: &mut Running) -> u64 {
    let mut most = 0;
    let mut connection = None;
    while !running.has_ended() {
        if connection.is_none() {
            connection = connect(configuration);
        }
        let Some(redis) = &mut connection else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        let asked = redis::cmd("ZCARD")
            .arg("queue:COUPON:1:running")
            .query(redis);
        match asked {
            Ok(inside) => most = most.max(inside),
            // The run has stopped it, or it is not there yet.
            Err(_) => connection = None,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

fn connect(configuration: &Path) -> Option<redis::Connection> {
    let text = std::fs::read_to_string(configuration).ok()?;
    let port = text.lines().find_map(|line| line.strip_prefix("port "))?;
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", port.trim())).ok()?;
    client.get_connection().ok()
}
