//! Each executor does what its name promises, as the target and the history see it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bench::{Bench, Ran};
use fcfs_bench::history::{Cause, Operation, OutcomeKind};
use fcfs_bench::plan::{RateStage, Stage, Ticks, VuCurve};
use target::{FullListener, Reply, Target};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn slow(answer: u64) -> Target {
    Target::start(move |_| Reply::issued().after(ms(answer)))
}

fn count_by<K: Ord>(operations: &[Operation], key: impl Fn(&Operation) -> K) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for operation in operations {
        *counts.entry(key(operation)).or_default() += 1;
    }
    counts
}

fn cut(ran: &Ran) -> usize {
    ran.ending(OutcomeKind::Unknown, Cause::Cut)
}

/// The most requests that the target had at one time.
fn most_in_flight(target: &Target) -> i32 {
    let mut changes = Vec::new();
    for seen in target.seen() {
        changes.push((seen.request.arrived, 1));
        changes.extend(seen.answered.map(|answered| (answered, -1)));
    }
    changes.sort();
    let (mut now, mut most) = (0, 0);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most
}

fn users(target: &Target) -> Vec<String> {
    let seen = target.seen();
    seen.iter().map(|seen| seen.request.user()).collect()
}

#[test]
fn constant_vus_are_so_many_connections_all_the_time() {
    for threads in 1..=3 {
        let target = slow(20);
        let bench = Bench::load("constant_vus: { vus: 5, for: 600ms }").threads(threads);
        let ran = bench.run(&target.url());
        let by_vu = count_by(&ran.operations(), |operation| operation.vu);
        assert_eq!(by_vu.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let seen = target.seen();
        let used: HashSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
        assert_eq!(used.len(), 5);
        assert_eq!(most_in_flight(&target), 5);
        assert_eq!(ran.issued(), seen.len());
        assert_eq!(ran.summary().vus_max, 5);
    }
}

#[test]
fn ramping_vus_follow_the_curve() {
    let stage = |name: &str, duration: u64, target| Stage {
        name: name.to_owned(),
        duration: ms(duration),
        target,
    };
    let stages = [
        stage("up", 600, 6),
        stage("hold", 300, 6),
        stage("down", 600, 0),
    ];
    let curve = VuCurve::new(0, &stages);
    let target = slow(30);
    let load = "ramping_vus: { stages: [ { name: up, for: 600ms, to: 6 }, \
                { name: hold, for: 300ms, to: 6 }, { name: down, for: 600ms, to: 0 } ] }";
    let ran = Bench::load(load).threads(2).run(&target.url());
    let start_ns = ran.start_ns();
    for operation in ran.operations() {
        let due_ns = operation.inv_ns - u64::from(operation.lag_us) * 1_000 - start_ns;
        let at = Duration::from_nanos(due_ns + 1_000);
        // On the way down an iteration may begin in the moment before the VU is told to end.
        let before = at.saturating_sub(ms(50));
        let wanted = curve.at(at).max(curve.at(before));
        assert!(u64::from(operation.vu) < wanted, "at {at:?}: {operation:?}");
    }
    assert_eq!(
        count_by(&ran.operations(), |operation| operation.vu).len(),
        6
    );
    assert_eq!(
        count_by(&ran.operations(), |operation| operation.phase).len(),
        3
    );
    // A ramp-down lets iterations finish.
    assert_eq!(ran.issued(), target.seen().len());
    assert!(most_in_flight(&target) <= 6);
}

#[test]
fn a_ramp_down_without_grace_cuts_and_records_what_it_cuts_once() {
    let target = slow(300);
    let load = "graceful_stop: 0s, ramping_vus: { start: 4, graceful_ramp_down: 0s, stages: [ \
                { for: 450ms, to: 4 }, { for: 0s, to: 1 }, { for: 300ms, to: 1 } ] }";
    let ran = Bench::load(load).run(&target.url());
    // Three are in their second request when they are cut; the last is in its third at the end.
    assert_eq!(cut(&ran), 4, "{:?}", ran.operations());
    assert_eq!(ran.issued(), 5);
    assert_eq!(target.seen().len(), 9);
}

#[test]
fn the_last_step_to_zero_is_a_ramp_down_too() {
    let target = slow(5_000);
    let load = "ramping_vus: { start: 3, graceful_ramp_down: 100ms, stages: [ \
                { for: 300ms, to: 1 } ] }";
    // The one that stays has the graceful stop instead.
    let ran = Bench::load(&format!("graceful_stop: 500ms, {load}")).run(&target.url());
    let took = |operation: &Operation| (operation.ret_ns - ran.start_ns()) / 1_000_000;
    let ended: Vec<_> = ran.operations().iter().map(took).collect();
    assert_eq!(cut(&ran), 3);
    assert!(ended[0] < 450 && ended[1] < 700, "{ended:?}");
    assert!((790..1_100).contains(&ended[2]), "{ended:?}");
    let load = "ramping_vus: { start: 2, graceful_ramp_down: 0s, stages: [ \
                { for: 200ms, to: 2 }, { for: 0s, to: 0 } ] }";
    let ran = Bench::load(load).run(&target.url());
    let ended = ran.operations().iter().map(|o| o.ret_ns).max().unwrap();
    assert_eq!(cut(&ran), 2);
    assert!(Duration::from_nanos(ended - ran.start_ns()) < ms(1_500));
}

#[test]
fn a_vu_that_is_wanted_again_is_who_it_was() {
    let target = slow(20);
    let load = "ramping_vus: { start: 3, stages: [ { for: 200ms, to: 3 }, { for: 0s, to: 1 }, \
                { for: 200ms, to: 1 }, { for: 0s, to: 3 }, { for: 200ms, to: 3 } ] }";
    let ran = Bench::load(load)
        .users("{ pool: 1000, per: vu }")
        .run(&target.url());
    let of_vu = count_by(&ran.operations(), |operation| {
        (operation.vu, operation.user.0)
    });
    assert_eq!(of_vu.len(), 3, "{of_vu:?}");
    // But it comes over a new connection.
    let seen = target.seen();
    let used: HashSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
    assert_eq!(used.len(), 5);
}

#[test]
fn iterations_are_counted_exactly_on_any_number_of_threads() {
    for threads in [1, 2, 3, 8] {
        let target = slow(3);
        let each = Bench::load("per_vu_iterations: { vus: 5, iterations: 7 }").threads(threads);
        let ran = each.run(&target.url());
        let by_vu = count_by(&ran.operations(), |operation| operation.vu);
        assert_eq!(by_vu.into_values().collect::<Vec<_>>(), [7; 5]);
        assert_eq!(target.seen().len(), 35);
        assert_eq!(ran.summary().dropped_iterations, 0);

        let target = slow(3);
        let together = Bench::load("shared_iterations: { vus: 5, iterations: 41 }");
        let ran = together.threads(threads).run(&target.url());
        assert_eq!((ran.issued(), target.seen().len()), (41, 41));
        assert_eq!(ran.summary().dropped_iterations, 0);
        let users: HashSet<_> = users(&target).into_iter().collect();
        assert_eq!(users.len(), 41);
    }
}

#[test]
fn iterations_without_time_are_dropped() {
    for (threads, load) in [
        (
            1,
            "shared_iterations: { vus: 2, iterations: 100, within: 350ms }",
        ),
        (
            2,
            "shared_iterations: { vus: 2, iterations: 100, within: 350ms }",
        ),
        (
            3,
            "shared_iterations: { vus: 2, iterations: 100, within: 350ms }",
        ),
        (
            2,
            "per_vu_iterations: { vus: 2, iterations: 50, within: 350ms }",
        ),
    ] {
        let target = slow(100);
        let ran = Bench::load(load).threads(threads).run(&target.url());
        let sent = target.seen().len() as u64;
        assert!((4..=8).contains(&sent), "{sent}");
        assert_eq!(ran.issued() as u64, sent);
        assert_eq!(
            ran.summary().dropped_iterations,
            100 - sent,
            "{threads} {load}"
        );
    }
}

#[test]
fn arrival_rates_start_exactly_what_the_plan_says() {
    for threads in 1..=3 {
        let target = slow(5);
        let load = "constant_arrival_rate: { rate: 173/s, for: 700ms, vus: 40 }";
        let ran = Bench::load(load).threads(threads).run(&target.url());
        let due = Ticks::constant(173.0, ms(700)).total();
        assert_eq!(
            (ran.issued() as u64, target.seen().len() as u64),
            (due, due)
        );

        let target = slow(5);
        let load = "ramping_arrival_rate: { start: 0/s, vus: 2, max_vus: 60, stages: [ \
                    { for: 500ms, to: 300/s }, { for: 300ms, to: 50/s } ] }";
        let ran = Bench::load(load).threads(threads).run(&target.url());
        let stage = |duration, target| RateStage {
            name: String::new(),
            duration: ms(duration),
            target,
        };
        let due = Ticks::new(0.0, &[stage(500, 300.0), stage(300, 50.0)]).total();
        let summary = ran.summary();
        assert_eq!(ran.sent().len() as u64 + summary.dropped_iterations, due);
        assert_eq!(summary.dropped_iterations, 0);
    }
}

#[test]
fn fewer_vus_than_threads_still_serve_every_tick() {
    let target = slow(1);
    let load = "constant_arrival_rate: { rate: 50/s, for: 600ms, vus: 2 }";
    let ran = Bench::load(load).threads(3).run(&target.url());
    let dropped = ran.summary().dropped_iterations;
    assert_eq!(ran.issued() as u64 + dropped, 30);
    assert!(dropped <= 2, "{dropped}");
}

#[test]
fn loads_side_by_side_keep_to_their_own_times_and_phases() {
    let target = slow(10);
    let bench = Bench::loads(&[
        ("first", "constant_vus: { vus: 2, for: 500ms }"),
        (
            "later",
            "start_after: 700ms, per_vu_iterations: { vus: 3, iterations: 4 }",
        ),
        (
            "rate",
            "start_after: 100ms, constant_arrival_rate: { rate: 100/s, for: 300ms, vus: 9 }",
        ),
    ]);
    let ran = bench.threads(2).run(&target.url());
    let start_ns = ran.start_ns();
    let begin = |phase: u16| {
        let operations = ran.operations();
        let of_phase = operations.iter().filter(|o| o.phase == phase);
        (of_phase.map(|o| o.inv_ns - start_ns).min().unwrap()) / 1_000_000
    };
    assert!(begin(1) >= 700 && begin(2) >= 100);
    let summary = ran.summary();
    let counts: BTreeMap<_, _> = summary
        .phases
        .iter()
        .map(|phase| (phase.phase.as_str(), phase.requests))
        .collect();
    assert_eq!((counts["later"], counts["rate"]), (12, 30));
    assert_eq!(counts["first"] + 42, summary.requests);
    let distinct: HashSet<_> = users(&target).into_iter().collect();
    assert_eq!(distinct.len() as u64, summary.requests);
}

#[test]
fn a_stampede_is_released_over_open_connections_at_once() {
    for threads in [1, 3] {
        let target = slow(50);
        let bench = Bench::load("stampede: { users: 150 }").threads(threads);
        let ran = bench.run(&target.url());
        let (seen, connections) = (target.seen(), target.connections());
        let used: HashSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
        assert_eq!((seen.len(), used.len(), ran.issued()), (150, 150, 150));
        let opened = |id: &u64| connections[*id as usize].opened;
        let last_opened = used.iter().map(opened).max().unwrap();
        assert!(last_opened < seen[0].request.arrived);
        let distinct: HashSet<_> = users(&target).into_iter().collect();
        assert_eq!(distinct.len(), 150);
        // All are due at one instant, on all threads.
        let due = |o: &Operation| (o.inv_ns / 1_000).abs_diff(u64::from(o.lag_us));
        let due: Vec<_> = ran.operations().iter().map(due).collect();
        assert!(due.iter().all(|at| at.abs_diff(due[0]) <= 2), "{due:?}");
        assert_eq!(ran.summary().vus_max, 150);
    }
}

#[test]
fn who_cannot_connect_in_time_is_released_all_the_same() {
    let listener = FullListener::start();
    let load = "stampede: { users: 12, connect_within: 300ms }";
    let ran = Bench::load(load).timeout("200ms").run(&listener.url);
    let late = ran.ending(OutcomeKind::NotSent, Cause::ConnectTimeout);
    let silent = ran.ending(OutcomeKind::Unknown, Cause::Timeout);
    assert_eq!((late + silent, ran.operations().len()), (12, 12));
    assert!(late >= 9, "{late}");
}

#[test]
fn thinking_users_pause_between_their_requests() {
    let target = Target::start(|_| Reply::issued());
    let bench = Bench::load("per_vu_iterations: { vus: 4, iterations: 6 }")
        .more("    - think: { from: 40ms, to: 120ms }\n    - think: { from: 0ms, to: 40ms }");
    let ran = bench.run(&target.url());
    assert_eq!(ran.issued(), 24);
    let mut last = BTreeMap::new();
    let mut gaps = Vec::new();
    for seen in target.seen() {
        let request = seen.request;
        if let Some(before) = last.insert(request.connection, request.arrived) {
            gaps.push(request.arrived - before);
        }
    }
    assert_eq!(gaps.len(), 20);
    // The client's clock and the server's see an interval with different delays.
    assert!(gaps.iter().all(|gap| *gap >= ms(35)), "{gaps:?}");
    let (shortest, longest) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(*longest > *shortest + ms(20), "{gaps:?}");
}
