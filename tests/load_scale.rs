//! Many VUs at once: what they need of the machine is asked for before anything starts, where their
//! connections come from, how close together a stampede is, and that every tick is accounted for.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use bench::{Bench, Ran};
use fcfs_bench::history::{Cause, OutcomeKind};
use fcfs_bench::report::StampedeSummary;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use target::{FullListener, Reply, Target};

/// The target of a test is in its process, and has a socket for each connection.
fn many_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

/// Runs so many VUs with these limits of open files, as somebody who may not raise the hard one.
fn limited(limits: &str, vus: u64, url: &str, out: &Path) -> Output {
    let scenario = out.with_extension("yaml");
    let text = format!(
        "name: limited\ntarget: {{ url: \"{url}\" }}\n\
         load: {{ all: {{ constant_vus: {{ vus: {vus}, for: 500ms }} }} }}\n\
         flows: {{ ask: [ {{ post: /issue, outcomes: {{ ok: 201 }} }}, {{ think: 100ms }} ] }}\n"
    );
    std::fs::write(&scenario, text).unwrap();
    // What is taken out of the bounding set is gone for the program that comes next, also for root.
    let script = format!(
        "{limits}; less='setpriv --bounding-set=-sys_resource'; \
         $less true 2>/dev/null || less=; exec $less \"$@\""
    );
    Command::new("sh")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_fcfs-bench"), "run"])
        .arg(&scenario)
        .args(["--quiet", "--threads", "1", "--out"])
        .arg(out)
        .output()
        .unwrap()
}

#[test]
fn too_few_open_files_are_refused_with_the_numbers_before_anything_starts() {
    let target = Target::start(|_| Reply::issued());
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("refused");
    // 300 connections in the table of the load thread, 64 others, and 4 of each load thread.
    let refused = limited("ulimit -n 367", 300, &target.url(), &out);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(113), "{said}");
    assert!(
        said.contains("368 open files are needed and 367 allowed"),
        "{said}"
    );
    assert!(said.contains("`ulimit -n 368`"), "{said}");
    assert!(!out.exists() && target.connections().is_empty());

    let out = directory.path().join("enough");
    let enough = limited("ulimit -n 368", 300, &target.url(), &out);
    let said = String::from_utf8_lossy(&enough.stderr).into_owned();
    assert_eq!(enough.status.code(), Some(0), "{said}");
    assert_eq!(used(&target), 300);
}

#[test]
fn what_one_table_of_open_files_has_no_room_for_is_in_those_of_the_load_threads() {
    let target = Target::start(|_| Reply::issued());
    let directory = tempfile::tempdir().unwrap();
    // 300 connections, 256 others, and 4 of the load thread are 560.
    for limit in ["ulimit -n 559", "ulimit -n 560"] {
        let before = used(&target);
        let out = directory.path().join(limit.replace(' ', "-"));
        let ran = limited(limit, 300, &target.url(), &out);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(0), "{limit}: {said}");
        assert_eq!(used(&target) - before, 300, "{limit}");
        let summary = std::fs::read_to_string(out.join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let outcomes = &summary["outcomes"];
        assert_eq!(outcomes["ok"], summary["requests"], "{limit}: {summary}");
    }
}

#[test]
fn a_soft_limit_is_raised_by_itself() {
    let target = Target::start(|_| Reply::issued());
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("raised");
    let ran = limited("ulimit -n 1000; ulimit -Sn 50", 200, &target.url(), &out);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert_eq!(used(&target), 200);
}

/// Connections with a request, by the address that they came from: whoever waits for the target has
/// one without.
fn peers(target: &Target) -> BTreeMap<IpAddr, usize> {
    let connections = target.connections();
    let seen = target.seen();
    let used: BTreeSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
    let mut peers = BTreeMap::new();
    for at in used {
        *peers.entry(connections[at as usize].from).or_default() += 1;
    }
    peers
}

fn used(target: &Target) -> usize {
    peers(target).values().sum()
}

#[test]
fn connections_come_from_the_given_addresses_in_turn_or_from_one() {
    let run = |addresses: &[&str]| {
        let target = Target::start(|_| Reply::issued());
        let mut bench = Bench::load("per_vu_iterations: { vus: 60, iterations: 2 }").threads(2);
        for address in addresses {
            bench = bench.argument("--local-ips").argument(address);
        }
        let ran = bench.run(&target.url());
        assert_eq!(ran.issued(), 120, "{}", ran.errors);
        peers(&target)
    };
    let nth = |n: u8| IpAddr::V4(Ipv4Addr::new(127, 0, 0, n));
    assert_eq!(run(&[]), BTreeMap::from([(nth(1), 60)]));
    let three = BTreeMap::from([(nth(7), 20), (nth(8), 20), (nth(9), 20)]);
    assert_eq!(run(&["127.0.0.7,127.0.0.8", "127.0.0.9"]), three);
}

#[test]
fn an_address_of_nobody_here_is_refused_before_anything_starts() {
    let target = Target::start(|_| Reply::issued());
    // A network for documentation.
    let bench = Bench::load("constant_vus: { vus: 1, for: 1s }");
    let bench = bench.argument("--local-ips").argument("192.0.2.1");
    let ran = bench.run(&target.url());
    assert_eq!(ran.status.code(), Some(2), "{}", ran.errors);
    assert!(
        ran.errors.contains("cannot come from 192.0.2.1"),
        "{}",
        ran.errors
    );
    assert!(target.connections().is_empty() && !ran.directory().exists());
}

