//! Which answers are kept for what they say of a user's place in a queue.

use crate::history::{Operation, Place};
use crate::plan::{Queue, Step};

/// What of one step's answers is kept; made once for each step that has any of it.
#[derive(Debug)]
pub struct Places {
    ticket: Option<u8>,
    ahead: Option<u8>,
    labels: Vec<u8>,
    /// Whether a user enters by this step, so that its name must be known.
    pub is_entry: bool,
}

impl Places {
    /// `None` where nothing of this step is asked for.
    pub fn of(queue: &Queue, number: u8, step: &Step) -> Option<Self> {
        let is_entry = Queue::has_step(&queue.entered, number);
        let answers = queue.entered.iter().chain(&queue.waiting);
        let of_step = answers.filter(|(known, _)| *known == number);
        let labels: Vec<u8> = of_step.flat_map(|(_, labels)| labels).copied().collect();
        let is_asked = is_entry || (queue.keeps_places() && !labels.is_empty());
        // What another step has captured is still in its slot, and is none of this answer's.
        let captured = |slot: &u8| step.captures.iter().any(|capture| capture.slot == *slot);
        is_asked.then_some(Self {
            ticket: queue.ticket.filter(captured),
            ahead: queue.ahead.filter(captured),
            labels,
            is_entry,
        })
    }

    /// What this answer says, once its captures are in the slots.
    pub fn take(&self, operation: &Operation, slots: &[Option<String>]) -> Option<Place> {
        let is_kept = self.ticket.is_some() || self.ahead.is_some();
        if !is_kept || !self.labels.contains(&operation.label) {
            return None;
        }
        let number = |slot: Option<u8>| {
            let text = slots.get(usize::from(slot?))?.as_deref()?;
            text.parse::<u64>().ok()
        };
        Some(Place {
            user: operation.user,
            inv_ns: operation.inv_ns,
            ret_ns: operation.ret_ns,
            ticket: number(self.ticket).unwrap_or(Place::NONE),
            ahead: number(self.ahead).unwrap_or(Place::NONE),
            phase: operation.phase,
            step: operation.step,
            label: operation.label,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cause, Key, OutcomeKind};
    use crate::plan::{Overrides, load};

    const ENTERED: u8 = 10;
    const WAITING: u8 = 11;

    fn answer(step: u8, label: u8) -> Operation {
        Operation {
            user: Key(7),
            coupon: Key::NONE,
            inv_ns: 3,
            ret_ns: 5,
            lag_us: 0,
            status: 200,
            kind: OutcomeKind::Ok,
            label,
            step,
            cause: Cause::None,
            phase: 0,
            vu: 0,
        }
    }

    fn queue() -> Queue {
        Queue {
            entered: vec![(0, vec![ENTERED])],
            waiting: vec![(1, vec![WAITING])],
            ticket: Some(0),
            ahead: Some(1),
            ..Queue::default()
        }
    }

    const FLOW: &str = r#"
name: queue
target: { url: "http://127.0.0.1:1" }
load: { a: { constant_vus: { vus: 1, for: 1s } } }
flows:
  f:
    - { name: enter, post: /enter, capture: { ticket: /ticket, rank: /rank } }
    - { name: order, get: /order, capture: { rank: /rank } }
    - { name: issue, post: /issue }
"#;

    fn of(queue: &Queue, number: u8) -> Option<Places> {
        let plan = load("queue.yaml", FLOW, &Overrides::default(), &|_| None);
        let plan = plan.expect("a plan");
        Places::of(queue, number, &plan.steps[usize::from(number)])
    }

    #[test]
    fn a_number_is_kept_of_the_answers_that_tell_of_a_place() {
        let slots =
            |ticket: &str, ahead: &str| vec![Some(ticket.to_owned()), Some(ahead.to_owned())];
        // The step, its label, what was captured, and what is kept.
        let table = [
            (0, ENTERED, slots("17", "3"), Some((17, 3))),
            // The ticket is still in its slot from the entry, and is none of this answer's.
            (1, WAITING, slots("17", "2"), Some((Place::NONE, 2))),
            (
                1,
                WAITING,
                vec![None, None],
                Some((Place::NONE, Place::NONE)),
            ),
            (
                0,
                ENTERED,
                slots("-1", "1.5"),
                Some((Place::NONE, Place::NONE)),
            ),
            (0, WAITING, slots("17", "3"), None),
        ];
        for (step, label, slots, kept) in table {
            let places = of(&queue(), step).expect("asked for");
            let place = places.take(&answer(step, label), &slots);
            assert_eq!(place.map(|one| (one.ticket, one.ahead)), kept, "{slots:?}");
        }
    }

    #[test]
    fn nothing_is_kept_that_nobody_asks_for() {
        assert!(of(&queue(), 2).is_none(), "another step");
        let entries = Queue {
            ticket: None,
            ahead: None,
            ..queue()
        };
        assert!(of(&entries, 1).is_none(), "polls without numbers");
        let entry = of(&entries, 0).expect("its users have names");
        assert!(entry.is_entry);
        assert_eq!(entry.take(&answer(0, ENTERED), &[None, None]), None);
    }
}
