//! What cannot be done to the Kafka of the provider `embedded`: a mock, which always tells its
//! clients its own addresses.

use crate::plan::fault::{Injection, Party, Victim};
use crate::plan::{Stack, Target};
use crate::scenario::{Blow, Report};

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
    if victim.party != Party::Kafka || !stack.embeds_kafka() || is_possible(injection) {
        return Some(());
    }
    report.error_hint(
        blow.kind.position,
        format!(
            "{} cannot be done to the Kafka of the provider `embedded`, which is a mock in this program",
            injection.kind()
        ),
        hint(stack),
    );
    None
}

/// A broker of the mock can be down, and has a port to which packets can be lost. It has neither a
/// process of its own that could be frozen nor a listener that could be told the address of a link,
/// and its topics have no settings.
const fn is_possible(injection: &Injection) -> bool {
    matches!(
        injection,
        Injection::Kill | Injection::Stop | Injection::Restart | Injection::Loss { .. }
    )
}

fn hint(stack: &Stack) -> String {
    let strategy = stack.strategy.as_deref().unwrap_or_default();
    format!(
        "`{strategy}` has a real Kafka with `provider: local` or `docker`; a mock can be killed, stopped and restarted, or lose packets"
    )
}
