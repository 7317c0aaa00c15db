//! Random numbers for tokens and pauses, from keys that the system gave this process.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A keyed hash of a counter: nobody without the keys can tell one number from those before it,
/// and two processes have other keys.
pub(super) struct Random {
    keys: [RandomState; 2],
    drawn: AtomicU64,
}

impl Random {
    pub(super) fn new() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            drawn: AtomicU64::new(0),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.keys[0].hash_one(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// A text that no other lock of any server has: 128 bits.
    pub(super) fn token(&self) -> String {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut token = String::with_capacity(32);
        for keys in &self.keys {
            // Writing to a text cannot fail.
            let _ = write!(token, "{:016x}", keys.hash_one(drawn));
        }
        token
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_token_comes_twice_from_one_source_or_from_two() {
        let (a, b) = (Random::new(), Random::new());
        let tokens: HashSet<_> = (0..1000).flat_map(|_| [a.token(), b.token()]).collect();
        assert_eq!(tokens.len(), 2000);
        assert!(tokens.iter().all(|token| token.len() == 32));
    }
}
