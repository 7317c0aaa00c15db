#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use crate::plan::fault::{Injection, Trigger};
use crate::plan::{LinkFault, Overrides, Plan, load, print};

const STACK: &str = "stack: { server: { strategy: redis-kafka } }";

fn planned_on(target: &str, faults: &[&str]) -> Result<Plan, String> {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!(
                "  - {{ {fault} }}
"
            )
        })
        .collect();
    let faults = faults.concat();
    let text = format!(
        "name: case\nseed: 7\ntarget: {{ {target} }}\n\
         subject: {{ coupon: {{ id: 1, stock: 1000 }} }}\n\
         load:\n  opening:\n    ramping_vus:\n      stages:\n\
         \x20       - {{ name: warm, for: 10s, to: 10 }}\n        - {{ name: hold, for: 1m, to: 10 }}\n\
         flows: {{ f: [ {{ post: /x, outcomes: {{ issued: 201, sold_out: 409 }} }} ] }}\n\
         faults:\n{faults}"
    );
    let plan = load("case.yaml", &text, &Overrides::default(), &|_| None);
    plan.map_err(|error| error.to_string())
}

fn planned(faults: &[&str]) -> Result<Plan, String> {
    planned_on(STACK, faults)
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn a_fault_that_cannot_be_done_is_refused_in_words() {
    let table = [
        ("name: a, redis: kill, for: 5s", "when it begins is missing"),
        ("name: a, at: hold, for: 5s", "what is broken is missing"),
        (
            "redis: kill, at: hold, for: 5s",
            "the key `name` is missing",
        ),
        (
            "name: a, redis: freeze, at: hold",
            "the key `for` is missing",
        ),
        (
            "name: a, redis: restart, at: hold, for: 5s",
            "ends by itself",
        ),
        ("name: a, redis: kil, at: hold", "unknown fault `kil`"),
        (
            "name: a, redis: read_only, at: hold, for: 5s",
            "`read_only` cannot be done to `redis`",
        ),
        (
            "name: a, redis: cpu_limit, at: hold, for: 5s",
            "`cpu_limit` needs `share`",
        ),
        (
            "name: a, client: { cpu_limit: 5% }, at: hold, for: 5s",
            "`cpu_limit` cannot be done to `client`",
        ),
        (
            "name: a, server: { cpu_limit: 0.5% }, at: hold, for: 5s",
            "0.5% of a core is nearly nothing",
        ),
        (
            "name: a, server: { cpu_limit: { share: 150% } }, at: hold, for: 5s",
            "`150%` is more than the whole",
        ),
        (
            "name: a, kafka: { memory_limit: 256 }, at: hold, for: 5s",
            "`256` has no unit",
        ),
        (
            "name: a, kafka: { memory_limit: 5MB }, at: hold, for: 5s",
            "with 5MB nothing could run",
        ),
        (
            "name: a, redis: { clock_skew: 30s }, at: hold, for: 5s",
            "only `local` starts programs whose clock can be set",
        ),
        (
            "name: a, redis: { clock_skew: -30 }, at: hold, for: 5s",
            "`30` has no unit",
        ),
        (
            "name: a, server: { clock_skew: -200ms }, at: hold, for: 5s",
            "nobody would notice so little",
        ),
        (
            "name: a, kafka: { clock_skew: 30s }, at: hold, for: 5s",
            "`clock_skew` cannot be done to `kafka`",
        ),
        (
            "name: a, redis: { memory_limit: 64MiB }, at: hold",
            "the key `for` is missing",
        ),
        (
            "name: a, redis: delay, at: hold, for: 5s",
            "`delay` needs `by`",
        ),
        (
            "name: a, redis: { delay: { jitter: 1ms } }, at: hold, for: 5s",
            "the key `by` is missing",
        ),
        (
            "name: a, redis: { delay: 5 }, at: hold, for: 5s",
            "`5` has no unit",
        ),
        (
            "name: a, redis: { delay: 2m }, at: hold, for: 5s",
            "a delay of 120s is more than 60s",
        ),
        (
            "name: a, redis: { delay: { by: 1ms, jitter: 2ms } }, at: hold, for: 5s",
            "a uniform jitter of 2ms is more than the delay",
        ),
        (
            "name: a, redis: { delay: { by: 1ms, direction: up } }, at: hold, for: 5s",
            "`up` is no direction",
        ),
        (
            "name: a, redis: { delay: 1ms, rate: 5 }, at: hold, for: 5s",
            "`rate` cannot stand beside `delay`",
        ),
        (
            "name: a, redis: { close: { after: 1s, bytes: 5 } }, at: hold, for: 5s",
            "cannot stand beside",
        ),
        (
            "name: a, kafka: { drop_reply: Consume }, at: hold, for: 5s",
            "Kafka has no `Consume`",
        ),
        (
            "name: a, client: { drop_reply: GET }, at: hold, for: 5s",
            "`drop_reply` cannot be done to `client`",
        ),
        (
            "name: a, kafka: below_min_isr, at: hold, for: 5s",
            "one broker is always in sync with itself",
        ),
        (
            "name: a, kafka: followers_frozen, at: hold, for: 5s",
            "one broker has nobody who follows it",
        ),
        (
            "name: a, redis: netem, at: hold, for: 5s",
            "`netem` is no fault here: it is a part of the kernel",
        ),
        (
            "name: a, redis: { reorder: 10% }, at: hold, for: 5s",
            "TCP puts packets into their order again",
        ),
        (
            "name: a, server: { corrupt: { share: 1% } }, at: hold, for: 5s",
            "write `loss: 10%`",
        ),
        (
            "name: a, redis: loss, at: hold, for: 5s",
            "`loss` needs `share`",
        ),
        (
            "name: a, redis: { loss: 0% }, at: hold, for: 5s",
            "a loss of 0% loses nothing",
        ),
        (
            "name: a, redis: { loss: { share: 150% } }, at: hold, for: 5s",
            "`150%` is more than the whole",
        ),
        (
            "name: a, client: { loss: 10% }, at: hold, for: 5s",
            "`loss` cannot be done to `client`",
        ),
        (
            "name: a, queue: kill, at: hold, for: 5s",
            "the strategy `redis-kafka` has no processes `queue`",
        ),
        (
            "name: a, kafka: kill, which: 2, at: hold, for: 5s",
            "there is no kafka number 2: there are 1",
        ),
        (
            "name: a, kafka: kill, which: some, at: hold, for: 5s",
            "`some` is no instance",
        ),
        (
            "name: a, redis: kill, at: holt, for: 5s",
            "there is no stage and no earlier fault `holt`",
        ),
        (
            "name: a, redis: kill, at: hold + 5, for: 5s",
            "`5` has no unit",
        ),
        (
            "name: a, redis: kill, after: 2m, for: 5s",
            "begins after the load has ended",
        ),
        (
            "name: a, redis: kill, when: issued, for: 5s",
            "`issued` is no condition",
        ),
        (
            "name: a, redis: kill, when: sold >= 5, for: 5s",
            "`sold` is nothing that a fault can wait for",
        ),
        (
            "name: a, redis: kill, when: issued >= 150%, for: 5s",
            "`150%` is more than the whole",
        ),
        (
            "name: a, redis: kill, when: p95 > 100, for: 5s",
            "`100` has no unit",
        ),
        (
            "name: a, redis: kill, at: hold, for: 5s, times: 3",
            "`times` needs `every`",
        ),
        (
            "name: a, redis: kill, at: hold, for: 5s, every: 9s",
            "`every` says nothing without `times`",
        ),
        (
            "name: a, redis: kill, at: hold, for: 5s, times: 3, every: 5s",
            "begin again before it is healed",
        ),
        (
            "name: a, redis: kill, at: hold, for: 5s, times: 0, every: 9s",
            "0 times are not possible",
        ),
        (
            "name: a, chaos: { pick: [] }, at: hold, for: 1s, every: 5s",
            "nothing to choose from",
        ),
        (
            "name: a, chaos: { pick: [ { redis: kill } ] }, at: hold, for: 1s",
            "the key `every` is missing",
        ),
        (
            "name: a, chaos: { pick: [ { redis: kill } ] }, when: vus > 3, for: 1s, every: 5s",
            "chaos begins at a moment that the plan knows",
        ),
        (
            "name: a, redis: kill, at: hold, for: 5s, fro: 5s",
            "unknown key `fro`",
        ),
    ];
    for (fault, words) in table {
        let error = planned(&[fault]).expect_err(fault);
        assert!(error.contains(words), "{fault}: {error}");
        assert!(error.ends_with("\n1 error\n"), "{fault}: {error}");
    }
}

#[test]
fn what_would_break_the_same_thing_at_the_same_time_is_refused() {
    let first = "name: first, redis: freeze, at: hold, for: 10s";
    let table = [
        (
            "in the middle",
            "name: other, redis: kill, at: hold + 5s, for: 1s",
            true,
        ),
        (
            "at its end",
            "name: other, redis: kill, at: hold + 10s, for: 1s",
            true,
        ),
        (
            "behind it",
            "name: other, redis: kill, at: hold + 11s, for: 1s",
            false,
        ),
        (
            "when it is healed",
            "name: other, redis: kill, at: first + 1s, for: 1s",
            false,
        ),
        (
            "on its way",
            "name: other, redis: { delay: 1ms }, at: hold + 5s, for: 1s",
            false,
        ),
        (
            "on its way in the kernel",
            "name: other, redis: { loss: 1% }, at: hold + 5s, for: 1s",
            false,
        ),
        (
            "elsewhere",
            "name: other, database: kill, at: hold + 5s, for: 1s",
            false,
        ),
        (
            "nobody knows when",
            "name: other, redis: kill, when: vus >= 5, for: 1s",
            true,
        ),
        (
            "again and again",
            "name: other, redis: kill, after: 1s, for: 1s, times: 3, every: 8s",
            true,
        ),
        (
            "with a limit of its processes",
            "name: other, redis: { cpu_limit: 20% }, at: hold + 5s, for: 1s",
            true,
        ),
        (
            "of the same name",
            "name: first, database: kill, after: 1s, for: 1s",
            true,
        ),
    ];
    for (row, other, refused) in table {
        let plan = planned(&[first, other]);
        assert_eq!(plan.is_err(), refused, "{row}: {:?}", plan.err());
    }
}

#[test]
fn processes_of_a_role_are_also_those_of_the_server() {
    let all = "name: all, server: { cpu_limit: 20% }, which: 1, at: hold, for: 10s";
    let role = "name: role, coupon: freeze, which: 1, at: hold + 5s, for: 1s";
    let error = planned(&[all, role]).expect_err("one process");
    assert!(
        error.contains("`all` and `role` would break the same thing"),
        "{error}"
    );
    let other = "name: other, issuer: freeze, at: hold + 5s, for: 1s";
    planned(&[all, other]).expect("an issuer does not issue");
}

#[test]
fn clocks_of_local_programs_are_set_to_either_side() {
    let local = "stack: { provider: local, server: { strategy: redis-kafka } }";
    let faults = [
        "name: late, redis: { clock_skew: -1m30s }, at: hold, for: 5s",
        "name: early, issuer: { clock_skew: { by: 2h } }, at: hold, for: 5s",
    ];
    let text = print(&planned_on(local, &faults).unwrap());
    for line in [
        "redis: clock_skew by -1m30s\n",
        "issuer: clock_skew by +2h\n",
        "healed by: the time that it is\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn limits_are_printed_with_what_takes_them_off() {
    let faults = [
        "name: slow, server: { cpu_limit: { share: 7% } }, at: hold, for: 5s",
        "name: full, database: { memory_limit: { to: 256MB } }, at: hold, for: 5s",
    ];
    let text = print(&planned(&faults).unwrap());
    for line in [
        "server: cpu_limit to 7% of a core\n",
        "healed by: the limit that it had, and letting it go on\n",
        "database: memory_limit to 256MB\n",
        "healed by: the limit that it had; it is started again if it has died\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn a_system_that_already_runs_can_only_be_broken_on_the_way_to_it() {
    let own = "url: \"http://127.0.0.1:1\"";
    let way = planned_on(
        own,
        &["name: a, client: { delay: 10ms }, at: hold, for: 5s"],
    );
    assert_eq!(way.unwrap().faults.len(), 1);
    let other = planned_on(own, &["name: a, redis: kill, at: hold, for: 5s"]);
    let words = "nobody knows where the `redis` of this target is";
    assert!(other.unwrap_err().contains(words));
}

#[test]
fn of_a_system_that_already_runs_only_what_it_has_can_be_broken() {
    let table = [
        (
            "redis: { url: \"redis://127.0.0.1\" }",
            "redis: freeze",
            "redis-1 is only known by its address",
        ),
        (
            "server: [ { container: app-1 }, { pid: 4711 } ]",
            "server: kill",
            "kill cannot be done here: server-2 could not be started again",
        ),
        (
            "server: { url: \"http://127.0.0.1:1\" }",
            "server: { cpu_limit: 20% }",
            "server-1 is only known by its address",
        ),
        (
            "server: { pid: 4711 }",
            "server: { clock_skew: 30s }",
            "the clock of a program that already runs cannot be set",
        ),
        (
            "server: { pid: 4711 }",
            "server: { memory_limit: 64MB }",
            "memory_limit cannot be done here: server-1 could not be started again",
        ),
        (
            "redis: { container: shop-redis }",
            "redis: stall",
            "redis-1 needs `url`",
        ),
        (
            "redis: { pid: 4711, url: \"redis://127.0.0.1\" }",
            "redis: lose_writes",
            "redis-1 could not be started again",
        ),
        (
            "redis: { container: a, url: \"redis://127.0.0.1\" }",
            "redis: { delay: 5ms }",
            "redis-1 needs `via`",
        ),
        (
            "kafka: { container: a, broker: \"127.0.0.1:9092\" }",
            "kafka: partition",
            "kafka-1 tells its clients its own address",
        ),
        (
            "kafka: { container: a, broker: \"127.0.0.1:9092\", topic: t }",
            "kafka: below_min_isr",
            "one broker is always in sync with itself",
        ),
        (
            "kafka: [ { container: a, broker: \"127.0.0.1:9092\" }, { container: b, broker: \"127.0.0.1:9093\" } ]",
            "kafka: below_min_isr",
            "no broker says which topic is meant",
        ),
        (
            "kafka: [ { container: a, broker: \"127.0.0.1:9092\", topic: t }, { container: b } ]",
            "kafka: below_min_isr",
            "kafka-2 needs `broker`",
        ),
        (
            "database: { url: \"mysql://u@127.0.0.1/shop\" }",
            "database: hot_row",
            "database-1 does not say which row everybody needs",
        ),
        (
            "redis: { container: a, url: \"redis://192.0.2.1\" }",
            "redis: { loss: 5% }",
            "redis-1 has no address on the loopback of this machine",
        ),
        (
            "kafka: { container: a, broker: \"127.0.0.1:9092\", topic: t }",
            "kafka: followers_frozen",
            "kafka-1 is of a cluster that the run has not made",
        ),
        (
            "redis: { container: a }",
            "database: freeze",
            "nobody knows where the `database` of this target is",
        ),
        (
            "server: [ { pid: 4711 }, { pid: 4712 } ]",
            "which: 3, server: freeze",
            "there is no server number 3: there are 2",
        ),
    ];
    for (parts, fault, words) in table {
        let own = format!("url: \"http://127.0.0.1:1\", parts: {{ {parts} }}");
        let planned = planned_on(&own, &[&format!("name: a, {fault}, at: hold, for: 5s")]);
        let error = planned.expect_err(words);
        assert!(error.contains(words), "{parts}: {error}");
        assert!(error.ends_with("\n1 error\n"), "{parts}: {error}");
    }
}

#[test]
fn what_a_part_has_can_be_broken_and_the_plan_says_what_it_is() {
    let own = "url: \"http://127.0.0.1:1\", compose: shop, parts: { \
               redis: { service: cache, url: \"redis://:secret@127.0.0.1:6379\", via: \"127.0.0.1:16379\" }, \
               database: { container: db, url: \"mysql://u:secret@127.0.0.1/shop\", admin: \"mysql://root:secret@127.0.0.1/shop\" }, \
               kafka: [ { container: k-1, broker: \"127.0.0.1:9092\", topic: t }, { container: k-2, broker: \"127.0.0.1:9093\" } ], \
               server: [ { pid_file: app.pid }, { pid: 4711 } ], issuer: { container: worker } }";
    let faults = [
        "name: a, redis: kill, at: hold, for: 1s",
        "name: b, redis: { delay: 5ms }, at: a + 1s, for: 1s",
        "name: c, redis: stall, at: b + 1s, for: 1s",
        "name: d, database: { hot_row: \"SELECT 1 FROM c FOR UPDATE\" }, at: c + 1s, for: 1s",
        "name: e, database: restart, at: d + 1s",
        "name: f, kafka: below_min_isr, at: e + 1s, for: 1s",
        "name: g, server: freeze, which: any, at: f + 1s, for: 1s",
        "name: h, issuer: kill, at: g + 1s, for: 1s",
        "name: i, redis: { loss: 5% }, at: h + 1s, for: 1s",
    ];
    let plan = planned_on(own, &faults).unwrap_or_else(|error| panic!("{error}"));
    let text = print(&plan);
    for line in [
        "\nparts\n",
        "  redis-1     the container of service cache of project shop, redis://127.0.0.1:6379, a link at 127.0.0.1:16379\n",
        "  database-1  container db, mysql://127.0.0.1\n",
        "  kafka-1     container k-1, kafka 127.0.0.1:9092, topic t\n",
        "  server-1    the process in app.pid\n",
        "  server-2    process 4711\n",
        "  issuer-1    container worker\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn moments_are_those_of_the_load_and_scale_with_it() {
    let faults = ["name: a, redis: freeze, at: hold + 30s, for: 20s, times: 2, every: 25s"];
    let at = |seconds: f64| Trigger::At(Duration::from_secs_f64(seconds));
    let plan = planned(&faults).unwrap();
    assert_eq!(
        (&plan.faults[0].trigger, plan.faults[0].lasts),
        (&at(40.0), Duration::from_secs(20))
    );
    let text = print(&plan);
    assert!(
        text.contains("at 40s (hold + 30s), 2 times, every 25s, for 20s"),
        "{text}"
    );
    assert!(text.contains("healed by: letting it go on"), "{text}");
}

#[test]
fn who_leads_the_topic_is_nobodys_choice() {
    let three = "stack: { server: { strategy: redis-kafka }, kafka: { brokers: 3 } }";
    let fault =
        |which: &str| format!("name: a, kafka: followers_frozen, {which} at: hold, for: 5s");
    let plan = planned_on(three, &[&fault("")]).unwrap();
    assert_eq!(plan.faults[0].injection, Injection::KafkaFollowersFrozen);
    let error = planned_on(three, &[&fault("which: 2,")]).unwrap_err();
    assert!(error.contains("leave `which` out"), "{error}");
}

#[test]
fn packets_are_lost_by_the_millionth() {
    let fault = |share: &str| format!("name: a, issuer: {{ loss: {share} }}, at: hold, for: 5s");
    for (share, lost, shown) in [
        ("100%", 1_000_000, "loss of 100% of the packets"),
        ("{ share: 0.1 }", 100_000, "loss of 10% of the packets"),
        ("0.0001%", 1, "loss of 0.0001% of the packets"),
    ] {
        let plan = planned(&[&fault(share)]).unwrap();
        let loss = Injection::Loss { per_million: lost };
        assert_eq!(plan.faults[0].injection, loss, "{share}");
        let text = print(&plan);
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn chaos_is_the_same_for_the_same_seed_and_ends_with_the_load() {
    let chaos = "name: storm, chaos: { pick: [ { redis: freeze }, { database: read_only }, \
                 { redis: { delay: 5ms } } ] }, after: 5s, for: 3s, every: 10s";
    let kinds = |plan: &Plan| -> Vec<&'static str> {
        plan.faults
            .iter()
            .map(|fault| fault.injection.kind())
            .collect()
    };
    let plan = planned(&[chaos]).unwrap();
    assert_eq!(plan.faults.len(), 7, "70 s of load, from its 5th second");
    assert_eq!(plan.faults[6].name, "storm-7");
    assert_eq!(plan.faults[6].trigger, Trigger::At(Duration::from_secs(65)));
    assert_eq!(kinds(&plan), kinds(&planned(&[chaos]).unwrap()));
    let different: std::collections::BTreeSet<_> = kinds(&plan).into_iter().collect();
    assert!(different.len() > 1, "{different:?}");
}

#[test]
fn a_value_alone_is_the_setting_that_must_be_there() {
    for delay in ["{ delay: 50ms }", "{ delay: { by: 50ms } }"] {
        let fault = format!("name: a, redis: {delay}, at: hold, for: 5s");
        let plan = planned(&[&fault]).unwrap();
        let Injection::Link(rule) = &plan.faults[0].injection else {
            panic!("{:?}", plan.faults);
        };
        let LinkFault::Delay { by, .. } = rule.fault else {
            panic!("{rule:?}");
        };
        assert_eq!(by, Duration::from_millis(50), "{delay}");
    }
}
