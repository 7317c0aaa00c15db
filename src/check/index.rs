//! Finds keys in a list: four bytes a slot, where a map of the standard library would hold the keys
//! and values once more, with a third of its places empty.

use crate::history::Key;
use crate::plan::mix;

/// Numbers of distinct keys by key, with linear probing. The keys stand with whoever asks, who says
/// for each number which key it has.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyIndex {
    /// A number, or [`EMPTY`]; a power of two of them, at most two thirds of them taken.
    slots: Vec<u32>,
    taken: usize,
}

const EMPTY: u32 = u32::MAX;

impl KeyIndex {
    /// Room for so many keys.
    pub(super) fn with_capacity(keys: usize) -> Self {
        Self {
            slots: vec![EMPTY; slots_for(keys)],
            taken: 0,
        }
    }

    /// The number of this key.
    pub(super) fn find(&self, key: Key, key_of: impl Fn(usize) -> Key) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let number = self.slots[self.slot(key, key_of)];
        (number != EMPTY).then_some(number as usize)
    }

    /// Gives a key that is not there a number.
    ///
    /// # Panics
    /// With more than four billion keys, whose values would fill hundreds of gigabytes before.
    pub(super) fn insert(&mut self, key: Key, number: usize, key_of: impl Fn(usize) -> Key) {
        if 3 * (self.taken + 1) > 2 * self.slots.len() {
            self.grow(&key_of);
        }
        let slot = self.slot(key, key_of);
        self.slots[slot] = u32::try_from(number).expect("fewer keys than fill the memory");
        self.taken += 1;
    }

    fn grow(&mut self, key_of: impl Fn(usize) -> Key) {
        let slots = slots_for(2 * self.taken.max(4));
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; slots]);
        for number in old.into_iter().filter(|number| *number != EMPTY) {
            let slot = self.slot(key_of(number as usize), &key_of);
            self.slots[slot] = number;
        }
    }

    /// Where the key is, or would be.
    fn slot(&self, key: Key, key_of: impl Fn(usize) -> Key) -> usize {
        let mask = self.slots.len() - 1;
        // Numbers of users stand close together; mixed, they fill no runs.
        let mut slot = mix(key.0) as usize & mask;
        loop {
            let number = self.slots[slot];
            if number == EMPTY || key_of(number as usize) == key {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }
}

fn slots_for(keys: usize) -> usize {
    (keys * 3 / 2 + 1).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_key_has_its_number_however_many_there_are() {
        for capacity in [0, 1, 1_000] {
            let mut index = match capacity {
                0 => KeyIndex::default(),
                _ => KeyIndex::with_capacity(capacity),
            };
            let (mut keys, mut known) = (Vec::new(), HashMap::new());
            for draw in 0..5_000_u64 {
                // Close together, far apart, and every one more than once.
                let key = Key(if draw % 2 == 0 {
                    draw / 5
                } else {
                    mix(draw / 7)
                });
                let number = index.find(key, |number| keys[number]);
                assert_eq!(number, known.get(&key).copied(), "{key:?}");
                if number.is_none() {
                    known.insert(key, keys.len());
                    keys.push(key);
                    index.insert(key, keys.len() - 1, |number| keys[number]);
                }
            }
            assert_eq!(index.find(Key::NONE, |number| keys[number]), None);
        }
    }
}
