//! Faults of a whole run: each bites and is healed, what does not bite or heal is told, and nothing
//! stays broken, however the run ends.

#[path = "support/harness/mod.rs"]
mod harness;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use harness::{Bench, Ended, Running};
use rustix::process::Signal;
use serde_json::Value;

/// How long after its death a harness may leave something behind: what the project promises.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// What a machine that is busy with other things may need beyond that.
const BUSY: Duration = Duration::from_secs(15);

/// A few users who ask for a while.
fn scenario(server: &str, load: &str, faults: &[&str]) -> String {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!(
                "  - {{ {fault} }}
"
            )
        })
        .collect();
    let faults = faults.concat();
    format!(
        "name: faults
target: {{ stack: {{ provider: local, server: {{ {server} }} }} }}
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
    - think: 50ms
truth: {{ settle: {{ quiet: 1s, within: 60s }} }}
invariants: [stock, one_per_user, acknowledged]
faults:
{faults}"
    )
}

struct Run {
    bench: Bench,
}

impl Run {
    fn of(server: &str, load: &str, faults: &[&str]) -> Self {
        let bench = Bench::new();
        bench.write("scenario.yaml", scenario(server, load, faults));
        std::fs::create_dir(bench.path("state")).expect("a directory");
        Self { bench }
    }

    fn start(&self) -> Running {
        let args = ["run", "scenario.yaml", "--out", "run"];
        let state = self.bench.path("state");
        self.bench.start_with(&args, |command| {
            command.env("XDG_STATE_HOME", state);
        })
    }

    fn run(&self) -> Ended {
        self.start().wait()
    }

    fn fault(&self, name: &str) -> Value {
        let summary = self.bench.summary();
        let faults = summary["faults"].as_array().expect("a list");
        let found = faults.iter().find(|fault| fault["fault"] == name);
        found
            .unwrap_or_else(|| panic!("no {name} in {faults:?}"))
            .clone()
    }

