//! What a waiting queue is judged by: two passes over the history, and one over what users were told
//! of their places.
//!
//! A *stay* begins with an answer by which its user entered, and ends where the same user asks to
//! enter again. What was asked for within it, after the first answer was complete and with an answer
//! before the next request to enter, is certainly about this stay. An entry of which that is not
//! certain, since an earlier request to enter may still have taken effect, has no stay.
//!
//! Memory: some words for each entry, each answer by which a user was let in, each confirmation that
//! is guarded, and at most [`MOST_ANSWERS`] answers with a number of people ahead. Polls that only say
//! "waiting" leave the last of them with their stay.

use std::io;

use crate::check::Evidence;
use crate::check::asked::Attempt;
use crate::check::draft::Pick;
use crate::history::{Key, Operation, OutcomeKind, Place};
use crate::plan::{Plan, Queue};

/// Answers with a number of people ahead that are compared between users: 128 MB.
pub(super) const MOST_ANSWERS: usize = 1 << 22;

/// What was gathered for one claim.
pub(in crate::check) struct Line<'p> {
    pub(super) queue: &'p Queue,
    /// By user and time.
    pub(super) stays: Vec<Stay>,
    /// Answers by which somebody entered.
    pub(super) entries: u64,
    /// Requests to enter that may have taken a place, without a certain answer.
    pub(super) uncertain: u64,
    /// Entries with a ticket, in no order.
    pub(super) tickets: Vec<Ticket>,
    /// Entries whose answer had no whole number for a ticket.
    pub(super) without_ticket: u64,
    /// Answers in which the number of people ahead was higher than in an earlier one of the stay.
    pub(super) rises: Pick<Rise>,
    /// Answers with a number of people ahead, the first of them in the order of the file.
    pub(super) numbers: Vec<Number>,
    /// How many there were in all.
    pub(super) numbers_seen: u64,
    /// Answers that should have had such a number.
    pub(super) without_number: u64,
    /// By user and time.
    pub(super) admissions: Vec<Admission>,
    /// Confirmations of guarded steps, by user and time.
    pub(super) confirmed: Vec<Confirmed>,
}

/// A stay in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    pub(super) user: Key,
    /// The request by which the user entered.
    pub(super) entered: Attempt,
    /// When the user next asked to enter; the largest number if never.
    pub(super) until_ns: u64,
    /// When a request was sent that was answered "waiting", the last of them.
    pub(super) waiting_ns: Option<u64>,
    /// When the user was told to be let in, the first time.
    pub(super) admitted_ns: Option<u64>,
    /// The lowest number of people ahead so far, and when that answer was complete.
    lowest: Option<(u64, u64)>,
}

/// A ticket, and the request that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) user: Key,
    pub(super) inv_ns: u64,
    pub(super) ret_ns: u64,
    pub(super) phase: u16,
}

impl Ticket {
    /// For a case.
    pub(super) const fn attempt(self) -> Attempt {
        Attempt {
            inv_ns: self.inv_ns,
            over_ns: self.ret_ns,
            phase: self.phase,
            kind: OutcomeKind::Ok,
        }
    }
}

/// More people ahead than before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rise {
    pub(super) user: Key,
    pub(super) attempt: Attempt,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// An answer with a number of people ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    /// Its stay.
    pub(super) stay: u32,
    pub(super) phase: u16,
    pub(super) inv_ns: u64,
    pub(super) ret_ns: u64,
    pub(super) ahead: u64,
}

/// An answer by which a user was let in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    pub(super) user: Key,
    pub(super) attempt: Attempt,
    /// The earliest request of the same user for anything else, of those that were complete only
    /// after this one was sent and not after the next admission was: all of them are in the list.
    pub(super) next_ns: u64,
}

/// A confirmation of a guarded step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Confirmed {
    pub(super) user: Key,
    pub(super) attempt: Attempt,
    /// When the earliest request was sent that may have let its user in.
    pub(super) let_in_ns: Option<u64>,
}

/// A request to enter.
#[derive(Debug, Clone, Copy)]
struct Entry {
    user: Key,
    attempt: Attempt,
    has_entered: bool,
}

