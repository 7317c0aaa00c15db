//! What is done to a victim: the kinds of faults, whom they fit, and their settings.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::settings::Settings;
use super::{clock, limit};
use crate::plan::fault::{Injection, MILLION};
use crate::plan::{After, Command, Direction, LinkFault, LinkRule, Protocol, Selection, Spread};
use crate::scenario::value::{Count, Share, Span};
use crate::scenario::{At, Blow, Report};

/// Between two times of what is done again and again.
const AGAIN: Duration = Duration::from_secs(1);

/// As much as a Redis that syncs once a second loses with its machine.
const LAST: Duration = Duration::from_secs(1);

/// Sentinel takes no replica that was without its primary for longer than ten times
/// `down-after-milliseconds` (`sentinelSelectSlave` in sentinel.c), which is a second here.
const MOST_LOST: Duration = Duration::from_secs(5);

/// Connections that stay free for the system unless the scenario says otherwise.
const LEAVE: u32 = 0;

/// Whether a fault has a length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Needed,
    /// Without one it is healed as soon as it was seen to bite.
    Possible,
    /// It ends by itself.
    OwnEnd,
}

pub(super) fn length(injection: &Injection) -> Length {
    match injection {
        Injection::Restart => Length::OwnEnd,
        Injection::Kill
        | Injection::Stop
        | Injection::RedisLoseWrites { .. }
        | Injection::RedisFailover { .. }
        | Injection::RedisEvict
        | Injection::Link(LinkRule {
            fault: LinkFault::Reset,
            ..
        }) => Length::Possible,
        _ => Length::Needed,
    }
}

pub(super) fn resolve(blow: &Blow, report: &mut Report<'_>) -> Option<Injection> {
    let mut settings = Settings::of(blow);
    let injection = injection(blow.kind.value, blow, &mut settings, report);
    settings.finish()?;
    injection
}

fn injection(
    kind: &str,
    blow: &Blow,
    settings: &mut Settings<'_>,
    report: &mut Report<'_>,
) -> Option<Injection> {
    Some(match kind {
        "freeze" => Injection::Freeze,
        "kill" => Injection::Kill,
        "stop" => Injection::Stop,
        "restart" => Injection::Restart,
        "cpu_limit" => limit::cpu(settings, report)?,
        "memory_limit" => limit::memory(settings, report)?,
        "clock_skew" => clock::skew(settings, report)?,
        "partition" => Injection::Partition,
        "stall" => Injection::RedisStall {
            writes_only: writes_only(settings, report),
        },
        "out_of_memory" => Injection::RedisOutOfMemory,
        "evict" => Injection::RedisEvict,
        "lose_writes" => Injection::RedisLoseWrites {
            of_last: last(settings, report),
        },
        "failover" => Injection::RedisFailover {
            lose: lose(settings, report),
        },
        "kill_clients" => Injection::RedisKillClients {
            every: again(settings, report),
        },
        "clients_exhausted" => Injection::RedisClientsExhausted,
        "commit_stall" => Injection::DatabaseCommitStall,
        "hot_row" => Injection::DatabaseHotRow {
            lock: settings.text("lock").map(|text| text.value.clone()),
        },
        "pool_exhausted" => Injection::DatabasePoolExhausted {
            leave: leave(settings, report),
        },
        "kill_sessions" => Injection::DatabaseKillSessions {
            every: again(settings, report),
        },
        "read_only" => Injection::DatabaseReadOnly,
        "below_min_isr" => Injection::KafkaBelowMinIsr,
        "followers_frozen" => Injection::KafkaFollowersFrozen,
        "loss" => Injection::Loss {
            per_million: lost(settings, report)?,
        },
        _ => return link(kind, blow, settings, report).map(Injection::Link),
    })
}

