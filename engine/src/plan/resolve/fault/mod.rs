//! Faults: names become victims, words injections, and times moments of the load.

mod blow;
mod chaos;
mod clock;
mod cluster;
mod conflict;
mod limit;
mod mock;
mod own;
mod settings;
mod standby;
mod start;
mod victim;

use std::time::Duration;

use super::Scale;
use super::load::Loads;
use crate::plan::fault::{Fault, Injection, Trigger, Victim};
use crate::plan::{Subject, Target};
use crate::scenario::{Blow, Fault as Written, Report, Scenario, What};

/// A plan with more is a mistake in `every`, and no report could show them.
const MOST: usize = 200;

/// What faults refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'p> {
    pub(super) target: Option<&'p Target>,
    pub(super) subject: Option<&'p Subject>,
    pub(super) loads: &'p Loads,
    pub(super) seed: u64,
    pub(super) scale: Scale,
}

impl Known<'_> {
    /// The latest regular end of the load.
    fn end(self) -> Duration {
        let phases = self
            .loads
            .phases
            .iter()
            .filter(|phase| phase.load.is_some());
        phases.map(|phase| phase.to).max().unwrap_or_default()
    }
}

/// Faults that are right, in the order in which they are written, and whether these are all.
pub(super) struct Faults {
    pub(super) list: Vec<Fault>,
    pub(super) whole: bool,
}

pub(super) fn resolve(scenario: &Scenario, known: Known<'_>, report: &mut Report<'_>) -> Faults {
    let mut list: Vec<Fault> = Vec::new();
    let mut whole = scenario.whole_faults;
    for written in &scenario.faults {
        let earlier = list.len();
        if let Some(same) = list.iter().find(|fault| is_named(fault, written)) {
            report.error_hint(
                written.name.position,
                format!("the fault `{}` is there twice", same.name),
                "give each a name of its own",
            );
            whole = false;
            continue;
        }
        match &written.what {
            What::One(blow) => list.extend(one(written, blow, &list, known, report)),
            What::Chaos { position, pick } => {
                let expanded = chaos::expand(written, pick, *position, &list, known, report);
                list.extend(expanded.unwrap_or_default());
            }
        }
        whole &= list.len() > earlier;
    }
    if let Some(beyond) = scenario.faults.last().filter(|_| list.len() > MOST) {
        report.error_hint(
            beyond.name.position,
            format!("{} faults are too many", list.len()),
            format!("at most {MOST} are possible: choose a longer `every`, or fewer `times`"),
        );
    }
    conflict::check(&list, &scenario.faults, report);
    Faults { list, whole }
}

/// A fault that chaos makes has the name of its entry, and a number.
fn is_named(fault: &Fault, written: &Written) -> bool {
    let name = written.name.value.as_str();
    fault.name == name
        || fault.name.strip_prefix(name).is_some_and(|rest| {
            let number = rest.strip_prefix('-');
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        })
}

fn one(
    written: &Written,
    blow: &Blow,
    earlier: &[Fault],
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Option<Fault> {
    let victim = victim::resolve(blow, written.which.as_ref(), known.target, report);
    let injection = blow::resolve(blow, report);
    let trigger = start::resolve(&written.start, earlier, known, report);
    let lasts = length(written, injection.as_ref(), known, report);
    let rhythm = rhythm(written, known, report);
    let (victim, injection, trigger) = (victim?, injection?, trigger?);
    cluster::check(blow, &victim, &injection, known.target, report)?;
    let (times, every) = rhythm?;
    let lasts = lasts?;
    mock::check(blow, &victim, &injection, known.target, report)?;
    standby::check(blow, &victim, &injection, known.target, report)?;
    clock::check(blow, &injection, known.target, report)?;
    own::check(blow, &victim, &injection, known.target, report)?;
    if times > 1 && every <= lasts {
        let at = written
            .every
            .as_ref()
            .map_or(written.name.position, |every| every.position);
        report.error_hint(
            at,
            "the fault would begin again before it is healed",
            "let `every` be longer than `for`",
        );
        return None;
    }
    if let Some(replaced) = too_late(&trigger, known) {
        report.error_hint(
            written.start.position(),
            format!(
                "the fault `{}` begins after the load has ended",
                written.name.value.as_str()
            ),
            replaced,
        );
        return None;
    }
    Some(Fault {
        name: written.name.value.as_str().to_owned(),
        victim,
        injection,
        trigger,
        lasts,
        times,
        every,
    })
}

fn too_late(trigger: &Trigger, known: Known<'_>) -> Option<String> {
    let Trigger::At(at) = trigger else {
        return None;
    };
    let end = known.end();
    let late = known.loads.whole && *at >= end;
    late.then(|| {
        let end = crate::scenario::value::Span(end);
        format!("the load ends after {end}: choose an earlier moment")
    })
}

/// How long it lasts; zero where it is over at once.
fn length(
    written: &Written,
    injection: Option<&Injection>,
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Option<Duration> {
    let kind = blow::length(injection?);
    match (&written.lasts, kind) {
        (None, blow::Length::Needed) => {
            report.error_hint(
                written.name.position,
                "the key `for` is missing",
                "say how long it lasts: `for: 30s`",
            );
            None
        }
        (None, _) => Some(Duration::ZERO),
        (Some(lasts), blow::Length::OwnEnd) => {
            report.error_hint(
                lasts.position,
                "this fault ends by itself",
                "leave `for` out",
            );
            None
        }
        (Some(lasts), _) => Some(known.scale.time(lasts.value.0)),
    }
}

/// How often, and from one beginning to the next.
fn rhythm(written: &Written, known: Known<'_>, report: &mut Report<'_>) -> Option<(u32, Duration)> {
    let every = written.every.as_ref();
    let Some(times) = &written.times else {
        if let Some(every) = every {
            report.error_hint(
                every.position,
                "`every` says nothing without `times`",
                "say how often it happens: `times: 3`",
            );
            return None;
        }
        return Some((1, Duration::ZERO));
    };
    let count = u32::try_from(times.value.0).ok().filter(|count| *count > 0);
    let Some(count) = count.filter(|count| *count as usize <= MOST) else {
        report.error_hint(
            times.position,
            format!("{} times are not possible", times.value.0),
            format!("write a number from 1 to {MOST}"),
        );
        return None;
    };
    match every {
        Some(every) => Some((count, known.scale.time(every.value.0))),
        None if count == 1 => Some((1, Duration::ZERO)),
        None => {
            report.error_hint(
                times.position,
                "`times` needs `every`",
                "say how long it is from one beginning to the next: `every: 1m`",
            );
            None
        }
    }
}

impl Victim {
    /// Whether an instance may be meant by both.
    fn may_meet(&self, other: &Self) -> bool {
        use crate::plan::fault::Which;
        let apart = matches!(
            (self.which, other.which),
            (Which::Number(one), Which::Number(another)) if one != another
        );
        // Instances of a role have numbers of their own.
        let same = self.party == other.party;
        let (one, another) = (&self.party, &other.party);
        let related = one.belongs_to(another) || another.belongs_to(one);
        related && !(same && apart)
    }
}

#[cfg(test)]
mod tests;
