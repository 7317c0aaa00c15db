//! What one answer said of a user's place in a waiting queue, as a plain record of fixed size.

use std::io::{self, Read};

use super::Key;

const MAGIC: &[u8; 8] = b"fcfsqueu";
const VERSION: u32 = 1;
const HEADER: usize = 16;

/// What one answer said of a user's place. Times are those of its operation, in nanoseconds since
/// the run's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Who asked.
    pub user: Key,
    /// Before the first byte was written.
    pub inv_ns: u64,
    /// After the body was fully read.
    pub ret_ns: u64,
    /// The ticket that the answer named, or [`Place::NONE`].
    pub ticket: u64,
    /// How many it said are ahead, or [`Place::NONE`].
    pub ahead: u64,
    /// Index into [`crate::plan::Plan::phases`].
    pub phase: u16,
    /// Index into [`crate::plan::Plan::steps`].
    pub step: u8,
    /// Index into [`crate::plan::Plan::labels`].
    pub label: u8,
}

impl Place {
    /// In the place of a number: the answer had none that is whole and not negative.
    pub const NONE: u64 = u64::MAX;

    /// Bytes of one record on disk.
    pub const SIZE: usize = 44;

    /// The record as it stands on disk, little endian.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0_u8; Self::SIZE];
        let numbers = [
            self.user.0,
            self.inv_ns,
            self.ret_ns,
            self.ticket,
            self.ahead,
        ];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes[40..42].copy_from_slice(&self.phase.to_le_bytes());
        bytes[42] = self.step;
        bytes[43] = self.label;
        bytes
    }

    /// Reads a record back: any bytes are one.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let number = |at: usize| {
            let mut number = [0_u8; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        Self {
            user: Key(number(0)),
            inv_ns: number(8),
            ret_ns: number(16),
            ticket: number(24),
            ahead: number(32),
            phase: u16::from_le_bytes([bytes[40], bytes[41]]),
            step: bytes[42],
            label: bytes[43],
        }
    }

    /// What stands at the beginning of a file of such records.
    pub(super) fn header() -> [u8; HEADER] {
        let mut header = [0_u8; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[12..].copy_from_slice(&(Self::SIZE as u32).to_le_bytes());
        header
    }
}

/// The records of such a file from its header on, one after the other: memory does not grow with the
/// file. What is torn at the end is left out.
///
/// # Errors
/// When the header is none of this version; an item when it cannot be read on.
pub fn places_of(mut file: impl Read) -> io::Result<impl Iterator<Item = io::Result<Place>>> {
    let mut header = [0_u8; HEADER];
    file.read_exact(&mut header)?;
    if header != Place::header() {
        let message = format!("no places in a queue of version {VERSION}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(std::iter::from_fn(move || {
        let mut bytes = [0_u8; Place::SIZE];
        match file.read_exact(&mut bytes) {
            Ok(()) => Some(Ok(Place::from_bytes(&bytes))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => Some(Err(error)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_survives_the_disk(
            user: u64, inv_ns: u64, ret_ns: u64, ticket: u64, ahead: u64, phase: u16, step: u8,
            label: u8,
        ) {
            let place = Place {
                user: Key(user), inv_ns, ret_ns, ticket, ahead, phase, step, label,
            };
            prop_assert_eq!(Place::from_bytes(&place.to_bytes()), place);
        }

        #[test]
        fn any_bytes_are_refused_or_read_and_never_more_than_there_are(
            bytes in prop::collection::vec(0_u8..12, 0..300),
            has_header: bool,
        ) {
            let mut file = Vec::new();
            if has_header {
                file.extend_from_slice(&Place::header());
            }
            file.extend_from_slice(&bytes);
            match places_of(file.as_slice()) {
                Ok(places) => {
                    prop_assert!(has_header);
                    let read = places.take_while(Result::is_ok).count();
                    prop_assert_eq!(read, bytes.len() / Place::SIZE);
                }
                Err(_) => prop_assert!(!has_header),
            }
        }
    }
}
