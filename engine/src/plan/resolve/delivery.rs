//! `truth.outbox`, `truth.events`, `truth.effects`: where the way of an issued row is read, and
//! whether there is anything that the invariant `delivery` can compare.

use super::resource::is_brokers;
use super::services;
use super::template::Words;
use super::truth::given;
use crate::plan::{
    Delivery, EventId, Events, EventsOf, Invariant, OfCoupon, Query, Source, Stack, Subject,
    Target, Topic,
};
use crate::scenario::{EventSource, Given, Position, Report, Scenario, Truth as WrittenTruth};

/// The strategy whose events wait in the database first.
const OUTBOX: &str = "outbox";

pub(super) fn resolve(
    scenario: &Scenario,
    target: Option<&Target>,
    subject: Option<&Subject>,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Delivery {
    let written = scenario.truth.value();
    let mut delivery = Delivery {
        outbox: written.and_then(|truth| given(&truth.outbox, words, report)),
        events: written
            .and_then(|truth| truth.events.value())
            .and_then(|events| topic(events, subject, report)),
        effects: written.and_then(|truth| given(&truth.effects, words, report)),
    };
    let named = written.and_then(|truth| truth.delivery);
    let Some(claimed) = claimed_at(scenario) else {
        if let Some(position) = named {
            report.error_hint(
                position,
                "`outbox`, `events` and `effects` are read for the invariant `delivery` alone",
                "add `delivery` to `invariants`, or remove them",
            );
        }
        return delivery;
    };
    // What is wrong was reported, and is not missing.
    if matches!(scenario.truth, Given::Broken) || written.is_some_and(has_broken) {
        return delivery;
    }
    match target {
        Some(Target::Stack(stack)) => bundled(&mut delivery, stack, subject, claimed, report),
        Some(Target::Urls { .. }) => demand(&delivery, written, claimed, report),
        // Without a target nobody knows what is bundled.
        None => {}
    }
    delivery
}

fn claimed_at(scenario: &Scenario) -> Option<Position> {
    let named = |name: &str| {
        Invariant::named(name).is_some_and(|one| matches!(one, Invariant::Delivery(_)))
    };
    let mut invariants = scenario.invariants.iter().map(|written| &written.name);
    let claimed = invariants.find(|name| named(&name.value));
    claimed.map(|name| name.position)
}

const fn has_broken(truth: &WrittenTruth) -> bool {
    matches!(truth.outbox, Given::Broken)
        || matches!(truth.events, Given::Broken)
        || matches!(truth.effects, Given::Broken)
}

/// What the bundled server has of it, where the scenario does not say otherwise.
fn bundled(
    delivery: &mut Delivery,
    stack: &Stack,
    subject: Option<&Subject>,
    claimed: Position,
    report: &mut Report<'_>,
) {
    let strategy = stack.strategy.as_deref();
    let strategy = strategy.unwrap_or(services::DEFAULT_STRATEGY);
    let with_events = services::with_events();
    if !with_events.contains(&strategy) {
        if !delivery.is_some() {
            report.error_hint(
                claimed,
                format!(
                    "the strategy `{strategy}` publishes no events, so `delivery` has nothing to \
                     compare"
                ),
                format!(
                    "choose a strategy with events ({}), or remove `delivery`",
                    with_events.join(", ")
                ),
            );
        }
        return;
    }
    let own = || Source {
        query: Query::Bundled,
        offset: 0,
    };
    if strategy == OUTBOX {
        delivery.outbox.get_or_insert_with(own);
    }
    delivery.effects.get_or_insert_with(own);
    delivery.events.get_or_insert_with(|| Events {
        of: EventsOf::Bundled,
        id: EventId::Value("/id".to_owned()),
        sequence: Some("/createdAt".to_owned()),
        coupon: Some(OfCoupon {
            at: "/couponId".to_owned(),
            is: subject.map_or_else(|| "1".to_owned(), |subject| subject.coupon.clone()),
        }),
    });
}

fn demand(
    delivery: &Delivery,
    written: Option<&WrittenTruth>,
    claimed: Position,
    report: &mut Report<'_>,
) {
    if !delivery.is_some() {
        report.error_hint(
            claimed,
            "the invariant `delivery` needs `truth.outbox`, `truth.events` or `truth.effects`",
            "say where what was issued is found again: `truth: { events: { kafka: { brokers: \
             \"127.0.0.1:9092\", topic: coupon-issued, id: /couponId } } }`",
        );
    } else if written.is_none_or(|truth| truth.pending.is_empty()) {
        report.error_hint(
            claimed,
            "the invariant `delivery` decides what is lost when nothing waits any more, and \
             `truth.settle.pending` is missing",
            "say what waits: `settle: { pending: [{ kafka: { brokers: \"127.0.0.1:9092\", group: \
             coupon-issuer, topic: coupon-issued } }] }`",
        );
    }
}

fn topic(
    written: &EventSource,
    subject: Option<&Subject>,
    report: &mut Report<'_>,
) -> Option<Events> {
    let are_brokers = is_brokers(&written.brokers, report);
    if written.topic.value.is_empty() {
        report.error_hint(
            written.topic.position,
            "the name of the topic is empty",
            "write it like `topic: coupons`",
        );
        return None;
    }
    let coupon = match (&written.coupon, subject) {
        (None, _) => None,
        (Some(at), Some(subject)) => Some(OfCoupon {
            at: at.value.as_str().to_owned(),
            is: subject.coupon.clone(),
        }),
        (Some(at), None) => {
            report.error_hint(
                at.position,
                "which coupon is meant says `subject`, and that is missing",
                "add `subject: { coupon: { id: 1, stock: 5000 } }`, or remove `coupon`",
            );
            return None;
        }
    };
    let pointer = |at: &crate::scenario::value::Pointer| at.as_str().to_owned();
    are_brokers.then(|| Events {
        of: EventsOf::Kafka(Topic {
            brokers: written.brokers.value.clone(),
            topic: written.topic.value.clone(),
        }),
        id: match &written.id {
            Some(at) => EventId::Value(pointer(at)),
            None => EventId::Key,
        },
        sequence: written.sequence.as_ref().map(pointer),
        coupon,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::planned_target;
    use crate::plan::{Plan, print};

    const OWN: &str = "url: \"http://127.0.0.1:3000\"";
    const ISSUED: &str = "issued: { sql: { url: \"sqlite:a.db\", query: \"SELECT u, i FROM t\" } }";
    const PENDING: &str =
        "settle: { pending: [ { kafka: { brokers: \"h:1\", group: g, topic: t } } ] }";
    const OUTBOX: &str =
        "outbox: { sql: { url: \"mysql://u:secret@h/d\", query: SELECT i FROM o } }";
    const EVENTS: &str = "events: { kafka: { brokers: \"h:1\", topic: t, id: /id } }";
    const EFFECTS: &str = "effects: { http: { get: /effects, id: /event } }";

    fn own(truth: &[&str], rest: &str) -> Result<Plan, String> {
        let truth = truth.join(", ");
        planned_target(OWN, &format!("truth: {{ {truth} }}\n{rest}\n"))
    }

    fn bundled(strategy: &str, rest: &str) -> Result<Plan, String> {
        let target = format!("stack: {{ server: {{ strategy: {strategy} }} }}");
        planned_target(&target, &format!("{rest}\n"))
    }

    const CLAIM: &str = "invariants: [delivery]";

    #[test]
    fn each_place_is_in_the_plan_without_a_password() {
        let plan = own(&[ISSUED, OUTBOX, EVENTS, EFFECTS, PENDING], CLAIM);
        let text = print(&plan.unwrap_or_else(|error| panic!("{error}")));
        for line in [
            "  outbox    sql mysql://h: SELECT i FROM o\n",
            "  events    kafka h:1, topic t, id at \"/id\"\n",
            "  effects   http GET /effects at \"\"\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn the_bundled_server_brings_what_its_strategy_has() {
        for (strategy, outbox) in [
            ("outbox", true),
            ("redis-kafka", false),
            ("memory-kafka", false),
        ] {
            let plan = bundled(strategy, CLAIM).unwrap_or_else(|error| panic!("{error}"));
            let delivery = plan.truth.expect("a truth").delivery;
            assert_eq!(delivery.outbox.is_some(), outbox, "{strategy}");
            assert!(delivery.events.is_some() && delivery.effects.is_some());
        }
        // Nothing is read for nobody.
        let plan = bundled("outbox", "").unwrap_or_else(|error| panic!("{error}"));
        assert!(!plan.truth.expect("a truth").delivery.is_some());
    }

    #[test]
    fn a_claim_without_anything_to_compare_is_refused_and_says_what_is_missing() {
        let of_another = EVENTS.replace("id: /id", "id: /id, coupon: /coupon");
        // Plans are large for the stack.
        let table = vec![
            (
                own(&[ISSUED, PENDING], CLAIM),
                "needs `truth.outbox`, `truth.events` or `truth.effects`",
            ),
            (
                own(&[ISSUED, EVENTS], CLAIM),
                "`truth.settle.pending` is missing",
            ),
            (
                own(&[EVENTS, OUTBOX], CLAIM),
                "the invariant `delivery` needs `truth.issued`",
            ),
            (
                own(&[ISSUED, EVENTS, PENDING], ""),
                "are read for the invariant `delivery` alone",
            ),
            (
                own(&[ISSUED, &of_another, PENDING], CLAIM),
                "which coupon is meant says `subject`",
            ),
            (
                own(&[ISSUED, &EVENTS.replace("h:1", "h"), PENDING], CLAIM),
                "`h` is not where brokers listen",
            ),
            (
                bundled("redis-lua", CLAIM),
                "the strategy `redis-lua` publishes no events",
            ),
            (
                bundled("outbox", "invariants: [{ delivery: { by: coupons } }]"),
                "`coupons` is nothing that events and issued rows have in common",
            ),
        ];
        for (planned, words) in table {
            let error = planned.expect_err(words);
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
