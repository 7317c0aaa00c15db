//! The engine by itself: a VU that panics ends the load with an error, and the drain phase.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/job.rs"]
mod job;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use fcfs_bench::history::{Cause, Operation, OutcomeKind};
use fcfs_bench::load::{Batch, Drained, Engine, Files, drain};
use fcfs_bench::plan::{Action, Overrides, Plan, load};
use job::job;
use target::{Reply, Request, Target};

const SCENARIO: &str = r#"
name: engine
target: { url: "{url}" }
subject: { coupon: { id: 1, stock: 5 } }
load: { opening: { constant_vus: { vus: 4, for: 1m } } }
flows:
  opening:
    - name: issue
      post: /issue
      json: { userId: "{{ user }}" }
      timeout: 5s
      outcomes: { issued: { status: 201 }, sold_out: { status: 400 } }
"#;

fn plan(url: &str) -> Plan {
    let text = SCENARIO.replace("{url}", url);
    load("engine.yaml", &text, &Overrides::default(), &|_| None).unwrap()
}

fn operations(batches: &Receiver<Batch>) -> Vec<Operation> {
    let batches = batches.try_iter();
    batches
        .filter_map(|batch| match batch {
            Batch::Operations(operations, _) => Some(operations),
            Batch::Second(_) => None,
        })
        .flatten()
        .collect()
}

#[tokio::test]
async fn a_vu_that_panics_ends_the_load_of_all_threads_with_an_error() {
    for files in [Files::OfProcess, Files::OfThread] {
        let target = Target::start(|_| Reply::issued().after(Duration::from_millis(5)));
        let mut plan = plan(&target.url());
        // No planning makes such a step; it stands for any broken promise in a VU.
        plan.flows[0].actions.push(Action::Request(9));
        let (job, _batches) = job(plan).await;
        let begin = Instant::now();
        let mut engine = Engine::start(&job, 3, files, 0).unwrap();
        engine.ended().await;
        assert!(begin.elapsed() < Duration::from_secs(20));
        let error = engine.join().unwrap_err();
        assert!(error.to_string().contains("panic"), "{error}");
    }
}

/// Drains against this program, within a second and with at most 100 requests.
async fn drained(
    program: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Drained, Vec<Operation>, usize) {
    let target = Target::start(program);
    let (job, batches) = job(plan(&target.url())).await;
    let drained = drain(&job, 0, 100, Duration::from_secs(1)).await.unwrap();
    (drained, operations(&batches), target.seen().len())
}

#[tokio::test]
async fn the_drain_ends_with_the_first_sold_out() {
    let (drained, operations, seen) = drained(|_| Reply::answer(400, "")).await;
    assert_eq!(
        (drained.requests, drained.issued, drained.sold_out),
        (1, 0, true)
    );
    assert_eq!((operations.len(), seen), (1, 1));

    let (drained, operations, seen) = self::drained(|request| {
        let left = request.number < 20;
        Reply::answer(if left { 201 } else { 400 }, "").after(Duration::from_millis(2))
    })
    .await;
    assert!(drained.sold_out);
    assert_eq!(drained.issued, 20);
    assert_eq!((operations.len(), drained.requests), (seen, seen as u64));
    // Those who asked at the same time as the first sold-out are under way already.
    assert!(seen <= 20 + 8, "{seen}");
}

#[tokio::test]
async fn the_drain_asks_no_more_than_it_may() {
    let (drained, operations, seen) = drained(|_| Reply::issued()).await;
    assert_eq!(
        (drained.requests, drained.issued, drained.sold_out),
        (100, 100, false)
    );
    assert_eq!((operations.len(), seen), (100, 100));
}

#[tokio::test]
async fn the_drain_gives_up_in_time_and_records_what_it_cuts() {
    let (drained, operations, seen) = drained(|request| {
        if request.number < 10 {
            Reply::issued()
        } else {
            Reply::silence()
        }
    })
    .await;
    assert_eq!((drained.issued, drained.sold_out), (10, false));
    assert_eq!((operations.len(), seen), (18, 18));
    let cut = |o: &&Operation| (o.kind, o.cause) == (OutcomeKind::Unknown, Cause::Cut);
    assert_eq!(operations.iter().filter(cut).count(), 8);
}

#[tokio::test]
async fn the_drain_does_not_spend_its_requests_on_a_target_that_is_gone() {
    let target = Target::start(|_| Reply::issued());
    let (job, batches) = job(plan(&target.url())).await;
    drop(target);
    let drained = drain(&job, 0, 10_000, Duration::from_secs(1))
        .await
        .unwrap();
    let operations = operations(&batches);
    assert!(operations.iter().all(|o| o.kind == OutcomeKind::NotSent));
    assert!((2..=180).contains(&drained.requests), "{drained:?}");
}
