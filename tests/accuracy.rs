//! What is measured is right: quantiles against a server that knows its own delays, and a stall
//! that shows in every iteration that was due.
//!
//! The reference is always what the server itself has measured, so that a busy machine makes a test
//! slow but not wrong. These tests run one at a time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bench::{Bench, Ran};
use fcfs_bench::history::{Operation, OutcomeKind};
use fcfs_bench::report::Summary;
use target::{Reply, Request, Target};

/// A server whose timers were later than this ran on a machine that cannot be measured on.
const LATE: Duration = Duration::from_millis(5);

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tries again as long as the machine itself was late, and not for ever.
fn on_a_calm_machine(attempt: impl Fn() -> Result<(), (Duration, String)>) {
    let mut said = Vec::new();
    for _ in 0..5 {
        let Err((late, wrong)) = attempt() else {
            return;
        };
        assert!(late > LATE, "{wrong}");
        said.push(wrong);
    }
    panic!("{}", said.join("; and again: "));
}

/// Most answers take 2 to 20 ms, one in a hundred 100 to 200 ms, one in a thousand 400 ms.
fn delay(number: u64) -> Duration {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Duration::from_micros(match number % 1_000 {
        17 | 521 => 400_000,
        n if n % 100 == 50 => 100_000 + mixed % 100_000,
        _ => 2_000 + mixed % 18_000,
    })
}

/// The smallest value that so large a share of all values does not exceed.
fn quantile(sorted: &[Duration], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted[rank.max(1) - 1].as_secs_f64() * 1e3
}

#[test]
fn quantiles_are_those_of_the_server_within_one_percent_and_at_the_tail_a_tenth_of_a_millisecond() {
    let _alone = alone();
    on_a_calm_machine(|| {
        let target = Target::start(|request| Reply::issued().after(delay(request.number)));
        let load = "constant_arrival_rate: { rate: 400/s, for: 8s, vus: 200, max_vus: 400 }";
        let ran = Bench::load(load).run(&target.url());
        let summary = ran.summary();
        assert_eq!((summary.requests, summary.dropped_iterations), (3_200, 0));
        compare(&summary, &target).map_err(|wrong| (target.lateness(), wrong))
    });
}

fn compare(summary: &Summary, target: &Target) -> Result<(), String> {
    let took = |seen: &target::Seen| seen.answered.unwrap() - seen.request.arrived;
    let mut reference: Vec<_> = target.seen().iter().map(took).collect();
    reference.sort_unstable();
    let (service, response) = (&summary.latency_ms["issue"], &summary.response_ms["issue"]);
    let lag = summary.loads[0].lag_p99_ms.unwrap();
    let table = [
        ("p50", 0.5, 1.0, service.p50, response.p50),
        ("p99", 0.99, 1.0, service.p99, response.p99),
        ("p99.9", 0.999, 0.1, service.p999, response.p999),
    ];
    for (name, share, beside, service, response) in table {
        let truth = quantile(&reference, share);
        let near = |measured: f64, late: f64| {
            let allowed = truth * 0.01 + beside;
            (measured - truth + 0.05) >= -allowed && measured - truth <= allowed + late
        };
        // The response time holds how late the generator was, and says so itself.
        if !near(service, 0.0) || !near(response, lag) {
            return Err(format!(
                "{name}: the server took {truth:.2} ms, measured {service:.2} ms, \
                 from the schedule {response:.2} ms, late {lag:.2} ms"
            ));
        }
    }
    Ok(())
}

const RATE: u64 = 200;
const SECONDS: u64 = 4;
const DUE: u64 = RATE * SECONDS;

/// Holds every answer between 1 s and 3 s after its first request.
fn stall() -> Target {
    let begin = OnceLock::new();
    Target::start(move |request: &Request| {
        let begin: Instant = *begin.get_or_init(|| request.arrived);
        let (from, to) = (
            begin + Duration::from_secs(1),
            begin + Duration::from_secs(3),
        );
        if (from..to).contains(&request.arrived) {
            Reply::issued().after(to - request.arrived)
        } else {
            Reply::issued()
        }
    })
}

fn run_into_stall(vus: u64) -> (Ran, Target) {
    let target = stall();
    let rate = format!("rate: {RATE}/s, for: {SECONDS}s, vus: {vus}, max_vus: {vus}");
    let ran = Bench::load(&format!("constant_arrival_rate: {{ {rate} }}")).run(&target.url());
    (ran, target)
}

/// How late the machine was at worst: a timer of the server, or the start of an iteration.
fn late(ran: &Ran, target: &Target) -> Duration {
    let lag_us = ran.operations().iter().map(|o| o.lag_us).max();
    let lag = Duration::from_micros(lag_us.unwrap_or(0).into());
    lag.max(target.lateness())
}

