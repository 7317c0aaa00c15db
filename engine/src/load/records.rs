//! What is known of each user: one record for each, held as one text and the ends of its values.

/// The records of all users, in the order in which they were read.
#[derive(Debug, Default)]
pub struct Records {
    /// All values, one behind the other.
    text: String,
    /// Where each value ends, row by row.
    ends: Vec<usize>,
    /// The slots that a row's values go to.
    slots: Vec<u8>,
    rows: u64,
}

impl Records {
    /// Records whose values go to these slots, in this order.
    pub fn new(slots: Vec<u8>) -> Self {
        Self {
            slots,
            ..Self::default()
        }
    }

    /// One record more: a value for each slot.
    pub fn push<'v>(&mut self, values: impl Iterator<Item = &'v str>) {
        for value in values.take(self.slots.len()) {
            self.text.push_str(value);
            self.ends.push(self.text.len());
        }
        self.rows += 1;
    }

    /// Gives back the room that growing has left over.
    pub fn complete(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.rows
    }

    /// Puts what is known of the user with this number, from 1, into its slots. `false`: there is
    /// no such record, and the slots are empty.
    pub fn fill(&self, number: u64, slots: &mut [Option<String>]) -> bool {
        let row = number.checked_sub(1).filter(|row| *row < self.rows);
        for (column, slot) in self.slots.iter().enumerate() {
            let Some(slot) = slots.get_mut(usize::from(*slot)) else {
                continue;
            };
            let Some(row) = row else {
                *slot = None;
                continue;
            };
            let text = slot.get_or_insert_default();
            text.clear();
            text.push_str(self.value(row as usize * self.slots.len() + column));
        }
        row.is_some()
    }

    /// Bytes that the records take.
    pub const fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    fn value(&self, at: usize) -> &str {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from..self.ends[at]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_its_own_values_and_one_beyond_the_last_has_none() {
        let mut records = Records::new(vec![2, 0]);
        records.push(["a", ""].into_iter());
        records.push(["b", "two"].into_iter());
        let mut slots = vec![None, Some("kept".to_owned()), None];
        assert!(records.fill(2, &mut slots));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(slots, [text("two"), text("kept"), text("b")]);
        assert!(records.fill(1, &mut slots));
        assert_eq!(slots, [text(""), text("kept"), text("a")]);
        for number in [0, 3] {
            assert!(!records.fill(number, &mut slots));
            assert_eq!(slots, [None, text("kept"), None]);
        }
    }

    #[test]
    fn a_million_users_with_three_columns_stay_small() {
        let mut records = Records::new(vec![0, 1, 2]);
        for n in 0..1_000_000 {
            let id = n.to_string();
            let name = format!("member-{n}@example.com");
            records.push([id.as_str(), &name, "0123456789abcdef0123456789abcdef"].into_iter());
        }
        records.complete();
        assert_eq!(records.count(), 1_000_000);
        assert!(records.bytes() < 100 << 20, "{}", records.bytes());
    }
}
