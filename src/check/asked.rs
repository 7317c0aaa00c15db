//! What is kept of the attempts of one user.

use crate::history::{Key, Operation, OutcomeKind};

/// What is kept of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) inv_ns: u64,
    /// When it was answered or given up.
    pub(super) over_ns: u64,
    pub(super) phase: u16,
    pub(super) kind: OutcomeKind,
}

impl Attempt {
    pub(super) fn of(operation: &Operation) -> Self {
        Self {
            inv_ns: operation.inv_ns,
            over_ns: operation.ret_ns,
            phase: operation.phase,
            kind: operation.kind,
        }
    }

    /// When a certain answer was complete.
    pub(super) fn answered_ns(self) -> Option<u64> {
        (!self.kind.may_have_happened()).then_some(self.over_ns)
    }

    /// The same; infinite (the largest number) without a certain answer.
    pub(super) fn ret_ns(self) -> u64 {
        self.answered_ns().unwrap_or(u64::MAX)
    }
}

/// What is kept of one user.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    /// The earliest attempt that can have taken one: issued, or without a certain answer.
    pub(super) effective: Option<Attempt>,
    /// The earliest confirmation's end.
    pub(super) confirmed_ns: Option<u64>,
    /// The earliest refusal.
    pub(super) refused: Option<Attempt>,
    /// The "duplicate" that was complete first.
    pub(super) duplicate: Option<Attempt>,
    /// How often this user was told "duplicate".
    pub(super) duplicates: u32,
    /// Whether the final or the second read shows a row.
    pub(super) has_row: bool,
    /// Attempts that reached the system. For users without a row, refusals that came before the
    /// user was of interest are not counted.
    pub(super) attempts: u32,
}

impl Asked {
    /// From when on the user can have held one. Zero if the history does not explain it: then
    /// any time is possible, and nothing may be concluded from it.
    ///
    /// The earliest attempt counts, even if a later one was answered "issued": that one may be an
    /// idempotent replay of an attempt whose answer was lost.
    pub(super) fn since_ns(&self) -> u64 {
        let explains = |attempt: &Attempt| {
            self.confirmed_ns
                .is_none_or(|confirmed| attempt.inv_ns <= confirmed)
        };
        self.effective
            .filter(explains)
            .map_or(0, |attempt| attempt.inv_ns)
    }

    /// Whether something other than a refusal explains that the user holds one.
    pub(super) const fn explains_a_row(&self) -> bool {
        self.effective.is_some() || self.confirmed_ns.is_some()
    }

    pub(super) fn note(&mut self, attempt: Attempt) {
        use OutcomeKind::{Duplicate, Issued, NotSent, Ok, Pending, Replay, Unknown};
        if attempt.kind != NotSent {
            self.attempts = self.attempts.saturating_add(1);
        }
        if attempt.kind.is_acknowledged() {
            let known = self.confirmed_ns.unwrap_or(u64::MAX);
            self.confirmed_ns = Some(known.min(attempt.ret_ns()));
        }
        match attempt.kind {
            Issued | Pending | Unknown => keep_earliest(&mut self.effective, attempt),
            Replay | Ok => {}
            Duplicate => {
                self.duplicates = self.duplicates.saturating_add(1);
                keep_soonest(&mut self.duplicate, attempt);
                keep_earliest(&mut self.refused, attempt);
            }
            _ => keep_earliest(&mut self.refused, attempt),
        }
    }
}

fn keep_earliest(slot: &mut Option<Attempt>, attempt: Attempt) {
    if slot.is_none_or(|known| attempt.inv_ns < known.inv_ns) {
        *slot = Some(attempt);
    }
}

fn keep_soonest(slot: &mut Option<Attempt>, attempt: Attempt) {
    let place = |one: &Attempt| (one.ret_ns(), one.inv_ns);
    if slot.is_none_or(|known| place(&attempt) < place(&known)) {
        *slot = Some(attempt);
    }
}

/// A confirmation: this user holds this coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Confirmed {
    pub(super) user: Key,
    /// The coupon, or [`Key::NONE`] when the answer names none.
    pub(super) coupon: Key,
    /// The earliest that said so.
    pub(super) attempt: Attempt,
}
