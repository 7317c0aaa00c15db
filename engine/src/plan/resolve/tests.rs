//! What resolving makes of a scenario, told in small scenarios.

mod identities;
mod worries;

use std::time::Duration;

use super::{Overrides, load};
use crate::plan::{
    Action, Body, Duplicates, Executor, Invariant, Per, Plan, Query, Target, Values,
};

/// A plain scenario, with lines that each test changes.
struct Case {
    lines: Vec<(&'static str, String)>,
}

impl Case {
    fn new() -> Self {
        let lines = [
            ("name", "case"),
            ("target", "{ stack: { provider: embedded } }"),
            ("subject", "{ coupon: { id: 1, stock: 10 } }"),
            (
                "load",
                "{ a: { shared_iterations: { vus: 2, iterations: 100 } } }",
            ),
            (
                "flows",
                "{ f: [ { post: /x, outcomes: { issued: 201, sold_out: 409, duplicate: 400 } } ] }",
            ),
        ];
        let lines = lines.map(|(key, value)| (key, value.to_owned()));
        Self {
            lines: lines.to_vec(),
        }
    }

    fn with(mut self, key: &'static str, value: &str) -> Self {
        self.lines.retain(|(other, _)| *other != key);
        self.lines.push((key, value.to_owned()));
        self
    }

    fn text(&self) -> String {
        let line = |(key, value): &(&str, String)| format!("{key}: {value}\n");
        self.lines.iter().map(line).collect()
    }

    fn scaled(&self, scale: &str) -> Plan {
        let overrides = Overrides {
            scale: scale.parse().expect("factors"),
            ..Overrides::default()
        };
        let plan = load("case.yaml", &self.text(), &overrides, &|_| None);
        plan.unwrap_or_else(|error| panic!("{error}"))
    }

    fn plan(&self) -> Plan {
        self.scaled("time=1")
    }

