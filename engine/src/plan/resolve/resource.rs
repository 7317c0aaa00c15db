//! What the scenario wants measured from outside, and which thresholds on it can be judged.

use super::truth::address;
use crate::measure::{Metric, Quantity, ResourceKind, Tag, Threshold};
use crate::plan::resource::{HARNESS, brought_up};
use crate::plan::{ConsumerGroup, Plan, Process, Resource, ResourceOf, Target};
use crate::scenario::{
    At, ConsumerGroup as WrittenGroup, PLACEHOLDER, Position, Report, Resource as Written,
    ResourceOf as WrittenOf, Threshold as WrittenThreshold, did_you_mean,
};

/// As many as fit into a table and a chart.
const MOST: usize = 32;

/// Resources that are right, and whether that is all of them.
pub(super) struct Resources {
    pub(super) list: Vec<Resource>,
    pub(super) whole: bool,
}

pub(super) fn resolve(
    written: &[Written],
    target: Option<&Target>,
    report: &mut Report<'_>,
) -> Resources {
    if let Some(beyond) = written.get(MOST) {
        report.error_hint(
            beyond.name.position,
            format!("{} resources are too many", written.len()),
            format!("at most {MOST} can be measured"),
        );
    }
    let mut list = Vec::new();
    for resource in written.iter().take(MOST) {
        let name = resource.name.value.as_str();
        if is_free(name, resource.name.position, target, report) {
            let of = resource.of.as_ref().and_then(|of| resolve_one(of, report));
            let name = name.to_owned();
            list.extend(of.map(|of| Resource { name, of }));
        }
    }
    Resources {
        whole: list.len() == written.len() && target.is_some(),
        list,
    }
}

/// What the run measures by itself has its name already.
fn is_free(name: &str, at: Position, target: Option<&Target>, report: &mut Report<'_>) -> bool {
    let taken = target.map(brought_up).unwrap_or_default();
    let taken = name == HARNESS || taken.iter().any(|(taken, _)| taken == name);
    if taken {
        report.error_hint(
            at,
            format!("`{name}` is measured already, without being named"),
            "give what you want measured another name",
        );
    }
    !taken
}

fn resolve_one(of: &WrittenOf, report: &mut Report<'_>) -> Option<ResourceOf> {
    match of {
        WrittenOf::Sql(url) => address(url, &["mysql", "mariadb"], report).map(ResourceOf::Sql),
        WrittenOf::Redis(url) => address(url, &["redis"], report).map(ResourceOf::Redis),
        WrittenOf::Kafka(group) => kafka(group, report).map(ResourceOf::Kafka),
        WrittenOf::PidFile(file) if file.value.is_empty() => {
            report.error_hint(
                file.position,
                "the name of a file is empty",
                "write it like `pid_file: /run/shop.pid`",
            );
            None
        }
        WrittenOf::PidFile(file) => Some(ResourceOf::Process(Process::PidFile(file.value.clone()))),
        WrittenOf::Port(port) => {
            let number = u16::try_from(port.value.0).ok().filter(|port| *port > 0);
            if number.is_none() {
                report.error_hint(
                    port.position,
                    format!("{} is no port", port.value.0),
                    "write a number from 1 to 65535",
                );
            }
            number.map(|port| ResourceOf::Process(Process::Port(port)))
        }
    }
}

pub(super) fn kafka(written: &WrittenGroup, report: &mut Report<'_>) -> Option<ConsumerGroup> {
    let WrittenGroup {
        brokers,
        group,
        topic,
    } = written;
    let reachable = is_brokers(brokers, report);
    for (what, name) in [("group", group), ("topic", topic)] {
        if name.value.is_empty() {
            report.error_hint(
                name.position,
                format!("the name of the {what} is empty"),
                format!("write it like `{what}: coupons`"),
            );
        }
    }
    let named = !group.value.is_empty() && !topic.value.is_empty();
    (reachable && named).then(|| ConsumerGroup {
        brokers: brokers.value.clone(),
        group: group.value.clone(),
        topic: topic.value.clone(),
    })
}

/// Whether brokers can listen there, which is reported if not.
pub(super) fn is_brokers(brokers: &At<String>, report: &mut Report<'_>) -> bool {
    let unset = brokers.hidden && brokers.value.contains(PLACEHOLDER);
    let reachable = unset || brokers.value.split(',').all(is_address);
    if !reachable {
        report.error_hint(
            brokers.position,
            format!("`{}` is not where brokers listen", brokers.shown()),
            "write `HOST:PORT`, several separated by commas: `brokers: \"127.0.0.1:9092\"`",
        );
    }
    reachable
}

