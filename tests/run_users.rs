//! Users that are read: from files beside the scenario and from a database, through the front door.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, verdict_of};

/// A scenario whose users come from this; each asks under its column `member`.
fn scenario(from: &str, load: &str) -> String {
    let text = Scenario::short().stock(5).repeat(0).load(load).to_string();
    let users = format!("users: {{ from: {from}, id: \"{{{{ user.member }}}}\" }}");
    text.replace("users: { pool: 10_000_000, repeat: 0% }", &users)
}

const TEN: &str = "shared_iterations: { vus: 2, iterations: 10, within: 2m }";

fn members(count: u64) -> String {
    let rows = (1..=count).map(|n| format!("{},t{n}\n", 1000 + n));
    format!("member,token\n{}", rows.collect::<String>())
}

#[test]
fn each_record_asks_once_and_the_run_is_judged_without_the_file() {
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario("{ csv: data/users.csv }", TEN));
    std::fs::create_dir(bench.path("data")).expect("a directory");
    bench.write("data/users.csv", members(30));
    bench.run(&["validate", "scenario.yaml"]).expect(0);
    let planned = bench.run(&["plan", "scenario.yaml"]).expect(0);
    let words = "one for each record from data/users.csv (columns member)";
    assert!(planned.stdout.contains(words), "{}", planned.all());
    let ran = bench.run_scenario(&[]).expect(0);
    assert!(
        bench.read("run/plan.txt").contains("pool of 30"),
        "{}",
        ran.all()
    );
    let summary = bench.summary();
    assert_eq!(summary["requests"], 10);
    assert_eq!(
        verdict_of(&summary, "invariants", "one_per_user")["verdict"],
        "pass"
    );
    std::fs::remove_file(bench.path("data/users.csv")).expect("it was there");
    let checked = bench.run(&["check", "run"]).expect(0);
    assert_eq!(checked.stdout, ran.stdout);
    let validated = bench.run(&["validate", "scenario.yaml"]).expect(0);
    let words = "data/users.csv is not there";
    assert!(validated.stderr.contains(words), "{}", validated.all());
}

#[test]
fn for_a_user_without_a_record_nothing_is_sent() {
    let bench = Bench::new();
    bench.write(
        "scenario.yaml",
        scenario("{ csv: users.csv }", TEN).replace("stock: 5", "stock: 50"),
    );
    bench.write("users.csv", members(7));
    let ran = bench.run_scenario(&["--set", "thresholds={}"]);
    let summary = bench.summary();
    let count = |name: &str| summary["outcomes"][name].as_u64();
    assert_eq!(count("issued"), Some(7), "{}", ran.all());
    assert_eq!(count("not_sent"), Some(3), "{}", ran.all());
    // Whoever is left without a record is not asked for the rest of the stock either.
    assert_eq!(summary["drain"]["requests"], 0, "{}", ran.all());
    let warnings = summary["warnings"].to_string();
    assert!(
        warnings.contains("there was no record, and nothing was sent"),
        "{warnings}"
    );
}

#[test]
fn users_that_cannot_be_used_leave_no_run_behind() {
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario("{ csv: users.csv }", TEN));
    bench.write("users.csv", "member\n1\n2\n1\n");
    let ended = bench.run_scenario(&[]).expect(104);
    ended.complains("error: users.csv:4: the record has the same id as line 2");
    assert!(!bench.path("run").exists());
    bench.write("users.csv", "id\n1\n");
    for command in ["validate", "plan"] {
        let ended = bench.run(&[command, "scenario.yaml"]).expect(104);
        ended.complains("error: users.csv:1: `{{ user.member }}` names no column");
    }
    let sql = "{ sql: { url: \"sqlite:none.db\", query: SELECT member FROM m } }";
    bench.write("scenario.yaml", scenario(sql, TEN));
    bench
        .run_scenario(&[])
        .expect(113)
        .complains("the users cannot be read");
    let sql = "{ sql: { url: \"sqlite:none.db\", query: DELETE FROM m } }";
    bench.write("scenario.yaml", scenario(sql, TEN));
    bench
        .run_scenario(&[])
        .expect(104)
        .complains("`DELETE` is not a read");
}

#[tokio::test]
async fn users_come_from_a_database() {
    use sqlx::Connection as _;
    let bench = Bench::new();
    let url = format!("sqlite:{}?mode=rwc", bench.path("members.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url)
        .await
        .expect("a database");
    let rows: Vec<String> = (1..=20).map(|n| format!("({n}, 't{n}')")).collect();
    let make = format!(
        "CREATE TABLE members (member INTEGER, token TEXT); INSERT INTO members VALUES {}",
        rows.join(",")
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(make))
        .execute(&mut database)
        .await
        .expect("rows");
    database.close().await.expect("closed");
    let from = "{ sql: { url: \"sqlite:members.db\", query: SELECT member FROM members } }";
    bench.write("scenario.yaml", scenario(from, TEN));
    let ran = bench.run_scenario(&[]).expect(0);
    assert!(
        bench.read("run/plan.txt").contains("pool of 20"),
        "{}",
        ran.all()
    );
    assert_eq!(bench.summary()["requests"], 10);
}
