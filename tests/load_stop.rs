//! How a load ends before its time, in each state that it can be in.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::time::{Duration, Instant};

use bench::{Bench, Ran};
use fcfs_bench::history::{Cause, OutcomeKind};
use target::{FullListener, Reply, Target};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn slow(answer: u64) -> Target {
    Target::start(move |_| Reply::issued().after(ms(answer)))
}

fn cut(ran: &Ran) -> usize {
    ran.ending(OutcomeKind::Unknown, Cause::Cut)
}

/// Interrupts the load so many times when it is ready for that.
fn interrupted(load: &str, url: &str, times: u32, ready: impl Fn() -> bool) -> Ran {
    let running = Bench::load(load).threads(2).start(url);
    while !ready() {
        std::thread::sleep(ms(5));
    }
    for _ in 0..times {
        running.interrupt();
        std::thread::sleep(ms(50));
    }
    let begin = Instant::now();
    let ran = running.ended();
    // Every load of these tests would take a minute.
    assert!(begin.elapsed() < Duration::from_secs(8), "{load}");
    ran
}

#[test]
fn one_interrupt_lets_iterations_finish_and_two_cut_them() {
    let loads = [
        "constant_vus: { vus: 6, for: 1m }",
        "ramping_vus: { start: 6, stages: [ { for: 1m, to: 3 } ] }",
        "per_vu_iterations: { vus: 6, iterations: 600 }",
        "shared_iterations: { vus: 6, iterations: 6000 }",
        "constant_arrival_rate: { rate: 30/s, for: 1m, vus: 100 }",
        "stampede: { users: 6 }",
    ];
    for load in loads {
        let target = slow(700);
        let ran = interrupted(load, &target.url(), 1, || target.seen().len() >= 6);
        assert_eq!(cut(&ran), 0, "{load}");
        assert_eq!(ran.issued(), target.seen().len(), "{load}");

        let target = slow(20_000);
        let ran = interrupted(load, &target.url(), 2, || target.seen().len() >= 6);
        assert_eq!(cut(&ran), target.seen().len(), "{load}");
        assert_eq!(ran.operations().len(), target.seen().len(), "{load}");
    }
}

#[test]
fn an_interrupt_before_the_first_request_ends_the_load() {
    let target = slow(1);
    let begin = Instant::now();
    let started = || begin.elapsed() > ms(700);
    let load = "start_after: 1m, constant_vus: { vus: 2, for: 1s }";
    let ran = interrupted(load, &target.url(), 1, started);
    assert_eq!((ran.operations().len(), target.seen().len()), (0, 0));

    let listener = FullListener::start();
    let begin = Instant::now();
    let started = || begin.elapsed() > ms(700);
    let ran = interrupted(
        "stampede: { users: 12, connect_within: 1m }",
        &listener.url,
        1,
        started,
    );
    assert_eq!(ran.operations().len(), 0);
}
