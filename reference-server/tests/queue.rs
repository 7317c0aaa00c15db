//! The role queue on a real Redis: order, admission, and removal of those who are gone.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod members;
mod services;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use members::{At, Running, signed, token, until};
use reference_server::{Bug, Node, Options, QueueOptions, Role};
use serde_json::{Value, json};
use services::{Stores, services};

const WAITING: &str = "queue:COUPON:1:waiting";
const RUNNING: &str = "queue:COUPON:1:running";

fn options(stores: &Stores, line: impl FnOnce(&mut QueueOptions)) -> Options {
    let mut options = members::options();
    options.role = Role::Queue;
    options.redis = vec![stores.redis.clone()];
    line(&mut options.line);
    options
}

fn ms(ms: u32) -> NonZeroU32 {
    NonZeroU32::new(ms).unwrap()
}

/// Nobody is admitted until a test says so.
fn closed(stores: &Stores) -> Options {
    options(stores, |line| {
        line.threshold = 0;
        line.transfer_interval_ms = ms(5);
    })
}

async fn start<const N: usize>(options: &Options) -> [Running; N] {
    let mut servers = Vec::new();
    for _ in 0..N {
        servers.push(Running::start(options).await);
    }
    servers.try_into().ok().unwrap()
}

async fn admitted(stores: &Stores) -> Vec<u64> {
    let client = redis::Client::open(stores.redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd("ZRANGE");
    let command = command.arg(RUNNING).arg(0).arg(-1);
    command.query_async(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_admit_two_hundred_who_came_at_once_in_the_order_they_were_told() {
    let services = services();
    let stores = services.stores().await;
    let servers: [Running; 3] = start(&closed(&stores)).await;
    let entered: Vec<_> = (0..200)
        .zip(servers.iter().cycle().map(|server| server.at.clone()))
        .map(|(member, at)| tokio::spawn(async move { (member, at.enter(member).await) }))
        .collect();
    let mut order = vec![None; 200];
    for entered in entered {
        let (member, answer) = entered.await.unwrap();
        assert_eq!(answer.data()["status"], 1);
        let rank = answer.data()["rank"].as_u64().unwrap() as usize;
        assert_eq!(order[rank].replace(member), None, "two users at {rank}");
    }

    // At every instant the admitted are the first ones.
    servers[0].at.set(200, 3, 0).await;
    let mut seen = 0;
    while seen < 200 {
        let admitted = admitted(&stores).await;
        let mut first: Vec<u64> = order[..admitted.len()].iter().flatten().copied().collect();
        let mut found = admitted;
        first.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, first);
        assert!(found.len() >= seen);
        seen = found.len();
    }
    for server in servers {
        server.stop().await;
    }
}

/// Every user polls until admitted, and leaves after a moment.
async fn go_through(at: At, stores: Stores, member: u64) {
    let mut last = at.enter(member).await.data()["rank"].as_u64().unwrap();
    loop {
        let answer = at.order(member).await;
        if answer.data()["status"] == 2 {
            break;
        }
        let rank = answer.data()["rank"].as_u64().unwrap();
        assert!(rank <= last, "{member} went back from {last} to {rank}");
        assert!(rank < answer.data()["total"].as_u64().unwrap());
        last = rank;
        tokio::task::yield_now().await;
    }
    stores.redis(&["ZREM", RUNNING, &member.to_string()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_schedulers_never_admit_more_than_the_threshold_and_nobody_goes_back() {
    let services = services();
    let stores = services.stores().await;
    let options = options(&stores, |line| {
        line.threshold = 7;
        line.transfer_size = 5;
        line.transfer_interval_ms = ms(1);
    });
    let servers: [Running; 5] = start(&options).await;
    let (done, most) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let watcher = tokio::spawn({
        let (done, most, stores) = (Arc::clone(&done), Arc::clone(&most), stores.clone());
        async move {
            while !done.load(Ordering::Relaxed) {
                let count = stores.redis(&["ZCARD", RUNNING]).await.unwrap();
                most.fetch_max(count.parse().unwrap(), Ordering::Relaxed);
            }
        }
    });
    let users: Vec<_> = (0..120)
        .zip(servers.iter().cycle().map(|server| server.at.clone()))
        .map(|(member, at)| tokio::spawn(go_through(at, stores.clone(), member)))
        .collect();
    for user in users {
        user.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    watcher.await.unwrap();
    let most = most.load(Ordering::Relaxed);
    assert!((5..=7).contains(&most), "{most} at once");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_scheduler_that_forgets_who_is_inside_admits_above_the_threshold() {
    let services = services();
    for (bug, most) in [(None, 3), (Some(Bug::AdmissionOverLimit), 9)] {
        let stores = services.stores().await;
        let mut options = options(&stores, |line| {
            line.threshold = 3;
            line.transfer_interval_ms = ms(5);
        });
        options.bug = bug;
        let [server] = start(&options).await;
        for member in 0..9 {
            server.at.enter(member).await.data();
        }
        until(async || admitted(&stores).await.len() == most).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_ticket_is_counted_or_planted_the_time_of_the_server() {
    let services = services();
    for (bug, is_time) in [(None, false), (Some(Bug::TicketWallClock), true)] {
        let stores = services.stores().await;
        let mut options = closed(&stores);
        options.bug = bug;
        let [server] = start(&options).await;
        let mut tickets = Vec::new();
        for member in 0..3 {
            let answer = server.at.enter(member).await;
            tickets.push(answer.data()["ticket"].as_u64().unwrap());
        }
        // Microseconds of Unix time since 2020.
        let times = tickets.iter().all(|ticket| *ticket > 1_577_836_800_000_000);
        assert_eq!(times, is_time, "{tickets:?}");
        assert!(is_time || tickets == [1, 2, 3], "{tickets:?}");
        assert!(tickets.is_sorted(), "one clock does no harm: {tickets:?}");
        server.stop().await;
    }
}

#[tokio::test]
async fn four_servers_together_admit_no_faster_than_one() {
    let services = services();
    let stores = services.stores().await;
    let options = options(&stores, |line| {
        line.transfer_size = 1;
        line.transfer_interval_ms = ms(200);
    });
    let servers: [Running; 4] = start(&options).await;
    for member in 0..5 {
        servers[0].at.enter(member).await.data();
    }
    let running = async |member: u64| {
        let member = member.to_string();
        let score = stores.redis(&["ZSCORE", RUNNING, &member]).await;
        score.map(|at| at.parse::<u64>().unwrap())
    };
    until(async || running(4).await.is_some()).await;
    for member in 1..5 {
        // By Redis' clock: nine tenths of the interval, in which nobody else may admit.
        let after = running(member).await.unwrap() - running(member - 1).await.unwrap();
        assert!(
            after >= 180,
            "{member} only {after} ms after the one before"
        );
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn refuses_a_second_entry_and_those_it_does_not_know() {
    let services = services();
    let stores = services.stores().await;
    let [server] = start(&closed(&stores)).await;
    let at = &server.at;
    assert_eq!(at.order(1).await.outcome(), (404, "Q_WAIT_ORDER_01"));
    assert_eq!(at.heartbeat(1).await.outcome(), (404, "Q_RUNNING_01"));

    let first = json!({ "status": 1, "rank": 0, "total": 1, "ticket": 1 });
    let entered = json!({ "status": 1, "rank": 1, "total": 2, "ticket": 2 });
    let second = json!({ "status": 1, "rank": 1, "total": 2 });
    assert_eq!(at.enter(1).await.data(), &first);
    assert_eq!(at.enter(2).await.data(), &entered);
    assert_eq!(at.enter(1).await.outcome(), (409, "Q_ENTER_01"));
    assert_eq!(at.order(2).await.data(), &second);
    assert_eq!(at.heartbeat(2).await.data(), &Value::Null);

    at.set(1, 1, 0).await;
    until(async || at.order(1).await.data()["status"] == 2).await;
    assert_eq!(at.enter(1).await.outcome(), (409, "Q_ENTER_02"));
    assert_eq!(at.heartbeat(1).await.data(), &Value::Null);
    let alone = json!({ "status": 1, "rank": 0, "total": 1 });
    assert_eq!(at.order(2).await.data(), &alone, "the place is taken");
    stores.redis(&["ZREM", RUNNING, "1"]).await;
    until(async || at.order(2).await.data()["status"] == 2).await;
    server.stop().await;
}

#[tokio::test]
async fn refuses_what_it_cannot_read_and_members_without_a_token() {
    let services = services();
    let stores = services.stores().await;
    let [server] = start(&closed(&stores)).await;
    let enter = async |token: &str, body: Value| {
        let answer = server
            .at
            .ask("POST", "/api/queue/enter", token, &body)
            .await;
        let (status, code) = answer.outcome();
        (status, code.to_owned())
    };
    let event = json!({ "domain": "COUPON", "resourceId": 1 });
    let expired = signed(members::SECRET, &json!({ "sub": 1, "exp": 1_700_000_000 }));
    let forged = signed("another secret", &json!({ "sub": 1 }));
    let cases = [
        ("", event.clone(), (401, "JWT_04")),
        (&*expired, event.clone(), (401, "JWT_02")),
        (&*forged, event, (401, "JWT_01")),
        (
            &*token(1),
            json!({ "domain": "SEAT", "resourceId": 1 }),
            (400, "BAD_REQUEST"),
        ),
        (
            &*token(1),
            json!({ "domain": "COUPON" }),
            (400, "BAD_REQUEST"),
        ),
        (&*token(1), json!("COUPON"), (400, "BAD_REQUEST")),
        (
            &*token(1),
            json!({ "domain": "COUPON", "resourceId": "x" }),
            (404, "QUEUE_01"),
        ),
    ];
    for (token, body, (status, code)) in cases {
        let answer = enter(token, body.clone()).await;
        assert_eq!(answer, (status, code.to_owned()), "{body}");
    }
    for path in ["/api/queue/order", "/api/queue/order?domain=COUPON"] {
        let answer = server.at.ask("GET", path, &token(1), &Value::Null).await;
        assert_eq!(answer.outcome(), (400, "BAD_REQUEST"), "{path}");
    }
    assert_eq!(stores.redis(&["EXISTS", WAITING]).await.unwrap(), "0");
    server.stop().await;
}

#[tokio::test]
async fn drops_the_silent_and_keeps_who_gives_a_sign_of_life() {
    let services = services();
    let stores = services.stores().await;
    let options = options(&stores, |line| {
        line.threshold = 2;
        line.transfer_interval_ms = ms(5);
        line.expire_interval_ms = ms(20);
        line.running_timeout_ms = ms(1500);
        line.waiting_timeout_ms = ms(1500);
    });
    let [server] = start(&options).await;
    let at = &server.at;
    for member in 1..=2 {
        at.enter(member).await.data();
    }
    until(async || stores.redis(&["ZCARD", RUNNING]).await.unwrap() == "2").await;
    at.set(0, 1, 0).await; // those who follow only wait
    for member in 3..=4 {
        at.enter(member).await.data();
    }

    // Asked in Redis: asking the server would be a sign of life.
    let is_gone = async |key: &str, member: &str| {
        at.heartbeat(2).await.data();
        at.order(4).await.data();
        stores.redis(&["ZSCORE", key, member]).await.is_none()
    };
    until(async || is_gone(RUNNING, "1").await).await;
    until(async || is_gone(WAITING, "3").await).await;
    assert_eq!(at.order(2).await.data()["status"], 2, "a heartbeat counts");
    let alone = json!({ "status": 1, "rank": 0, "total": 1 });
    assert_eq!(at.order(4).await.data(), &alone, "a poll counts");

    until(async || {
        stores
            .redis(&["EXISTS", "queue:COUPON:events"])
            .await
            .unwrap()
            == "0"
    })
    .await;
    assert_eq!(at.order(4).await.outcome().0, 404);
    let seen = stores.redis(&["EXISTS", "queue:COUPON:1:seen"]).await;
    assert_eq!(seen.unwrap(), "0", "nothing is left of the gone");
    server.stop().await;
}

#[tokio::test]
async fn shares_settings_and_never_writes_over_what_is_there() {
    let services = services();
    let stores = services.stores().await;
    let first = options(&stores, |line| line.threshold = 5);
    let second = options(&stores, |line| line.threshold = 50);
    let (a, b) = (Running::start(&first).await, Running::start(&second).await);
    let path = "/api/admin/queue/config?domain=COUPON&resourceId=1";
    let settings = async |at: &At| at.ask("GET", path, &token(0), &Value::Null).await.body;
    let expected = json!({ "threshold": 5, "transferSize": 100, "trafficRpm": 6000 });
    assert_eq!(settings(&b.at).await["data"], expected, "the first one's");

    a.at.set(9, 8, 7).await;
    let expected = json!({ "threshold": 9, "transferSize": 8, "trafficRpm": 7 });
    assert_eq!(settings(&b.at).await["data"], expected);
    stores.redis(&["FLUSHDB"]).await;
    let own = json!({ "threshold": 50, "transferSize": 100, "trafficRpm": 6000 });
    assert_eq!(settings(&b.at).await["data"], own, "Redis was emptied");
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn tells_its_health_and_what_it_counts() {
    let services = services();
    let stores = services.stores().await;
    let [server] = start(&options(&stores, |line| {
        line.threshold = 1;
        line.transfer_interval_ms = ms(5);
    }))
    .await;
    for member in 1..=3 {
        server.at.enter(member).await.data();
    }
    let page = async || {
        let answer = server.at.ask("GET", "/metrics", "", &Value::Null).await;
        answer.body.as_str().unwrap().to_owned()
    };
    // The lengths are those of the last interval.
    let waiting = "queue_waiting_tokens{event=\"1\"} 2\n";
    until(async || page().await.contains(waiting)).await;
    let page = page().await;
    for line in ["queue_admitted_total 1\n", "queue_running{event=\"1\"} 1\n"] {
        assert!(page.contains(line), "{line}{page}");
    }
    assert!(!page.contains("coupon_stock_remaining"), "{page}");
    let health = server.at.ask("GET", "/health", "", &Value::Null).await;
    assert_eq!(health.body, json!({ "status": "ok", "redis": "up" }));
    server.stop().await;
}

#[tokio::test]
async fn does_not_start_without_a_secret_or_a_redis() {
    let services = services();
    let stores = services.stores().await;
    for role in [Role::Queue, Role::Router] {
        let mut without_secret = closed(&stores);
        without_secret.role = role;
        without_secret.router.coupon_url = vec!["http://127.0.0.1:1".parse().unwrap()];
        without_secret.router.queue_url = vec!["http://127.0.0.1:1".parse().unwrap()];
        let mut without_redis = without_secret.clone();
        without_secret.jwt_secret = None;
        without_redis.redis = Vec::new();
        for (options, word) in [
            (without_secret, "FCFS_JWT_SECRET"),
            (without_redis, "--redis"),
        ] {
            let error = Node::prepare(&options).await.err().unwrap().to_string();
            assert!(
                error.contains(word) && error.contains(&role.to_string()),
                "{error}"
            );
        }
    }
}
