//! Flows of several steps: what is captured, what depends on it, what is repeated, and what one
//! user does at the same time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use bench::{Bench, Ran};
use fcfs_bench::history::{Cause, OutcomeKind};
use target::{Reply, Request, Target};

/// Twelve iterations of three VUs, of this flow.
fn twelve(steps: &str) -> Bench {
    flow(
        "{ a: { per_vu_iterations: { vus: 3, iterations: 4 } } }",
        steps,
    )
}

fn flow(load: &str, steps: &str) -> Bench {
    Bench::scenario(&format!(
        r#"
name: flows
target: {{ url: "http://127.0.0.1:1" }}
subject: {{ coupon: {{ id: 1, stock: 1000000 }} }}
load: {load}
flows:
  opening:
{steps}
"#
    ))
}

#[track_caller]
fn run(
    bench: &Bench,
    program: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Ran, Target) {
    let target = Target::start(program);
    let ran = bench.run(&target.url());
    assert_eq!(ran.sent().len(), target.seen().len(), "{}", ran.errors);
    (ran, target)
}

/// The requests whose path begins so.
fn asked(target: &Target, path: &str) -> Vec<Request> {
    let seen = target.seen().into_iter().map(|seen| seen.request);
    seen.filter(|request| request.path.starts_with(path))
        .collect()
}

const CHECKOUT: &str = r#"
    - name: checkout
      post: /checkout
      json: { userId: "{{ user }}" }
      capture:
        reservation: /data/reservation
        csrf: { header: X-Csrf }
        session: { cookie: SID }
        code: { matches: 'code=(\w+)' }
      outcomes: { ok: 200, sold_out: 409 }
"#;

const PURCHASE: &str = r#"
    - name: purchase
      post: "/purchase/{{ reservation }}"
      headers: { X-Csrf: "{{ csrf }}", Cookie: "SID={{ session }}" }
      json: { userId: "{{ user }}", code: "{{ code }}" }
      outcomes: { issued: 201 }
"#;

fn reserved(request: &Request) -> Reply {
    let user = request.user();
    let body = format!("{{\"data\":{{\"reservation\":\"r/{user}\"}},\"x\":\"code=c{user}\"}}");
    let length = body.len();
    Reply::raw(format!(
        "HTTP/1.1 200 OK\r\nx-csrf: t{user}\r\nset-cookie: SID=s{user}; Path=/\r\n\
         content-length: {length}\r\n\r\n{body}"
    ))
}

#[test]
fn what_an_answer_brings_is_in_the_next_request_of_the_same_user() {
    let steps = format!("{CHECKOUT}{PURCHASE}");
    let (ran, target) = run(&twelve(&steps), |request| {
        if request.path == "/checkout" {
            reserved(request)
        } else {
            Reply::answer(201, "{}")
        }
    });
    assert_eq!(ran.issued(), 12);
    for request in asked(&target, "/purchase/") {
        let user = request.user();
        assert_eq!(request.path, format!("/purchase/r%2F{user}"));
        assert!(request.headers.contains(&format!("x-csrf: t{user}")));
        assert!(request.headers.contains(&format!("cookie: SID=s{user}")));
        assert!(request.body.contains(&format!("\"c{user}\"")));
    }
}

#[test]
fn a_request_whose_value_did_not_come_is_not_sent_and_says_so() {
    let steps = format!("{CHECKOUT}{PURCHASE}    - {{ name: after, get: /after }}");
    // Every second user is told that nothing is left, and gets no reservation.
    let (ran, target) = run(&twelve(&steps), |request| match request.path.as_str() {
        "/checkout" if request.number.is_multiple_of(2) => reserved(request),
        "/checkout" => Reply::answer(409, "{}"),
        _ => Reply::answer(201, "{}"),
    });
    let refused = ran.ending(OutcomeKind::SoldOut, Cause::None);
    assert!(refused > 0);
    assert_eq!(
        ran.ending(OutcomeKind::NotSent, Cause::ValueMissing),
        refused
    );
    assert_eq!(ran.issued(), 12 - refused);
    assert_eq!(
        asked(&target, "/after").len(),
        12 - refused,
        "the iteration ends"
    );
}

