//! What a plan warns of, and what is no worry.

use super::Case;

#[test]
fn nothing_suspicious_gives_no_warning() {
    let plan = Case::new()
        .with("invariants", "[stock, one_per_user]")
        .plan();
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert_eq!(plan.seed, super::super::DEFAULT_SEED);
}

#[test]
fn each_worry_is_said() {
    let stock = || Case::new().with("invariants", "[stock]");
    let table = [
        (Case::new().with("users", "{ pool: 50 }"), "the pool has 50"),
        (
            stock().with("subject", "{ coupon: { id: 1, stock: 500 } }"),
            "larger than the 100 users",
        ),
        (
            stock().with(
                "flows",
                "{ f: [ { post: /x, outcomes: { issued: 201 } } ] }",
            ),
            "no step has the outcome `sold_out`",
        ),
        (
            Case::new()
                .with("users", "{ id: \"{{ vu }}\" }")
                .with("invariants", "[one_per_user]"),
            "different users can have the same id: it stays the same in every iteration",
        ),
        (
            Case::new().with("users", "{ id: \"{{ vu }}{{ iter }}\" }"),
            "written alike",
        ),
        (
            Case::new().with("users", "{ id: \"{{ uuid }}\", repeat: 1% }"),
            "`repeat` has no effect",
        ),
        (
            Case::new().with("users", "{ repeat: 1% }").with(
                "flows",
                "{ f: [ { post: /x, outcomes: { issued: 201 } } ] }",
            ),
            "no step has the outcome `duplicate`",
        ),
        (
            Case::new()
                .with("users", "{ pool: 5, random: true }")
                .with("invariants", "[one_per_user]")
                .with(
                    "flows",
                    "{ f: [ { post: /x, outcomes: { issued: 201 } } ] }",
                ),
            "refuses them, and the refusals count as `unknown`",
        ),
        (
            Case::new().with(
                "flows",
                "{ f: [ { post: /x, outcomes: { issued: 2xx, pending: 202 } } ] }",
            ),
            "`pending` is never reached",
        ),
        (
            Case::new()
                .with("flows", "{ f: [ { get: /x } ], g: [ { get: /y } ] }")
                .with("load", "{ a: { flow: f, stampede: { users: 5 } } }"),
            "no load performs the flow `g`",
        ),
        (
            Case::new()
                .with("flows", "{ f: [ { get: /x } ] }")
                .with("invariants", "[one_per_user]"),
            "nobody asks for anything",
        ),
        (
            Case::new().with(
                "thresholds",
                "{ iterations: { threshold: \"count>0\", over: 20m } }",
            ),
            "a window of 20m is longer than the load of 10m",
        ),
        (
            embedded_kafka("", 80_000),
            "80_000 can be issued, and the embedded Kafka keeps some 78_643 events",
        ),
    ];
    for (case, expected) in table {
        let warnings = case.plan().warnings;
        let said = warnings.iter().any(|warning| warning.contains(expected));
        assert!(said, "{expected}: {warnings:?}");
    }
}

fn embedded_kafka(more: &str, stock: u32) -> Case {
    let stack = format!("{{ stack: {{ server: {{ strategy: memory-kafka {more} }} }} }}");
    let stock = format!("{{ coupon: {{ id: 1, stock: {stock} }} }}");
    let load = "{ a: { shared_iterations: { vus: 2, iterations: 200_000 } } }";
    let case = Case::new().with("target", &stack).with("subject", &stock);
    case.with("load", load)
}

#[test]
fn a_stock_that_the_embedded_kafka_can_keep_is_no_worry() {
    let table = [
        embedded_kafka("", 78_000),
        embedded_kafka(", kafka_partitions: 6", 150_000),
        // Nobody asks for so many.
        embedded_kafka("", 80_000).with("load", "{ a: { stampede: { users: 50 } } }"),
    ];
    for case in table {
        assert_eq!(case.plan().warnings, Vec::<String>::new());
    }
}

#[test]
fn tags_that_never_come_together_are_said() {
    let case = Case::new()
        .with(
            "flows",
            "{ buy: [ { name: ask, post: /x, outcomes: { issued: 201, sold_out: 409 } }, \
             { name: pay, post: /y }, \
             { poll: { name: wait, get: /w, until: { status: 200 }, capture: { rank: /r } } } ], \
             look: [ { name: look, get: /z } ] }",
        )
        .with("metrics", "{ ranks: { counter: rank } }")
        .with(
            "load",
            "{ a: { flow: buy, ramping_vus: { stages: [ { name: rush, for: 9s, to: 4 } ] } }, \
             b: { flow: look, constant_vus: { vus: 1, for: 9s } } }",
        );
    // What a key narrows to, and why nothing is there; empty where something can be.
    let table = [
        ("outcome{step:ask,outcome:issued}", ""),
        ("outcome{step:pay,outcome:ok}", ""), // without rules, an answer is ok or an error
        ("outcome{step:look,outcome:unknown}", ""),
        ("outcome{phase:rush,load:a,step:ask,outcome:sold_out}", ""),
        ("poll_duration{load:a}", ""),
        ("poll_duration{step:wait}", ""),
        ("poll_duration{step:pay}", "the step `pay` is no poll"),
        ("poll_duration{load:b}", "no step in it is a poll"),
        ("ranks", ""),
        ("ranks{phase:rush,step:wait}", ""),
        ("ranks{step:pay}", "the step `pay` does not capture `rank`"),
        ("ranks{load:b}", "no step in it captures `rank`"),
        (
            "outcome{step:pay,outcome:issued}",
            "the step `pay` has no outcome `issued`",
        ),
        (
            "outcome{step:ask,outcome:ok}",
            "the step `ask` has no outcome `ok`",
        ),
        (
            "outcome{load:b,outcome:issued}",
            "no step in it has the outcome `issued`",
        ),
        (
            "http_reqs{phase:rush,load:b}",
            "the load `b` has no phase `rush`",
        ),
        (
            "http_reqs{phase:rush,step:look}",
            "no load in it performs the step `look`",
        ),
        (
            "http_reqs{phase:drain}",
            "the drain phase comes after the load",
        ),
    ];
    for (key, reason) in table {
        let case = Case {
            lines: case.lines.clone(),
        };
        let warnings = case.with("thresholds", &format!("{{ \"{key}\": \"count>=0\" }}"));
        let warnings = warnings.plan().warnings;
        let expected = format!("`{key}` can have no data: {reason}");
        match reason {
            "" => assert_eq!(warnings, Vec::<String>::new(), "{key}"),
            _ => assert!(
                warnings.iter().any(|text| text.contains(&expected)),
                "{warnings:?}"
            ),
        }
    }
}
