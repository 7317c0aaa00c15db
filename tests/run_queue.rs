//! The four-server system under a crowd: who enters first is admitted first, and never more than
//! the threshold are inside.
//!
//! `FCFS_QUEUE` runs it at another size, as arguments of `run`: `FCFS_QUEUE=""` is the scenario as
//! it is shipped, 4,500 users for four minutes.

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/queue_order.rs"]
mod queue_order;

use std::path::Path;
use std::time::Duration;

use fcfs_bench::check::History as _;
use fcfs_bench::history::{HistoryFile, OutcomeKind};
use fcfs_bench::plan::{self, Overrides, Plan};
use harness::{Bench, Running, shipped};
use queue_order::{Journey, overtaken};

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
    bench.write("scenario.yaml", text());
    let mut running = bench.start_scenario(&more);
    let threshold = threshold(&arguments);
    let most = most_inside(&bench.path("run/stack/redis-1/redis.conf"), &mut running);
    running.wait().expect(0);

    assert!(most > 0, "nobody was ever seen inside");
    assert!(most <= threshold, "{most} inside, {threshold} may be");
    let plan = planned(&text());
    let history = history(&bench.path("run"), &plan);
    assert_eq!(history.errors, 0, "answers that are none of the protocol's");
    assert!(history.journeys.len() > 20, "{}", history.journeys.len());
    let overtaken = overtaken(&history.journeys);
    assert_eq!(overtaken, [], "of {}", history.journeys.len());
    eprintln!(
        "{} users queued, at most {most} of {threshold} inside, nobody overtaken",
        history.journeys.len()
    );
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

fn planned(text: &str) -> Plan {
    let plan = plan::load("scenario.yaml", text, &Overrides::default(), &|_| None);
    plan.unwrap_or_else(|error| panic!("{error}"))
}

struct Seen {
    journeys: Vec<Journey>,
    errors: u64,
}

/// What each user saw of the queue.
fn history(run: &Path, plan: &Plan) -> Seen {
    let step = |name: &str| {
        let found = plan.steps.iter().position(|step| step.name == name);
        found.expect("a step") as u8
    };
    let label = |name: &str| {
        let found = plan.labels.iter().position(|label| label.name == name);
        found.expect("a label") as u8
    };
    let (enter, order) = (step("enter"), step("order"));
    let [entered, waiting, admitted] = ["entered", "waiting", "admitted"].map(label);
    let mut users = std::collections::HashMap::<_, Journey>::new();
    let mut errors = 0;
    let file = HistoryFile::open(run).expect("a history");
    for operation in file.operations().expect("a history") {
        let operation = operation.expect("a record");
        if matches!(operation.kind, OutcomeKind::Error | OutcomeKind::Unknown) {
            errors += 1;
        }
        let (sent, answered) = (operation.inv_ns, operation.ret_ns);
        let user = users.entry(operation.user).or_default();
        if operation.step == enter && operation.label == entered {
            user.entered = Some((sent, answered));
        } else if operation.step == order && operation.label == waiting {
            user.last_waiting_sent = Some(sent.max(user.last_waiting_sent.unwrap_or(0)));
        } else if operation.step == order && operation.label == admitted {
            user.admitted_answered = Some(answered);
        }
    }
    let queued = users.into_values().filter(|user| user.entered.is_some());
    Seen {
        journeys: queued.collect(),
        errors,
    }
}
