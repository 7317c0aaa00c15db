//! The outbox against the issued rows, and the events against both.

use super::joined::{Place, Topic, id_of};
use super::{Judge, delay, order, perhaps_older, unknown};
use crate::check::Event;
use crate::check::draft::{DraftPart, Pick, count_of};
use crate::history::Key;
use crate::verdict::Verdict;

impl Judge<'_> {
    /// D = O: both are written in one transaction, so there is never one without the other.
    pub(super) fn outbox(&self) -> Vec<DraftPart> {
        let Some(outbox) = &self.joined.outbox else {
            return Vec::new();
        };
        vec![self.not_in_outbox(outbox), self.not_issued(outbox)]
    }

    fn not_in_outbox(&self, outbox: &Place) -> DraftPart {
        let rows = self.joined.rows.iter();
        let missing = rows.filter(|(id, row)| row.is_new && !outbox.counts.contains_key(id));
        let pick = self.pick(missing.map(|(id, _)| *id));
        let knows = self.knows_rows_before();
        let verdict = self.absent(pick.count > 0, knows);
        let detail = match pick.count {
            0 => "every new row is in the outbox".to_owned(),
            rows => format!(
                "{} not in the outbox{}",
                are(rows, "issued row"),
                perhaps_older(verdict, knows)
            ),
        };
        DraftPart::new("not_in_outbox", verdict, pick.count, detail)
            .with(|| pick.cases(|id| self.case(id, "issued, but not in the outbox")))
    }

    fn not_issued(&self, outbox: &Place) -> DraftPart {
        let missing = outbox.new_ids();
        let missing = missing.filter(|id| !self.joined.rows.contains_key(id));
        let pick = self.pick(missing);
        let knows = outbox.before.is_some() && self.joined.nameless == 0;
        let verdict = self.absent(pick.count > 0, knows);
        let detail = match pick.count {
            0 => "everything new in the outbox was issued".to_owned(),
            rows => format!(
                "{} not issued{}",
                are(rows, "outbox row"),
                perhaps_older(verdict, knows)
            ),
        };
        DraftPart::new("not_issued", verdict, pick.count, detail)
            .with(|| pick.cases(|id| self.case(id, "in the outbox, but not issued")))
    }

    /// ids(D ∪ O) ⊆ ids(E), and nothing else is in E.
    pub(super) fn events(&self) -> Vec<DraftPart> {
        let Some(topic) = &self.joined.events else {
            return Vec::new();
        };
        let mut parts = vec![self.unpublished(topic), self.phantom(topic)];
        parts.extend(order::part(topic));
        parts.push(repeated(topic));
        parts.extend(unreadable(topic));
        parts.push(delay::part(self, topic));
        parts
    }

    fn unpublished(&self, topic: &Topic<'_>) -> DraftPart {
        let source = self.joined.source();
        let missing = source.iter().filter(|id| !topic.ids.contains(id));
        let pick = self.pick(missing.copied());
        let knows = self.knows_rows_before();
        let gap = gap(topic);
        let verdict = match &gap {
            Some(_) if pick.count > 0 => Verdict::Unknown,
            _ => self.absent(pick.count > 0, knows),
        };
        let mut detail = match pick.count {
            0 => format!("{}, all published", count_of(source.len() as u64, "id")),
            missing => {
                let of = format!("{missing} of {} not published", source.len());
                match gap {
                    Some(gap) => format!("{of}; {gap}"),
                    None => format!("{of}{}", perhaps_older(verdict, knows)),
                }
            }
        };
        if pick.count > 0 && nothing_matches(topic, source.len() as u64 == pick.count) {
            detail += "; no event has the id of any row: is `truth.events` read for the right id?";
        }
        DraftPart::new("unpublished", verdict, pick.count, detail)
            .with(|| pick.cases(|id| self.case(id, "issued, but there is no event")))
    }

    /// Published, but not issued: published before a commit that failed, or past the outbox.
    fn phantom(&self, topic: &Topic<'_>) -> DraftPart {
        let mut pick: Pick<(Key, bool, i32, i64)> = Pick::default();
        for (id, event) in topic.new_ids() {
            let is_issued = self.joined.rows.contains_key(&id);
            let outbox = self.joined.outbox.as_ref();
            let in_outbox = outbox.is_none_or(|outbox| outbox.counts.contains_key(&id));
            if !is_issued || !in_outbox {
                let (_, attempt) = self.owner(id);
                let when_ns = attempt.map_or(0, |attempt| attempt.inv_ns);
                // The gravest is the one that nothing explains.
                let weight = u64::from(!is_issued);
                let item = (id, is_issued, event.partition, event.offset);
                pick.offer(id, when_ns, weight, item);
            }
        }
        let knows = topic.ends.is_some() && self.joined.nameless == 0;
        let verdict = self.absent(pick.count > 0, knows);
        let detail = match pick.count {
            0 => "every new event is of something that was issued".to_owned(),
            events => format!(
                "{} published, but not issued{}",
                count_of(events, "id"),
                perhaps_older(verdict, knows)
            ),
        };
        DraftPart::new("phantom_event", verdict, pick.count, detail).with(|| {
            pick.cases(|(id, is_issued, partition, offset)| {
                let what = if is_issued {
                    "published and issued, but not in the outbox"
                } else {
                    "published, but not issued"
                };
                self.case(
                    id,
                    format!("{what} (partition {partition}, offset {offset})"),
                )
            })
        })
    }
}

