//! What comes from the environment is sent where the scenario says, and written down nowhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::path::Path;

use harness::{Bench, Ended};
use target::{Reply, Request, Target};

const TOKEN: &str = "hunter2-\"quoted\" and/slashed";
const PASSWORD: &str = "correct+horse";
const JWT_SECRET: &str = "battery-staple-of-32-bytes-or-more";

/// Every way in which a part of a run might write one of them.
const FORBIDDEN: [&str; 7] = [
    "hunter2",
    "slashed",
    PASSWORD,
    "correct%2Bhorse",
    // `load:correct+horse` in base64.
    "bG9hZDpjb3JyZWN0K2hvcnNl",
    "battery-staple",
    // The beginning of every signed token.
    "eyJhbGciOiJIUzI1NiI",
];

fn run(bench: &Bench, args: &[&str]) -> Ended {
    let running = bench.start_with(args, |command| {
        command
            .env("TOKEN", TOKEN)
            .env("PASSWORD", PASSWORD)
            .env("JWT_SECRET", JWT_SECRET)
            .env("BASIC", format!("load:{PASSWORD}"));
    });
    running.wait()
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in FORBIDDEN {
        let at = text.find(secret);
        let around = at.map(|at| text[..at].chars().rev().take(60).collect::<String>());
        let around = around.map(|text| text.chars().rev().collect::<String>());
        assert_eq!(around, None, "{what} holds {secret}");
    }
}

