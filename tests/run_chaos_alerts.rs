//! Redis dies under a watched system: the shipped rules fire, Alertmanager tells whom it is
//! configured to tell, and the report of the run says how soon.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "not every database is asked here")]
#[path = "support/databases.rs"]
mod databases;
#[path = "support/harness/mod.rs"]
mod harness;
mod support;
#[path = "support/watched.rs"]
mod watched;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use harness::{Bench, shipped, verdict_of, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{Service, free_port, program};
use watched::{Watch, ask, read};

const SCENARIO: &str = "scenarios/chaos-redis.yaml";
const BY_ALERT: &str = "detection{fault:redis-down,by:alert}: value<60s";

/// A Redis that a shell has started, so that a run can kill it and start it again.
struct Redis {
    bench: std::path::PathBuf,
    port: u16,
}

impl Redis {
    fn start(bench: &Bench) -> Self {
        let (port, program) = (free_port(), program("redis-server"));
        let script = format!(
            "{} --bind 127.0.0.1 --port {port} --appendonly yes --save '' --dir . \
             >> redis.log 2>&1 & echo $! > redis.pid",
            program.display()
        );
        bench.write("start-redis", script);
        let redis = Self {
            bench: bench.path(""),
            port,
        };
        let mut shell = Command::new("sh");
        let started = shell.arg("start-redis").current_dir(&redis.bench).status();
        assert!(started.unwrap().success());
        wait_until("Redis answers", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Whoever has started it again, the test has made it.
        let text = std::fs::read_to_string(self.bench.join("redis.pid")).unwrap_or_default();
        if let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The bundled server on these stores.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(bench: &Bench, redis: &Redis, mysql: &Service) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"))
            .args(["serve", "--listen", "127.0.0.1:0", "--stop-with-stdin"])
            .args(["--strategy", "redis-lua", "--stock", "3000"])
            .env("FCFS_REDIS", format!("redis://127.0.0.1:{}/0", redis.port))
            .env("FCFS_MYSQL", mysql_url(mysql))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(bench.path("server.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let address = said["address"].as_str().unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mysql_url(mysql: &Service) -> String {
    format!("mysql://bench:p4ssw0rd@127.0.0.1:{}/shop", mysql.port)
}

/// The shipped receiver of this machine.
fn webhook() -> Service {
    let (port, script) = (free_port(), shipped("deploy/alertmanager/webhook.py"));
    let directory = tempfile::tempdir().unwrap();
    Service::start(directory, port, Signal::KILL, move |_| {
        let mut command = Command::new(program("python3"));
        command.arg(&script).arg(port.to_string());
        command
    })
}

/// Alertmanager as it is shipped, which tells that receiver.
fn alertmanager(webhook: u16) -> Service {
    let text = read("deploy/alertmanager/alertmanager.yml");
    assert_eq!(text.matches("http://webhook:9095/").count(), 3, "{text}");
    let text = text.replace("webhook:9095", &format!("127.0.0.1:{webhook}"));
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("alertmanager.yml"), text).unwrap();
    let (port, binary) = (free_port(), program("prometheus-alertmanager"));
    Service::start(directory, port, Signal::KILL, move |place| {
        let mut command = Command::new(&binary);
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .arg(format!(
                "--config.file={}",
                place.join("alertmanager.yml").display()
            ))
            .arg(format!("--storage.path={}", place.join("data").display()))
            .arg("--log.level=warn");
        command
    })
}

/// The shipped scenario, with the addresses of this test.
fn scenario(server: &Server, redis: &Redis, mysql: &Service, prometheus: u16) -> String {
    let redis_url = format!("redis://127.0.0.1:{}", redis.port);
    let sql = "mysql://fcfs:${MYSQL_PASSWORD}@127.0.0.1:3306/coupons";
    let mut text = read(SCENARIO);
    for (shipped, times, here) in [
        (
            "http://127.0.0.1:3000",
            1,
            format!("http://{}", server.address),
        ),
        (
            "container: fcfs-redis",
            1,
            "pid_file: redis.pid, start: sh start-redis".to_owned(),
        ),
        ("redis://127.0.0.1:6379", 2, redis_url),
        (sql, 2, mysql_url(mysql)),
        (
            "http://127.0.0.1:9090",
            1,
            format!("http://127.0.0.1:{prometheus}"),
        ),
    ] {
        assert_eq!(text.matches(shipped).count(), times, "{shipped} in {text}");
        text = text.replace(shipped, &here);
    }
    text
}

#[test]
fn redis_dies_and_whoever_is_on_call_is_told_within_the_limit() {
    let bench = Bench::new();
    let (redis, mysql) = (Redis::start(&bench), databases::mariadb());
    let server = Server::start(&bench, &redis, &mysql);
    let webhook = webhook();
    let alertmanager = alertmanager(webhook.port);
    let watch = Watch::start(2, "4s", Some(alertmanager.port));
    watch.watch(std::slice::from_ref(&server.address));
    wait_until("the server was looked at", || {
        let up = watch.ask("/api/v1/query", &[("query", "dependency_up == 1")]);
        up.is_ok_and(|up| up["result"].as_array().is_some_and(|all| all.len() == 2))
    });
    let text = scenario(&server, &redis, &mysql, watch.prometheus.port);
    bench.write("scenario.yaml", text);
    let running = bench.start_with(
        &[
            "run",
            "scenario.yaml",
            "--out",
            "run",
            "--scale",
            "time=0.2",
        ],
        |command| {
            command.env("XDG_STATE_HOME", bench.path("state"));
        },
    );
    let ended = running.wait();
    let summary = bench.summary();
    let fault = &summary["faults"][0];
    assert_eq!(fault["state"], "healed", "{fault:#}\n{}", ended.all());
    let alerts = fault["alerts"].as_array().unwrap();
    // Users see errors as well, and every rule waits for four seconds here.
    let down = alerts.iter().find(|alert| alert["alert"] == "RedisDown");
    let down = down.unwrap_or_else(|| panic!("{fault:#}\n{}", ended.all()));
    assert_eq!(down["labels"]["priority"], "P0", "{fault:#}");
    assert!(down["fired_ms"].as_f64() >= Some(3000.0), "{fault:#}");
    assert!(down["cleared_ms"].is_number(), "{fault:#}");
    let judged = verdict_of(&summary, "thresholds", BY_ALERT);
    assert_eq!(judged["verdict"], "pass", "{judged}");
    let report = bench.read("run/report.md");
    assert!(report.contains("alert `RedisDown`"), "{report}");

    let told: Value = serde_json::from_str(&ask(webhook.port, "GET", "/", "")).unwrap();
    let is_told = |status: &str| {
        told.as_array().unwrap().iter().any(|one| {
            one["receiver"] == "p0" && one["alert"] == "RedisDown" && one["status"] == status
        })
    };
    assert!(is_told("firing"), "{told:#}");
}
