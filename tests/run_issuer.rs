//! Processes and brokers that die in mid-run: the operator kills and restarts them, the program
//! loads the system and judges what became of the coupons.

#![allow(clippy::unwrap_used, reason = "the starters of databases panic")]

#[path = "support/databases.rs"]
#[allow(dead_code, reason = "not every database is used here")]
mod databases;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/operator.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod operator;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use harness::scenario::Scenario;
use harness::{Bench, Running, part_of, verdict_of, wait_until};
use operator::{Numbers, Role, Services, System};

/// Some seconds at least, however fast the machine is: the pauses alone take so long.
const TEN_SECONDS: &str = "shared_iterations: { vus: 6, iterations: 1000, within: 5m }";
const THREE_SECONDS: &str = "shared_iterations: { vus: 20, iterations: 1000, within: 5m }";
const THINK: &str = "60ms";

/// Fewer than there are users, so that it sells out.
const STOCK: u64 = 800;

/// For the tests that leave the broker alone.
fn services() -> Arc<Services> {
    static RUNNING: Mutex<Weak<Services>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(services) = running.upgrade() {
        return services;
    }
    let services = Arc::new(Services::start());
    *running = Arc::downgrade(&services);
    services
}

/// A run under way against this process.
fn run_against(coupon: &Role, system: &System, bench: &Bench, load: &str) -> Running {
    // The brokers give up a killed issuer after 6 s, and the rows rest until then.
    let scenario = Scenario::short().load(load).think(THINK).stock(STOCK);
    let scenario = scenario.url(&coupon.url()).truth(&system.truth());
    let text = scenario.quiet("6s").to_string();
    bench.write("scenario.yaml", text.replace("within: 30s", "within: 60s"));
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says(" VUs ");
    running
}

#[track_caller]
fn wait_for(coupon: &Role, what: &str, holds: impl Fn(Numbers) -> bool) -> Numbers {
    let mut seen = coupon.numbers();
    wait_until(what, || {
        seen = coupon.numbers();
        holds(seen)
    });
    seen
}

/// Kills the issuer behind its first rows, and lets users be answered without one.
fn kill_issuer(issuer: Role, coupon: &Role) {
    wait_for(coupon, "the issuer writes", |now| now.rows >= 50);
    issuer.kill();
    let at = coupon.numbers();
    wait_for(coupon, "coupons without a row", |now| {
        now.given >= at.given + 100 && now.given > now.rows
    });
}

#[test]
fn an_issuer_that_is_killed_and_started_again_writes_one_row_for_each_confirmation() {
    let services = services();
    let survives = |name: &'static str, number: u8, strategy: &'static str| {
        let bench = Bench::new();
        let system = services.system(name, number, strategy, STOCK, bench.path(""));
        let (coupon, issuer) = (system.start("coupon", &[]), system.start("issuer", &[]));
        let running = run_against(&coupon, &system, &bench, TEN_SECONDS);
        kill_issuer(issuer, &coupon);
        let _again = system.start("issuer", &[]);
        let ended = running.wait().expect(0);
        let summary = bench.summary();
        for invariant in ["stock", "one_per_user", "acknowledged"] {
            let judged = verdict_of(&summary, "invariants", invariant);
            assert_eq!(judged["verdict"], "pass", "{strategy}: {}", ended.all());
        }
        let told = summary["outcomes"]["issued"].as_u64();
        assert_eq!(told, Some(STOCK), "{strategy}: {}", ended.all());
        assert_eq!(coupon.numbers().rows, STOCK as i64, "{strategy}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| survives("killed_kafka", 1, "redis-kafka"));
        scope.spawn(|| survives("killed_outbox", 2, "outbox"));
    });
}

#[test]
fn an_issuer_that_stays_away_is_a_loss_that_the_verdict_shows() {
    let services = services();
    let bench = Bench::new();
    let system = services.system("stays_away", 3, "redis-kafka", STOCK, bench.path(""));
    let (coupon, issuer) = (system.start("coupon", &[]), system.start("issuer", &[]));
    let running = run_against(&coupon, &system, &bench, THREE_SECONDS);
    kill_issuer(issuer, &coupon);
    let ended = running.wait().expect(111);
    let now = coupon.numbers();
    let summary = bench.summary();
    let part = part_of(&summary, "acknowledged", "lost");
    let lost = format!(
        "{} of {} confirmations lost",
        now.given - now.rows,
        now.given
    );
    assert_eq!(part["detail"], lost, "{}", ended.all());
}

#[test]
fn coupons_that_were_fired_at_a_dead_broker_and_forgotten_are_named() {
    let mut services = Services::start();
    let bench = Bench::new();
    let system = services.system("forgotten", 0, "fire-and-forget", STOCK, bench.path(""));
    let impatient = ["--kafka-delivery-timeout-ms", "1000"];
    let coupon = system.start("coupon", &impatient);
    let _issuer = system.start("issuer", &[]);
    let running = run_against(&coupon, &system, &bench, TEN_SECONDS);
    wait_for(&coupon, "the issuer writes", |now| now.rows >= 50);
    services.kafka.stop();
    wait_until("events are given up", || {
        system.text("coupon").contains("event_lost")
    });
    services.kafka.start_again();
    let ended = running.wait().expect(111);

    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "fail", "{}", ended.all());
    let part = part_of(&summary, "acknowledged", "lost");
    let count = part["count"].as_u64().expect("a number");
    let told = summary["outcomes"]["issued"].as_u64().expect("a number");
    assert!(0 < count && count < told, "{part}");
    let cases = part["cases"].as_array().expect("a list");
    assert!(!cases.is_empty(), "{part}");
    let (holders, report) = (system.holders(), bench.read("run/report.md"));
    for case in cases {
        let user = case["user"].as_str().expect("a text").to_owned();
        assert!(report.contains(&format!("`{user}`")), "{user}: {report}");
        assert!(!holders.contains(&user), "{user} has a coupon: {part}");
    }
}