    /// What is not undone yet, by the files of leases.
    fn leases(&self) -> Vec<String> {
        let folder = self.bench.path("state/fcfs-bench/leases");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Waits until nothing of the run is left, and says how long that took.
    #[track_caller]
    fn is_gone(&self, how: &str) -> Duration {
        let begin = Instant::now();
        let left = || (self.processes(), self.leases());
        while left() != (Vec::new(), Vec::new()) && begin.elapsed() < GONE_WITHIN + BUSY {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(left(), (Vec::new(), Vec::new()), "{how}");
        begin.elapsed()
    }

    /// Everything that works for this run, with its state in the kernel.
    fn processes(&self) -> Vec<String> {
        let here = self.bench.path("").display().to_string();
        let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
        let lines = entries.flatten().filter_map(|entry| {
            let read = |name: &str| {
                let bytes = std::fs::read(entry.path().join(name)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace('\0', " ")
            };
            let line = read("cmdline");
            let at = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            let ours =
                at.starts_with(&here) || line.contains(&here) || read("environ").contains(&here);
            (ours && !line.is_empty()).then(|| format!("{line}: {}", state_of(&read("stat"))))
        });
        lines.collect()
    }
}

fn state_of(stat: &str) -> String {
    let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
    behind.chars().take(1).collect()
}

#[test]
fn a_fault_that_does_not_bite_is_told_and_never_0() {
    // No row has this id, so whoever holds it holds nobody up.
    let lock = "SELECT id FROM fcfs_coupons WHERE id = -1 LOCK IN SHARE MODE";
    let hot = format!("name: no-hold, database: {{ hot_row: \"{lock}\" }}, after: 2s, for: 2s");
    let none = "name: no-traffic, kafka: { drop_reply: EndTxn }, after: 2s, for: 500ms";
    for (server, fault, name) in [
        ("strategy: db-conditional", hot.as_str(), "no-hold"),
        ("strategy: outbox", none, "no-traffic"),
    ] {
        let run = Run::of(server, "8s", &[fault]);
        let ended = run.run().expect(112);
        assert!(ended.stdout.contains(name), "{}", ended.all());
        assert_eq!(run.bench.summary()["verdict"], "unknown", "{}", ended.all());
        run.is_gone(name);
    }
}

#[test]
fn a_fault_that_cannot_be_healed_is_the_first_line_of_the_report() {
    let fault = "name: redis-down, redis: kill, after: 2s, for: 5s";
    let run = Run::of("strategy: redis-lua", "20s", &[fault]);
    let mut running = run.start();
    running.wait_until_it_says("fault redis-down: bites");
    // Somebody else takes its port while it is away.
    let configuration = run.bench.read("run/stack/redis-1/redis.conf");
    let port = configuration
        .lines()
        .find_map(|line| line.strip_prefix("port "));
    let taken = TcpListener::bind(format!("127.0.0.1:{}", port.expect("a port")));
    let taken = taken.expect("nobody listens there");
    let ended = running.wait();
    drop(taken);
    let code = ended.code;
    assert!(matches!(code, Some(111 | 114)), "{}", ended.all());
    let report = run.bench.read("run/report.md");
    let first = report
        .lines()
        .find(|line| line.contains("redis-down"))
        .unwrap_or_default();
    assert!(first.contains("healed"), "{report}");
    assert_eq!(run.fault("redis-down")["state"], "not_healed");
    run.is_gone("not healed");
}

#[test]
fn faults_of_every_family_bite_and_are_healed_and_the_right_strategy_holds() {
    let table: [(&str, &[&str]); 3] = [
        (
            "strategy: db-conditional, replicas: 2",
            &[
                "name: slow, database: { delay: 20ms }, after: 1s, for: 1s",
                "name: cut, database: { drop_reply: { of: COMMIT, every: 5 } }, at: slow + 300ms, for: 1s",
                "name: row, database: hot_row, at: cut + 300ms, for: 1s",
                "name: gone, server: kill, which: any, at: row + 300ms, for: 500ms",
                "name: rolled, server: restart, at: gone + 300ms",
                "name: frozen, database: freeze, at: rolled + 300ms, for: 1s",
            ],
        ),
        (
            "strategy: redlock",
            &[
                "name: silent, redis: { stall: writes }, which: any, after: 1s, for: 1s",
                "name: reset, redis: reset, at: silent + 300ms",
                "name: away, redis: kill, which: any, at: reset + 300ms, for: 1s",
            ],
        ),
        (
            "strategy: outbox",
            &[
                "name: broker, kafka: freeze, after: 1s, for: 1s",
                "name: lost, kafka: { drop_reply: Produce }, at: broker + 300ms, for: 1s",
                "name: zombie, issuer: freeze, at: lost + 300ms, for: 2s",
            ],
        ),
    ];
    for (server, faults) in table {
        let run = Run::of(server, "20s", faults);
        let ended = run.run().expect(0);
        for fault in run.bench.summary()["faults"].as_array().expect("a list") {
            assert_eq!(fault["state"], "healed", "{fault} {}", ended.all());
            assert_eq!(fault["effect_seen"], true, "{fault}");
            // How soon, if at all before the load ends, is a matter of the machine.
            let told = fault["recovery_ms"].is_number() || fault["not_recovered"].is_string();
            assert!(told, "{fault} {}", ended.all());
        }
        run.is_gone(server);
    }
}

#[test]
fn a_broker_that_is_killed_breaks_the_strategy_that_confirms_without_waiting() {
    let fault = "name: broker-down, kafka: kill, when: issued >= 10%, for: 3s";
    let run = Run::of("strategy: fire-and-forget", "20s", &[fault]);
    let ended = run.run().expect(111);
    assert_eq!(run.fault("broker-down")["effect_seen"], true);
    let summary = run.bench.summary();
    let kept = harness::verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(kept["verdict"], "fail", "{}", ended.all());
    run.is_gone("fire-and-forget");
}

#[test]
fn nothing_stays_broken_when_the_harness_is_killed_in_the_middle_of_a_fault() {
    let frozen = "name: redis, redis: freeze, after: 1s, for: 1h";
    let server = "name: server, server: freeze, after: 1s, for: 1h";
    let away = "name: database, database: kill, after: 1s, for: 1h";
    let run = Run::of("strategy: redis-lua", "1h", &[frozen, server, away]);
    let mut running = run.start();
    for fault in ["redis", "server", "database"] {
        running.wait_until_it_says(&format!("fault {fault}: bites"));
    }
    let stopped = run.processes();
    let is_stopped = |line: &&String| line.ends_with(": T");
    assert_eq!(stopped.iter().filter(is_stopped).count(), 2, "{stopped:?}");
    assert_eq!(run.leases().len(), 1);
    running.signal(Signal::KILL);
    running.wait();
    run.is_gone("killed");
}

#[test]
fn what_a_power_cut_has_left_is_healed_by_the_next_start_and_by_heal() {
    let mut sleeper = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .expect("sleep");
    let pid = rustix::process::Pid::from_child(&sleeper);
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", sleeper.id())).expect("it runs");
    let fields = stat();
    let (_, behind) = fields.rsplit_once(") ").expect("a line of the kernel");
    let started = behind.split(' ').nth(19).expect("its start").to_owned();
    let run = Run::of(
        "strategy: sqlite-atomic",
        "1s",
        &["name: a, server: freeze, after: 100ms, for: 100ms"],
    );
    let folder = run.bench.path("state/fcfs-bench/leases");
    std::fs::create_dir_all(&folder).expect("a directory");
    // As a harness leaves it that has died in another life of the machine, and its janitor with it.
    let page = format!(
        "{{\"run\":\"/tmp/run\",\"owner\":{{\"pid\":1,\"started\":1,\"boot\":\"another\"}},\"leases\":[\
         {{\"id\":1,\"fault\":\"old\",\"victim\":\"sleep\",\"until_unix_ms\":0,\
         \"undo\":[{{\"undo\":\"continue\",\"pid\":{},\"started\":{started}}}]}}]}}",
        sleeper.id()
    );
    for heals in ["heal", "run"] {
        rustix::process::kill_process(pid, Signal::STOP).expect("it runs");
        harness::wait_until("it stops", || state_of(&stat()) == "T");
        std::fs::write(folder.join("old.json"), &page).expect("a file");
        let args: &[&str] = match heals {
            "heal" => &["heal"],
            _ => &["run", "scenario.yaml", "--out", "run"],
        };
        let state = run.bench.path("state");
        let ended = run.bench.start_with(args, |command| {
            command.env("XDG_STATE_HOME", state);
        });
        let ended = ended.wait();
        assert!(
            ended.all().contains("healed old at sleep"),
            "{heals}: {}",
            ended.all()
        );
        harness::wait_until("it goes on", || state_of(&stat()) != "T");
        assert_eq!(run.leases(), Vec::<String>::new(), "{heals}");
    }
    sleeper.kill().expect("it runs");
    sleeper.wait().expect("it was ours");
}

#[test]
fn an_interrupt_heals_and_says_so() {
    let fault = "name: redis, redis: freeze, after: 1s, for: 1h";
    let run = Run::of("strategy: redis-lua", "1h", &[fault]);
    let mut running = run.start();
    running.wait_until_it_says("fault redis: bites");
    running.signal(Signal::INT);
    let ended = running.wait().expect(105);
    assert!(
        ended.stderr.contains("fault redis: healed"),
        "{}",
        ended.all()
    );
    assert_eq!(run.fault("redis")["state"], "healed");
    run.is_gone("interrupted");
}

#[test]
fn a_target_elsewhere_is_refused_before_anything_is_sent() {
    let bench = Bench::new();
    let text = scenario(
        "strategy: redis-lua",
        "1s",
        &["name: a, client: { delay: 5ms }, after: 100ms, for: 1s"],
    );
    let line = "target: { stack: { provider: local, server: { strategy: redis-lua } } }";
    let elsewhere = "target: { url: \"http://192.0.2.1:9\" }";
    let text = text.replace(line, elsewhere);
    let text = text.replace("invariants: [stock, one_per_user, acknowledged]\n", "");
    let text = text.replace("truth: { settle: { quiet: 1s, within: 60s } }\n", "");
    bench.write("scenario.yaml", text);
    let ended = bench.run_scenario(&[]).expect(104);
    assert!(
        ended.stderr.contains("--allow-target 192.0.2.1"),
        "{}",
        ended.all()
    );
    assert!(!bench.path("run").exists(), "nothing has begun");
    // Another name is not this one.
    bench
        .run_scenario(&["--allow-target", "192.0.2.2"])
        .expect(104);
    bench.run(&["validate", "scenario.yaml"]).expect(0);
}
