//! How long after its row an event was published: a measure, no claim.

use super::Judge;
use super::joined::Topic;
use crate::check::draft::{DraftPart, count_of};
use crate::check::fairness::sets_a_clock;
use crate::check::moments::span;

/// Kafka counts time in milliseconds, so an event may seem to be older than it is by as much.
const GRAIN_US: i64 = 1_000;

pub(super) fn part(judge: &Judge<'_>, topic: &Topic<'_>) -> DraftPart {
    let (count, detail) = match measured(judge, topic) {
        Ok(measured) => measured,
        Err(why) => (0, format!("not measured: {why}")),
    };
    DraftPart::information("delay", count, detail)
}

fn measured(judge: &Judge<'_>, topic: &Topic<'_>) -> Result<(u64, String), &'static str> {
    let faults = &judge.digest.evidence.plan.faults;
    if faults.iter().any(sets_a_clock) {
        return Err("a fault sets a clock, so the times say nothing");
    }
    let events = topic.new_ids();
    let rows = judge.joined.rows.iter().filter(|(_, row)| row.is_new);
    let mut delays_us: Vec<i64> = rows
        .filter_map(|(id, row)| Some(events.get(id)?.at_us? - row.created_us?))
        .collect();
    delays_us.sort_unstable();
    let Some(longest) = delays_us.last() else {
        return Err("no row with a time of creation has an event with a time");
    };
    // The rank of a quantile: the least that so many are not above.
    let at = |hundredths: usize| {
        let rank = (delays_us.len() * hundredths).div_ceil(100).max(1);
        shown(delays_us[rank - 1])
    };
    let early = delays_us
        .iter()
        .filter(|delay| **delay <= -GRAIN_US)
        .count() as u64;
    let early = match early {
        0 => String::new(),
        early => format!("; {} older than the row", count_of(early, "event")),
    };
    let number = delays_us.len() as u64;
    let detail = format!(
        "from row to event: half within {}, 95 % within {}, 99 % within {}, all within {} ({}, \
         exact to 1 ms, by the clocks of who wrote them{early})",
        at(50),
        at(95),
        at(99),
        shown(*longest),
        count_of(number, "row"),
    );
    Ok((number, detail))
}

fn shown(delay_us: i64) -> String {
    span(u64::try_from(delay_us).unwrap_or(0).saturating_mul(1_000))
}
