//! The steady path of the load allocates nothing for a request: what it needs is kept by its VU.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use fcfs_bench::load::http::Endpoint;
use fcfs_bench::load::{Job, RunClock, drain};
use fcfs_bench::plan::{Overrides, Target as PlanTarget, load};
use target::{Reply, Target};

const SCENARIO: &str = r#"
name: allocations
target: { url: "{url}" }
users: { pool: 1_000_000 }
subject: { coupon: { id: 1, stock: 1_000_000 } }
load: { opening: { constant_vus: { vus: 4, for: 1m } } }
flows:
  opening:
    - name: issue
      post: /coupons/{{ coupon.id }}/issue
      headers: { x-request: "{{ uuid }}" }
      json: { userId: "{{ user }}" CAPTURED }
      outcomes:
        issued: { status: 201, json: { /result: SUCCESS }, id: /couponId }
        sold_out: { status: 201, json: { /result: SOLD_OUT } }
"#;

/// Allocations of the thread that sends so many requests, beside what a load begins and ends with.
fn allocations(scenario: &str, requests: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let scenario = scenario.to_owned();
    let mut sent = 0;
    let counted = allocation_counter::measure(|| {
        sent = runtime.block_on(async {
            let text = scenario;
            let plan = load("allocations.yaml", &text, &Overrides::default(), &|_| None);
            let plan = plan.expect("a plan");
            let PlanTarget::Urls { urls, .. } = &plan.target else {
                panic!("the scenario has a url");
            };
            let url = urls[0].clone();
            let endpoint = Endpoint::resolve(url, false, &[]).await.expect("loopback");
            let (sink, _batches) = sync_channel(1_000);
            let slots = plan.slots.iter().map(|_| None).collect();
            let job = Job {
                plan: Arc::new(plan),
                clock: RunClock::start(),
                endpoints: [endpoint].into(),
                sink,
                slots,
                records: None,
                next_place: Arc::new(AtomicU64::new(0)),
            };
            let within = Duration::from_mins(1);
            let drained = drain(&job, 0, requests, within).await.expect("a load");
            drained.issued
        });
    });
    assert_eq!(sent, requests, "every one is answered as issued");
    counted.count_total
}

/// Allocations for each request: the difference between a long and a short load.
fn each(captured: &str) -> f64 {
    let body = r#"{"result":"SUCCESS","list":[1,2],"couponId":17}"#;
    let target = Target::start(move |_| Reply::answer(201, body));
    let scenario = SCENARIO.replace("{url}", &target.url());
    let scenario = scenario.replace("CAPTURED", captured);
    let (short, long) = (2_000, 12_000);
    let more = allocations(&scenario, long) as f64 - allocations(&scenario, short) as f64;
    more / (long - short) as f64
}

#[test]
fn a_request_allocates_nothing() {
    // A batch of 2,048 operations is one allocation, which its receiver keeps.
    let each = each("");
    assert!(each < 0.01, "{each} allocations for each request");
}

#[test]
fn what_allocates_is_counted() {
    // The proof of the counter: what an answer has brought is a text of its own.
    let each = each("}\n      capture: { kept: /couponId");
    assert!(each > 0.9, "{each} allocations for each request");
}