/// Nothing that was printed and no file of the run holds a secret.
#[track_caller]
fn assert_nothing_is_told(bench: &Bench, ended: &Ended, files: usize) {
    assert_clean("the terminal", &ended.all());
    let mut seen = 0;
    let mut waiting = vec![bench.path("run")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(entries(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            seen += 1;
            assert_clean(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
            );
        }
    }
    assert!(seen >= files, "{seen} files");
}

fn entries(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A server that repeats what it was told, as debugging servers do, in an answer nobody declared.
fn echo(request: &Request) -> Reply {
    if request.path.starts_with("/rows") {
        return Reply::answer(200, "[\"1\", \"2\"]");
    }
    if request.path.starts_with("/left") {
        return Reply::answer(500, &format!("{}\n{}", request.path, request.headers));
    }
    let repeated = serde_json::json!({ "path": request.path, "body": request.body });
    Reply::answer(418, &format!("{}\n{repeated}", request.headers))
}

fn everywhere(url: &str) -> String {
    format!(
        r#"name: secrets
about: "with ${{TOKEN}}"
target: {{ url: "{url}", auth: {{ basic: {{ user: load, password: "${{PASSWORD}}" }} }} }}
subject: {{ coupon: {{ id: "c-${{TOKEN}}", stock: 5 }} }}
users:
  pool: 100
  id: "u-${{TOKEN}}-{{{{ n }}}}"
  token: {{ hs256: {{ secret: "${{JWT_SECRET}}", claims: {{ sub: "{{{{ user }}}}", key: "${{TOKEN}}", exp: 1h }} }} }}
load: {{ a: {{ per_vu_iterations: {{ vus: 2, iterations: 4 }} }} }}
flows:
  a:
    - name: ask
      post: /x/{{{{ coupon.id }}}}/{{{{ user }}}}
      query: {{ q: "${{TOKEN}}", p: "${{PASSWORD}}" }}
      headers: {{ x-token: "${{TOKEN}}", x-jwt: "Bearer {{{{ token }}}}" }}
      json: {{ userId: "{{{{ user }}}}", secret: "${{TOKEN}}", jwt: "{{{{ token }}}}" }}
      outcomes:
        issued: {{ status: 201, body: "${{TOKEN}}", json: {{ /key: "${{TOKEN}}" }} }}
        sold_out: {{ status: 409, header: {{ x-token: "${{TOKEN}}" }} }}
truth:
  issued: {{ http: {{ get: "/rows?key=x", headers: {{ authorization: "${{TOKEN}}" }}, at: "" }} }}
  settle: {{ quiet: 100ms, within: 2s }}
  drain: false
invariants: [stock, one_per_user, acknowledged]
thresholds: {{ "http_req_failed": ["rate<1%"] }}
"#
    )
}

#[test]
fn a_run_that_uses_secrets_everywhere_against_a_server_that_repeats_them_tells_none() {
    let target = Target::start(echo);
    let bench = Bench::new();
    bench.write("scenario.yaml", everywhere(&target.url()));
    for command in ["validate", "plan"] {
        let ended = run(&bench, &[command, "scenario.yaml"]);
        assert_eq!(ended.code, Some(0), "{}", ended.all());
        assert_clean(command, &ended.all());
    }
    let ended = run(&bench, &["run", "scenario.yaml", "--out", "run"]);
    assert!(
        matches!(ended.code, Some(99 | 111 | 112)),
        "{}",
        ended.all()
    );
    // They were sent, or the test would show nothing.
    let seen = target.seen();
    let asked = seen
        .iter()
        .filter(|seen| seen.request.path.starts_with("/x/"));
    assert_eq!(asked.clone().count(), 8);
    for seen in asked {
        assert_eq!(seen.request.header("x-token"), Some(TOKEN));
        let basic = Some("Basic bG9hZDpjb3JyZWN0K2hvcnNl");
        assert_eq!(seen.request.header("authorization"), basic);
        assert!(seen.request.body.contains("eyJhbGciOiJIUzI1NiI"));
    }
    assert_nothing_is_told(&bench, &ended, 9);
    let example = bench.summary()["unknown_shapes"][0]["example"].to_string();
    assert!(
        example.contains("${TOKEN}"),
        "it is kept otherwise: {example}"
    );
    for command in ["check", "report"] {
        let ended = run(&bench, &[command, "run"]);
        assert_nothing_is_told(&bench, &ended, 9);
    }
}

#[test]
fn a_run_against_the_bundled_server_tells_none_either() {
    let bench = Bench::new();
    let text = harness::scenario::Scenario::short().to_string();
    let headers = "      headers: { x-key: \"${TOKEN}\" }\n      query: { key: \"${PASSWORD}\" }\n      timeout:";
    bench.write("scenario.yaml", text.replace("      timeout:", headers));
    let ended = run(&bench, &["run", "scenario.yaml", "--out", "run"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_nothing_is_told(&bench, &ended, 9);
}

const TRUTH: &str =
    "http: { get: \"/rows?key=x\", headers: { authorization: \"${TOKEN}\" }, at: \"\" }";

/// What is wrong, what is replaced, by what, the exit code.
const MISTAKES: [(&str, &str, &str, i32); 24] = [
    (
        "a url with a password",
        "target: { url: \"",
        "target: { url: \"http://u:${PASSWORD}@h\" } #",
        104,
    ),
    (
        "a database that is not there",
        TRUTH,
        "sql: { url: \"mysql://root:${PASSWORD}@127.0.0.1:1/x\", query: SELECT 1 }",
        113,
    ),
    (
        "a password with a colon",
        TRUTH,
        "sql: { url: \"postgres://${BASIC}:1@127.0.0.1:1/x\", query: SELECT 1 }",
        113,
    ),
    (
        "a broken address",
        TRUTH,
        "sql: { url: \"postgres://u:${TOKEN}@h:x/y\", query: SELECT 1 }",
        113,
    ),
    (
        "an address without a scheme",
        TRUTH,
        "sql: { url: \"${TOKEN}\", query: SELECT 1 }",
        104,
    ),
    (
        "a query that writes",
        TRUTH,
        "sql: { url: \"sqlite:x\", query: \"DROP ${TOKEN}\" }",
        104,
    ),
    (
        "a table that is not there",
        TRUTH,
        "sql: { url: \"sqlite::memory:\", query: \"SELECT '${PASSWORD}' FROM nowhere\" }",
        113,
    ),
    (
        "a redis that is not there",
        TRUTH,
        "redis: { url: \"redis://:${PASSWORD}@127.0.0.1:1\", command: SMEMBERS s }",
        113,
    ),
    (
        "a truth that repeats its header",
        TRUTH,
        "http: { get: \"/left/${PASSWORD}\", headers: { key: \"${TOKEN}\" } }",
        113,
    ),
    (
        "a truth whose host is not there",
        TRUTH,
        "http: { get: \"http://u:${PASSWORD}@127.0.0.1:1/${PASSWORD}?k=${PASSWORD}\" }",
        113,
    ),
    ("a number", "pool: 100", "pool: \"${TOKEN}\"", 104),
    ("a name", "name: secrets", "name: \"${TOKEN}\"", 104),
    (
        "a flow",
        "load: { a: {",
        "load: { a: { flow: \"${PASSWORD}\",",
        104,
    ),
    (
        "an invariant",
        "invariants: [",
        "invariants: [\"${PASSWORD}\", ",
        104,
    ),
    ("a limit", "rate<1%", "rate<${PASSWORD}", 104),
    (
        "a template",
        "q: \"${TOKEN}\"",
        "q: \"{{ ${PASSWORD} }}\"",
        104,
    ),
    (
        "a filter",
        "q: \"${TOKEN}\"",
        "q: \"{{ user | ${PASSWORD} }}\"",
        104,
    ),
    (
        "a kind",
        "status: 201,",
        "is: \"${PASSWORD}\", status: 201,",
        104,
    ),
    (
        "a way to take users",
        "  pool: 100",
        "  per: \"${PASSWORD}\"",
        104,
    ),
    (
        "a file of users",
        "  pool: 100",
        "  from: { csv: \"${PASSWORD}.csv\" }",
        104,
    ),
    (
        "users in a database",
        "  pool: 100",
        "  from: { sql: { url: \"mysql://u:${PASSWORD}@127.0.0.1:1/x\", query: SELECT 1 } }",
        113,
    ),
    (
        "an authority",
        "auth: {",
        "ca: \"${PASSWORD}.pem\", auth: {",
        113,
    ),
    (
        "a way to ask",
        "auth: {",
        "by: \"${PASSWORD}\", auth: {",
        104,
    ),
    ("basic", "user: load", "user: \"${BASIC}\"", 104),
];

#[test]
fn a_mistake_tells_none() {
    let target = Target::start(echo);
    let text = everywhere(&target.url());
    for (name, from, to, code) in MISTAKES {
        assert!(text.contains(from), "{name}");
        let bench = Bench::new();
        let mut wrong = text.replace(from, to);
        if let Some(at) = wrong.find("} #") {
            // The rest of the line is a comment now, up to its end.
            let end = wrong[at..].find('\n').unwrap();
            wrong.replace_range(at + 1..at + end, "");
        }
        bench.write("scenario.yaml", wrong);
        let ended = run(&bench, &["run", "scenario.yaml", "--out", "run"]);
        assert_eq!(ended.code, Some(code), "{name}: {}", ended.all());
        if bench.path("run").exists() {
            assert_nothing_is_told(&bench, &ended, 1);
        }
        assert_clean(name, &ended.all());
        let ended = run(&bench, &["plan", "scenario.yaml"]);
        assert_clean(name, &ended.all());
    }
}
