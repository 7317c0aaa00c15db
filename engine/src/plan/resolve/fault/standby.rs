//! What can be broken of a Redis with replicas, and whom Sentinel can fail over.

use crate::plan::fault::{Injection, Party, Victim, Which};
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
    if victim.party != Party::Redis {
        return Some(());
    }
    let Some((what, hint)) = problem(victim.which, injection, stack) else {
        return Some(());
    };
    report.error_hint(blow.kind.position, what, hint);
    None
}

/// What is wrong, and what would be right.
fn problem(which: Which, injection: &Injection, stack: &Stack) -> Option<(String, &'static str)> {
    let kind = injection.kind();
    let is_failover = matches!(injection, Injection::RedisFailover { .. });
    if stack.standby.is_none() {
        return is_failover.then(|| {
            let what = "there is no replica that could take over".to_owned();
            (
                what,
                "let there be one: `redis: { replicas: 1, sentinels: 3 }`",
            )
        });
    }
    match injection {
        Injection::RedisFailover { .. } if which != Which::All => {
            let what = format!("`{kind}` meets whoever is the primary then");
            Some((what, "leave `which` out"))
        }
        Injection::RedisFailover { .. }
        | Injection::Freeze
        | Injection::Kill
        | Injection::Stop
        | Injection::Restart
        | Injection::Loss { .. }
        | Injection::CpuLimit { .. }
        | Injection::MemoryLimit { .. } => None,
        Injection::Partition | Injection::Link(_) => match which {
            Which::Number(2..) => {
                let what = "there is one way to a Redis with replicas: to its primary".to_owned();
                Some((what, "leave `which` out"))
            }
            _ => None,
        },
        // A replica refuses writes, and who is the primary may change meanwhile: neither the effect
        // nor the heal could be told from that.
        _ => {
            let what = format!("`{kind}` cannot be done to a Redis with replicas");
            Some((
                what,
                "leave `replicas` away, or choose a fault of processes or links",
            ))
        }
    }
}
