//! The order within a key: strictly rising once repeats are left out.
//!
//! Kafka keeps an order within a partition only, so a key whose events are in several partitions is
//! judged in each by itself.

use std::collections::{HashMap, HashSet};

use super::Judge;
use super::joined::{Topic, id_of};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::history::Key;

/// One step of a key that does not rise.
#[derive(Debug, Clone, Copy)]
struct Step {
    id: Key,
    from: i64,
    to: i64,
    partition: i32,
    offset: i64,
}

/// `None` where the events carry nothing that could rise.
pub(super) fn part(topic: &Topic<'_>) -> Option<DraftPart> {
    let mut last: HashMap<(i32, &str), i64> = HashMap::new();
    let mut seen: HashSet<(i32, &str, Key)> = HashSet::new();
    let mut pick: Pick<Step> = Pick::default();
    let mut steps = 0_u64;
    let mut events: Vec<_> = topic.read.events.iter().collect();
    events.sort_unstable_by_key(|event| (event.partition, event.offset));
    for event in events.into_iter().filter(|event| topic.is_new(event)) {
        let (Some(key), Some(id), Some(to)) = (event.key.as_deref(), id_of(event), event.sequence)
        else {
            continue;
        };
        let key = (event.partition, key);
        if !seen.insert((key.0, key.1, id)) {
            continue;
        }
        if let Some(from) = last.insert(key, to) {
            steps += 1;
            if to <= from {
                let step = Step {
                    id,
                    from,
                    to,
                    partition: event.partition,
                    offset: event.offset,
                };
                let back = from.abs_diff(to);
                pick.offer(id, event.offset.unsigned_abs(), back, step);
            }
        }
    }
    if last.is_empty() {
        return None;
    }
    let verdict = Judge::proved(pick.count > 0, topic.ends.is_some());
    let keys = count_of(last.len() as u64, "key");
    let detail = match pick.count {
        0 if steps == 0 => format!("none of {keys} has two events that could be compared"),
        0 => format!("{} within {keys}, all rising", count_of(steps, "step")),
        wrong => {
            let steps = count_of(steps, "step");
            format!("{wrong} of {steps} within {keys} not rising")
        }
    };
    let part = DraftPart::new("order", verdict, pick.count, detail);
    Some(part.with(|| {
        pick.cases(|step| {
            DraftCase::unowned(format!(
                "{} follows {} within one key (partition {}, offset {})",
                step.to, step.from, step.partition, step.offset
            ))
            .coupon(step.id)
        })
    }))
}
