//! What cannot be done to a part of a system that already runs, for want of what the scenario says
//! about it.

use crate::plan::fault::{Injection, Party, Victim, Which};
use crate::plan::{Found, OwnPart, Target};
use crate::scenario::{Blow, Report};

/// What is missing, and what would help.
struct Lack {
    what: String,
    hint: &'static str,
}

pub(super) fn check(
    blow: &Blow,
    victim: &Victim,
    injection: &Injection,
    target: Option<&Target>,
    report: &mut Report<'_>,
) -> Option<()> {
    let Some(Target::Urls { parts, .. }) = target else {
        return Some(());
    };
    if victim.party == Party::Client {
        return Some(());
    }
    let there = parts.iter();
    let there: Vec<&OwnPart> = there
        .filter(|part| part.party.belongs_to(&victim.party))
        .collect();
    let met = match victim.which {
        Which::Number(number) => &there[usize::from(number) - 1..usize::from(number)],
        Which::All | Which::Any => &there[..],
    };
    let lack = match injection {
        // Any broker of the cluster may be the one that is killed.
        Injection::KafkaBelowMinIsr => of_cluster(&there),
        _ => met.iter().find_map(|part| of_part(part, injection)),
    };
    let Some(lack) = lack else { return Some(()) };
    let what = format!("{} cannot be done here: {}", injection.kind(), lack.what);
    report.error_hint(blow.kind.position, what, lack.hint);
    None
}

fn of_part(part: &OwnPart, injection: &Injection) -> Option<Lack> {
    match injection {
        Injection::Freeze | Injection::CpuLimit { .. } => part.found.is_none().then(|| {
            lack(
                part,
                "is only known by its address",
                "say what it is: `pid`, `pid_file`, `container` or `service`",
            )
        }),
        // Who dies for want of memory must come back.
        Injection::Kill | Injection::Stop | Injection::Restart | Injection::MemoryLimit { .. } => {
            starts_again(part)
        }
        Injection::RedisLoseWrites { .. } => starts_again(part).or_else(|| asked(part)),
        Injection::Link(_) | Injection::Partition => linked(part),
        Injection::Loss { .. } => part.port_here().is_none().then(|| {
            lack(
                part,
                "has no address on the loopback of this machine, where packets can be lost",
                "say where it is asked: `url`, of a broker `broker`, with the host 127.0.0.1",
            )
        }),
        Injection::KafkaFollowersFrozen => Some(lack(
            part,
            "is of a cluster that the run has not made, and must not get a topic for the proof",
            "freeze brokers by their number: `kafka: freeze` with `which: 2`",
        )),
        Injection::DatabaseHotRow { lock: None } => Some(lack(
            part,
            "does not say which row everybody needs",
            "say how it is locked: `hot_row: \"SELECT id FROM coupons WHERE id = 1 FOR UPDATE\"`",
        )),
        _ => asked(part),
    }
}

fn lack(part: &OwnPart, why: &str, hint: &'static str) -> Lack {
    let what = format!("{} {why}", part.name());
    Lack { what, hint }
}

fn starts_again(part: &OwnPart) -> Option<Lack> {
    let hint = match part.found {
        _ if part.can_start_again() => return None,
        Some(Found::Process(_)) => {
            "say what starts it, beside its `pid_file`: `start: \"systemctl start shop-app\"`"
        }
        _ => "say what it is: `container`, `service`, or `pid_file` with `start`",
    };
    Some(lack(part, "could not be started again", hint))
}

fn asked(part: &OwnPart) -> Option<Lack> {
    let lacks = || {
        lack(
            part,
            "needs `url`",
            "say where it is asked to do that: `url`",
        )
    };
    part.url.is_none().then(lacks)
}

fn linked(part: &OwnPart) -> Option<Lack> {
    if part.party == Party::Kafka {
        return Some(lack(
            part,
            "tells its clients its own address, so they would go past a link",
            "freeze it, or kill it",
        ));
    }
    let hint = "let a link stand before it: `via: 127.0.0.1:PORT` beside `url`, and let the \
                system use that address";
    let lacks = || lack(part, "needs `via`", hint);
    part.via.is_none().then(lacks)
}

/// Each broker is asked, one of them is killed, and the topic is changed.
fn of_cluster(brokers: &[&OwnPart]) -> Option<Lack> {
    if brokers.len() < 2 {
        return Some(Lack {
            what: "one broker is always in sync with itself".to_owned(),
            hint: "name all brokers of the cluster under `kafka`",
        });
    }
    if brokers.iter().all(|broker| broker.topic.is_none()) {
        return Some(Lack {
            what: "no broker says which topic is meant".to_owned(),
            hint: "say it once: `kafka: [{ topic: coupon-issued, ... }, ...]`",
        });
    }
    brokers.iter().find_map(|broker| {
        let needs = "needs `broker`";
        let unasked = broker.url.is_none();
        let lacks = || {
            lack(
                broker,
                needs,
                "say where it listens: `broker: \"127.0.0.1:9092\"`",
            )
        };
        unasked.then(lacks).or_else(|| starts_again(broker))
    })
}
