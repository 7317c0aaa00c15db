//! What happened to all segments as what happened to one run.

use std::collections::BTreeMap;
use std::io;

use super::parts::Part;
use crate::history::{Cause, Shift};
use crate::plan::{Mask, Plan};
use crate::run::event::{Event, EventLog, UnknownCount};
use crate::run::{RunDirectory, RunRecord};

pub(super) fn write(
    parts: &[Part],
    shifts: &[Shift],
    record: &RunRecord,
    plan: &Plan,
    directory: &RunDirectory,
) -> io::Result<()> {
    // The texts were hidden when they were written, where the secrets were known.
    let mask: Mask = plan.mask.clone();
    let mut log = EventLog::create(&directory.events_file(), mask)?;
    for event in merged(parts, shifts, record) {
        log.append(&event)?;
    }
    Ok(())
}

/// The events of the first, with those of the others where they belong.
fn merged(parts: &[Part], shifts: &[Shift], record: &RunRecord) -> Vec<Event> {
    let others = Others {
        parts: &parts[1..],
        shifts: &shifts[1..],
    };
    let mut events = Vec::new();
    for event in &parts[0].events {
        match event {
            Event::LoadStarted {
                at_ns,
                threads,
                provider,
                target,
            } => {
                events.push(Event::LoadStarted {
                    at_ns: *at_ns,
                    threads: threads + others.threads(),
                    provider: provider.clone(),
                    target: target.clone(),
                });
                events.extend(clocks(record));
                events.extend(others.warnings());
                events.extend(others.shapes(&parts[0]));
            }
            Event::LoadEnded { at_ns, users_taken } => {
                events.extend(others.interrupted(InLoad::Yes));
                events.push(others.ended(*at_ns, *users_taken));
                events.extend(others.interrupted(InLoad::No));
            }
            Event::Recorded { .. } => events.extend(recorded(parts)),
            Event::Ended { .. } => {
                if others.all_ended() {
                    events.push(event.clone());
                }
            }
            event => events.push(event.clone()),
        }
    }
    events
}

/// What is assumed of several clocks stands where every reader sees it.
fn clocks(record: &RunRecord) -> Option<Event> {
    let merged = record.merged.as_ref().filter(|merged| merged.clocks > 1)?;
    let text = format!(
        "merged from {merged}: where it matters who was first, attempts of other machines count as \
         begun so much earlier and ended so much later"
    );
    Some(Event::Warning { text })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InLoad {
    Yes,
    No,
}

/// All segments but the first.
struct Others<'a> {
    parts: &'a [Part],
    shifts: &'a [Shift],
}

impl Others<'_> {
    fn threads(&self) -> u64 {
        let events = self.parts.iter().flat_map(|part| &part.events);
        let threads = events.filter_map(|event| match event {
            Event::LoadStarted { threads, .. } => Some(*threads),
            _ => None,
        });
        threads.sum()
    }

    fn warnings(&self) -> Vec<Event> {
        let of_part = |part: &Part| {
            let events = part.events.iter().filter_map(|event| match event {
                Event::Warning { text } => Some(Event::Warning {
                    text: format!("segment {}: {text}", part.segment),
                }),
                _ => None,
            });
            events.collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of_part).collect()
    }

    /// The first of each kind that the first segment has not seen.
    fn shapes(&self, first: &Part) -> Vec<Event> {
        let key = |event: &Event| match event {
            Event::UnknownShape {
                step,
                cause,
                status,
                ..
            } => Some((*step, *cause, *status)),
            _ => None,
        };
        let mut known: Vec<_> = first.events.iter().filter_map(key).collect();
        let mut shapes = Vec::new();
        for event in self.parts.iter().flat_map(|part| &part.events) {
            if let Some(shape) = key(event).filter(|shape| !known.contains(shape)) {
                known.push(shape);
                shapes.push(event.clone());
            }
        }
        shapes
    }

    /// The interrupts of the others: those who were still loading, or those who were not.
    fn interrupted(&self, wanted: InLoad) -> Vec<Event> {
        let mut found = Vec::new();
        for (part, shift) in std::iter::zip(self.parts, self.shifts) {
            let mut in_load = InLoad::Yes;
            for event in &part.events {
                match event {
                    Event::LoadEnded { .. } => in_load = InLoad::No,
                    Event::Interrupted { at_ns } if in_load == wanted => {
                        let at_ns = shift.moment(*at_ns);
                        found.push(Event::Interrupted { at_ns });
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The load had ended when the last had, and the sequence of users was taken as far as any took it.
    fn ended(&self, at_ns: u64, users_taken: u64) -> Event {
        let (mut at_ns, mut users_taken) = (at_ns, users_taken);
        for (part, shift) in std::iter::zip(self.parts, self.shifts) {
            for event in &part.events {
                if let Event::LoadEnded {
                    at_ns: other_ns,
                    users_taken: other,
                } = event
                {
                    at_ns = at_ns.max(shift.moment(*other_ns));
                    users_taken = users_taken.max(*other);
                }
            }
        }
        Event::LoadEnded { at_ns, users_taken }
    }

    fn all_ended(&self) -> bool {
        let has_ended = |part: &Part| {
            part.events
                .iter()
                .any(|event| matches!(event, Event::Ended { .. }))
        };
        self.parts.iter().all(has_ended)
    }
}

/// `None` where the measurements of some segment are not all on disk.
fn recorded(parts: &[Part]) -> Option<Event> {
    let (mut all_lost, mut failures) = (0, Vec::new());
    let mut counts: BTreeMap<(u8, u8, u16), UnknownCount> = BTreeMap::new();
    for part in parts {
        let recorded = part.events.iter().find_map(|event| match event {
            Event::Recorded {
                lost,
                failure,
                unknown,
            } => Some((*lost, failure, unknown)),
            _ => None,
        });
        let (lost, failure, unknown) = recorded?;
        all_lost += lost;
        let failure = failure.iter();
        failures.extend(failure.map(|failure| format!("segment {}: {failure}", part.segment)));
        for one in unknown {
            let key = (one.step, number(one.cause), one.status);
            let sum = counts.entry(key).or_insert_with(|| UnknownCount {
                count: 0,
                ..one.clone()
            });
            sum.count += one.count;
        }
    }
    Some(Event::Recorded {
        lost: all_lost,
        failure: (!failures.is_empty()).then(|| failures.join("; ")),
        unknown: counts.into_values().collect(),
    })
}

const fn number(cause: Cause) -> u8 {
    cause as u8
}