/// Why an event may have been there that is not there now, for the end of a sentence.
fn gap(topic: &Topic<'_>) -> Option<String> {
    let partitions = &topic.read.partitions;
    let thrown_away = partitions
        .iter()
        .any(|one| one.from > topic.end_before(one.partition));
    if thrown_away {
        return Some("the topic has already thrown away events of this run".to_owned());
    }
    let unreadable = unreadable_of(topic);
    if unreadable > 0 {
        let events = count_of(unreadable, "event");
        return Some(format!("{events} without an id may be of them"));
    }
    let offsets: i64 = partitions.iter().map(|one| one.to - one.from).sum();
    let holes =
        u64::try_from(offsets).unwrap_or(0) > topic.read.events.len() as u64 + topic.read.others;
    match topic.read.compacted {
        _ if !holes => None,
        Some(false) => None,
        Some(true) => Some("the topic keeps only the last event of each key".to_owned()),
        None => Some(
            "offsets of the topic hold no event, and whether events were thrown away is not known"
                .to_owned(),
        ),
    }
}

fn nothing_matches(topic: &Topic<'_>, all_are_missing: bool) -> bool {
    all_are_missing && !topic.ids.is_empty()
}

fn unreadable_of(topic: &Topic<'_>) -> u64 {
    let new = topic.read.events.iter().filter(|one| topic.is_new(one));
    new.filter(|one| one.id.is_none()).count() as u64
}

fn unreadable(topic: &Topic<'_>) -> Option<DraftPart> {
    let count = unreadable_of(topic);
    let detail = format!(
        "{} not say of what it is, and was not compared",
        does(count)
    );
    (count > 0).then(|| DraftPart::information("unreadable_event", count, detail))
}

fn does(count: u64) -> String {
    match count {
        1 => "1 event does".to_owned(),
        _ => format!("{count} events do"),
    }
}

/// Allowed: an event is delivered at least once.
fn repeated(topic: &Topic<'_>) -> DraftPart {
    let is_new = |event: &&Event| topic.is_new(event);
    let events = topic.read.events.iter().filter(is_new).filter_map(id_of);
    let (events, ids) = (events.count(), topic.new_ids().len());
    let count = (events - ids) as u64;
    let events = count_of(events as u64, "new event");
    let detail = format!("{count} of {events} repeat an earlier one");
    DraftPart::information("repeated_event", count, detail)
}

fn are(number: u64, unit: &str) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", count_of(number, unit))
}

/// Kept here, so that both sides of the comparison say the same of what is not known.
pub(super) fn not_compared(name: &'static str, why: &str) -> DraftPart {
    unknown(name, 0, format!("not compared: {why}"))
}
