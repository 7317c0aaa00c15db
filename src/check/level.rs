//! How many of something are out at a moment, and the most in a span: counts that go up at some
//! moments and down behind others. O(log n) for a question.

/// `at(t) = base + #{up <= t} - #{down < t}`: what goes up at a moment is there at it, and what goes
/// down at a moment is gone only behind it.
#[derive(Debug, Default)]
pub(super) struct Level {
    base: i64,
    up_ns: Vec<u64>,
    down_ns: Vec<u64>,
    /// A segment tree of the values at `up_ns`: the level rises nowhere else.
    most: Vec<i64>,
}

impl Level {
    /// From moments in any order.
    pub(super) fn of(base: i64, mut up_ns: Vec<u64>, mut down_ns: Vec<u64>) -> Self {
        up_ns.sort_unstable();
        down_ns.sort_unstable();
        let mut level = Self {
            base,
            up_ns,
            down_ns,
            most: Vec::new(),
        };
        let leaves = level.up_ns.len();
        let mut most = vec![i64::MIN; leaves];
        most.extend(level.up_ns.iter().map(|at_ns| level.at(*at_ns)));
        for node in (1..leaves).rev() {
            most[node] = most[2 * node].max(most[2 * node + 1]);
        }
        level.most = most;
        level
    }

    /// The level at a moment.
    pub(super) fn at(&self, at_ns: u64) -> i64 {
        let up = self.up_ns.partition_point(|up| *up <= at_ns);
        let down = self.down_ns.partition_point(|down| *down < at_ns);
        self.base + up as i64 - down as i64
    }

    /// The most at any moment of the closed span.
    pub(super) fn most(&self, from_ns: u64, to_ns: u64) -> i64 {
        let leaves = self.up_ns.len();
        let mut most = self.at(from_ns);
        let mut left = leaves + self.up_ns.partition_point(|up| *up <= from_ns);
        let mut right = leaves + self.up_ns.partition_point(|up| *up <= to_ns);
        while left < right {
            if left % 2 == 1 {
                most = most.max(self.most[left]);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                most = most.max(self.most[right]);
            }
            (left, right) = (left / 2, right / 2);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_most_is_what_looking_at_every_moment_finds(
            base in -3..4_i64,
            up in prop::collection::vec(0..20_u64, 0..9),
            down in prop::collection::vec(0..20_u64, 0..9),
            from in 0..22_u64,
            length in 0..22_u64,
        ) {
            let at = |t: u64| {
                let ups = up.iter().filter(|one| **one <= t).count() as i64;
                base + ups - down.iter().filter(|one| **one < t).count() as i64
            };
            let level = Level::of(base, up.clone(), down.clone());
            let expected = (from..=from + length).map(at).max();
            prop_assert_eq!(Some(level.most(from, from + length)), expected);
        }
    }
}
