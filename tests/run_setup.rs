//! What a scenario does before and after its load, against real databases and a real target.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/databases.rs"]
mod databases;
#[path = "run_setup/endings.rs"]
mod endings;
#[path = "support/harness/mod.rs"]
mod harness;
#[allow(dead_code, reason = "each test file uses its part")]
mod support;
#[allow(dead_code, reason = "each test file uses its part")]
#[path = "support/target.rs"]
mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use databases::{mariadb, postgres, redis as redis_server};
use harness::{Bench, Ended};
use serde_json::Value;
use sqlx::{Connection, Executor, MySqlConnection, PgConnection, Row, SqliteConnection};
use target::{Reply, Target};

/// A system whose coupons are created by a request; it knows coupon 17.
fn shop() -> Target {
    Target::start(|request| match request.path.as_str() {
        "/admin/coupons" => Reply::answer(201, "{\"data\":{\"id\":17}}"),
        "/coupons/17/issue" => Reply::issued(),
        "/admin/users" => Reply::answer(204, ""),
        "/slow" => Reply::answer(200, "{}").after(Duration::from_mins(10)),
        _ => Reply::answer(409, "{\"message\":\"not with p4ssw0rd\"}"),
    })
}

/// Twenty requests to issue the coupon that `before` has captured, and more of the scenario.
fn scenario(target: &Target, path: &str, more: &str) -> String {
    format!(
        "name: setup
target: {{ url: \"{}\" }}
users: {{ pool: 40 }}
load:
  opening: {{ shared_iterations: {{ vus: 2, iterations: 20 }} }}
flows:
  issue:
    - post: {path}
      json: {{ userId: \"{{{{ user }}}}\" }}
      outcomes: {{ issued: 201 }}
{more}",
        target.url()
    )
}

fn bench(scenario: &str) -> Bench {
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario);
    bench
}

/// The events of steps, as moment, step and whether it failed.
fn steps(bench: &Bench) -> Vec<(String, String, bool)> {
    let events = bench.read("run/events.jsonl");
    let events = events.lines().map(serde_json::from_str);
    let events = events.map(|event: Result<Value, _>| event.unwrap());
    let steps = events.filter(|event| event["event"] == "setup");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let step = |event: Value| {
        let failed = !event["failure"].is_null();
        (text(&event["moment"]), text(&event["step"]), failed)
    };
    steps.map(step).collect()
}

fn step(moment: &str, name: &str, failed: bool) -> (String, String, bool) {
    (moment.to_owned(), name.to_owned(), failed)
}

/// A SQLite file that is made with these statements.
async fn sqlite(bench: &Bench, statements: &'static str) -> SqliteConnection {
    bench.write("shop.db", "");
    let mut connection = SqliteConnection::connect(&sqlite_url(bench)).await.unwrap();
    connection.execute(sqlx::raw_sql(statements)).await.unwrap();
    connection
}

fn sqlite_url(bench: &Bench) -> String {
    format!("sqlite:{}", bench.path("shop.db").display())
}

const SQLITE: &str = "url: \"sqlite:shop.db\"";

#[test]
fn the_coupon_that_was_just_created_is_the_one_that_is_asked_for() {
    let target = shop();
    let more = "subject: { coupon: { id: \"{{ coupon }}\", stock: 100 } }
before:
  - { post: /admin/coupons, json: { stock: 100 }, expect: 201, capture: { coupon: /data/id } }
after:
  - { delete: \"/coupons/{{ coupon }}\", expect: [2xx, 409] }
";
    let bench = bench(&scenario(
        &target,
        "\"/coupons/{{ coupon.id }}/issue\"",
        more,
    ));
    let ended = bench.run_scenario(&[]).expect(0);
    assert_eq!(bench.summary()["outcomes"]["issued"], 20);
    let seen = target.seen();
    let lines: Vec<_> = seen
        .iter()
        .map(|seen| format!("{} {}", seen.request.method, seen.request.path))
        .collect();
    assert_eq!(lines.first().unwrap(), "POST /admin/coupons");
    assert_eq!(lines.last().unwrap(), "DELETE /coupons/17");
    assert_eq!(lines.len(), 22, "{lines:?}");
    let created = "before: `POST /admin/coupons`, 1 request in ";
    assert!(
        bench.read("run/report.md").contains(created),
        "{}",
        ended.all()
    );
    assert!(ended.stdout.contains(created), "{}", ended.all());
    assert!(ended.stderr.contains(created), "{}", ended.all());
    // The directory is judged again without doing anything again.
    bench.run(&["check", "run"]).expect(0);
    bench.run(&["report", "run"]).expect(0);
    assert_eq!(target.seen().len(), 22);
}

#[tokio::test]
async fn rows_of_an_earlier_run_are_gone_when_the_truth_is_first_read() {
    let target = shop();
    let more = format!(
        "subject: {{ coupon: {{ id: 17, stock: 100 }} }}
before:
  - {{ sql: {{ {SQLITE}, run: [DELETE FROM issued, \"SELECT 17 AS c\"], capture: {{ coupon: c }} }} }}
truth:
  issued: {{ sql: {{ {SQLITE}, query: \"SELECT user FROM issued WHERE coupon = {{{{ coupon }}}}\" }} }}
  settle: {{ quiet: 100ms }}
  drain: false
invariants: [one_per_user]
"
    );
    let bench = bench(&scenario(&target, "/coupons/17/issue", &more));
    let tables = "CREATE TABLE issued (user TEXT, coupon INTEGER);
                  INSERT INTO issued VALUES ('7', 17), ('7', 17)";
    sqlite(&bench, tables).await.close().await.unwrap();
    // With the old rows, `one_per_user` would be violated.
    let ended = bench.run_scenario(&[]);
    assert_ne!(ended.code, Some(111), "{}", ended.all());
    assert!(
        !ended.all().contains("before the load, which count"),
        "{}",
        ended.all()
    );
    assert!(
        ended.stderr.contains("before: `sql`, 2 rows in "),
        "{}",
        ended.all()
    );
}

/// `before` writes every user; the id of one holds what would end a text in SQL.
fn seeding(target: &Target, url: &str, users: u64) -> String {
    let more = format!(
        "before:
  - {{ sql: {{ url: \"{url}\", run: DELETE FROM users }} }}
  - name: seed
    sql:
      url: \"{url}\"
      run: INSERT INTO users(id, number, name) VALUES ('{{{{ user }}}}', {{{{ n }}}}, 'name of {{{{ user }}}}')
      each: user
  - name: mark
    sql:
      url: \"{url}\"
      run:
        - UPDATE users SET seen = 0 WHERE id = '{{{{ user }}}}'
        - UPDATE users SET seen = seen + 1 WHERE id = '{{{{ user }}}}'
      each: user
"
    );
    let scenario = scenario(target, "/coupons/17/issue", &more);
    let users =
        format!("users: {{ pool: {users}, id: \"o'Neil \\\\ {{{{ n }}}}; DROP TABLE users --\" }}");
    scenario.replace("users: { pool: 40 }", &users)
}

#[track_caller]
fn seeded(ended: &Ended, users: &str) {
    let words = format!("before: `seed` for {users} users, ");
    assert!(ended.stderr.contains(&words), "{}", ended.all());
    // For the figures of the machine that runs the tests.
    let lines = ended.stderr.lines();
    lines
        .filter(|line| line.contains(" users, "))
        .for_each(|line| println!("{line}"));
}

const SEEN: &str = "SELECT COUNT(*), COUNT(DISTINCT id), MIN(number), MAX(number), SUM(seen) FROM users \
                    WHERE id = CONCAT('o''Neil ', @b, ' ', number, '; DROP TABLE users --') \
                    AND name = CONCAT('name of ', id)";

#[tokio::test]
async fn ten_thousand_users_are_written_into_sqlite() {
    let target = shop();
    let bench = bench(&seeding(&target, "sqlite:shop.db", 10_000));
    let table = "CREATE TABLE users (id TEXT PRIMARY KEY, number INTEGER, name TEXT, seen INTEGER)";
    let mut connection = sqlite(&bench, table).await;
    seeded(&bench.run_scenario(&[]).expect(0), "10,000");
    let query = "SELECT COUNT(*), COUNT(DISTINCT id), MIN(number), MAX(number), SUM(seen) FROM users \
                 WHERE id = 'o''Neil \\ ' || number || '; DROP TABLE users --' \
                 AND name = 'name of ' || id AND typeof(number) = 'integer'";
    let row = connection.fetch_one(query).await.unwrap();
    let cells: Vec<i64> = (0..5).map(|at| row.get(at)).collect();
    assert_eq!(cells, [10_000, 10_000, 1, 10_000, 10_000]);
}

#[tokio::test]
async fn ten_thousand_users_are_written_into_mariadb() {
    let (target, service) = (shop(), mariadb());
    let url = format!("mysql://bench:p4ssw0rd@127.0.0.1:{}/shop", service.port);
    let mut connection = MySqlConnection::connect(&url).await.unwrap();
    let table =
        "CREATE TABLE users (id VARCHAR(64) PRIMARY KEY, number INT, name VARCHAR(80), seen INT)";
    connection.execute(table).await.unwrap();
    let bench = bench(&seeding(&target, &url, 10_000));
    seeded(&bench.run_scenario(&[]).expect(0), "10,000");
    connection.execute("SET @b = CHAR(92)").await.unwrap();
    let row = connection.fetch_one(SEEN).await.unwrap();
    let counts: Vec<i64> = (0..2).map(|at| row.get(at)).collect();
    assert_eq!(counts, [10_000, 10_000]);
    let limits: Vec<i32> = (2..4).map(|at| row.get(at)).collect();
    assert_eq!(limits, [1, 10_000]);
}

/// It takes connections before it answers on them.
async fn open_postgres(url: &str) -> PgConnection {
    loop {
        match PgConnection::connect(url).await {
            Ok(connection) => return connection,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

#[tokio::test]
async fn users_are_written_into_postgresql_with_the_types_of_its_columns() {
    let (target, service) = (shop(), postgres());
    let url = format!("postgres://bench@127.0.0.1:{}/postgres", service.port);
    let mut connection = open_postgres(&url).await;
    let table = "CREATE TABLE users (id VARCHAR(64) PRIMARY KEY, number INT, name TEXT, seen INT)";
    connection.execute(table).await.unwrap();
    let bench = bench(&seeding(&target, &url, 1_200));
    seeded(&bench.run_scenario(&[]).expect(0), "1,200");
    let query = "SELECT COUNT(*), COUNT(DISTINCT number), SUM(seen) FROM users \
                 WHERE id = 'o''Neil \\ ' || number || '; DROP TABLE users --'";
    let row = connection.fetch_one(query).await.unwrap();
    let cells: Vec<i64> = (0..3).map(|at| row.get(at)).collect();
    assert_eq!(cells, [1_200, 1_200, 1_200]);
}

/// The coupon's id as the database made it, for a name that another step has brought.
fn created(target: &Target, url: &str, run: &str) -> String {
    let more = format!(
        "before:
  - {{ shell: {{ run: [printf, \"o'Neil\"], capture: {{ name }} }} }}
  - {{ sql: {{ url: \"{url}\", run: {run}, capture: {{ coupon: id }} }} }}
"
    );
    scenario(target, "\"/coupons/{{ coupon }}/issue\"", &more)
}

#[tokio::test]
async fn the_id_that_a_database_has_made_is_captured() {
    let (target, maria, postgres) = (shop(), mariadb(), postgres());
    let mysql_url = format!("mysql://bench:p4ssw0rd@127.0.0.1:{}/shop", maria.port);
    let mut connection = MySqlConnection::connect(&mysql_url).await.unwrap();
    let table = "CREATE TABLE coupons (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20)) \
                 AUTO_INCREMENT = 17";
    connection.execute(table).await.unwrap();
    let postgres_url = format!("postgres://bench@127.0.0.1:{}/postgres", postgres.port);
    let mut connection = open_postgres(&postgres_url).await;
    let table = "CREATE TABLE coupons (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 17), name TEXT)";
    connection.execute(table).await.unwrap();
    let insert = "\"INSERT INTO coupons(name) VALUES ('{{ name }}')";
    let table = [
        (
            mysql_url.as_str(),
            format!("[{insert}\", SELECT LAST_INSERT_ID() AS id]"),
        ),
        (
            mysql_url.as_str(),
            "\"SELECT ID FROM coupons WHERE name = '{{ name }}'\"".to_owned(),
        ),
        (postgres_url.as_str(), format!("{insert} RETURNING id\"")),
        (
            postgres_url.as_str(),
            "SELECT MAX(id) AS id FROM coupons".to_owned(),
        ),
        ("sqlite:shop.db", format!("{insert} RETURNING id\"")),
    ];
    for (url, run) in table {
        let bench = bench(&created(&target, url, &run));
        let tables = "CREATE TABLE coupons (id INTEGER PRIMARY KEY, name TEXT); \
                      INSERT INTO coupons VALUES (16, 'another')";
        sqlite(&bench, tables).await.close().await.unwrap();
        let ended = bench.run_scenario(&[]).expect(0);
        assert_eq!(
            bench.summary()["outcomes"]["issued"],
            20,
            "{run}: {}",
            ended.all()
        );
    }
}

#[test]
fn a_captured_token_is_not_repeated_by_a_failure() {
    let target = Target::start(|request| match request.path.as_str() {
        "/login" => Reply::answer(200, "{\"token\":\"eyJhbGciOiJIUzI1NiJ9\"}"),
        _ => Reply::answer(403, &request.headers),
    });
    let more = "before:
  - { post: /login, capture: { admin: /token } }
  - { name: bad, post: /reset, headers: { authorization: \"Bearer {{ admin }}\" } }
";
    let bench = bench(&scenario(&target, "/issue", more));
    let ended = bench.run_scenario(&[]).expect(113);
    assert!(
        ended.stderr.contains("authorization: Bearer ***"),
        "{}",
        ended.all()
    );
    assert!(!bench.read("run/events.jsonl").contains("eyJhb"));
}

#[tokio::test]
async fn redis_is_filled_by_pipelines_and_emptied_again() {
    let (target, service) = (shop(), redis_server());
    let more = "before:
  - { redis: { url: \"${REDIS}\", run: [SET stock 100, GET stock], capture: { stock } } }
  - { redis: { url: \"${REDIS}\", run: \"SADD users {{ user }}\", each: user, users: 2_500 } }
  - { redis: { url: \"${REDIS}\", run: [[SET, copy, \"{{ stock }} and a blank\"]] } }
after:
  - { redis: { url: \"${REDIS}\", run: DEL stock } }
";
    let scenario = scenario(&target, "/coupons/17/issue", more);
    let bench = bench(&scenario.replace("pool: 40", "pool: 1_000_000"));
    let url = format!("redis://:p4ssw0rd@127.0.0.1:{}/3", service.port);
    let out = bench.path("run").display().to_string();
    let arguments = ["run", "scenario.yaml", "--out", &out];
    let running = bench.start_with(&arguments, |command| {
        command.env("REDIS", &url);
    });
    let ended = running.wait().expect(0);
    let words = "before: `redis` for 2,500 users, 2,500 commands in ";
    assert!(ended.stderr.contains(words), "{}", ended.all());
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut pipe = redis::pipe();
    pipe.cmd("SCARD")
        .arg("users")
        .cmd("EXISTS")
        .arg("stock")
        .cmd("GET")
        .arg("copy");
    let state: (u64, u64, String) = pipe.query_async(&mut connection).await.unwrap();
    assert_eq!(state, (2_500, 0, "100 and a blank".to_owned()));
    // Those who asked are those who were written.
    for seen in target.seen() {
        let mut asked = redis::cmd("SISMEMBER");
        asked.arg("users").arg(seen.request.user());
        let known: bool = asked.query_async(&mut connection).await.unwrap();
        assert!(known, "{}", seen.request.body);
    }
}

#[test]
fn each_user_is_registered_once_over_several_connections() {
    let target = shop();
    let more = "before:
  - { post: /admin/users, json: { userId: \"{{ user }}\" }, each: user }
";
    let bench = bench(&scenario(&target, "/coupons/17/issue", more));
    bench.run_scenario(&[]).expect(0);
    let seen = target.seen().into_iter();
    let registered = seen.filter(|seen| seen.request.path == "/admin/users");
    let registered: Vec<_> = registered.collect();
    let mut users: Vec<u64> = registered
        .iter()
        .map(|seen| seen.request.user().parse().unwrap())
        .collect();
    users.sort_unstable();
    assert_eq!(users, (1..=40).collect::<Vec<_>>());
    let mut connections: Vec<_> = registered
        .iter()
        .map(|seen| seen.request.connection)
        .collect();
    connections.sort_unstable();
    connections.dedup();
    assert_eq!(connections.len(), 16);
}

#[test]
fn a_program_leaves_nothing_behind_and_its_line_is_kept() {
    let target = shop();
    let more = "before:
  - { shell: { run: \"sleep 1000 & echo 17; echo more\", capture: { coupon } } }
";
    let bench = bench(&scenario(&target, "\"/coupons/{{ coupon }}/issue\"", more));
    bench.run_scenario(&[]).expect(0);
    assert_eq!(bench.summary()["outcomes"]["issued"], 20);
}

#[test]
fn a_value_that_would_be_more_than_a_value_of_the_truth_is_refused() {
    let target = Target::start(|_| Reply::answer(200, "{\"id\":\"1 OR 1=1\"}"));
    let more = format!(
        "before:\n  - {{ post: /admin/coupons, capture: {{ coupon: /id }} }}\n\
         truth: {{ issued: {{ sql: {{ {SQLITE}, query: \"SELECT u FROM t WHERE c = {{{{ coupon }}}}\" }} }} }}\n"
    );
    let bench = bench(&scenario(&target, "/issue", &more));
    let ended = bench.run_scenario(&[]).expect(113);
    let words = "the truth cannot be read: the captured `coupon` is not a plain word";
    assert!(ended.stderr.contains(words), "{}", ended.all());
}

#[test]
fn a_long_step_says_how_far_it_is() {
    let count = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&count);
    let target = Target::start(move |request| {
        if request.path == "/admin/users" {
            seen.fetch_add(1, Ordering::Relaxed);
            return Reply::answer(204, "").after(Duration::from_millis(700));
        }
        Reply::issued()
    });
    let more = "before:\n  - { name: register, post: /admin/users, each: user }\n";
    let bench = bench(&scenario(&target, "/coupons/17/issue", more));
    let ended = bench.run_scenario(&[]).expect(0);
    assert_eq!(count.load(Ordering::Relaxed), 40);
    let of_all = ended.stderr.lines().any(|line| {
        line.trim_start().starts_with("before: register, ") && line.ends_with(" of 40 users")
    });
    assert!(of_all, "{}", ended.all());
}
