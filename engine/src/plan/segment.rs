//! The part of a load that one of several instances runs: every n-th VU, iteration, tick and user.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of `of` equal parts of a load, striped: it has the places `number - 1`, `number - 1 + of`,
/// `number - 1 + 2 * of` and so on, whatever is counted. So each instance knows its part by itself,
/// and all parts together are the whole, whatever the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Segment {
    number: u64,
    of: u64,
}

/// More instances than this are a mistake.
const MOST: u64 = 10_000;

impl Segment {
    /// The whole load.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// The `number`-th, from 1, of so many; `None` if there is no such one.
    pub const fn new(number: u64, of: u64) -> Option<Self> {
        if number >= 1 && number <= of && of <= MOST {
            Some(Self { number, of })
        } else {
            None
        }
    }

    /// Which one, from 1.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// How many there are.
    pub const fn of(self) -> u64 {
        self.of
    }

    /// Whether there is no other.
    pub const fn is_whole(self) -> bool {
        self.of == 1
    }

    /// Whether it does what is done once for all of them.
    pub const fn leads(self) -> bool {
        self.number == 1
    }

    /// The place, among all, of what is its `k`-th; both from 0.
    pub const fn place(self, k: u64) -> u64 {
        k.saturating_mul(self.of).saturating_add(self.number - 1)
    }

    /// How many of `all` it has.
    pub const fn share(self, all: u64) -> u64 {
        all.saturating_sub(self.number - 1).div_ceil(self.of)
    }

    /// The segment where what is shared needs VUs, and there are only so many: with fewer VUs than
    /// segments, the first segments have one each and share all. `None`: this one has none.
    pub fn among(self, vus: u64) -> Option<Self> {
        Self::new(self.number, self.of.min(vus.max(1)))
    }
}

impl Default for Segment {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Segment {
    type Err = String;

    /// Reads `2/3`.
    fn from_str(text: &str) -> Result<Self, String> {
        let segment = text.split_once('/').and_then(|(number, of)| {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let both = plain(number) && plain(of);
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            Self::new(number, of).filter(|_| both)
        });
        segment.ok_or_else(|| {
            format!("`{text}` is no segment (hint: `2/3` is the second of three, at most {MOST})")
        })
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.to_string()
    }
}

impl TryFrom<String> for Segment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Draw, UserSequence, Users};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn all(of: u64) -> impl Iterator<Item = Segment> {
        (1..=of).map(move |number| Segment::new(number, of).expect("one of them"))
    }

    #[test]
    fn what_is_no_segment_is_refused_with_an_example() {
        for text in [
            "", "1", "0/3", "4/3", "1/0", "+1/3", "1/ 3", "a/b", "1/20000",
        ] {
            let error = text.parse::<Segment>().expect_err(text);
            assert!(error.contains("`2/3`"), "{text}: {error}");
        }
        let segment: Segment = "2/3".parse().expect("a segment");
        assert_eq!((segment.number(), segment.of()), (2, 3));
        assert_eq!(segment.to_string(), "2/3");
    }

    #[test]
    fn with_fewer_vus_than_segments_the_first_share_everything() {
        let shares: Vec<_> = all(5)
            .map(|one| one.among(2).map(|one| one.share(7)))
            .collect();
        assert_eq!(shares, [Some(4), Some(3), None, None, None]);
    }

    proptest! {
        #[test]
        fn segments_share_all_places_and_none_twice(of in 1_u64..20, count in 0_u64..500) {
            let mut places = HashSet::new();
            for segment in all(of) {
                for k in 0..segment.share(count) {
                    prop_assert!(places.insert(segment.place(k)));
                }
                prop_assert!(segment.place(segment.share(count)) >= count);
            }
            prop_assert_eq!(places, (0..count).collect::<HashSet<_>>());
        }

        #[test]
        fn the_users_of_all_segments_are_those_of_the_whole(
            of in 1_u64..8, each in 0_u64..50, seed: u64, at_random: bool,
        ) {
            let draw = if at_random { Draw::AtRandom } else { Draw::Once };
            let users = Users { repeat: 0.2, draw, ..Users::numbered(100) };
            let sequence = UserSequence::new(&users, seed);
            let mut whole: Vec<_> = (0..each * of).map(|n| sequence.number(n)).collect();
            let mut parts: Vec<_> = all(of)
                .flat_map(|segment| (0..each).map(move |k| segment.place(k)))
                .map(|place| sequence.number(place))
                .collect();
            whole.sort_unstable();
            parts.sort_unstable();
            prop_assert_eq!(parts, whole);
        }
    }
}
