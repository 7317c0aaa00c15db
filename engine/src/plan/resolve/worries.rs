//! What is allowed but suspicious: each warning adapts to what the scenario says.

use super::{alerts, expect, users};
use crate::history::OutcomeKind;
use crate::plan::{Draw, Invariant, KEPT_BY_MOCK, Plan, Target, Variable};
use crate::scenario::value::Count;
use crate::scenario::{Given, Position, Report, Scenario};

/// Warns of everything that would make a run say less than its author thinks.
pub(super) fn warn(scenario: &Scenario, plan: &Plan, report: &mut Report<'_>) {
    let users_at = match &scenario.users {
        Given::Value(users) => users.position,
        _ => Position::START,
    };
    pool(plan, users_at, report);
    ids(plan, users_at, report);
    stock(scenario, plan, report);
    embedded_kafka(scenario, plan, report);
    alerts::warn(scenario, plan, report);
    outcomes(scenario, plan, users_at, report);
    for (at, flow) in scenario.flows.iter().enumerate() {
        if plan.loads.iter().all(|load| load.flow != at) {
            report.warning(
                flow.name.position,
                format!("no load performs the flow `{}`", flow.name.value),
                "remove it, or name it in a load: `flow: ...`",
            );
        }
    }
}

fn pool(plan: &Plan, at: Position, report: &mut Report<'_>) {
    let (exact, _) = expect::users(plan);
    if let Some(needed) = exact
        && plan.users.pool > 0
        && needed > plan.users.pool
    {
        report.warning(
            at,
            format!(
                "the load asks with {} users, but the pool has {}",
                Count(needed),
                Count(plan.users.pool)
            ),
            if plan.users.records.is_some() {
                "for a user without a record nothing is sent: raise `pool` or shorten the load"
            } else {
                "users beyond the pool have numbers above it; if the system knows only those of the \
                 pool, raise `pool` or shorten the load"
            },
        );
    }
}

fn ids(plan: &Plan, at: Position, report: &mut Report<'_>) {
    if let Some(reason) = users::collision(&plan.users, plan.loads.len()) {
        let effect = if plan.invariants.contains(&Invariant::OnePerUser) {
            "; accidental duplicates then look as if `one_per_user` held"
        } else {
            ""
        };
        report.warning(
            at,
            format!("different users can have the same id: {reason}{effect}"),
            "use `{{ n }}`, which is different for every user, or `{{ uuid }}`",
        );
    }
    // A record belongs to a number, and so does what is read from it.
    let is_read = plan.users.id.slots().next().is_some();
    if plan.users.repeat > 0.0 && !plan.users.id.uses(Variable::Number) && !is_read {
        report.warning(
            at,
            "`repeat` has no effect: the id does not hold the user's number",
            "use `{{ n }}` in `id`: a repeat takes the number of an earlier user again",
        );
    }
    let id = &plan.users.id;
    if plan.users.draw == Draw::AtRandom
        && !id.uses(Variable::Number)
        && !id.uses(Variable::Uuid)
        && !is_read
    {
        report.warning(
            at,
            "`random` has no effect: every user has the same id",
            "use `{{ n }}` in `id`: the number is what is drawn",
        );
    }
}

fn has(plan: &Plan, kind: OutcomeKind) -> bool {
    let mut rules = plan.steps.iter().flat_map(|step| &step.rules);
    rules.any(|rule| plan.labels[usize::from(rule.label)].kind == kind)
}

fn stock(scenario: &Scenario, plan: &Plan, report: &mut Report<'_>) {
    let mut names = scenario.invariants.iter().map(|written| &written.name);
    let asked =
        names.find(|name| Invariant::named(&name.value).is_some_and(Invariant::is_of_the_end));
    let Some(asked) = asked else { return };
    if !has(plan, OutcomeKind::SoldOut) {
        report.warning(
            asked.position,
            "no step has the outcome `sold_out`: whether something is left over cannot be judged",
            "say how the system refuses when nothing is left: `sold_out: { status: 409 }`",
        );
    }
    let (Some(written), (_, Some(most))) = (scenario.subject.value(), expect::users(plan)) else {
        return;
    };
    if most < written.stock.value.0 {
        let drained = plan.truth.as_ref().is_some_and(|truth| truth.drain);
        let effect = if drained {
            "sold out comes only in the drain phase"
        } else {
            "sold out never comes"
        };
        report.warning(
            written.stock.position,
            format!(
                "the stock of {} is larger than the {} users who can ask: {effect}",
                written.stock.value,
                Count(most)
            ),
            "lower the stock or lengthen the load: the last pieces are where systems oversell",
        );
    }
}

/// An event that is alone in its batch, with a user's id of some 20 bytes.
const EVENT_BYTES: usize = 200;

/// What the mock throws away before it is read was acknowledged, and would look like a loss of the
/// server's. Users go to partitions by their id, so evenly.
fn embedded_kafka(scenario: &Scenario, plan: &Plan, report: &mut Report<'_>) {
    let Target::Stack(stack) = &plan.target else {
        return;
    };
    let Some(written) = scenario.subject.value().filter(|_| stack.embeds_kafka()) else {
        return;
    };
    let kept = usize::from(stack.partitions()) * KEPT_BY_MOCK / EVENT_BYTES;
    let kept = u64::try_from(kept).unwrap_or(u64::MAX);
    let (_, most) = expect::users(plan);
    let issued = most.map_or(written.stock.value.0, |most| {
        most.min(written.stock.value.0)
    });
    if issued > kept {
        report.warning(
            written.stock.position,
            format!(
                "{} can be issued, and the embedded Kafka keeps some {} events: it throws the \
                 oldest away, also when no issuer has read them yet",
                Count(issued),
                Count(kept)
            ),
            "an issuer that keeps up loses none; where it may stop, take `provider: local` or \
             `docker`, or more `kafka_partitions`",
        );
    }
}

fn outcomes(scenario: &Scenario, plan: &Plan, users_at: Position, report: &mut Report<'_>) {
    let issues = plan.steps.iter().any(|step| step.attempts_subject);
    let mut judged = scenario.invariants.iter();
    let by_rows = judged
        .find(|written| Invariant::named(&written.name.value).is_some_and(Invariant::needs_rows));
    if let (false, Some(first)) = (issues, by_rows) {
        report.warning(
            first.name.position,
            "no step has the outcome `issued`, `pending` or `replay`: nobody asks for anything",
            "say how the system confirms: `issued: 201`",
        );
    }
    let told = has(plan, OutcomeKind::Duplicate) || has(plan, OutcomeKind::Replay);
    if plan.users.repeat > 0.0 && issues && !told {
        report.warning(
            users_at,
            "users repeat on purpose, but no step has the outcome `duplicate` or `replay`",
            "say how the system refuses a second time: `duplicate: { status: 409 }`",
        );
    }
    if plan.users.draw == Draw::AtRandom && issues && !told {
        let effect = if plan.invariants.contains(&Invariant::OnePerUser) {
            ": a system that keeps `one_per_user` refuses them, and the refusals count as `unknown`"
        } else {
            ""
        };
        report.warning(
            users_at,
            format!(
                "users are drawn at random, so some ask again, but no step has the outcome \
                 `duplicate` or `replay`{effect}"
            ),
            "say how the system refuses a second time: `duplicate: { status: 409 }`",
        );
    }
}
