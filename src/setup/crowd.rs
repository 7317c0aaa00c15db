//! The users for whom a step is done, in the order in which the load will take them.

use crate::plan::{Plan, UserSequence, Values};

/// So many users of the pool.
pub(super) struct Crowd {
    users: UserSequence,
    count: u64,
}

/// One of them.
pub(super) struct Member {
    user: String,
    number: u64,
    random: u128,
}

impl Crowd {
    pub(super) fn new(plan: &Plan, count: u64) -> Self {
        Self {
            users: UserSequence::new(&plan.users, plan.seed),
            count,
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The user at this place, counted from 0.
    pub(super) fn member(&self, place: u64) -> Member {
        let number = self.users.fresh(place);
        let mut user = String::new();
        self.users.write_id(number, 0, 0, place, &mut user);
        Member {
            user,
            number,
            random: self.users.random(place),
        }
    }
}

impl Member {
    pub(super) fn values<'a>(&'a self, slots: &'a [Option<String>]) -> Values<'a> {
        Values {
            user: &self.user,
            number: self.number,
            vu: 0,
            iteration: 0,
            random: self.random,
            slots,
        }
    }
}
