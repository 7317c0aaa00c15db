//! Which user asks next: a permutation of the pool that follows from the seed, without a list.

use super::{Draw, Template, Users, Values};

/// How far back a purposely repeated user may lie, in iterations. Near enough that the two
/// attempts can overlap, far enough that most come after the first answer.
const REPEAT_WINDOW: u64 = 256;

/// Marks a place of a sequence at random that stands for a user beyond the pool.
const BEYOND: u64 = 1 << 63;

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
    draw: Draw,
    /// Bits of a place, in two parts: the upper one has as many as the lower one, or one less.
    bits: [u32; 2],
    /// Of the rounds of the permutation.
    keys: [u64; 4],
    repeat_below: u64,
    id: Template,
}

impl UserSequence {
    /// The sequence of these users under this seed.
    pub fn new(users: &Users, seed: u64) -> Self {
        let pool = users.pool.max(1);
        let bits = (u64::BITS - (pool - 1).leading_zeros()).max(2);
        Self {
            seed,
            pool,
            draw: users.draw,
            bits: [bits / 2, bits - bits / 2],
            keys: [0, 1, 2, 3].map(|round| mix(seed ^ mix(round))),
            repeat_below: (users.repeat.clamp(0.0, 1.0) * u64::MAX as f64) as u64,
            id: users.id.clone(),
        }
    }

    /// The number of the user at place `n`, from 1 to the pool's size, or above it when the
    /// sequence is longer than the pool: users beyond the pool are taken in plain order, so that
    /// they are still new. Users that are drawn at random are never beyond the pool.
    pub fn number(&self, n: u64) -> u64 {
        self.fresh(self.original(n))
    }

    /// The place of a user who has certainly not asked before place `n`: what is drawn at random
    /// may have been drawn already, so it is taken from beyond the pool.
    pub const fn place_of_new(&self, n: u64) -> u64 {
        match self.draw {
            Draw::Once => n,
            Draw::AtRandom => n | BEYOND,
        }
    }

    /// Whether place `n` repeats an earlier user on purpose.
    pub fn is_repeat(&self, n: u64) -> bool {
        n > 0 && self.repeat_below > 0 && mix(self.seed ^ mix(n)) < self.repeat_below
    }

    /// Writes the id that is sent for this user into `out`, whose room is used again. The id is
    /// made of the other values.
    pub fn write_id(&self, values: &Values<'_>, out: &mut String) {
        let mut bytes = std::mem::take(out).into_bytes();
        bytes.clear();
        self.id.render(values, &mut bytes);
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
    /// window, chosen by the seed. Of users drawn at random, the place of whoever is drawn: the
    /// same user has the same one each time.
    pub fn original(&self, n: u64) -> u64 {
        if self.draw == Draw::AtRandom {
            return self.drawn(n);
        }
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

    /// Evenly distributed over the pool.
    fn drawn(&self, n: u64) -> u64 {
        if n & BEYOND != 0 {
            return self.pool.saturating_add(n & !BEYOND);
        }
        let chance = mix(self.seed ^ mix(n ^ 0x3333));
        // The high half of the product has no bias that a run could show (Lemire, 2019).
        ((u128::from(chance) * u128::from(self.pool)) >> 64) as u64
    }

    /// The user who is new at this place, also where a repeat stands there.
    pub fn fresh(&self, place: u64) -> u64 {
        if place >= self.pool {
            return place + 1;
        }
        // Cycle walking: a Feistel network permutes a power of two that is less than twice the pool;
        // walking on until the value is in the pool keeps it a permutation of the pool.
        let mut value = self.feistel(place);
        while value >= self.pool {
            value = self.feistel(value);
        }
        value + 1
    }

    /// Four rounds. Each changes one part by the other alone, so that it can be undone.
    fn feistel(&self, value: u64) -> u64 {
        let [upper_bits, lower_bits] = self.bits;
        let (upper_mask, lower_mask) = ((1 << upper_bits) - 1, (1 << lower_bits) - 1);
        let (mut upper, mut lower) = (value >> lower_bits, value & lower_mask);
        for keys in self.keys.chunks_exact(2) {
            upper ^= mix(lower ^ keys[0]) & upper_mask;
            lower ^= mix(upper ^ keys[1]) & lower_mask;
        }
        (upper << lower_bits) | lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn sequence(pool: u64, repeat: f64, seed: u64) -> UserSequence {
        let users = Users {
            repeat,
            ..Users::numbered(pool)
        };
        UserSequence::new(&users, seed)
    }

    fn at_random(pool: u64, seed: u64) -> UserSequence {
        let users = Users {
            draw: Draw::AtRandom,
            ..Users::numbered(pool)
        };
        UserSequence::new(&users, seed)
    }

    #[test]
    fn users_at_random_come_again_as_often_as_chance_says() {
        let sequence = at_random(1_000, 4);
        let mut counts = vec![0_u32; 1_000];
        for n in 0..100_000 {
            counts[sequence.number(n) as usize - 1] += 1;
        }
        // A hundred each; seven deviations of 10 are beyond chance in a thousand counts.
        let unusual = counts.iter().filter(|count| !(30..=170).contains(*count));
        assert_eq!(unusual.count(), 0, "{counts:?}");
        let drawn: Vec<_> = (0..50).map(|n| sequence.number(n)).collect();
        let again: Vec<_> = (0..50).map(|n| at_random(1_000, 4).number(n)).collect();
        let other: Vec<_> = (0..50).map(|n| at_random(1_000, 5).number(n)).collect();
        assert_eq!(drawn, again, "the seed decides");
        assert_ne!(drawn, other);
    }

    #[test]
    fn a_user_at_random_has_the_same_uuid_each_time() {
        let sequence = at_random(2, 1);
        let pairs: HashSet<_> = (0..50)
            .map(|n| (sequence.number(n), sequence.random(sequence.original(n))))
            .collect();
        assert_eq!(pairs.len(), 2);
    }

    #[test]
    fn a_new_user_has_never_been_drawn() {
        let sequence = at_random(10, 1);
        let new: HashSet<_> = (0..20)
            .map(|n| sequence.number(sequence.place_of_new(n)))
            .collect();
        assert_eq!(new.len(), 20);
        assert!(new.iter().all(|number| *number > 10), "{new:?}");
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
        fn the_order_of_a_large_pool_is_one_of_chance(
            pool in (1_u64 << 20)..(1 << 40),
            seed: u64,
        ) {
            let sequence = sequence(pool, 0.0, seed);
            let numbers: Vec<_> = (0..4_000).map(|n| sequence.number(n)).collect();
            let distinct: HashSet<_> = numbers.iter().collect();
            prop_assert_eq!(distinct.len(), 4_000);
            // Sixteenths of the pool: 250 each, and eight deviations of 15.3 are beyond chance.
            let mut counts = [0_i32; 16];
            let mut odd = 0_i32;
            for number in &numbers {
                counts[(u128::from(*number - 1) * 16 / u128::from(pool)) as usize] += 1;
                odd += (number % 2) as i32;
            }
            prop_assert!(counts.iter().all(|count| (count - 250).abs() < 123), "{:?}", counts);
            prop_assert!((odd - 2_000).abs() < 254, "{}", odd);
            let rises = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count() as i32;
            prop_assert!((rises - 2_000).abs() < 254, "{}", rises);
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