#[test]
fn steps_can_depend_on_an_outcome_or_on_what_was_captured() {
    let steps = format!(
        "{CHECKOUT}
    - when: {{ outcome: {{ checkout: ok }} }}
      then:
        - {{ name: pay, get: \"/pay/{{{{ reservation }}}}\" }}
      else:
        - {{ name: leave, get: /leave }}
    - when: {{ capture: {{ csrf: {{ matches: '[02468]$' }} }} }}
      then: [ {{ name: even, get: \"/even/{{{{ csrf }}}}\" }} ]
"
    );
    let (ran, target) = run(&twelve(&steps), |request| match request.path.as_str() {
        "/checkout" if request.number.is_multiple_of(3) => Reply::answer(409, "{}"),
        "/checkout" => reserved(request),
        _ => Reply::answer(200, "{}"),
    });
    let refused = ran.ending(OutcomeKind::SoldOut, Cause::None);
    assert_eq!(asked(&target, "/leave").len(), refused);
    assert_eq!(asked(&target, "/pay/").len(), 12 - refused);
    let even = asked(&target, "/even/");
    assert!(
        even.iter()
            .all(|request| request.path.ends_with(['0', '2', '4', '6', '8']))
    );
    let reservations = asked(&target, "/pay/").into_iter();
    let reserved_even = reservations.filter(|r| r.path.ends_with(['0', '2', '4', '6', '8']));
    assert_eq!(even.len(), reserved_even.count());
}

const POLLED: &str = r#"
    - name: issue
      post: /issue
      json: { userId: "{{ user }}" }
      capture: { ticket: /ticket }
      outcomes: { pending: 202 }
    - poll:
        name: result
        get: "/result/{{ ticket }}"
        every: 20ms
        within: {within}
        outcomes:
          issued: { json: { /state: DONE } }
          sold_out: { json: { /state: NONE } }
          pending: { json: { /state: WAIT } }
    - { name: after, get: /after }
"#;

/// Says WAIT so often, then DONE; never DONE to a ticket of which the number ends with 7.
fn queue(waits: u32) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let polls: Mutex<HashMap<String, u32>> = Mutex::default();
    move |request| {
        if request.path == "/issue" {
            return Reply::answer(202, &format!("{{\"ticket\":{}}}", request.user()));
        }
        if request.path == "/after" {
            return Reply::answer(200, "{}");
        }
        let mut polls = polls.lock().unwrap();
        let polled = polls.entry(request.path.clone()).or_default();
        *polled += 1;
        let done = *polled > waits && !request.path.ends_with('7');
        Reply::answer(
            200,
            if done {
                "{\"state\":\"DONE\"}"
            } else {
                "{\"state\":\"WAIT\"}"
            },
        )
    }
}

#[test]
fn a_poll_asks_until_the_answer_is_final_and_its_wait_is_a_metric() {
    let steps = POLLED.replace("{within}", "5s");
    let bench = flow(
        "{ a: { per_vu_iterations: { vus: 3, iterations: 4 } } }",
        &steps,
    );
    let bench = bench.argument("--set=users={ pool: 100, id: \"{{ n }}0\" }");
    let bench = bench.argument(
        "--set=thresholds={ \"poll_duration{step:result,outcome:issued}\": [\"min>=60ms\"] }",
    );
    let (ran, target) = run(&bench, queue(3));
    assert_eq!(ran.issued(), 12);
    assert_eq!(ran.ending(OutcomeKind::Pending, Cause::None), 12 + 12 * 3);
    assert_eq!(asked(&target, "/after").len(), 12);
    let threshold = &ran.summary().thresholds[0];
    assert!(
        threshold.detail.contains("over 12 samples"),
        "{}",
        threshold.detail
    );
}

#[test]
fn a_poll_that_gets_no_final_answer_in_time_ends_the_iteration() {
    let steps = POLLED.replace("{within}", "100ms");
    let bench = flow(
        "{ a: { per_vu_iterations: { vus: 2, iterations: 1 } } }",
        &steps,
    );
    let bench = bench.argument("--set=users={ pool: 100, id: \"{{ n }}7\" }");
    let (ran, target) = run(&bench, queue(0));
    assert_eq!(ran.issued(), 0);
    assert_eq!(asked(&target, "/after").len(), 0);
    let polls = asked(&target, "/result/").len();
    assert!(
        (4..=12).contains(&polls),
        "two users, at most six polls each: {polls}"
    );
}

#[test]
fn each_goes_over_values_in_order() {
    let steps = r#"
    - name: seats
      get: /seats
      capture: { free: /free }
    - each: { seat: { in: free } }
      do:
        - { name: hold, get: "/hold/{{ seat }}" }
    - each: { try: { from: 1, to: 2 } }
      do:
        - { name: again, get: "/again/{{ try }}" }
    - each: { kind: [gold, silver] }
      do:
        - { name: kinds, get: "/kind/{{ kind }}" }
"#;
    let (_, target) = run(&twelve(steps), |_| {
        Reply::answer(200, r#"{"free":["A 1",2]}"#)
    });
    let of_first: Vec<_> = target.seen().into_iter().map(|seen| seen.request).collect();
    let connection = of_first[0].connection;
    let paths: Vec<_> = of_first
        .iter()
        .filter(|r| r.connection == connection)
        .collect();
    let paths: Vec<_> = paths.iter().take(7).map(|r| r.path.as_str()).collect();
    let expected = [
        "/seats",
        "/hold/A%201",
        "/hold/2",
        "/again/1",
        "/again/2",
        "/kind/gold",
        "/kind/silver",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn one_user_can_ask_many_times_at_the_same_time() {
    let steps = r#"
    - parallel:
        times: 20
        do:
          - name: issue
            post: /issue
            json: { userId: "{{ user }}" }
            outcomes: { issued: 201, duplicate: 409 }
    - { name: after, get: /after }
"#;
    // Whoever is answered waits for all: only requests under way together get through in time.
    let (ran, target) = run(
        &flow(
            "{ a: { per_vu_iterations: { vus: 2, iterations: 2 } } }",
            steps,
        ),
        |request| {
            if request.path == "/after" {
                return Reply::answer(200, "{}");
            }
            Reply::answer(201, "{}").after(Duration::from_millis(50))
        },
    );
    assert_eq!(ran.issued(), 80);
    let issues = asked(&target, "/issue");
    let users: HashSet<_> = issues.iter().map(Request::user).collect();
    assert_eq!(users.len(), 4, "each iteration is one user");
    let connections: HashSet<_> = issues.iter().map(|request| request.connection).collect();
    assert_eq!(
        connections.len(),
        40,
        "twenty for each VU, kept for its next iteration"
    );
    assert_eq!(asked(&target, "/after").len(), 4);
}

#[test]
fn users_keep_their_cookies_when_the_scenario_says_so() {
    let steps = r#"
    - name: login
      post: /login
      json: { userId: "{{ user }}" }
    - name: issue
      post: /shop/issue
      json: { userId: "{{ user }}" }
      outcomes: { issued: 201 }
    - { name: own, get: /shop/own, headers: { Cookie: a=b } }
"#;
    let program = |request: &Request| {
        if request.path != "/login" {
            return Reply::answer(201, "{}");
        }
        let user = request.user();
        Reply::raw(format!(
            "HTTP/1.1 200 OK\r\nset-cookie: SID={user}; Path=/shop\r\ncontent-length: 0\r\n\r\n"
        ))
    };
    for (users, kept) in [
        ("{ pool: 100, cookies: true }", true),
        ("{ pool: 100 }", false),
    ] {
        let bench = twelve(steps).argument(&format!("--set=users={users}"));
        let (ran, target) = run(&bench, program);
        assert_eq!(ran.issued(), 12);
        for request in asked(&target, "/shop/issue") {
            let own = format!("cookie: SID={}\r", request.user());
            assert_eq!(request.headers.contains(&own), kept, "{}", request.headers);
        }
        let mut others = asked(&target, "/login");
        assert!(
            others
                .iter()
                .all(|request| !request.headers.contains("cookie"))
        );
        others = asked(&target, "/shop/own");
        assert!(
            others
                .iter()
                .all(|request| request.headers.contains("cookie: a=b"))
        );
    }
}

#[test]
fn what_one_user_captured_is_not_there_for_the_next() {
    let steps = r#"
    - when: { capture: { token: { exists: false } } }
      then:
        - name: login
          post: /login
          json: { userId: "{{ user }}" }
          capture: { token: { json: /token, secret: true } }
    - name: issue
      post: /issue
      headers: { Authorization: "Bearer {{ token }}" }
      json: { userId: "{{ user }}" }
      outcomes: { issued: 201 }
"#;
    let program = |request: &Request| match request.path.as_str() {
        "/login" => Reply::answer(200, &format!("{{\"token\":\"t{}\"}}", request.user())),
        _ => Reply::answer(201, "{}"),
    };
    for (users, logins) in [("{ pool: 100 }", 12), ("{ pool: 100, per: vu }", 3)] {
        let bench = twelve(steps).argument(&format!("--set=users={users}"));
        let (ran, target) = run(&bench, program);
        assert_eq!(ran.issued(), 12);
        assert_eq!(asked(&target, "/login").len(), logins, "{users}");
        for request in asked(&target, "/issue") {
            let own = format!("bearer t{}", request.user());
            assert!(request.headers.to_lowercase().contains(&own), "{users}");
        }
    }
}
