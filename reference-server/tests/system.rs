//! The whole system of document C as processes: two routers, two queue servers, a coupon server.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod members;
mod services;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use members::At;
use serde_json::Value;
use services::{Stores, services};

const USERS: u64 = 60;
const STOCK: u64 = 20;
const THRESHOLD: u64 = 6;

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(stores: &Stores, role: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .args(["--listen", "127.0.0.1:0", "--stop-with-stdin"])
            .args(["--role", role])
            .args(arguments)
            .env("FCFS_JWT_SECRET", members::SECRET)
            .env("FCFS_REDIS", stores.redis_url())
            .env("FCFS_MYSQL", stores.mysql_url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["role"], role);
        let url = format!("http://{}", line["address"].as_str().unwrap());
        Self { child, url }
    }

    fn has_ended_well(mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().success()
    }
}

/// As the public client does it: the page, the queue if there is one, a heartbeat, the coupon.
async fn take_part(router: At, member: u64) -> (u16, String) {
    let page = router.event(member).await;
    assert_eq!(page.status, 308, "{page:?}");
    let mut rank = router.enter(member).await.data()["rank"].as_u64().unwrap();
    loop {
        let order = router.order(member).await.data().clone();
        if order["status"] == 2 {
            break;
        }
        let now = order["rank"].as_u64().unwrap();
        assert!(now <= rank, "{member} went back from {rank} to {now}");
        rank = now;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    router.heartbeat(member).await.data();
    let page = router.event(member).await;
    assert_eq!(page.status, 200, "who was admitted sees the page: {page:?}");
    let answer = router.issue(member).await;
    let (status, code) = answer.outcome();
    (status, code.to_owned())
}

/// The most who were ever admitted at the same time.
fn watch(stores: Stores, done: Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
    tokio::spawn(async move {
        let most = AtomicU64::new(0);
        while !done.load(Ordering::Relaxed) {
            let count = stores.redis(&["ZCARD", "queue:COUPON:1:running"]).await;
            most.fetch_max(count.unwrap().parse().unwrap(), Ordering::Relaxed);
        }
        most.into_inner()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_members_queue_for_twenty_coupons_and_six_are_in_at_most() {
    let services = services();
    let stores = services.stores().await;
    let (stock, threshold) = (STOCK.to_string(), THRESHOLD.to_string());
    let coupon = ["--strategy", "redis-lua", "--stock", &stock];
    let coupon = Server::start(&stores, "all", &coupon);
    let line = [
        "--queue-threshold",
        &threshold,
        "--queue-transfer-size",
        "4",
        "--queue-transfer-interval-ms",
        "20",
        "--queue-traffic-rpm",
        "0",
    ];
    let queues = [(); 2].map(|()| Server::start(&stores, "queue", &line));
    let mut forward = vec!["--coupon-url", coupon.url.as_str()];
    for queue in &queues {
        forward.extend(["--queue-url", &queue.url]);
    }
    let routers = [(); 2].map(|()| Server::start(&stores, "router", &forward));

    let done = Arc::new(AtomicBool::new(false));
    let most = watch(stores.clone(), Arc::clone(&done));
    let users: Vec<_> = (1..=USERS)
        .zip(routers.iter().cycle().map(|router| At::url(&router.url)))
        .map(|(member, router)| tokio::spawn(take_part(router, member)))
        .collect();
    let mut outcomes = Vec::new();
    for user in users {
        outcomes.push(user.await.unwrap());
    }
    done.store(true, Ordering::Relaxed);
    let most = most.await.unwrap();
    assert!((4..=THRESHOLD).contains(&most), "{most} at once");
    let count = |status, code: &str| {
        let wanted = (status, code.to_owned());
        outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count() as u64
    };
    assert_eq!(count(200, "success"), STOCK);
    assert_eq!(count(400, "COUPON_03"), USERS - STOCK);

    let health = At::url(&routers[0].url)
        .ask("GET", "/health", "", &Value::Null)
        .await;
    assert_eq!(health.status, 200, "{health:?}");
    for server in routers.into_iter().chain(queues).chain([coupon]) {
        assert!(server.has_ended_well());
    }
    assert_eq!(stores.rows().await.len() as u64, STOCK);
    let left = stores.redis(&["ZCARD", "queue:COUPON:1:running"]).await;
    assert_eq!(left.unwrap(), "0", "everybody has left");
}

#[tokio::test]
async fn keeps_the_secret_off_its_command_line_and_its_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_reference-server"))
        .arg("--help")
        .env("FCFS_JWT_SECRET", "s3cret-value")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("FCFS_JWT_SECRET"));
    assert!(!help.contains("s3cret-value") && !help.contains("--jwt-secret"));
    let refused = Command::new(env!("CARGO_BIN_EXE_reference-server"))
        .args(["--jwt-secret", "s3cret-value"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
}
