//! Which of Goose's users is which VU: they come and go, and a VU that comes again is who it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use goose::goose::GooseUser;

use super::Shared;
use super::user::User;

/// The numbers of VUs, and who has them.
#[derive(Debug, Default)]
pub(super) struct Seats {
    /// By Goose's own number.
    taken: BTreeMap<usize, u64>,
    free: BTreeSet<u64>,
    idle: BTreeMap<u64, User>,
    next: u64,
    /// How many users Goose has taken away.
    left: u64,
    /// Iterations.
    under_way: u64,
}

impl Seats {
    /// The lowest number that is free is this user's.
    pub(super) fn take(&mut self, user: usize) {
        let index = self.free.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.taken.insert(user, index);
    }

    /// The user's number is free again; whether it had one.
    pub(super) fn leave(&mut self, user: usize) -> bool {
        let index = self.taken.remove(&user);
        if let Some(index) = index {
            self.free.insert(index);
            self.left += 1;
        }
        index.is_some()
    }

    /// Whether no iteration is under way.
    pub(super) const fn are_idle(&self) -> bool {
        self.under_way == 0
    }

    /// How many users Goose has taken away: where iterations are counted, those that have had theirs.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }
}

/// A user within its iteration; it goes back to its seat, also when it is cut.
pub(super) struct Seated<'s> {
    shared: &'s Shared,
    user: Option<User>,
}

impl<'s> Seated<'s> {
    /// `None` if nothing new is to begin.
    pub(super) fn of(shared: &'s Shared, goose: &GooseUser) -> Option<Self> {
        let mut seats = shared.seats();
        let index = *seats.taken.get(&goose.weighted_users_index)?;
        // Under the lock, so that nothing begins once somebody has seen that all is over.
        if shared.is_halted() {
            return None;
        }
        let user = seats.idle.remove(&index);
        seats.under_way += 1;
        drop(seats);
        shared.begun.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            shared,
            user: Some(user.unwrap_or_else(|| User::new(shared, index))),
        })
    }

    /// Until it goes back.
    pub(super) const fn user(&mut self) -> Option<&mut User> {
        self.user.as_mut()
    }
}

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        let now_ns = self.shared.job.clock.now_ns();
        self.shared.last_ns.fetch_max(now_ns, Ordering::Relaxed);
        let mut seats = self.shared.seats();
        seats.under_way -= 1;
        if let Some(user) = self.user.take() {
            seats.idle.insert(user.index, user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_gets_the_lowest_number_that_is_free() {
        let mut seats = Seats::default();
        for user in [7, 8, 9] {
            seats.take(user);
        }
        assert!(seats.leave(8) && seats.leave(7));
        seats.take(10);
        let taken: Vec<_> = seats.taken.into_iter().collect();
        assert_eq!(taken, [(9, 2), (10, 0)]);
    }

    #[test]
    fn who_leaves_twice_has_left_once() {
        let mut seats = Seats::default();
        seats.take(1);
        assert!(seats.leave(1));
        assert!(!seats.leave(1), "it had no number any more");
        assert_eq!(seats.left(), 1);
    }
}
