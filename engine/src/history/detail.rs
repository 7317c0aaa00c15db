//! What an attempt was about, as a record of fixed size beside the history: a seat, or an account, the
//! key of a charge and its amount.

use super::{Amount, Key, Operation};

/// An attempt and what it was about. It repeats the attempt, so that it says something without the
/// history, and whatever is lost of either does not make the other say something wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// The attempt, as the history has it.
    pub operation: Operation,
    /// The seat, or [`Key::NONE`].
    pub seat: Key,
    /// The account, or [`Key::NONE`].
    pub account: Key,
    /// The idempotency key, or [`Key::NONE`].
    pub key: Key,
    /// What the charge adds to the account, where that is known.
    pub amount: Option<Amount>,
}

impl Detail {
    /// Bytes of one record on disk.
    pub const SIZE: usize = Operation::SIZE + 40;

    /// The record as it stands on disk, little endian.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0_u8; Self::SIZE];
        bytes[..48].copy_from_slice(&self.operation.to_bytes());
        bytes[48..56].copy_from_slice(&self.seat.0.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.account.0.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.key.0.to_le_bytes());
        bytes[72..].copy_from_slice(&Amount::to_bytes(self.amount));
        bytes
    }

    /// Reads a record back; `None` if its attempt is none of ours.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let (operation, rest) = bytes.split_first_chunk()?;
        let (seat, rest) = rest.split_first_chunk()?;
        let (account, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (amount, _) = rest.split_first_chunk()?;
        let id = |bytes: &[u8; 8]| Key(u64::from_le_bytes(*bytes));
        Some(Self {
            operation: Operation::from_bytes(operation)?,
            seat: id(seat),
            account: id(account),
            key: id(key),
            amount: Amount::from_bytes(*amount),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cause, OutcomeKind};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_survives_the_disk(
            seat: u64, account: u64, key: u64, user: u64, whole in prop::option::of(any::<i64>()),
        ) {
            let operation = Operation {
                user: Key(user), coupon: Key::NONE, inv_ns: 1, ret_ns: 2, lag_us: 3, status: 4,
                kind: OutcomeKind::Unknown, label: 9, step: 5, cause: Cause::Timeout, phase: 6,
                vu: 7,
            };
            let detail = Detail {
                operation, seat: Key(seat), account: Key(account), key: Key(key),
                amount: whole.map(Amount::from),
            };
            prop_assert_eq!(Detail::from_bytes(&detail.to_bytes()), Some(detail));
        }
    }
}
