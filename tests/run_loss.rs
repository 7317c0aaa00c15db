//! Packets that the kernel drops while a fault lasts, and for nobody when the run is gone, however it
//! has ended. Only root may do that.

#[path = "support/harness/mod.rs"]
mod harness;

use std::process::Command;

use harness::scenario::Scenario;
use harness::{Bench, Running, wait_until};
use rustix::process::Signal;

const LOCAL: [&str; 2] = ["--provider", "local"];

/// Long enough for a few faults and for what comes after them.
fn a_while(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .load("constant_vus: { vus: 8, for: 10s }")
        // What is left when the load ends is asked for then.
        .stock(2000)
        .think("50ms")
        .thresholds("http_reqs: [\"count>0\"]")
        .quiet("2s")
}

/// A place with a scenario of these faults, as entries of `faults` have them.
fn with_faults(scenario: &Scenario, faults: &[&str]) -> Bench {
    let bench = Bench::new();
    let faults: Vec<String> = faults
        .iter()
        .map(|one| format!("  - {{ {one} }}\n"))
        .collect();
    bench.write(
        "scenario.yaml",
        format!("{scenario}faults:\n{}", faults.concat()),
    );
    bench
}

fn start(bench: &Bench) -> Running {
    let state = bench.path("state");
    let args = [&["run", "scenario.yaml", "--out", "run"][..], &LOCAL].concat();
    bench.start_with(&args, |command| {
        command.env("XDG_STATE_HOME", state);
    })
}

fn nft(arguments: &[&str]) -> String {
    let output = Command::new("nft").args(arguments).output();
    let output = output.expect("nft is not installed; run: scripts/services");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "nft {arguments:?}: {words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The tables of one harness.
fn tables_of(pid: u32) -> Vec<String> {
    let all = nft(&["list", "tables", "inet"]);
    let names = all
        .lines()
        .filter_map(|line| line.strip_prefix("table inet "));
    let ours = names.filter(|name| name.starts_with(&format!("fcfs_bench_{pid}_")));
    ours.map(str::to_owned).collect()
}

#[test]
fn packets_to_and_from_each_party_are_lost_and_the_right_strategy_holds() {
    let table: [(&str, &[&str]); 3] = [
        (
            "redis-lua",
            &[
                "name: a, redis: { loss: 20% }, after: 1s, for: 1s",
                "name: b, database: { loss: { share: 0.2 } }, at: a + 300ms, for: 1s",
                "name: c, server: { loss: 20% }, at: b + 300ms, for: 1s",
            ],
        ),
        (
            "redlock",
            &["name: a, redis: { loss: 20% }, which: 2, after: 1s, for: 2s"],
        ),
        (
            "redis-kafka",
            &["name: a, kafka: { loss: 20% }, after: 1s, for: 2s"],
        ),
    ];
    for (strategy, faults) in table {
        let bench = with_faults(&a_while(strategy), faults);
        let running = start(&bench);
        let pid = running.id();
        let ended = running.wait().expect(0);
        let summary = bench.summary();
        let found = summary["faults"].as_array().expect("a list");
        assert_eq!(found.len(), faults.len());
        for fault in found {
            assert_eq!(fault["state"], "healed", "{fault} {}", ended.all());
            let effect = fault["effect"].as_str().unwrap_or_default();
            assert!(effect.starts_with("the kernel has dropped "), "{fault}");
        }
        assert_eq!(tables_of(pid), Vec::<String>::new(), "{strategy}");
    }
}

#[test]
fn a_party_without_traffic_loses_nothing_and_that_is_never_0() {
    let issuer = "name: it, issuer: { loss: 100% }, after: 1s, for: 500ms";
    let bench = with_faults(&a_while("redis-kafka"), &[issuer]);
    let running = start(&bench);
    let pid = running.id();
    let ended = running.wait().expect(112);
    let words = "the kernel has dropped no packet to or from issuer-1";
    assert!(ended.all().contains(words), "{}", ended.all());
    assert_eq!(tables_of(pid), Vec::<String>::new());
}

#[test]
fn no_rule_outlives_a_harness_whatever_it_ends_of() {
    let faults = [
        "name: lost, kafka: { loss: 5% }, after: 1s, for: 1h",
        // Its clients come by a link, which leads to a port of its own.
        "name: slow, kafka: { delay: 1ms }, after: 1s, for: 1h",
    ];
    for signal in [Signal::KILL, Signal::INT] {
        let bench = with_faults(&Scenario::long().strategy("redis-kafka"), &faults);
        let mut running = start(&bench);
        let pid = running.id();
        running.wait_until_it_says("fault lost: bites");
        let tables = tables_of(pid);
        assert_eq!(tables.len(), 1, "{tables:?}");
        let rules = nft(&["list", "table", "inet", &tables[0]]);
        assert_eq!(
            rules.matches(", ").count(),
            2,
            "two ports, both ways: {rules}"
        );
        running.signal(signal);
        let ended = running.wait();
        if signal == Signal::INT {
            let ended = ended.expect(105);
            assert!(
                ended.stderr.contains("fault lost: healed"),
                "{}",
                ended.all()
            );
        }
        wait_until("the kernel has no rule of it", || tables_of(pid).is_empty());
        bench.wait_until_empty();
    }
}

#[test]
fn rules_that_a_power_cut_has_left_are_taken_away_by_heal() {
    let bench = Bench::new();
    // As if there had been no cut at all: after one, the kernel has no rules of before.
    let name = format!("fcfs_bench_{}_test", std::process::id());
    nft(&["add", "table", "inet", &name]);
    let leases = bench.path("state/fcfs-bench/leases");
    std::fs::create_dir_all(&leases).expect("a directory");
    let page = format!(
        "{{\"run\":\"/tmp/run\",\"owner\":{{\"pid\":1,\"started\":1,\"boot\":\"another\"}},\"leases\":[\
         {{\"id\":1,\"fault\":\"old\",\"victim\":\"redis-1\",\"until_unix_ms\":0,\
         \"undo\":[{{\"undo\":\"packet_rules\",\"table\":\"{name}\"}}]}}]}}"
    );
    // The second time there is nothing to take away.
    for _ in 0..2 {
        std::fs::write(leases.join("old.json"), &page).expect("a file");
        let state = bench.path("state");
        let healing = bench.start_with(&["heal"], |command| {
            command.env("XDG_STATE_HOME", state);
        });
        let ended = healing.wait().expect(0);
        let words = "healed old at redis-1";
        ended.says(words);
        assert_eq!(tables_of(std::process::id()), Vec::<String>::new());
    }
}

#[test]
fn who_may_not_change_the_packet_filter_is_told_before_anything_starts() {
    let fault = "name: it, redis: { loss: 10% }, after: 1s, for: 1s";
    let bench = with_faults(&a_while("redis-lua"), &[fault]);
    let without = ["--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    let output = Command::new("setpriv")
        .args(without)
        .arg(env!("CARGO_BIN_EXE_fcfs-bench"))
        .args(["run", "scenario.yaml", "--out", "run"])
        .args(LOCAL)
        .current_dir(bench.path(""))
        .output()
        .expect("setpriv");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(113), "{words}");
    assert!(
        words.contains("the fault `it` cannot be injected here: nft says: "),
        "{words}"
    );
    assert!(
        words.contains("hint: packets can be lost by root"),
        "{words}"
    );
    assert!(
        !bench.path("run/stack/redis-1").exists(),
        "something has started"
    );
}
