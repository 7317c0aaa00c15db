//! The timeline of faults, in the plan as text: what, when, how long, and what heals it.

use std::fmt::{Result, Write as _};
use std::time::Duration;

use crate::plan::fault::{
    Comparison, Condition, Fault, Figure, Injection, MILLION, Trigger, Victim, Which,
};
use crate::plan::{After, Direction, LinkFault, LinkRule, Plan, Selection, Spread};
use crate::scenario::value::{Count, Share, Size, Span};

pub(super) fn print(plan: &Plan, out: &mut String) -> Result {
    if plan.faults.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nfaults")?;
    let names = plan.faults.iter().map(|fault| fault.name.chars().count());
    let width = names.max().unwrap_or(0);
    for fault in &plan.faults {
        let (what, when) = (what(fault), when(fault, plan));
        writeln!(out, "  {:width$}  {what}", fault.name)?;
        writeln!(out, "  {:width$}  {when}{}", "", lasts(fault))?;
        writeln!(
            out,
            "  {:width$}  healed by: {}",
            "",
            healed_by(&fault.injection)
        )?;
    }
    Ok(())
}

/// `redis, number 2: delay of 200ms`
pub fn what(fault: &Fault) -> String {
    format!("{}: {}", victim(&fault.victim), injection(&fault.injection))
}

fn victim(victim: &Victim) -> String {
    let name = victim.party.name();
    match victim.which {
        Which::All => name.to_owned(),
        Which::Any => format!("{name}, any of them"),
        Which::Number(number) => format!("{name}, number {number}"),
    }
}

fn injection(injection: &Injection) -> String {
    let kind = injection.kind();
    match injection {
        Injection::Link(rule) => link(rule),
        Injection::CpuLimit { share } => format!("{kind} to {} of a core", Share(*share)),
        Injection::MemoryLimit { to } => format!("{kind} to {}", Size(*to)),
        Injection::ClockSkew { by_ms } => {
            let sign = if *by_ms < 0 { "-" } else { "+" };
            let by = Duration::from_millis(by_ms.unsigned_abs());
            format!("{kind} by {sign}{}", Span(by))
        }
        Injection::RedisStall { writes_only: true } => format!("{kind} of writes"),
        Injection::RedisKillClients { every } | Injection::DatabaseKillSessions { every } => {
            format!("{kind}, every {}", Span(*every))
        }
        Injection::RedisLoseWrites { of_last } => format!("{kind} of the last {}", Span(*of_last)),
        Injection::RedisFailover { lose } if !lose.is_zero() => {
            format!("{kind} that loses {}", Span(*lose))
        }
        Injection::DatabasePoolExhausted { leave } if *leave > 0 => {
            format!("{kind}, but for {leave}")
        }
        Injection::Loss { per_million } => {
            let share = Share(f64::from(*per_million) / f64::from(MILLION));
            format!("{kind} of {share} of the packets")
        }
        _ => kind.to_owned(),
    }
}

fn link(LinkRule { fault, selection }: &LinkRule) -> String {
    let kind = fault.kind();
    let mut text = match fault {
        LinkFault::Delay { by, jitter, spread } => {
            let by = Span(*by);
            match (jitter.is_zero(), spread) {
                (true, _) => format!("{kind} by {by}"),
                (false, Spread::Uniform) => format!("{kind} by {by} +- {}", Span(*jitter)),
                (false, Spread::Normal) => {
                    format!("{kind} by {by}, normal with {}", Span(*jitter))
                }
            }
        }
        LinkFault::Rate { bytes_per_second } => {
            format!("{kind} of {} bytes/s", Count(bytes_per_second.get()))
        }
        LinkFault::Slice { bytes, pause } => {
            format!("{kind} into {bytes} bytes, {} apart", Span(*pause))
        }
        LinkFault::Close { after } => match after {
            After::Bytes(bytes) => format!("{kind} after {} bytes", Count(*bytes)),
            After::Time(time) => format!("{kind} after {}", Span(*time)),
        },
        LinkFault::DropReply { of } => format!("{kind} of {of}"),
        LinkFault::Reset | LinkFault::BlackHole | LinkFault::Refuse | LinkFault::HalfOpen => {
            kind.to_owned()
        }
    };
    let Selection {
        share,
        every,
        direction,
    } = selection;
    if let Some(every) = every {
        let _ = write!(text, ", one in {every}");
    }
    if *share < 1.0 {
        let _ = write!(text, ", {} by chance", Share(*share));
    }
    match direction {
        Direction::Both => {}
        Direction::ToServer => text.push_str(", on the way there"),
        Direction::ToClient => text.push_str(", on the way back"),
    }
    text
}