impl<'p> Line<'p> {
    /// Of what the plan claims of a queue; `None` if it claims nothing.
    pub(in crate::check) fn of(evidence: &Evidence<'p>) -> io::Result<Option<Self>> {
        let Some(queue) = evidence.plan.queue.as_deref() else {
            return Ok(None);
        };
        let mut line = Self {
            queue,
            stays: Vec::new(),
            entries: 0,
            uncertain: 0,
            tickets: Vec::new(),
            without_ticket: 0,
            rises: Pick::default(),
            numbers: Vec::new(),
            numbers_seen: 0,
            without_number: 0,
            admissions: Vec::new(),
            confirmed: Vec::new(),
        };
        line.begin(evidence)?;
        for operation in evidence.history.operations()? {
            line.follow(&operation?);
        }
        if queue.keeps_places() {
            for place in evidence.history.places()? {
                line.place(&place?, evidence.plan);
            }
        }
        Ok(Some(line))
    }

    /// The first pass: who entered, was let in, and was given something.
    fn begin(&mut self, evidence: &Evidence<'_>) -> io::Result<()> {
        let queue = self.queue;
        let mut entries: Vec<Entry> = Vec::new();
        for operation in evidence.history.operations()? {
            let operation = operation?;
            let (user, attempt) = (operation.user, Attempt::of(&operation));
            let (step, label) = (operation.step, operation.label);
            if Queue::has_step(&queue.entered, step) && operation.kind != OutcomeKind::NotSent {
                let is_entry = Queue::is(&queue.entered, step, label);
                self.entries += u64::from(is_entry);
                self.uncertain += u64::from(operation.kind.may_have_happened());
                entries.push(Entry {
                    user,
                    attempt,
                    has_entered: is_entry,
                });
            }
            if Queue::is(&queue.admitted, step, label) {
                self.admissions.push(Admission {
                    user,
                    attempt,
                    next_ns: u64::MAX,
                });
            }
            if queue.before.contains(&step) && operation.kind == OutcomeKind::Issued {
                self.confirmed.push(Confirmed {
                    user,
                    attempt,
                    let_in_ns: None,
                });
            }
        }
        self.stays = stays(entries);
        let place = |user: Key, attempt: Attempt| (user, attempt.inv_ns, attempt.ret_ns());
        self.admissions
            .sort_unstable_by_key(|one| place(one.user, one.attempt));
        self.confirmed
            .sort_unstable_by_key(|one| place(one.user, one.attempt));
        Ok(())
    }

    /// The second pass: what else those users asked for.
    fn follow(&mut self, operation: &Operation) {
        if operation.kind == OutcomeKind::NotSent {
            return;
        }
        let queue = self.queue;
        let (step, label) = (operation.step, operation.label);
        let attempt = Attempt::of(operation);
        let is_admitted = Queue::is(&queue.admitted, step, label);
        let is_waiting = Queue::is(&queue.waiting, step, label);
        if (is_admitted || is_waiting)
            && let Some(stay) = stay_of(&self.stays, operation.user, attempt)
        {
            let stay = &mut self.stays[stay];
            if is_admitted {
                let known = stay.admitted_ns.unwrap_or(u64::MAX);
                stay.admitted_ns = Some(known.min(attempt.ret_ns()));
            } else {
                stay.waiting_ns = stay.waiting_ns.max(Some(attempt.inv_ns));
            }
        }
        if !is_admitted {
            self.asked_for_more(operation.user, attempt);
        }
        if self.may_let_in(operation) {
            self.let_in(operation.user, attempt.inv_ns);
        }
    }

    /// Whoever asks for anything else may be outside from then on.
    fn asked_for_more(&mut self, user: Key, attempt: Attempt) {
        let admissions = &mut self.admissions;
        let behind = admissions
            .partition_point(|one| (one.user, one.attempt.inv_ns) <= (user, attempt.ret_ns()));
        let last = behind.checked_sub(1).map(|at| &mut admissions[at]);
        if let Some(last) = last.filter(|one| one.user == user) {
            last.next_ns = last.next_ns.min(attempt.inv_ns);
        }
    }

    /// Whether the answer leaves it open that its user is let in now, or later without a further
    /// answer.
    fn may_let_in(&self, operation: &Operation) -> bool {
        let queue = self.queue;
        let answers = [&queue.entered, &queue.waiting, &queue.admitted];
        let (step, label) = (operation.step, operation.label);
        let is_uncertain = operation.kind.may_have_happened();
        answers.iter().any(|answers| {
            Queue::is(answers, step, label) || (is_uncertain && Queue::has_step(answers, step))
        })
    }

