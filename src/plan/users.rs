//! Which user asks next: a permutation of the pool that follows from the seed, without a list.

use super::{Template, Users, Values};

/// How far back a purposely repeated user may lie, in iterations. Near enough that the two
/// attempts can overlap, far enough that most come after the first answer.
const REPEAT_WINDOW: u64 = 256;

/// A bijective mix of 64 bits with full avalanche (the finaliser of `SplitMix64`, Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
pub const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The users in the order in which iterations take them.
///
/// The n-th place of the sequence is a pure function of seed, pool and n, so every load thread can
/// compute it by itself and a run can be repeated.
#[derive(Debug, Clone)]
pub struct UserSequence {
    seed: u64,
    pool: u64,
    half_bits: u32,
    repeat_below: u64,
    id: Template,
}

impl UserSequence {
    /// The sequence of these users under this seed.
    pub fn new(users: &Users, seed: u64) -> Self {
        let pool = users.pool.max(1);
        let bits = u64::BITS - (pool - 1).leading_zeros();
        Self {
            seed,
            pool,
            half_bits: bits.div_ceil(2).max(1),
            repeat_below: (users.repeat.clamp(0.0, 1.0) * u64::MAX as f64) as u64,
            id: users.id.clone(),
        }
    }

    /// The number of the user at place `n`, from 1 to the pool's size, or above it when the
    /// sequence is longer than the pool: users beyond the pool are taken in plain order, so that
    /// they are still new.
    pub fn number(&self, n: u64) -> u64 {
        self.fresh(self.original(n))
    }

    /// Whether place `n` repeats an earlier user on purpose.
    pub fn is_repeat(&self, n: u64) -> bool {
        n > 0 && self.repeat_below > 0 && mix(self.seed ^ mix(n)) < self.repeat_below
    }

    /// Writes the id that is sent for this user into `out`, whose room is used again.
    pub fn write_id(&self, number: u64, vu: u64, iteration: u64, place: u64, out: &mut String) {
        let random = self.random(place);
        let values = Values {
            user: "",
            number,
            vu,
            iteration,
            random,
            slots: &[],
        };
        let mut bytes = std::mem::take(out).into_bytes();
        bytes.clear();
        self.id.render(&values, &mut bytes);
        // Literals are text and every value is written as text, so nothing is ever replaced.
        *out = String::from_utf8(bytes).unwrap_or_default();
    }

    /// 128 bits that belong to this place of the sequence.
    pub fn random(&self, place: u64) -> u128 {
        let high = mix(self.seed ^ mix(place ^ 0x5555));
        let low = mix(high ^ mix(place ^ 0xaaaa));
        (u128::from(high) << 64) | u128::from(low)
    }

    /// The place whose user a repeat takes: the nearest original at or before a place within the
    /// window, chosen by the seed.
    pub fn original(&self, n: u64) -> u64 {
        if !self.is_repeat(n) {
            return n;
        }
        let back = 1 + mix(self.seed ^ mix(n ^ 0x7777)) % n.min(REPEAT_WINDOW);
        let mut place = n - back;
        while self.is_repeat(place) {
            place -= 1;
        }
        place
    }

    /// The user who is new at this place, also where a repeat stands there.
    pub fn fresh(&self, place: u64) -> u64 {
        if place >= self.pool {
            return place + 1;
        }
        // Cycle walking: a Feistel network permutes a power of four that is at least the pool;
        // walking on until the value is in the pool keeps it a permutation of the pool.
        let mut value = self.feistel(place);
        while value >= self.pool {
            value = self.feistel(value);
        }
        value + 1
    }

    /// Four rounds, each half of `half_bits`.
    fn feistel(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..4_u64 {
            let mixed = mix(self.seed ^ mix(right ^ (round << 60))) & mask;
            (left, right) = (right, left ^ mixed);
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Escape, Part, Per, Variable};
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn sequence(pool: u64, repeat: f64, seed: u64) -> UserSequence {
        let id = Template {
            parts: vec![Part::Value(Variable::Number, Escape::Raw)],
        };
        UserSequence::new(
            &Users {
                pool,
                repeat,
                per: Per::Iteration,
                id,
                cookies: false,
            },
            seed,
        )
    }

    #[test]
    fn another_seed_gives_another_order() {
        let order = |seed| {
            (0..100)
                .map(|n| sequence(1_000, 0.0, seed).number(n))
                .collect()
        };
        let (one, two): (Vec<_>, Vec<_>) = (order(1), order(2));
        assert_ne!(one, two);
    }

    #[test]
    fn users_beyond_the_pool_are_new() {
        let sequence = sequence(10, 0.0, 3);
        let numbers: HashSet<_> = (0..25).map(|n| sequence.number(n)).collect();
        assert_eq!(numbers.len(), 25);
    }

    #[test]
    fn the_share_of_repeats_is_as_asked() {
        let sequence = sequence(1 << 30, 0.02, 9);
        let repeats = (0..100_000).filter(|n| sequence.is_repeat(*n)).count();
        assert!((1_800..2_200).contains(&repeats), "{repeats}");
    }

    proptest! {
        #[test]
        fn the_pool_is_permuted(pool in 1_u64..2_000, seed: u64) {
            let sequence = sequence(pool, 0.0, seed);
            let numbers: HashSet<_> = (0..pool).map(|n| sequence.number(n)).collect();
            prop_assert_eq!(numbers.len() as u64, pool);
            prop_assert!(numbers.iter().all(|number| (1..=pool).contains(number)));
        }

        #[test]
        fn a_repeat_is_an_earlier_original(n in 1_u64..10_000, seed: u64) {
            let sequence = sequence(10_000, 0.3, seed);
            let original = sequence.original(n);
            prop_assert!(!sequence.is_repeat(original));
            prop_assert_eq!(original == n, !sequence.is_repeat(n));
            prop_assert!(original <= n);
        }
    }
}