fn when(fault: &Fault, plan: &Plan) -> String {
    let mut text = match &fault.trigger {
        Trigger::At(at) => format!("at {}{}", Span(*at), phase_of(*at, plan)),
        Trigger::After { fault, delay } => {
            let other = plan.faults.get(*fault);
            let name = other.map_or("?", |fault| fault.name.as_str());
            format!("{} after `{name}` is healed", Span(*delay))
        }
        Trigger::When(condition) => format!("when {}", shown(condition)),
    };
    if fault.times > 1 {
        let _ = write!(text, ", {} times, every {}", fault.times, Span(fault.every));
    }
    text
}

/// The phase that is under way then.
fn phase_of(at: Duration, plan: &Plan) -> String {
    let of_load = plan.phases.iter().filter(|phase| phase.load.is_some());
    let mut under_way = of_load.filter(|phase| phase.from <= at && at < phase.to);
    match (under_way.next(), under_way.next()) {
        (Some(phase), None) => {
            format!(
                " ({} + {})",
                phase.name,
                Span(at.saturating_sub(phase.from))
            )
        }
        _ => String::new(),
    }
}

fn shown(condition: &Condition) -> String {
    let figure = match condition.figure {
        Figure::Issued => "issued",
        Figure::Remaining => "remaining",
        Figure::Vus => "vus",
        Figure::P50 => "p50",
        Figure::P95 => "p95",
        Figure::P99 => "p99",
    };
    let sign = match condition.comparison {
        Comparison::AtLeast => ">=",
        Comparison::Above => ">",
        Comparison::AtMost => "<=",
        Comparison::Below => "<",
    };
    match condition.figure {
        Figure::P50 | Figure::P95 | Figure::P99 => {
            format!(
                "{figure} {sign} {}",
                Span(Duration::from_secs_f64(condition.bound / 1e3))
            )
        }
        _ => format!("{figure} {sign} {}", condition.bound.ceil()),
    }
}

fn lasts(fault: &Fault) -> String {
    if fault.lasts.is_zero() {
        return String::new();
    }
    format!(", for {}", Span(fault.lasts))
}

/// The inverse, in words.
fn healed_by(injection: &Injection) -> &'static str {
    match injection {
        Injection::Freeze => "letting it go on",
        Injection::CpuLimit { .. } => "the limit that it had, and letting it go on",
        Injection::MemoryLimit { .. } => {
            "the limit that it had; it is started again if it has died"
        }
        Injection::Kill | Injection::Stop | Injection::RedisLoseWrites { .. } => {
            "starting it again"
        }
        Injection::RedisFailover { .. } => "starting it again as a replica of who took over",
        Injection::Restart => "itself: each is started again",
        Injection::ClockSkew { .. } => "the time that it is",
        Injection::Partition | Injection::Link(_) => {
            "taking the rule off the proxy; it also ends by itself"
        }
        Injection::RedisStall { .. } => "CLIENT UNPAUSE; it also ends by itself",
        Injection::RedisOutOfMemory => "the settings that it had",
        Injection::RedisEvict => "the settings that it had; the keys stay lost",
        Injection::RedisKillClients { .. } | Injection::DatabaseKillSessions { .. } => {
            "killing no more"
        }
        Injection::RedisClientsExhausted | Injection::DatabasePoolExhausted { .. } => {
            "closing what was opened; it also ends with the harness"
        }
        Injection::DatabaseCommitStall | Injection::DatabaseHotRow { .. } => {
            "closing its session; it also ends with the harness"
        }
        Injection::DatabaseReadOnly => "the setting that it had",
        Injection::KafkaBelowMinIsr => {
            "starting the broker again, and the topic's setting that it had"
        }
        Injection::KafkaFollowersFrozen => "letting the brokers go on, until all are in sync",
        Injection::Loss { .. } => "taking its rules out of the kernel's packet filter",
    }
}
