//! The users for whom a step is done, in the order in which the load will take them.

use crate::load::{Identities, Taking};
use crate::plan::Values;

/// So many users of the pool.
pub(super) struct Crowd<'a> {
    users: &'a Identities,
    count: u64,
    /// What the steps so far have brought.
    slots: &'a [Option<String>],
    /// Of the moment at which the step began.
    unix_s: u64,
}

/// One of them.
pub(super) struct Member {
    user: String,
    number: u64,
    random: u128,
    slots: Vec<Option<String>>,
}

impl<'a> Crowd<'a> {
    pub(super) const fn new(
        users: &'a Identities,
        count: u64,
        slots: &'a [Option<String>],
        unix_s: u64,
    ) -> Self {
        Self {
            users,
            count,
            slots,
            unix_s,
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The user at this place, counted from 0.
    pub(super) fn member(&self, place: u64) -> Member {
        let taking = Taking {
            place,
            vu: 0,
            iteration: 0,
            unix_s: self.unix_s,
        };
        let (mut user, mut slots) = (String::new(), self.slots.to_vec());
        let taken = self.users.write(taking, &mut user, &mut slots);
        Member {
            user,
            number: taken.number,
            random: self.users.random(place),
            slots,
        }
    }
}

impl Member {
    pub(super) fn values(&self) -> Values<'_> {
        Values {
            user: &self.user,
            number: self.number,
            vu: 0,
            iteration: 0,
            random: self.random,
            slots: &self.slots,
        }
    }
}