    fn error(&self) -> String {
        let plan = load("case.yaml", &self.text(), &Overrides::default(), &|_| None);
        plan.expect_err("an invalid scenario").to_string()
    }
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn stages_make_phases_and_the_last_one_is_the_drain() {
    let plan = Case::new()
        .with(
            "load",
            "{ a: { start_after: 5s, ramping_vus: { stages: [ { for: 10s, to: 4 }, \
             { name: peak, for: 20s, to: 8 } ] } }, b: { constant_vus: { vus: 1, for: 40s } } }",
        )
        .plan();
    let phases: Vec<_> = plan
        .phases
        .iter()
        .map(|phase| (phase.name.as_str(), phase.load, phase.from, phase.to))
        .collect();
    let expected = [
        ("stage-1", Some(0), s(5), s(15)),
        ("peak", Some(0), s(15), s(35)),
        ("b", Some(1), s(0), s(40)),
        ("drain", None, s(40), s(40)),
    ];
    assert_eq!(phases, expected);
    assert_eq!(
        (plan.loads[0].phases.clone(), plan.loads[1].phases.clone()),
        (0..2, 2..3)
    );
}

#[test]
fn scaling_leaves_alone_what_an_answer_may_take() {
    let plan = Case::new()
        .with(
            "load",
            "{ a: { start_after: 10s, graceful_stop: 7s, constant_vus: { vus: 3, for: 100s } } }",
        )
        .with(
            "flows",
            "{ f: [ { post: /x, timeout: 4s }, { think: 2s } ] }",
        )
        .scaled("time=0.1,vus=0.1");
    let expected = Executor::ConstantVus {
        vus: 1,
        duration: s(10),
    };
    assert_eq!(plan.loads[0].executor, expected);
    assert_eq!(plan.loads[0].start_after, s(1));
    assert_eq!(plan.loads[0].graceful_stop, s(7));
    assert_eq!(plan.steps[0].timeout, s(4));
    assert_eq!(plan.flows[0].actions[1], Action::Think(s(2), s(2)));
}

#[test]
fn bodies_and_queries_are_escaped_where_they_stand() {
    let plan = Case::new()
        .with("subject", "{ coupon: { id: 7, stock: 10 } }")
        .with(
            "flows",
            r#"{ f: [
              { name: a, post: "/c/{{ coupon.id }}", query: { "a b": "x&{{ user }}" },
                json: { "k\"": ["{{ user }}", "{{ user | number }}", "{{ coupon.id | number }}", 1.5, null, true] } },
              { name: b, post: /form, form: { who: "{{ user }}", "x y": "1 2" } },
              { name: c, post: /text, text: "hi {{ user }}", headers: { Content-Type: text/x } } ] }"#,
        )
        .plan();
    let values = Values {
        user: "4 2\"",
        number: 42,
        vu: 1,
        iteration: 0,
        slots: &[],
        random: 0,
    };
    let body = |at: usize| match &plan.steps[at].body {
        Body::Text(template) => template.to_text(&values),
        Body::None => String::new(),
    };
    assert_eq!(plan.steps[0].path.to_text(&values), "/c/7");
    let (key, value) = &plan.steps[0].query[0];
    assert_eq!(
        (key.as_str(), value.to_text(&values).as_str()),
        ("a%20b", "x%264%202%22")
    );
    assert_eq!(body(0), r#"{"k\"":["4 2\"","4 2\"",7,1.5,null,true]}"#);
    assert_eq!(body(1), "who=4%202%22&x%20y=1%202");
    assert_eq!(body(2), "hi 4 2\"");
    let content_type = |at: usize| plan.steps[at].headers[0].1.to_text(&values);
    assert_eq!(content_type(0), "application/json");
    assert_eq!(content_type(1), "application/x-www-form-urlencoded");
    assert_eq!(content_type(2), "text/x");
}

#[test]
fn a_bundled_stack_knows_its_own_truth() {
    let plan = Case::new().with("invariants", "[stock]").plan();
    let truth = plan.truth.expect("a truth");
    assert_eq!(truth.issued.expect("issued").query, Query::Bundled);
    assert_eq!(truth.remaining.expect("remaining").query, Query::Bundled);
    assert!(
        truth.drain,
        "the stock is judged, and a step can be sold out"
    );
    let url = Case::new().with("target", "{ url: \"http://a\" }").plan();
    assert_eq!(url.truth, None);
}

#[test]
fn first_come_first_served_is_decided_at_the_end_of_the_stock_too() {
    let table = [
        ("[first_come_first_served]", Duplicates::Any),
        (
            "[one_per_user, { first_come_first_served: {} }]",
            Duplicates::Any,
        ),
        (
            "[{ first_come_first_served: { duplicates: any } }]",
            Duplicates::Any,
        ),
        (
            "[{ first_come_first_served: { duplicates: first } }]",
            Duplicates::First,
        ),
    ];
    for (written, duplicates) in table {
        let plan = Case::new().with("invariants", written).plan();
        let claimed = Invariant::FirstComeFirstServed(duplicates);
        assert_eq!(plan.invariants.last(), Some(&claimed), "{written}");
        assert!(plan.truth.expect("a truth").drain, "{written}");
    }
    let twice = "[first_come_first_served, { first_come_first_served: {} }]";
    let error = Case::new().with("invariants", twice).error();
    assert!(error.contains("is there twice"), "{error}");
}

#[test]
fn vus_that_stay_the_same_user_need_one_id_each() {
    let plan = Case::new().with("users", "{ per: vu, pool: 2 }").plan();
    assert_eq!(plan.users.per, Per::Vu);
    assert_eq!(plan.warnings, Vec::<String>::new());
}

#[test]
fn several_urls_are_asked_in_turn() {
    let case = Case::new().with(
        "target",
        "{ urls: [\"http://a:1\", \"https://b/p\"], ready: /up, http2: true }",
    );
    let Target::Urls {
        urls, ready, http2, ..
    } = case.plan().target
    else {
        panic!("urls were asked for");
    };
    let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
    assert_eq!(urls, ["http://a:1", "https://b:443/p"]);
    assert_eq!((ready.as_deref(), http2), (Some("/up"), true));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let table = [
        (
            Case::new().with("flows", "{ f: [ { think: 1s } ] }"),
            "the flow `f` has no request",
        ),
        (
            Case::new().with("target", "{ stack: { server: { bug: lua-compare } } }"),
            "`lua-compare` is a bug of the strategy `redis-lua`",
        ),
        (
            Case::new().with(
                "target",
                "{ stack: { server: { strategy: redis-lua, bug: lease-unchecked } } }",
            ),
            "`lease-unchecked` is a bug of the strategy `redlock`",
        ),
        (
            Case::new().with("subject", "{ coupon: { id: abc, stock: 1 } }"),
            "coupons have numbers",
        ),
        (
            Case::new().with("load", "{ drain: { stampede: { users: 1 } } }"),
            "the name `drain` is taken",
        ),
        (
            Case::new().with(
                "load",
                "{ a: { constant_vus: { vus: 2_000_000, for: 1s } } }",
            ),
            "do not fit one machine",
        ),
        (
            Case::new().with("users", "{ repeat: 100% }"),
            "nobody asks for the first time",
        ),
        (
            Case::new().with("truth", "{ settle: { quiet: 2m, within: 1m } }"),
            "never be quiet for so long",
        ),
        (
            Case::new().with(
                "truth",
                "{ stock: { sql: { url: \"sqlite:x\", query: \"SELECT {{ user }}\" } } }",
            ),
            "for all users at once",
        ),
        (
            Case::new().with(
                "flows",
                "{ f: [ { name: a, post: /x, outcomes: { no: { status: 1xx, is: refused } } }, \
                 { name: b, post: /y, outcomes: { no: { status: 1xx, is: error } } } ] }",
            ),
            "something else in another step",
        ),
        (
            Case::new().with("users", "{ repeat: 5%, id: \"{{ vu }}-{{ iter }}\" }"),
            "changes with the VU",
        ),
        (
            Case::new().with("users", "{ pool: 10, random: true, repeat: 5% }"),
            "`repeat` cannot stand beside `random`",
        ),
        (
            Case::new().with("users", "{ pool: 10, random: true, per: vu }"),
            "would draw once and stay that user",
        ),
        (
            Case::new().with("users", "{ random: true }"),
            "`random` needs a pool",
        ),
        (
            Case::new().with(
                "users",
                "{ pool: 10, random: true, id: \"{{ vu }}-{{ n }}\" }",
            ),
            "leave `random` out",
        ),
        (
            Case::new().with("truth", "{ drain: true }"),
            "decides the invariant `stock`",
        ),
        (
            Case::new().with(
                "truth",
                "{ issued: { redis: { url: \"redis://x\", command: SMEMBERS s }, offset: -1 } }",
            ),
            "which of the rows does not count",
        ),
        (
            Case::new().with(
                "truth",
                "{ issued: { redis: { url: \"rediss://x\", command: SMEMBERS s } } }",
            ),
            "no scheme that can be read",
        ),
    ];
    for (case, expected) in table {
        let error = case.error();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn the_plan_shows_the_steps_around_the_load_without_secrets() {
    let case = Case::new()
        .with("target", "{ url: http://127.0.0.1:1 }")
        .with("subject", "{ coupon: { id: \"{{ coupon }}\", stock: 10 } }")
        .with("users", "{ pool: 100 }")
        .with(
            "before",
            "[ { post: /admin/coupons, expect: 201, capture: { coupon: /id } }, \
               { name: seed, sql: { url: \"mysql://u:${KEY}@h/db\", run: \"INSERT INTO t VALUES ({{ n }})\", each: user } } ]",
        )
        .with("after", "[ { shell: { run: [reset, \"${KEY}\"], timeout: 5s } } ]");
    let environment = |_: &str| Some("hunter2".to_owned());
    let plan = load(
        "case.yaml",
        &case.text(),
        &Overrides::default(),
        &environment,
    );
    let shown = crate::plan::print(&plan.unwrap_or_else(|error| panic!("{error}")));
    let expected = "
before the load
  POST /admin/coupons
    expect    status 201
    capture   coupon
    timeout   10s
  sql mysql://h: INSERT INTO t VALUES ({{ n }})
    name      seed
    each      of 100 users
    timeout   1m

after the load
  shell reset ${..}
    timeout   5s
";
    assert!(shown.contains(expected), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_a_wrong_step_would_have_captured_is_not_missed_as_well() {
    let error = Case::new()
        .with("target", "{ url: http://127.0.0.1:1 }")
        .with(
            "before",
            "[ { sql: { urls: x, run: SELECT 1, capture: { coupon: c } } } ]",
        )
        .with(
            "flows",
            "{ f: [ { post: \"/{{ coupon }}\", outcomes: { issued: 201 } } ] }",
        )
        .error();
    assert!(!error.contains("unknown name"), "{error}");
}

#[test]
fn a_captured_id_stands_wherever_the_subjects_id_does() {
    let plan = Case::new()
        .with("target", "{ url: http://127.0.0.1:1 }")
        .with("subject", "{ coupon: { id: \"c-{{ coupon }}\", stock: 10 } }")
        .with("before", "[ { post: /admin, capture: { coupon: /id } } ]")
        .with("flows", "{ f: [ { post: \"/x/{{ coupon.id }}\", outcomes: { issued: 201 } } ] }")
        .with(
            "truth",
            "{ issued: { sql: { url: \"sqlite:x\", query: \"SELECT u FROM t WHERE c = '{{ coupon.id }}'\" } } }",
        )
        .plan();
    let values = [Some("a/b".to_owned())];
    let values = Values {
        user: "",
        number: 0,
        vu: 0,
        iteration: 0,
        random: 0,
        slots: &values,
    };
    assert_eq!(plan.steps[0].path.to_text(&values), "/x/c-a%2Fb");
    let issued = plan.truth.and_then(|truth| truth.issued).expect("a source");
    let issued = issued.filled_in(&plan.slots, &[Some("17".to_owned())]);
    let Ok(Query::Sql { query, .. }) = issued.map(|source| source.query) else {
        panic!("not SQL");
    };
    assert_eq!(query, "SELECT u FROM t WHERE c = 'c-17'");
}