/// When the operation was due, in nanoseconds since the start of the load.
fn due_ns(operation: &Operation, start_ns: u64) -> u64 {
    operation.inv_ns - u64::from(operation.lag_us) * 1_000 - start_ns
}

#[test]
fn a_stall_shows_in_the_response_time_of_every_iteration_that_was_due() {
    let _alone = alone();
    on_a_calm_machine(|| {
        let (ran, target) = run_into_stall(600);
        every_due_iteration_waited(&ran, &target).map_err(|wrong| (late(&ran, &target), wrong))
    });
}

/// What no machine excuses fails at once; an error is what a late one may cause.
fn every_due_iteration_waited(ran: &Ran, target: &Target) -> Result<(), String> {
    let operations = ran.operations();
    assert_eq!(operations.len() as u64, DUE);
    assert_eq!(ran.issued() as u64, DUE);
    assert_eq!(ran.summary().dropped_iterations, 0);

    // The schedule itself is kept: one iteration is due every 5 ms, whatever the server does.
    let start_ns = ran.start_ns();
    let mut due: Vec<_> = operations.iter().map(|o| due_ns(o, start_ns)).collect();
    due.sort_unstable();
    for (k, due) in due.iter().enumerate() {
        let meant = k as u64 * 1_000_000_000 / RATE;
        assert!(
            due.abs_diff(meant) < 2_000,
            "{k}: due at {due} ns, not at {meant}"
        );
    }

    // The end of the stall on the client's clock: the server has said it to all who waited.
    let waited = |operation: &&Operation| operation.ret_ns - operation.inv_ns > 1_000_000_000;
    let end = operations
        .iter()
        .filter(waited)
        .map(|o| o.ret_ns)
        .min()
        .unwrap()
        - start_ns;
    let stalled = target
        .seen()
        .iter()
        .filter(|seen| {
            let answered = seen.answered.unwrap();
            answered - seen.request.arrived > Duration::from_millis(100)
        })
        .count();
    if !(360..=400).contains(&stalled) {
        return Err(format!("{stalled} requests came into the stall"));
    }
    let first = 1_100_000_000;
    let mut seen = 0;
    for operation in &operations {
        let due = due_ns(operation, start_ns);
        if (first..end - 100_000_000).contains(&due) {
            seen += 1;
            let response = operation.ret_ns - start_ns - due;
            // Answers come back one after the other; none can come before the stall's end.
            assert!(response + 20_000_000 >= end - due, "{operation:?}");
        }
    }
    assert!(seen > 300, "{seen}");
    let response = ran.summary().response_ms["issue"];
    assert!(response.p99 > 1_850.0, "{response:?}");
    assert!(
        response.p50 > 100.0 || response.p90 > 1_000.0,
        "{response:?}"
    );
    Ok(())
}

#[test]
fn iterations_without_a_vu_are_dropped_and_not_forgotten() {
    let _alone = alone();
    on_a_calm_machine(|| {
        let (ran, target) = run_into_stall(50);
        let (sent, dropped) = (ran.sent().len() as u64, ran.summary().dropped_iterations);
        assert_eq!(sent + dropped, DUE);
        assert_eq!(target.seen().len() as u64, sent);
        let summary = ran.summary();
        assert_eq!(summary.loads[0].dropped, dropped);
        assert_eq!(
            ran.ending(OutcomeKind::Issued, fcfs_bench::history::Cause::None) as u64,
            sent
        );
        // 50 of some 400 find a VU while the server is silent.
        if !(300..=400).contains(&dropped) {
            return Err((late(&ran, &target), format!("{dropped} were dropped")));
        }
        Ok(())
    });
}

#[test]
fn dropped_iterations_belong_to_the_phase_in_which_they_were_due() {
    let _alone = alone();
    let target = Target::start(|_| Reply::issued().after(Duration::from_millis(400)));
    // 10 VUs serve 25 a second; the first phase asks for less, the second for four times as many.
    let load = "ramping_arrival_rate: { start: 10/s, vus: 10, stages: [ \
                { name: calm, for: 1s, to: 10/s }, { name: jump, for: 0s, to: 100/s }, \
                { name: rush, for: 1s, to: 100/s } ] }";
    let ran = Bench::load(load).run(&target.url());
    let dropped = ran.summary().dropped_iterations;
    assert_eq!(ran.sent().len() as u64 + dropped, 110);
    let calm: u64 = ran.sent().iter().filter(|o| o.phase == 0).count() as u64;
    assert_eq!(calm, 10);
    assert!(dropped >= 50, "{dropped}");
    let seconds = ran.file("seconds.jsonl");
    // The jump between them is a phase without time.
    let by_phase = |phase: &str| -> u64 {
        let lines = seconds.lines();
        lines
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter_map(|second| second["dropped"][phase].as_u64())
            .sum()
    };
    assert_eq!((by_phase("0"), by_phase("2")), (0, dropped));
}
