//! Chaos: one blow of several at each beginning, chosen while planning, so that the plan shows what
//! will happen and a seed repeats it.

use std::time::Duration;

use super::{Known, MOST, one, start};
use crate::plan::fault::{Fault, Trigger};
use crate::plan::mix;
use crate::scenario::{Blow, Fault as Written, Position, Report};

pub(super) fn expand(
    written: &Written,
    pick: &[Blow],
    position: Position,
    earlier: &[Fault],
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<Fault>> {
    let Some(every) = &written.every else {
        report.error_hint(
            position,
            "the key `every` is missing",
            "say how long it is from one blow to the next: `every: 20s`",
        );
        return None;
    };
    let trigger = start::resolve(&written.start, earlier, known, report)?;
    let Trigger::At(first) = trigger else {
        report.error_hint(
            written.start.position(),
            "chaos begins at a moment that the plan knows",
            "write `after: 30s`, or `at:` with the name of a stage",
        );
        return None;
    };
    let every = known.scale.time(every.value.0);
    let times = times(written, first, every, known);
    // Each blow by itself is checked once, whether it is chosen or not.
    let once = Written {
        every: None,
        times: None,
        ..written.clone()
    };
    let blows: Vec<_> = pick
        .iter()
        .map(|blow| one(&once, blow, earlier, known, report))
        .collect();
    let blows = blows.into_iter().collect::<Option<Vec<_>>>()?;
    if let Some(longest) = blows.iter().map(|blow| blow.lasts).max()
        && longest >= every
    {
        report.error_hint(
            position,
            "a blow would begin before the one before it is healed",
            "let `every` be longer than `for`",
        );
        return None;
    }
    let chosen = (0..times).map(|number| {
        let salt = mix(known.seed ^ mix(u64::from(number) + 1));
        let blow = &blows[(salt % blows.len() as u64) as usize];
        Fault {
            name: format!("{}-{}", written.name.value.as_str(), number + 1),
            trigger: Trigger::At(first + every * number),
            ..blow.clone()
        }
    });
    Some(chosen.collect())
}

/// As often as is written, or until the load ends.
fn times(written: &Written, first: Duration, every: Duration, known: Known<'_>) -> u32 {
    let left = known.end().saturating_sub(first);
    let fit = left.as_nanos().div_ceil(every.as_nanos().max(1));
    let wanted = written
        .times
        .as_ref()
        .map_or(u64::MAX, |times| times.value.0);
    // One more than is possible is refused with all others.
    let most = u128::from(wanted).min(fit).min(MOST as u128 + 1);
    most as u32
}
