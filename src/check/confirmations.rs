//! What was confirmed, each pair of user and coupon once.

use super::asked::Confirmed;

/// Confirmations in any order. Memory: at most twice the distinct ones, however often they are
/// repeated.
#[derive(Debug, Default)]
pub(super) struct Confirmations {
    list: Vec<Confirmed>,
    /// Repeats are thrown away when there are so many.
    full: usize,
}

/// Below this it is not worth looking for repeats.
const FEW: usize = 1 << 16;

impl Confirmations {
    /// Takes one.
    pub(super) fn take(&mut self, one: Confirmed) {
        self.list.push(one);
        if self.list.len() >= self.full.max(FEW) {
            self.throw_repeats_away();
            self.full = 2 * self.list.len();
        }
    }

    /// The earliest of each pair, by time.
    pub(super) fn by_time(mut self) -> Vec<Confirmed> {
        self.throw_repeats_away();
        self.list
            .sort_unstable_by_key(|one| (one.attempt.inv_ns, one.user, one.coupon));
        self.list
    }

    fn throw_repeats_away(&mut self) {
        let in_time = |one: &Confirmed| (one.attempt.inv_ns, one.attempt.over_ns);
        self.list
            .sort_unstable_by_key(|one| (one.user, one.coupon, in_time(one)));
        self.list.dedup_by_key(|one| (one.user, one.coupon));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::asked::Attempt;
    use crate::history::{Key, OutcomeKind};

    fn confirmed(user: u64, coupon: u64, inv_ns: u64) -> Confirmed {
        let attempt = Attempt {
            inv_ns,
            over_ns: inv_ns + 1,
            phase: 0,
            kind: OutcomeKind::Issued,
        };
        Confirmed {
            user: Key(user),
            coupon: Key(coupon),
            attempt,
        }
    }

    #[test]
    fn of_many_repeats_the_earliest_is_left_of_each_pair() {
        let mut all = Confirmations::default();
        let last = 5 * FEW as u64;
        for draw in 0..last {
            // Later ones come first.
            all.take(confirmed(draw % 3, draw % 2, last - draw));
        }
        assert!(all.list.len() < FEW + 7, "{} are kept", all.list.len());
        let left: Vec<_> = (0..6)
            .map(|draw| {
                let draw = last - 1 - draw;
                confirmed(draw % 3, draw % 2, last - draw)
            })
            .collect();
        assert_eq!(all.by_time(), left);
    }
}
