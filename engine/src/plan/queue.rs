//! What is claimed of a waiting queue, and which answers tell of it; as plain data.

use std::fmt;
use std::time::Duration;

use crate::scenario::value::{Count, Span};

/// Steps, and the labels of which an answer must have one.
pub type Answers = Vec<(u8, Vec<u8>)>;

/// A waiting queue: what tells of it, and what must hold. What is not set is not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// Answers by which a user has a place in the queue, and had none before.
    pub entered: Answers,
    /// Answers by which a user still waits.
    pub waiting: Answers,
    /// Answers by which a user is let in.
    pub admitted: Answers,
    /// The slot of the number by which users are let in, the lowest first: rises with each entry.
    pub ticket: Option<u8>,
    /// Whether tickets are counted one by one, so that none is left out.
    pub gapless: bool,
    /// The slot of the number of people ahead.
    pub ahead: Option<u8>,
    /// How many may be inside at the same time.
    pub at_most: Option<u64>,
    /// How long a user who was let in is certainly inside without asking for anything.
    pub lease: Option<Duration>,
    /// Steps that confirm to nobody who was not let in.
    pub before: Vec<u8>,
}

impl Queue {
    /// Whether an answer of this step with this label is among these.
    pub fn is(answers: &Answers, step: u8, label: u8) -> bool {
        let mut of_step = answers.iter().filter(|(known, _)| *known == step);
        of_step.any(|(_, labels)| labels.contains(&label))
    }

    /// Whether any answer of this step is among these.
    pub fn has_step(answers: &Answers, step: u8) -> bool {
        answers.iter().any(|(known, _)| *known == step)
    }

    /// Whether a step tells where a user is.
    pub fn is_told_by(&self, step: u8) -> bool {
        let answers = [&self.entered, &self.waiting, &self.admitted];
        answers.iter().any(|answers| Self::has_step(answers, step))
    }

    /// Whether the order of admission can be judged.
    pub const fn orders_admission(&self) -> bool {
        !self.entered.is_empty() && !self.waiting.is_empty() && !self.admitted.is_empty()
    }

    /// Whether an answer with a place in the queue is kept.
    pub const fn keeps_places(&self) -> bool {
        self.ticket.is_some() || self.ahead.is_some()
    }
}

/// What is judged, in a few words.
impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        let mut add = |is_set: bool, text: &str| {
            if is_set {
                words.push(text.to_owned());
            }
        };
        add(self.ticket.is_some() && !self.gapless, "tickets");
        add(self.gapless, "tickets without gaps");
        add(self.ahead.is_some(), "people ahead");
        add(self.orders_admission(), "first in first admitted");
        if let Some(at_most) = self.at_most {
            let lease = self.lease.map(|lease| format!(" for {}", Span(lease)));
            let lease = lease.unwrap_or_default();
            words.push(format!("at most {} inside{lease}", Count(at_most)));
        }
        if !self.before.is_empty() {
            words.push("admitted before issued".to_owned());
        }
        f.write_str(&words.join(", "))
    }
}
