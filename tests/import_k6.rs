//! k6 scripts in the shapes that people write become scenarios that are valid and run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod target;

use harness::{Bench, Ended, shipped};
use target::{Reply, Request, Target};

/// Imports a script of `tests/systems/k6` into `scenario.yaml`.
fn import(bench: &Bench, script: &str) -> Ended {
    let source = std::fs::read(shipped(&format!("tests/systems/k6/{script}.js")));
    bench.write(&format!("{script}.js"), source.expect("the script"));
    let file = format!("{script}.js");
    bench.run(&["import", "k6", &file, "--out", "scenario.yaml"])
}

/// Imports it, looks at what came out, and runs it against a target that answers as it says.
fn runs(script: &str, reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Vec<Request> {
    runs_beside(script, &[], reply)
}

/// Likewise, beside files that the scenario reads.
fn runs_beside(
    script: &str,
    files: &[(&str, &str)],
    reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Vec<Request> {
    let bench = Bench::new();
    for (name, content) in files {
        bench.write(name, content);
    }
    let imported = import(&bench, script).expect(0);
    insta::assert_snapshot!(script, bench.read("scenario.yaml"));
    insta::assert_snapshot!(format!("{script}-said"), imported.stderr);
    bench.run(&["validate", "scenario.yaml"]).expect(0);
    let target = Target::start(reply);
    bench
        .run_scenario(&["--url", &target.url(), "--quiet"])
        .expect(0);
    target.seen().into_iter().map(|seen| seen.request).collect()
}

fn json(request: &Request) -> serde_json::Value {
    serde_json::from_str(&request.body).expect("a body of JSON")
}

#[test]
fn stages_with_ids_of_vu_and_iteration() {
    let seen = runs("stages-vu-iter", |_| Reply::answer(201, "{}"));
    assert!(!seen.is_empty());
    let mut users = std::collections::HashSet::new();
    for request in &seen {
        assert_eq!(request.path, "/api/coupons/7/issue");
        let body = json(request);
        assert_eq!(body["couponId"], 7);
        assert!(users.insert(body["userId"].as_str().expect("a text").to_owned()));
    }
    assert!(users.contains("user-1-0"), "{users:?}");
}

#[test]
fn a_constant_arrival_rate_with_thresholds() {
    let seen = runs("arrival-rate", |_| {
        Reply::answer(200, r#"{"status":"ISSUED"}"#)
    });
    assert_eq!(seen.len(), 80, "40 a second for two seconds");
    for request in &seen {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/events/spring/claims?channel=app")
        );
        assert_eq!(
            json(request),
            serde_json::json!({ "channel": "app", "quantity": 1 })
        );
        assert!(
            request.headers.contains("x-user-id: "),
            "{}",
            request.headers
        );
    }
}

#[test]
fn one_user_many_times_at_once() {
    let seen = runs("same-user", |request| match request.number {
        0 => Reply::answer(200, ""),
        _ => Reply::answer(409, ""),
    });
    assert_eq!(seen.len(), 50, "ten VUs five times");
    assert!(seen.iter().all(|request| json(request)["memberId"] == 42));
}

#[test]
fn a_burst_of_shared_iterations_with_random_ids() {
    let seen = runs("shared-burst", |request| match request.method.as_str() {
        "GET" => Reply::answer(200, "{}"),
        _ => Reply::answer(201, "{}"),
    });
    let (looked, bought): (Vec<_>, Vec<_>) =
        seen.iter().partition(|request| request.method == "GET");
    assert_eq!((looked.len(), bought.len()), (60, 60));
    for request in bought {
        assert!(json(request)["memberId"].is_u64(), "{}", request.body);
        assert!(
            request.headers.contains("idempotency-key: "),
            "{}",
            request.headers
        );
    }
}

#[test]
fn what_is_not_understood_is_said_with_its_line() {
    let users = (1..=20).map(|n| format!("{{\"name\":\"u{n}\",\"password\":\"p{n}\"}}\n"));
    let users = users.collect::<String>();
    let seen = runs_beside("login-then-issue", &[("users.jsonl", &users)], |request| {
        let token = r#"{"data":{"accessToken":"t-1"}}"#;
        match request.path.as_str() {
            "/login" => Reply::answer(200, token),
            _ => Reply::answer(200, r#"{"code":"SUCCESS"}"#),
        }
    });
    let count = |path: &str| seen.iter().filter(|request| request.path == path).count();
    assert!(count("/login") > 0);
    let issues = seen
        .iter()
        .filter(|request| request.path == "/coupons/9/issue");
    for request in issues {
        assert_eq!(request.header("authorization"), Some("Bearer t-1"));
    }
    assert_eq!(count("/login"), count("/coupons/9/issue"));
    assert_eq!(count("/coupons/9"), 6, "a loop is sent once");
}

#[test]
fn setup_and_teardown_are_done_around_the_load_and_their_token_is_sent() {
    let seen = runs("setup-token", |request| match request.path.as_str() {
        "/admin/login" => Reply::answer(200, r#"{"data":{"accessToken":"t-1"}}"#),
        "/admin/coupons" => Reply::answer(201, r#"{"data":{"id":77}}"#),
        _ if request.number % 2 == 0 => Reply::answer(200, "{}"),
        _ => Reply::answer(409, "{}"),
    });
    let paths: Vec<_> = seen.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths[..2], ["/admin/login", "/admin/coupons"]);
    assert_eq!(paths[2..42], ["/coupons/77/issue"; 40]);
    assert_eq!(paths[42..], ["/admin/coupons/77"]);
    let sent = |request: &Request| request.header("authorization") == Some("Bearer t-1");
    assert!(seen[1..].iter().all(sent), "{seen:#?}");
    let users = seen[2..42]
        .iter()
        .map(|request| json(request)["userId"].clone());
    let users: std::collections::HashSet<_> = users.map(|user| user.to_string()).collect();
    assert!(users.len() <= 20, "some ask again: {users:?}");
}

#[test]
fn users_of_a_file_ask_with_their_tokens() {
    let rows = (1..=30).map(|n| format!("{n},token-{n}\n"));
    let members = format!("memberId,accessToken\n{}", rows.collect::<String>());
    let seen = runs_beside("users-csv", &[("members.csv", &members)], |_| {
        Reply::answer(201, "{}")
    });
    assert_eq!(seen.len(), 12);
    for request in &seen {
        let member = json(request)["memberId"]
            .as_str()
            .expect("a text")
            .to_owned();
        let bearer = format!("Bearer token-{member}");
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    }
}

#[test]
fn a_script_that_is_no_javascript_is_refused_with_line_and_column() {
    let bench = Bench::new();
    let ended = import(&bench, "broken").expect(104);
    insta::assert_snapshot!("broken", ended.stderr);
    assert!(!bench.path("scenario.yaml").exists(), "nothing was written");
}

#[test]
fn a_script_that_is_not_there_is_refused() {
    let ended = Bench::new().run(&["import", "k6", "none.js"]).expect(104);
    ended.complains("failed to read none.js");
}

#[test]
fn a_file_that_is_there_is_kept_unless_it_is_to_be_replaced() {
    let bench = Bench::new();
    bench.write("scenario.yaml", "mine");
    import(&bench, "same-user")
        .expect(2)
        .complains("scenario.yaml is there already");
    assert_eq!(bench.read("scenario.yaml"), "mine");
    bench
        .run(&[
            "import",
            "k6",
            "same-user.js",
            "--out",
            "scenario.yaml",
            "--force",
        ])
        .expect(0);
    assert!(bench.read("scenario.yaml").contains("per_vu_iterations"));
}
