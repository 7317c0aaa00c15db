//! What a nemesis of the database does to a real MariaDB, and what is left of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fcfs_bench::fault::database::{CommitStall, HotRow, KillSessions, PoolExhausted, ReadOnly};
use fcfs_bench::fault::lease::{Stored, Undo};
use fcfs_bench::fault::nemesis::{Effect, Nemesis, Trouble};
use fcfs_bench::plan::Secret;
use rustix::process::{Signal, geteuid};
use sqlx::{Connection as _, Executor as _, MySqlConnection, Row as _};
use support::nemesis::{LONG, Load, is_not_seen, seen, undo_from_the_lease};
use support::{Service, free_port, program, run};
use tokio::time::{sleep, timeout};

/// As the bundled stack has them: one who may do anything, and the system's user, who may do
/// anything in its own database.
const USERS: &str = "CREATE DATABASE IF NOT EXISTS coupons;\n\
                     CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY 'secret';\n\
                     GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n\
                     CREATE USER IF NOT EXISTS fcfs@'127.0.0.1' IDENTIFIED BY 'secret';\n\
                     GRANT ALL ON coupons.* TO fcfs@'127.0.0.1';\n";

const LOCK: &str = "SELECT remaining FROM coupon WHERE id = 1 FOR UPDATE";

fn start(more: &[&str]) -> Service {
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut install = Command::new(program("mariadb-install-db"));
    install.args(["--no-defaults", "--skip-test-db"]);
    install.arg(option("--datadir", &directory.path().join("data")));
    // In a shared directory, a server that starts removes the temporary tables of the others.
    install.env("TMPDIR", directory.path());
    run(as_root(&mut install));
    std::fs::write(directory.path().join("first.sql"), USERS).unwrap();
    let more: Vec<String> = more.iter().map(|&word| word.to_owned()).collect();
    Service::start(directory, port, Signal::KILL, move |directory| {
        let mut command = Command::new(program("mariadbd"));
        command.args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
        ]);
        command.arg(format!("--port={port}"));
        command.arg(option("--datadir", &directory.join("data")));
        command.arg(option("--tmpdir", directory));
        command.arg(option("--socket", &directory.join("socket")));
        command.arg(option("--init-file", &directory.join("first.sql")));
        command.args(&more);
        as_root(&mut command);
        command
    })
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// The server refuses to run as root unless it is told so.
fn as_root(command: &mut Command) -> &mut Command {
    if geteuid().is_root() {
        command.arg("--user=root");
    }
    command
}

/// A server with a coupon, and the two users' URLs.
struct Shop {
    service: Service,
    admin: Secret,
    system: Secret,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    async fn open_with(more: &[&str]) -> Self {
        let service = start(more);
        let url = |user: &str| {
            Secret::new(format!(
                "mysql://{user}:secret@127.0.0.1:{}/coupons",
                service.port
            ))
        };
        let (admin, system) = (url("root"), url("fcfs"));
        let mut first = MySqlConnection::connect(system.reveal()).await.unwrap();
        let tables = "CREATE TABLE coupon (id INT PRIMARY KEY, remaining INT);
                      INSERT INTO coupon VALUES (1, 1000000), (2, 0)";
        first.execute(sqlx::raw_sql(tables)).await.unwrap();
        first.close().await.unwrap();
        Self {
            service,
            admin,
            system,
        }
    }

