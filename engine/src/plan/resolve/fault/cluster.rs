//! What faults of Kafka's replicas need: brokers enough, and nobody's choice which of them it is.

use crate::plan::fault::{Injection, Victim, Which};
use crate::plan::{Stack, Target};
use crate::scenario::{Blow, Report};

/// One leads, and the others are most of the cluster.
const ENOUGH: u8 = 3;

pub(super) fn check(
    blow: &Blow,
    victim: &Victim,
    injection: &Injection,
    target: Option<&Target>,
    report: &mut Report<'_>,
) -> Option<()> {
    let Some(Target::Stack(stack)) = target else {
        return Some(());
    };
    let Some((what, hint)) = problem(victim.which, injection, stack) else {
        return Some(());
    };
    report.error_hint(blow.kind.position, what, hint);
    None
}

/// What is wrong, and what would be right.
fn problem(
    which: Which,
    injection: &Injection,
    stack: &Stack,
) -> Option<(&'static str, &'static str)> {
    let more = "let there be three: `kafka: { brokers: 3 }`";
    match injection {
        Injection::KafkaBelowMinIsr if stack.kafka < ENOUGH => {
            Some(("one broker is always in sync with itself", more))
        }
        Injection::KafkaFollowersFrozen if stack.kafka < ENOUGH => {
            Some(("one broker has nobody who follows it", more))
        }
        Injection::KafkaFollowersFrozen if which != Which::All => Some((
            "`followers_frozen` meets all brokers but the one that leads the topic then",
            "leave `which` out",
        )),
        _ => None,
    }
}
