//! Who asks: a place in the sequence of users becomes a number, an id, a record and a token.

use std::sync::Arc;

use super::records::Records;
use super::token::TokenSource;
use crate::plan::{Plan, UserSequence, Values};

/// Knows all users of a plan.
#[derive(Debug)]
pub struct Identities {
    pub(super) sequence: UserSequence,
    records: Option<Arc<Records>>,
    token: Option<TokenSource>,
}

/// When and by whom a user is taken.
#[derive(Debug, Clone, Copy)]
pub struct Taking {
    /// A place of the sequence at which nobody repeats.
    pub place: u64,
    /// From 1; 0 for none.
    pub vu: u64,
    /// Of that VU, from 0.
    pub iteration: u64,
    /// Of the moment, for the times in a token.
    pub unix_s: u64,
}

/// Who was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The user's number, from 1.
    pub number: u64,
    /// There are no records, or one of them is this user's.
    pub is_known: bool,
}

impl Identities {
    /// The users of this plan; `records` if it has some.
    pub fn new(plan: &Plan, records: Option<Arc<Records>>) -> Self {
        Self {
            sequence: UserSequence::new(&plan.users, plan.seed),
            records,
            token: plan.users.token.as_ref().map(TokenSource::new),
        }
    }

    /// 128 bits that belong to the user at this place.
    pub fn random(&self, place: u64) -> u128 {
        self.sequence.random(place)
    }

    /// Writes the user's id, and what is known of it into its slots.
    pub fn write(&self, taking: Taking, user: &mut String, slots: &mut [Option<String>]) -> Taken {
        let number = self.sequence.fresh(taking.place);
        let is_known = match &self.records {
            Some(records) => records.fill(number, slots),
            None => true,
        };
        let random = self.sequence.random(taking.place);
        self.sequence
            .write_id(&taking.values("", number, random, slots), user);
        if let Some(token) = self.token.as_ref().filter(|_| is_known) {
            let at = usize::from(token.slot);
            let mut text = slots[at].take().unwrap_or_default();
            let values = taking.values(user, number, random, slots);
            token.write(&values, taking.unix_s, &mut text);
            slots[at] = Some(text);
        }
        Taken { number, is_known }
    }
}

impl Taking {
    const fn values<'a>(
        &self,
        user: &'a str,
        number: u64,
        random: u128,
        slots: &'a [Option<String>],
    ) -> Values<'a> {
        Values {
            user,
            number,
            vu: self.vu,
            iteration: self.iteration,
            random,
            slots,
        }
    }
}
