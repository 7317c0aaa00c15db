//! What cannot be done to a part of a system that already runs, for want of what the scenario says
//! about it.

use crate::plan::fault::{Injection, Party, Victim, Which};
use crate::plan::{OwnPart, Target};
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
        Injection::Freeze => part.found.is_none().then(|| {
            lack(
                part,
                "is only known by its address",
                "say what it is: `pid`, `pid_file`, `container` or `service`",
            )
        }),
        Injection::Kill | Injection::Stop | Injection::Restart => starts_again(part),
        Injection::RedisLoseWrites { .. } => starts_again(part).or_else(|| asked(part)),
        Injection::Link(_) | Injection::Partition => linked(part),
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

/// Nobody here knows how a process was started.
fn starts_again(part: &OwnPart) -> Option<Lack> {
    let found = part.found.as_ref();
    if found.is_some_and(crate::plan::Found::can_start_again) {
        return None;
    }
    Some(lack(
        part,
        "could not be started again",
        "a container can: `container` or `service`; a process can be frozen: `freeze`",
    ))
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