/// How much of what was written is lost.
fn last(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Duration {
    let last = settings.get::<Span>("of_last", report);
    last.map_or(LAST, |last| last.value.0)
}

/// For how long nothing reaches the replicas.
fn lose(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Duration {
    let Some(lose) = settings.get::<Span>("lose", report) else {
        return Duration::ZERO;
    };
    if lose.value.0 > MOST_LOST {
        let hint = format!("write at most `{}`", Span(MOST_LOST));
        let what = format!(
            "a replica that has heard nothing for {} may be passed over by Sentinel",
            lose.value
        );
        settings.refuse(&lose, &what, &hint, report);
    }
    lose.value.0
}

/// `stall: writes`
fn writes_only(settings: &mut Settings<'_>, report: &mut Report<'_>) -> bool {
    let Some(text) = settings.text("of") else {
        return false;
    };
    match text.value.as_str() {
        "writes" => true,
        "all" => false,
        other => {
            let what = format!("`{other}` is nothing that Redis can stop answering");
            settings.refuse(text, &what, "write `all` or `writes`", report);
            false
        }
    }
}

fn again(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Duration {
    let Some(every) = settings.get::<Span>("every", report) else {
        return AGAIN;
    };
    if every.value.0 < Duration::from_millis(10) {
        settings.refuse(&every, "that is too often", "write at least `10ms`", report);
    }
    every.value.0
}

/// Of a million packets.
fn lost(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Option<u32> {
    let share = settings.get::<Share>("share", report)?;
    let per_million = (share.value.0 * f64::from(MILLION)).round() as u32;
    if per_million == 0 {
        let what = format!("a loss of {} loses nothing", share.value);
        settings.refuse(&share, &what, "write at least `0.0001%`", report);
    }
    Some(per_million)
}

fn leave(settings: &mut Settings<'_>, report: &mut Report<'_>) -> u32 {
    let leave = settings.get::<Count>("leave", report);
    leave.map_or(LEAVE, |leave| {
        u32::try_from(leave.value.0).unwrap_or(u32::MAX)
    })
}

fn link(
    kind: &str,
    blow: &Blow,
    settings: &mut Settings<'_>,
    report: &mut Report<'_>,
) -> Option<LinkRule> {
    let fault = link_fault(kind, blow, settings, report);
    let share = settings.get::<Share>("share", report);
    let every = match settings.get::<Count>("every", report) {
        None => None,
        Some(every) => Some(number(&every, settings, report)?),
    };
    let direction = direction(settings, report);
    let rule = LinkRule {
        fault: fault?,
        selection: Selection {
            share: share.map_or(1.0, |share| share.value.0),
            every,
            direction,
        },
    };
    if let Some(problem) = rule.problem(protocol(&blow.party.value)) {
        let hint = "see docs/faults.md for what each fault of a link can do";
        settings.refuse(&blow.kind, &problem, hint, report);
        return None;
    }
    Some(rule)
}

/// What is spoken on the way to a party.
fn protocol(party: &str) -> Protocol {
    match party {
        "redis" => Protocol::Resp,
        "database" => Protocol::MySql,
        "kafka" => Protocol::Kafka,
        _ => Protocol::Opaque,
    }
}

fn link_fault(
    kind: &str,
    blow: &Blow,
    settings: &mut Settings<'_>,
    report: &mut Report<'_>,
) -> Option<LinkFault> {
    Some(match kind {
        "delay" => delay(settings, report)?,
        "rate" => {
            let rate = settings.get::<Count>("bytes_per_second", report)?;
            let Some(bytes_per_second) = NonZeroU64::new(rate.value.0) else {
                let hint = "write at least 1, or the fault `black_hole`";
                settings.refuse(&rate, "nothing at all would go through", hint, report);
                return None;
            };
            LinkFault::Rate { bytes_per_second }
        }
        "slice" => {
            let bytes = settings.get::<Count>("bytes", report)?;
            let pause = settings.get::<Span>("pause", report);
            LinkFault::Slice {
                bytes: number(&bytes, settings, report)?,
                pause: pause.map_or(Duration::ZERO, |pause| pause.value.0),
            }
        }
        "reset" => LinkFault::Reset,
        "black_hole" => LinkFault::BlackHole,
        "refuse" => LinkFault::Refuse,
        "close" => close(settings, report)?,
        "half_open" => LinkFault::HalfOpen,
        _ => drop_reply(blow, settings, report)?,
    })
}

fn delay(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Option<LinkFault> {
    let by = settings.get::<Span>("by", report);
    let jitter = settings.get::<Span>("jitter", report);
    let spread = match settings.text("spread") {
        None => Spread::Uniform,
        Some(text) => match text.value.as_str() {
            "uniform" => Spread::Uniform,
            "normal" => Spread::Normal,
            other => {
                let what = format!("`{other}` is no distribution known here");
                settings.refuse(text, &what, "write `uniform` or `normal`", report);
                Spread::Uniform
            }
        },
    };
    Some(LinkFault::Delay {
        by: by?.value.0,
        jitter: jitter.map_or(Duration::ZERO, |jitter| jitter.value.0),
        spread,
    })
}

fn close(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Option<LinkFault> {
    let after = settings.get::<Span>("after", report);
    let after = after.map(|after| After::Time(after.value.0));
    let bytes = settings.get::<Count>("bytes", report);
    let bytes = bytes.map(|bytes| After::Bytes(bytes.value.0));
    // The decoder lets only one of them through.
    after.or(bytes).map(|after| LinkFault::Close { after })
}

fn drop_reply(
    blow: &Blow,
    settings: &mut Settings<'_>,
    report: &mut Report<'_>,
) -> Option<LinkFault> {
    let of = settings.text("of")?;
    match Command::new(protocol(&blow.party.value), &of.value) {
        Ok(of) => Some(LinkFault::DropReply { of }),
        Err(words) => {
            let hint = "write it like `EVALSHA`, `COMMIT` or `Produce`";
            settings.refuse(of, &words, hint, report);
            None
        }
    }
}

fn number(
    count: &At<Count>,
    settings: &mut Settings<'_>,
    report: &mut Report<'_>,
) -> Option<NonZeroU32> {
    let number = u32::try_from(count.value.0).ok().and_then(NonZeroU32::new);
    if number.is_none() {
        let what = format!("{} is not possible here", count.value.0);
        let hint = format!("write a number from 1 to {}", u32::MAX);
        settings.refuse(count, &what, &hint, report);
    }
    number
}

fn direction(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Direction {
    let Some(text) = settings.text("direction") else {
        return Direction::Both;
    };
    match text.value.as_str() {
        "both" => Direction::Both,
        "to_server" => Direction::ToServer,
        "to_client" => Direction::ToClient,
        other => {
            let what = format!("`{other}` is no direction");
            let hint = "write `both`, `to_server` or `to_client`";
            settings.refuse(text, &what, hint, report);
            Direction::Both
        }
    }
}

impl Injection {
    /// As a scenario calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::CpuLimit { .. } => "cpu_limit",
            Self::MemoryLimit { .. } => "memory_limit",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Partition => "partition",
            Self::Link(rule) => rule.fault.kind(),
            Self::RedisStall { .. } => "stall",
            Self::RedisOutOfMemory => "out_of_memory",
            Self::RedisEvict => "evict",
            Self::RedisLoseWrites { .. } => "lose_writes",
            Self::RedisFailover { .. } => "failover",
            Self::RedisKillClients { .. } => "kill_clients",
            Self::RedisClientsExhausted => "clients_exhausted",
            Self::DatabaseCommitStall => "commit_stall",
            Self::DatabaseHotRow { .. } => "hot_row",
            Self::DatabasePoolExhausted { .. } => "pool_exhausted",
            Self::DatabaseKillSessions { .. } => "kill_sessions",
            Self::DatabaseReadOnly => "read_only",
            Self::KafkaBelowMinIsr => "below_min_isr",
            Self::KafkaFollowersFrozen => "followers_frozen",
            Self::Loss { .. } => "loss",
        }
    }
}