#[test]
fn thousands_of_vus_that_pause_each_have_one_connection_and_lose_no_attempt() {
    many_files();
    let target = Target::start(|_| Reply::issued());
    let ran = Bench::load("per_vu_iterations: { vus: 3000, iterations: 3 }")
        .more("    - think: 500ms")
        .threads(2)
        .run(&target.url());
    let summary = ran.summary();
    assert_eq!(
        (ran.issued(), summary.requests),
        (9_000, 9_000),
        "{}",
        ran.errors
    );
    assert_eq!((used(&target), summary.vus_max), (3_000, 3_000));
    assert_eq!(
        (summary.loads[0].started, summary.loads[0].due),
        (Some(9_000), None)
    );
}

fn stampede(ran: &Ran) -> StampedeSummary {
    let load = ran.summary().loads.remove(0);
    load.stampede.unwrap_or_else(|| panic!("{load:?}"))
}

#[test]
fn a_stampede_tells_how_far_apart_the_first_bytes_of_its_users_were() {
    let target = Target::start(|_| Reply::issued());
    // Only the first request of each is part of it.
    let ran = Bench::load("stampede: { users: 300 }")
        .more("    - { name: again, post: /again }")
        .threads(2)
        .run(&target.url());
    let stampede = stampede(&ran);
    assert_eq!((stampede.released, stampede.unconnected), (300, 0));
    let mut late: Vec<f64> = ran
        .operations()
        .iter()
        .filter(|one| one.step == 0)
        .map(|one| f64::from(one.lag_us) / 1e3)
        .collect();
    late.sort_by(f64::total_cmp);
    let spread = stampede.first_byte_ms.unwrap();
    assert_eq!(spread.count as usize, late.len());
    let quantile = |share: f64| late[(share * late.len() as f64).ceil() as usize - 1];
    let table = [
        (spread.min, late[0]),
        (spread.p50, quantile(0.5)),
        (spread.p99, quantile(0.99)),
        (spread.max, late[299]),
    ];
    for (told, measured) in table {
        // Three digits, and a microsecond.
        assert!(
            (told - measured).abs() <= 0.002 * measured + 0.002,
            "{told} {measured}"
        );
    }
    let report = ran.file("report.md");
    let told = "300 users released at one instant, all with an open connection";
    assert!(report.contains(told), "{report}");
    assert!(
        report.contains("300 iterations due, 300 started, 0 dropped"),
        "{report}"
    );
}

#[test]
fn who_is_released_without_a_connection_is_counted() {
    // Its queue takes two, and then nobody.
    let listener = FullListener::start();
    let ran = Bench::load("stampede: { users: 9, connect_within: 300ms }")
        .timeout("500ms")
        .run(&listener.url);
    let stampede = stampede(&ran);
    let unsent = ran.ending(OutcomeKind::NotSent, Cause::ConnectTimeout) as u64;
    assert!((1..9).contains(&unsent), "{unsent}");
    assert_eq!((stampede.released, stampede.unconnected), (9, unsent));
    assert_eq!(stampede.first_byte_ms.unwrap().count, 9 - unsent);
}

#[test]
fn every_tick_of_a_schedule_has_started_or_was_dropped_however_few_vus_there_are() {
    let table = [
        (
            "constant_arrival_rate: { rate: 997/s, for: 2s, vus: 3, max_vus: 40 }",
            1994,
        ),
        (
            "constant_arrival_rate: { rate: 7001/s, for: 1s, vus: 100, max_vus: 100 }",
            7001,
        ),
        (
            "ramping_arrival_rate: { start: 0/s, vus: 20, max_vus: 20, stages: [ { for: 1s, to: 900/s }, { for: 500ms, to: 0/s } ] }",
            675,
        ),
    ];
    for (load, due) in table {
        let target = Target::start(|_| Reply::issued().after(Duration::from_millis(50)));
        let ran = Bench::load(load).threads(2).run(&target.url());
        let told = ran.summary().loads.remove(0);
        assert_eq!(told.due, Some(due), "{load}");
        let (started, dropped) = (told.started.unwrap(), told.dropped);
        assert_eq!(started + dropped, due, "{load}");
        // Each that started is an attempt, and no other is.
        assert_eq!(ran.operations().len() as u64, started, "{load}");
        assert!(dropped > 0 && started > 0, "{load}: {told:?}");
        let (p50, p99, max) = (told.lag_p50_ms, told.lag_p99_ms, told.lag_max_ms);
        assert!(
            p50 <= p99 && p99 <= max && p50.is_some(),
            "{load}: {told:?}"
        );
        let report = ran.file("report.md");
        assert!(
            report.contains(" started, ") && report.contains("; late by "),
            "{report}"
        );
    }
}

#[test]
fn a_load_that_was_interrupted_does_not_say_that_all_of_it_was_due() {
    let target = Target::start(|_| Reply::issued());
    let running =
        Bench::load("constant_arrival_rate: { rate: 50/s, for: 60s, vus: 5 }").start(&target.url());
    while target.seen().len() < 5 {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.interrupt();
    let told = running.ended().summary().loads.remove(0);
    assert_eq!(told.due, None);
    assert!(told.started.unwrap() >= 5);
}