    async fn variables(&self) -> BTreeMap<String, String> {
        let mut session = MySqlConnection::connect(self.admin.reveal()).await.unwrap();
        let rows = session
            .fetch_all(sqlx::raw_sql("SHOW GLOBAL VARIABLES"))
            .await
            .unwrap();
        session.close().await.unwrap();
        let pairs = rows.iter().map(|row| {
            let text = |column: usize| row.try_get_unchecked::<String, _>(column).unwrap();
            (text(0), text(1))
        });
        // Places in a log that moves on by itself, not settings.
        let moves = ["gtid_", "innodb_", "last_", "timestamp"];
        pairs
            .filter(|(name, _)| !moves.iter().any(|move_| name.starts_with(move_)))
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Sessions {
    /// One, until it fails.
    Kept,
    /// One for each sale.
    New,
}

fn load(url: &Secret, sessions: Sessions) -> Load {
    let url = url.clone();
    Load::of(move |counts| async move {
        let mut kept = None;
        loop {
            let sale = timeout(Duration::from_millis(500), sell(&url, &mut kept)).await;
            let is_sold = matches!(sale, Ok(Ok(())));
            if !is_sold || sessions == Sessions::New {
                kept = None;
            }
            counts.count(is_sold);
            sleep(Duration::from_millis(5)).await;
        }
    })
}

async fn sell(url: &Secret, kept: &mut Option<MySqlConnection>) -> Result<(), sqlx::Error> {
    let session = match kept {
        Some(session) => session,
        None => kept.insert(MySqlConnection::connect(url.reveal()).await?),
    };
    let sale = "UPDATE coupon SET remaining = remaining - 1 WHERE id = 1";
    session.execute(sqlx::raw_sql(sale)).await.map(|_| ())
}

/// From whole to whole, with a load that suffers between; gives what was seen.
async fn bites_and_is_healed(nemesis: &mut dyn Nemesis, shop: &Shop, sessions: Sessions) -> String {
    let before = shop.variables().await;
    let load = load(&shop.system, sessions);
    load.fares_well().await;
    nemesis.undo().await.unwrap();
    // The known-bad case: an injector that does nothing.
    is_not_seen(nemesis).await;
    nemesis.inject().await.unwrap();
    let words = seen(nemesis).await;
    load.suffers().await;
    nemesis.heal().await.unwrap();
    load.fares_well().await;
    nemesis.heal().await.unwrap();
    load.fares_well().await;
    assert_eq!(shop.variables().await, before);
    words
}

/// The harness dies: what was injected ends with its sessions.
async fn ends_with_the_harness(mut nemesis: impl Nemesis, shop: &Shop, sessions: Sessions) {
    let load = load(&shop.system, sessions);
    load.fares_well().await;
    assert_eq!(nemesis.undo().await.unwrap(), []);
    nemesis.inject().await.unwrap();
    load.suffers().await;
    drop(nemesis);
    load.fares_well().await;
}

#[tokio::test]
async fn a_commit_stall_keeps_writers_waiting_and_answers_readers() {
    let shop = Shop::open().await;
    let mut nemesis = CommitStall::new(&shop.admin);
    let words = bites_and_is_healed(&mut nemesis, &shop, Sessions::Kept).await;
    assert_eq!(words, "an UPDATE of no row was not answered within 500 ms");
    is_not_seen(&mut nemesis).await;

    // A transaction that wrote before cannot commit.
    let mut open = MySqlConnection::connect(shop.system.reveal())
        .await
        .unwrap();
    open.execute(sqlx::raw_sql(
        "BEGIN; UPDATE coupon SET remaining = 7 WHERE id = 2",
    ))
    .await
    .unwrap();
    nemesis.inject().await.unwrap();
    let mut reader = MySqlConnection::connect(shop.system.reveal())
        .await
        .unwrap();
    reader
        .fetch_all(sqlx::raw_sql("SELECT * FROM coupon"))
        .await
        .unwrap();
    let commit = timeout(
        Duration::from_millis(500),
        open.execute(sqlx::raw_sql("COMMIT")),
    );
    assert!(commit.await.is_err(), "it was committed");
    nemesis.heal().await.unwrap();
    ends_with_the_harness(nemesis, &shop, Sessions::Kept).await;
}

#[tokio::test]
async fn a_commit_stall_behind_a_long_statement_says_so_and_lets_go() {
    let shop = Shop::open().await;
    let mut long = MySqlConnection::connect(shop.system.reveal())
        .await
        .unwrap();
    // It holds the table for as long as it runs.
    let sleeping = "SELECT SLEEP(600) FROM coupon WHERE id = 1 FOR UPDATE";
    let sleeping =
        tokio::spawn(async move { long.fetch_all(sqlx::raw_sql(sleeping)).await.is_ok() });
    let mut nemesis = CommitStall::new(&shop.admin);
    nemesis.undo().await.unwrap();
    sleep(Duration::from_millis(300)).await;
    let trouble = nemesis.inject().await.unwrap_err().to_string();
    assert!(
        trouble.contains("waits behind what runs already"),
        "{trouble}"
    );
    assert!(trouble.contains("has run a statement for"), "{trouble}");
    // It has given up its place in the queue.
    nemesis.heal().await.unwrap();
    sleeping.abort();
}

#[tokio::test]
async fn a_database_without_a_table_cannot_prove_a_commit_stall() {
    let shop = Shop::open().await;
    let mut session = MySqlConnection::connect(shop.system.reveal())
        .await
        .unwrap();
    session
        .execute(sqlx::raw_sql("DROP TABLE coupon"))
        .await
        .unwrap();
    let trouble = CommitStall::new(&shop.admin)
        .undo()
        .await
        .unwrap_err()
        .to_string();
    assert!(trouble.contains("has no table"), "{trouble}");
}

#[tokio::test]
async fn a_hot_row_keeps_those_waiting_who_need_it() {
    let shop = Shop::open().await;
    let mut nemesis = HotRow::new(&shop.system, LOCK).unwrap();
    let words = bites_and_is_healed(&mut nemesis, &shop, Sessions::Kept).await;
    assert!(words.contains("1205"), "{words}");
    is_not_seen(&mut nemesis).await;
    ends_with_the_harness(nemesis, &shop, Sessions::Kept).await;
}

#[tokio::test]
async fn a_lock_on_no_row_is_trouble() {
    let shop = Shop::open().await;
    let nothing = "SELECT remaining FROM coupon WHERE id = 77 FOR UPDATE;";
    let mut nemesis = HotRow::new(&shop.system, nothing).unwrap();
    nemesis.undo().await.unwrap();
    let trouble = nemesis.inject().await.unwrap_err().to_string();
    assert!(trouble.contains("found no row"), "{trouble}");
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn all_sessions_are_taken_by_holding_them() {
    let shop = Shop::open_with(&["--max-connections=80"]).await;
    let mut nemesis = PoolExhausted::new(&shop.system, 0);
    let words = bites_and_is_healed(&mut nemesis, &shop, Sessions::New).await;
    // Or the one who asks got what somebody had just given up, and sees that it was the last.
    let is_seen = words.contains("1040") || words.contains("of 80 connections are taken");
    assert!(is_seen, "{words}");
    is_not_seen(&mut nemesis).await;
    ends_with_the_harness(nemesis, &shop, Sessions::New).await;
}

#[tokio::test]
async fn sessions_that_are_left_are_enough_for_a_small_system() {
    let shop = Shop::open_with(&["--max-connections=80"]).await;
    let mut nemesis = PoolExhausted::new(&shop.system, 4);
    nemesis.undo().await.unwrap();
    is_not_seen(&mut nemesis).await;
    nemesis.inject().await.unwrap();
    seen(&mut nemesis).await;
    let mut sessions = Vec::new();
    let refused = loop {
        match MySqlConnection::connect(shop.system.reveal()).await {
            Ok(session) => sessions.push(session),
            Err(error) => break error.to_string(),
        }
    };
    assert!(refused.contains("Too many connections"), "{refused}");
    assert_eq!(sessions.len(), 4);
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn a_session_that_the_system_gives_up_is_taken() {
    let shop = Shop::open_with(&["--max-connections=80"]).await;
    let kept = MySqlConnection::connect(shop.system.reveal())
        .await
        .unwrap();
    let mut nemesis = PoolExhausted::new(&shop.system, 0);
    nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    seen(&mut nemesis).await;
    kept.close().await.unwrap();
    let refused = async {
        while MySqlConnection::connect(shop.system.reveal()).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, refused).await.expect("it is taken");
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn sessions_of_the_system_are_killed_again_and_again() {
    let shop = Shop::open().await;
    let every = Duration::from_millis(50);
    let mut nemesis = KillSessions::new(&shop.admin, every, &[]);
    let words = bites_and_is_healed(&mut nemesis, &shop, Sessions::Kept).await;
    assert!(words.starts_with("none of the "), "{words}");

    let load = load(&shop.system, Sessions::Kept);
    nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    // More than the first kill.
    load.suffers().await;
    load.suffers().await;
    load.suffers().await;
    nemesis.heal().await.unwrap();
    ends_with_the_harness(nemesis, &shop, Sessions::Kept).await;
}

#[tokio::test]
async fn sessions_of_spared_users_live_on() {
    let shop = Shop::open().await;
    let mut spared = MySqlConnection::connect(shop.admin.reveal()).await.unwrap();
    let load = load(&shop.system, Sessions::Kept);
    load.fares_well().await;
    let every = Duration::from_millis(50);
    let mut nemesis = KillSessions::new(&shop.admin, every, &["root".to_owned()]);
    nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    load.suffers().await;
    load.suffers().await;
    nemesis.heal().await.unwrap();
    spared.execute(sqlx::raw_sql("SELECT 1")).await.unwrap();
}

#[tokio::test]
async fn nobody_to_kill_is_no_effect() {
    let shop = Shop::open().await;
    let mut nemesis = KillSessions::new(&shop.admin, LONG, &[]);
    let nobody = async {
        loop {
            nemesis.undo().await.unwrap();
            nemesis.inject().await.unwrap();
            // A session that has just ended may be listed for a moment.
            match nemesis.effect().await {
                Effect::NotSeen(words) if words.contains("no session") => return words,
                // The one that kills has a session itself, which the next look would find.
                _ => nemesis.heal().await.unwrap(),
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, nobody).await.unwrap();
}

#[tokio::test]
async fn a_read_only_database_refuses_the_system_and_answers_readers() {
    let shop = Shop::open().await;
    let mut nemesis = ReadOnly::new(&shop.admin, &shop.system);
    let words = bites_and_is_healed(&mut nemesis, &shop, Sessions::Kept).await;
    assert!(words.contains("1290"), "{words}");
    is_not_seen(&mut nemesis).await;

    let before = shop.variables().await;
    let undo = nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    let mut reader = MySqlConnection::connect(shop.system.reveal())
        .await
        .unwrap();
    reader
        .fetch_all(sqlx::raw_sql("SELECT * FROM coupon"))
        .await
        .unwrap();
    drop(nemesis);
    assert_ne!(shop.variables().await, before);
    undo_from_the_lease(&undo).await;
    assert_eq!(shop.variables().await, before);
}

#[tokio::test]
async fn each_statement_of_a_lease_is_run_although_another_one_fails() {
    let shop = Shop::open().await;
    let before = shop.variables().await;
    let lease = |value: u8| Undo::Sql {
        url: Stored::new(&shop.admin),
        run: vec![
            "SET GLOBAL no_such_variable = 1".to_owned(),
            format!("SET GLOBAL read_only = {value}"),
        ],
    };
    let trouble = lease(1).run().await.unwrap_err().to_string();
    assert!(trouble.contains("no_such_variable"), "{trouble}");
    assert!(!trouble.contains("secret"), "{trouble}");
    assert_eq!(shop.variables().await["read_only"], "ON");
    lease(0).run().await.unwrap_err();
    assert_eq!(shop.variables().await, before);
}

/// So nothing is claimed that did not happen.
#[tokio::test]
async fn a_user_who_may_write_in_spite_of_it_is_not_taken_for_stopped() {
    let shop = Shop::open().await;
    let mut nemesis = ReadOnly::new(&shop.admin, &shop.admin);
    nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    let words = is_not_seen(&mut nemesis).await;
    assert!(words.contains("may the system's user write"), "{words}");
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn no_trouble_tells_the_password() {
    let mut shop = Shop::open().await;
    let port = shop.service.port;
    let wrong = Secret::new(format!("mysql://fcfs:wrongsecret@127.0.0.1:{port}/coupons"));
    let all = |url: &Secret| -> [Box<dyn Nemesis>; 5] {
        [
            Box::new(CommitStall::new(url)),
            Box::new(HotRow::new(url, LOCK).unwrap()),
            Box::new(PoolExhausted::new(url, 0)),
            Box::new(KillSessions::new(url, LONG, &[])),
            Box::new(ReadOnly::new(url, url)),
        ]
    };
    let check = |trouble: Trouble| {
        let words = trouble.to_string();
        assert!(words.starts_with("mysql://127.0.0.1:"), "{words}");
        assert!(!words.contains("secret"), "{words}");
    };
    for nemesis in &mut all(&wrong) {
        check(nemesis.inject().await.unwrap_err());
    }
    // The system's own user may do little of it.
    check(CommitStall::new(&shop.system).inject().await.unwrap_err());
    check(
        ReadOnly::new(&shop.system, &shop.system)
            .inject()
            .await
            .unwrap_err(),
    );
    shop.service.stop();
    for nemesis in &mut all(&shop.admin) {
        check(nemesis.inject().await.unwrap_err());
        is_not_seen(nemesis.as_mut()).await;
    }
}