/// A host, which is not looked up, and a port.
pub(super) fn is_address(text: &str) -> bool {
    let parts = text.trim().rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// Refuses what cannot be judged of a threshold on something that is read from outside.
pub(super) fn check_threshold(
    threshold: &Threshold,
    written: &WrittenThreshold,
    report: &mut Report<'_>,
) {
    let Metric::Resource(quantity) = threshold.metric else {
        return;
    };
    let metric = quantity.metric();
    if let Some(windows) = &written.windows {
        report.error_hint(
            windows.over.position,
            format!("`{metric}` is read from outside, and cannot be judged over windows"),
            "leave `over` out: it is judged for the whole load, or with the tag `phase` for a part",
        );
    }
    if threshold.abort.is_some() {
        report.error_hint(
            written.assertion.position,
            format!("`{metric}` is read from outside, and cannot end the load"),
            "leave `abort` out: it is judged when the load has ended",
        );
    }
}

/// Something must have what is to be judged.
pub(super) fn check_key(
    key: &At<String>,
    quantity: Quantity,
    tags: &[(Tag, String)],
    plan: &Plan,
    report: &mut Report<'_>,
) {
    let measured = plan.measured();
    let has = |kind: ResourceKind| kind.quantities().contains(&quantity);
    let with: Vec<&str> = measured
        .iter()
        .filter(|(_, kind)| has(*kind))
        .map(|(name, _)| name.as_str())
        .collect();
    let metric = quantity.metric();
    if with.is_empty() {
        report.error_hint(
            key.position,
            format!("nothing that is measured has `{metric}`"),
            wanted(quantity),
        );
        return;
    }
    let Some((_, source)) = tags.iter().find(|(tag, _)| *tag == Tag::Source) else {
        return;
    };
    if with.contains(&source.as_str()) {
        return;
    }
    let is_known = measured.iter().any(|(name, _)| name == source);
    let message = if is_known {
        format!("`{source}` has no `{metric}`")
    } else {
        format!("there is no source `{source}`")
    };
    report.error_hint(key.position, message, did_you_mean(source, &with));
}

/// What would bring it.
fn wanted(quantity: Quantity) -> &'static str {
    let of = |kind: ResourceKind| kind.quantities().contains(&quantity);
    if of(ResourceKind::Sql) {
        "say where the database is: `resources: { database: { sql: { url: \"${DB}\" } } }`"
    } else if of(ResourceKind::Redis) {
        "say where Redis is: `resources: { cache: { redis: { url: redis://127.0.0.1 } } }`"
    } else if of(ResourceKind::Kafka) {
        "say who reads what: `resources: { events: { kafka: { brokers: \"127.0.0.1:9092\", group: issuer, topic: issued } } }`"
    } else {
        "say which process it is: `resources: { app: { process: { port: 8080 } } }`"
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Overrides, Plan, load, print};

    fn planned(target: &str, rest: &str) -> Result<Plan, String> {
        let text = format!(
            "name: case\ntarget: {target}\n\
             subject: {{ coupon: {{ id: 1, stock: 10 }} }}\n\
             load: {{ a: {{ shared_iterations: {{ vus: 2, iterations: 100 }} }} }}\n\
             flows: {{ f: [ {{ post: /x, outcomes: {{ issued: 201 }} }} ] }}\n{rest}\n"
        );
        let plan = load("case.yaml", &text, &Overrides::default(), &|_| None);
        plan.map_err(|error| error.to_string())
    }

    const URL: &str = "{ url: \"http://127.0.0.1:3000\" }";
    const KAFKA: &str = "{ stack: { server: { strategy: redis-kafka } } }";
    const LUA: &str = "{ stack: { server: { strategy: redis-lua } } }";

    #[test]
    #[allow(clippy::too_many_lines, reason = "one table")]
    fn what_cannot_be_measured_or_judged_is_refused() {
        let table = [
            // A name that the run has given away.
            (
                LUA,
                "resources: { mysql: { process: { port: 1 } } }",
                "`mysql` is measured already",
            ),
            (
                URL,
                "resources: { harness: { process: { port: 1 } } }",
                "`harness` is measured already",
            ),
            // How it is found.
            (
                URL,
                "resources: { a: { process: { port: 65536 } } }",
                "65536 is no port",
            ),
            (
                URL,
                "resources: { a: { process: { port: 0 } } }",
                "0 is no port",
            ),
            (
                URL,
                "resources: { a: { process: {} } }",
                "how the process is found is missing",
            ),
            (
                URL,
                "resources: { a: { process: { pid_file: \"\" } } }",
                "the name of a file is empty",
            ),
            (
                URL,
                "resources: { a: { sql: { url: \"postgres://h/d\" } } }",
                "has no scheme that can be read",
            ),
            (
                URL,
                "resources: { a: { sql: {} } }",
                "the key `url` is missing",
            ),
            (URL, "resources: { a: {} }", "what is measured is missing"),
            (
                URL,
                "resources: { a: { kafka: { brokers: \"h:1\", group: g } } }",
                "the key `topic` is missing",
            ),
            (
                URL,
                "resources: { a: { kafka: { brokers: \"h:1,h\", group: g, topic: t } } }",
                "`h:1,h` is not where brokers listen",
            ),
            (
                URL,
                "resources: { a: { kafka: { brokers: \"h:1\", group: \"\", topic: t } } }",
                "the name of the group is empty",
            ),
            (
                KAFKA,
                "resources: { kafka-1: { process: { port: 1 } } }",
                "`kafka-1` is measured already",
            ),
            // Thresholds on what nobody has.
            (
                URL,
                "thresholds: { row_lock_waits: [\"count==0\"] }",
                "nothing that is measured has `row_lock_waits`",
            ),
            (
                LUA,
                "thresholds: { consumer_lag: [\"max<9\"] }",
                "nothing that is measured has `consumer_lag`",
            ),
            (
                KAFKA,
                "thresholds: { \"consumer_lag{source:issuer-1}\": [\"max<9\"] }",
                "`issuer-1` has no `consumer_lag`",
            ),
            (
                KAFKA,
                "thresholds: { consumer_lag: [\"rate<9\"] }",
                "`consumer_lag` is a trend and has no `rate`",
            ),
            (
                LUA,
                "thresholds: { \"commands{source:mysql}\": [\"count>0\"] }",
                "`mysql` has no `commands`",
            ),
            (
                LUA,
                "thresholds: { \"cpu{source:sever}\": [\"max<2\"] }",
                "there is no source `sever`",
            ),
            (
                LUA,
                "thresholds: { \"cpu{step:x}\": [\"max<2\"] }",
                "`cpu` is not measured by step",
            ),
            (
                LUA,
                "thresholds: { \"http_reqs{source:mysql}\": [\"count>0\"] }",
                "`http_reqs` is not measured by source",
            ),
            // And in ways that they cannot be judged in.
            (
                LUA,
                "thresholds: { cpu: [{ threshold: \"max<2\", over: 1s }] }",
                "`cpu` is read from outside, and cannot be judged over windows",
            ),
            (
                LUA,
                "thresholds: { cpu: [{ threshold: \"max<2\", abort: true }] }",
                "`cpu` is read from outside, and cannot end the load",
            ),
            (
                LUA,
                "thresholds: { row_lock_waits: [\"max<2\"] }",
                "`row_lock_waits` is a counter and has no `max`",
            ),
            (
                LUA,
                "thresholds: { memory: [\"max<2 cores\"] }",
                "unit `cores` does not fit here",
            ),
            (
                LUA,
                "thresholds: { cpu: [\"max<50%\"] }",
                "unit `%` does not fit here",
            ),
        ];
        for (target, rest, words) in table {
            let error = planned(target, rest).expect_err(rest);
            assert!(error.contains(words), "{rest}: {error}");
            assert!(error.ends_with("\n1 error\n"), "{rest}: {error}");
        }
    }

    #[test]
    fn a_broken_resource_is_told_once_and_not_again_for_its_threshold() {
        let rest = "resources: { db: { sql: { url: nowhere } } }\n\
                    thresholds: { \"row_lock_waits{source:db}\": [\"count==0\"] }";
        let error = planned(URL, rest).expect_err("it is broken");
        assert!(error.ends_with("\n1 error\n"), "{error}");
    }

    #[test]
    fn what_is_measured_is_in_the_plan_without_a_password() {
        let rest = "resources:\n  db: { sql: { url: \"mysql://u:secret@h:3307/d\" } }\n  \
                    app: { process: { pid_file: app.pid } }\n  web: { process: { port: 80 } }\n  \
                    events: { kafka: { brokers: \"h:9092,i:9092\", group: g, topic: t } }\n\
                    thresholds: { \"connections{source:db}\": [\"max<=30\"], \
                    \"consumer_lag{source:events}\": [\"max<200\"], \
                    \"memory{source:web}\": [\"max<200MB\"] }";
        let plan = planned(URL, rest).unwrap_or_else(|error| panic!("{error}"));
        let text = print(&plan);
        for line in [
            "\nresources\n",
            "  db      sql mysql://h:3307\n",
            "  app     the process in app.pid\n",
            "  web     the process that listens on port 80\n",
            "  events  kafka h:9092,i:9092, group g, topic t\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn what_a_stack_brings_along_can_be_judged_without_being_named() {
        let rest = "thresholds: { row_lock_waits: [\"count==0\", \"rate<1/s\"], \
                    row_lock_time: [\"count<5s\"], \"commands{source:redis-1}\": [\"count>0\"], \
                    \"cpu{source:harness}\": [\"max<1.5\", \"avg<1\"], \
                    \"connections{source:mysql,phase:a}\": [\"max<30\"], \
                    \"memory{source:server}\": [\"max<200MB\"] }";
        planned(LUA, rest).unwrap_or_else(|error| panic!("{error}"));
        let rest = "thresholds: { \"consumer_lag{source:kafka-1}\": [\"max<500\", \"min==0\"], \
                    \"cpu{source:issuer-1}\": [\"max<2\"] }";
        planned(KAFKA, rest).unwrap_or_else(|error| panic!("{error}"));
    }
}
