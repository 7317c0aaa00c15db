//! A Redis with replicas and Sentinels: who takes over is found, what was lost is told, and nothing
//! of all these processes is left.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::{Bench, Running, verdict_of, wait_until};
use rustix::process::Signal;

/// A few users who ask for a while.
fn scenario(server: &str, redis: &str, load: &str, fault: &str) -> String {
    format!(
        "name: failover
target: {{ stack: {{ provider: local, server: {{ {server} }}, redis: {{ {redis} }} }} }}
subject: {{ coupon: {{ id: 1, stock: 2000 }} }}
users: {{ pool: 100_000, repeat: 5% }}
load: {{ event: {{ flow: issue, graceful_stop: 5s, constant_vus: {{ vus: 10, for: {load} }} }} }}
flows:
  issue:
    - post: /coupons/fcfs/1/issue
      json: {{ userId: \"{{{{ user }}}}\" }}
      timeout: 2s
      outcomes:
        issued: {{ status: 201, id: /id }}
        sold_out: {{ status: 400, body: Coupon stock is empty }}
        duplicate: {{ status: 400, body: 이미 발급된 쿠폰입니다 }}
        lock_failed: {{ status: 409, is: refused }}
    - think: 50ms
truth: {{ settle: {{ quiet: 1s, within: 60s }} }}
invariants: [stock, one_per_user, acknowledged]
faults:
  - {{ name: it, {fault} }}
"
    )
}

const STANDBY: &str = "instances: 1, replicas: 1, sentinels: 3";

fn bench(server: &str, load: &str, fault: &str) -> Bench {
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario(server, STANDBY, load, fault));
    std::fs::create_dir(bench.path("state")).expect("a directory");
    bench
}

fn start(bench: &Bench) -> Running {
    let args = ["run", "scenario.yaml", "--out", "run"];
    let state = bench.path("state");
    bench.start_with(&args, |command| {
        command.env("XDG_STATE_HOME", state);
    })
}

/// Everything that works for this run, also what does not name its place.
fn processes(bench: &Bench) -> Vec<String> {
    let here = bench.path("").display().to_string();
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    let lines = entries.flatten().filter_map(|entry| {
        let read = |name: &str| {
            let bytes = std::fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let line = read("cmdline");
        let at = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let ours = at.starts_with(&here) || line.contains(&here) || read("environ").contains(&here);
        (ours && !line.is_empty()).then_some(line)
    });
    lines.collect()
}

#[track_caller]
fn nothing_is_left(bench: &Bench) {
    wait_until("every process has ended", || processes(bench).is_empty());
    let leases = bench.path("state/fcfs-bench/leases");
    let left = || std::fs::read_dir(&leases).into_iter().flatten().count();
    wait_until("every lease is given back", || left() == 0);
}

/// What the n-th Redis of the run says of its replication.
fn replication(bench: &Bench, number: u8) -> String {
    let configuration = bench.read(&format!("run/stack/redis-{number}/redis.conf"));
    let mut lines = configuration.lines();
    let port = lines.find_map(|line| line.strip_prefix("port "));
    let url = format!("redis://127.0.0.1:{}", port.expect("a port"));
    let client = redis::Client::open(url).expect("a URL");
    let mut connection = client.get_connection().expect("it answers");
    let mut asked = redis::cmd("INFO");
    asked.arg("replication");
    asked.query(&mut connection).expect("it tells")
}

#[test]
fn the_load_goes_on_at_whoever_took_over_and_the_old_primary_follows() {
    let fault = "redis: failover, after: 2s, times: 2, every: 4s";
    let bench = bench("strategy: redisson", "1h", fault);
    let mut running = start(&bench);
    running.wait_until_it_says("fault it (number 1): bites: Sentinel names redis-2");
    running.wait_until_it_says("fault it (number 1): healed");
    // On a busy machine Sentinel may have promoted once more meanwhile, so it is either one's turn.
    running.wait_until_it_says("fault it (number 2): bites: Sentinel names redis-");
    running.wait_until_it_says("fault it (number 2): healed");
    wait_until("one is the primary, and the other one its replica", || {
        let said = [replication(&bench, 1), replication(&bench, 2)];
        let are = |words: &str| said.iter().filter(|text| text.contains(words)).count();
        are("role:master") == 1 && are("role:slave") == 1 && are("state=online") == 1
    });
    running.signal(Signal::INT);
    running.wait().expect(105);
    nothing_is_left(&bench);
}

#[test]
fn the_database_decides_whatever_the_lock_has_lost() {
    let fault = "redis: { failover: { lose: 1s } }, after: 2s";
    let bench = bench("strategy: redlock", "20s", fault);
    // The drain goes on to the first sold-out, so there was a Redis that gave locks again.
    let ended = start(&bench).wait().expect(0);
    bench.expect_whole(&ended.all());
    nothing_is_left(&bench);
}

#[test]
fn what_the_replica_had_not_got_is_sold_again() {
    let fault = "redis: { failover: { lose: 1s } }, when: issued >= 10%";
    let bench = bench("strategy: redis-lua", "20s", fault);
    let ended = start(&bench).wait().expect(111);
    bench.expect_whole(&ended.all());
    let summary = bench.summary();
    let kept = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(kept["verdict"], "fail", "{}", ended.all());
    nothing_is_left(&bench);
}

#[test]
fn a_harness_that_is_killed_leaves_neither_redis_nor_sentinel_nor_lease() {
    let away = "redis: failover, after: 1s, for: 1h";
    let cut_off = "redis: { failover: { lose: 5s } }, after: 1s, for: 1h";
    let table = [
        ("the primary is away", away, "bites", false),
        ("its lease is just being written", cut_off, "due", false),
        ("replicas are cut off", cut_off, "due", true),
    ];
    for (row, fault, moment, is_cut) in table {
        let bench = bench("strategy: redis-lua", "1h", fault);
        let mut running = start(&bench);
        running.wait_until_it_says(&format!("fault it: {moment}"));
        if is_cut {
            wait_until("the primary has no replica", || {
                replication(&bench, 1).contains("connected_slaves:0")
            });
        }
        let sentinels = |line: &&String| line.contains("[sentinel]");
        let there = processes(&bench);
        let there = there.iter().filter(sentinels).count();
        assert_eq!(there, 3, "{row}");
        running.signal(Signal::KILL);
        running.wait();
        nothing_is_left(&bench);
    }
}

#[test]
fn what_sentinel_promotes_after_a_kill_or_a_freeze_is_found_too() {
    for kind in ["kill", "freeze"] {
        let fault = format!("redis: {kind}, which: 1, after: 2s, for: 8s");
        let bench = bench("strategy: redlock", "25s", &fault);
        let ended = start(&bench).wait().expect(0);
        bench.expect_whole(&ended.all());
        let resources = bench.read("run/resources.jsonl");
        assert!(resources.contains("redis-2"), "{resources}");
        nothing_is_left(&bench);
    }
}

#[test]
fn a_redis_that_nobody_can_replace_cannot_be_failed_over() {
    let table = [
        (
            "instances: 1",
            "redis: failover, after: 1s",
            "there is no replica that could take over",
        ),
        (
            STANDBY,
            "redis: failover, which: 2, after: 1s",
            "`failover` meets whoever is the primary then",
        ),
        (
            STANDBY,
            "redis: { failover: { lose: 6s } }, after: 1s",
            "a replica that has heard nothing for 6s may be passed over",
        ),
        (
            STANDBY,
            "redis: evict, after: 1s",
            "`evict` cannot be done to a Redis with replicas",
        ),
        (
            STANDBY,
            "redis: partition, which: 2, after: 1s, for: 1s",
            "there is one way to a Redis with replicas",
        ),
    ];
    for (redis, fault, words) in table {
        let bench = Bench::new();
        let text = scenario("strategy: redis-lua", redis, "10s", fault);
        bench.write("scenario.yaml", &text);
        let ended = bench.run(&["plan", "scenario.yaml"]).expect(104);
        ended.complains(words);
        let line = 1 + text
            .lines()
            .position(|line| line.contains("name: it"))
            .expect("a line");
        assert!(
            ended.stderr.contains(&format!("scenario.yaml:{line}:")),
            "{}",
            ended.all()
        );
    }
}