    fn let_in(&mut self, user: Key, inv_ns: u64) {
        let first = self.confirmed.partition_point(|one| one.user < user);
        let of_user = self.confirmed[first..].iter_mut();
        for one in of_user.take_while(|one| one.user == user) {
            one.let_in_ns = Some(one.let_in_ns.map_or(inv_ns, |known| known.min(inv_ns)));
        }
    }

    /// The pass over what users were told of their places.
    fn place(&mut self, place: &Place, plan: &Plan) {
        let queue = self.queue;
        let captures = |slot: u8| {
            let step = plan.steps.get(usize::from(place.step));
            step.is_some_and(|step| step.captures.iter().any(|capture| capture.slot == slot))
        };
        let is_entry = Queue::is(&queue.entered, place.step, place.label);
        if is_entry && queue.ticket.is_some_and(captures) {
            match place.ticket {
                Place::NONE => self.without_ticket += 1,
                number => self.tickets.push(Ticket {
                    number,
                    user: place.user,
                    inv_ns: place.inv_ns,
                    ret_ns: place.ret_ns,
                    phase: place.phase,
                }),
            }
        }
        if queue.ahead.is_some_and(captures) {
            match place.ahead {
                Place::NONE => self.without_number += 1,
                ahead => self.number(place, ahead, is_entry),
            }
        }
    }

    fn number(&mut self, place: &Place, ahead: u64, is_entry: bool) {
        let attempt = Attempt {
            inv_ns: place.inv_ns,
            over_ns: place.ret_ns,
            phase: place.phase,
            kind: OutcomeKind::Ok,
        };
        let found = if is_entry {
            let entered = |one: &Stay| (one.user, one.entered.inv_ns);
            let at = (place.user, place.inv_ns);
            self.stays.binary_search_by_key(&at, entered).ok()
        } else {
            stay_of(&self.stays, place.user, attempt)
        };
        let Some(at) = found else { return };
        let stay = &mut self.stays[at];
        match stay.lowest {
            Some((lowest, ret_ns)) if ahead > lowest => {
                if ret_ns < attempt.inv_ns {
                    let rise = Rise {
                        user: place.user,
                        attempt,
                        from: lowest,
                        to: ahead,
                    };
                    self.rises
                        .offer(place.user, attempt.inv_ns, ahead - lowest, rise);
                }
            }
            Some((lowest, ret_ns)) if ahead == lowest => {
                stay.lowest = Some((lowest, ret_ns.min(attempt.over_ns)));
            }
            _ => stay.lowest = Some((ahead, attempt.over_ns)),
        }
        self.numbers_seen += 1;
        if self.numbers.len() < MOST_ANSWERS {
            self.numbers.push(Number {
                // There are fewer stays than fill the memory.
                stay: at as u32,
                phase: place.phase,
                inv_ns: place.inv_ns,
                ret_ns: place.ret_ns,
                ahead,
            });
        }
    }
}

/// The stays that are certain, by user and time.
fn stays(mut entries: Vec<Entry>) -> Vec<Stay> {
    entries.sort_unstable_by_key(|one| (one.user, one.attempt.inv_ns, one.attempt.ret_ns()));
    let mut stays = Vec::new();
    for of_user in entries.chunk_by(|one, other| one.user == other.user) {
        // When all earlier requests of this user were certainly over.
        let mut over_ns = None;
        for (at, entry) in of_user.iter().enumerate() {
            let next = of_user.get(at + 1);
            let is_alone = over_ns.is_none_or(|over_ns| over_ns < entry.attempt.inv_ns);
            if entry.has_entered && is_alone {
                stays.push(Stay {
                    user: entry.user,
                    entered: entry.attempt,
                    until_ns: next.map_or(u64::MAX, |next| next.attempt.inv_ns),
                    waiting_ns: None,
                    admitted_ns: None,
                    lowest: None,
                });
            }
            over_ns = over_ns.max(Some(entry.attempt.ret_ns()));
        }
    }
    stays
}

/// The stay that this request of the user is certainly about.
fn stay_of(stays: &[Stay], user: Key, attempt: Attempt) -> Option<usize> {
    let behind =
        stays.partition_point(|one| (one.user, one.entered.inv_ns) <= (user, attempt.inv_ns));
    let at = behind.checked_sub(1)?;
    let stay = &stays[at];
    let is_within = stay.user == user
        && stay.entered.ret_ns() < attempt.inv_ns
        && attempt.ret_ns() < stay.until_ns;
    is_within.then_some(at)
}
