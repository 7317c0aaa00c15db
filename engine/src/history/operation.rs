//! One attempt of one user, as a plain record of fixed size.

use serde::{Deserialize, Serialize};

/// What an attempt came to, as the checkers understand it.
///
/// The scenario's outcome names ([`crate::plan::Label`]) each belong to one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum OutcomeKind {
    /// The server confirmed that it issued.
    Issued = 0,
    /// Accepted, the result comes later; until then it may or may not have happened.
    Pending = 1,
    /// Refused because nothing is left.
    SoldOut = 2,
    /// Refused because this user already has one.
    Duplicate = 3,
    /// The same confirmation again for the same user: an idempotent replay.
    Replay = 4,
    /// Another refusal that certainly did nothing (closed, not admitted, lock not got).
    Refused = 5,
    /// The server says that it failed and did nothing; counted as a failed request.
    Error = 6,
    /// A request that is not an attempt to get anything, answered well.
    Ok = 7,
    /// It certainly did not happen: nothing was written to the connection.
    NotSent = 8,
    /// It may have happened: no answer, or one that the scenario does not declare.
    Unknown = 9,
}

impl OutcomeKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 10] = [
        Self::Issued,
        Self::Pending,
        Self::SoldOut,
        Self::Duplicate,
        Self::Replay,
        Self::Refused,
        Self::Error,
        Self::Ok,
        Self::NotSent,
        Self::Unknown,
    ];

    /// The kind with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether `http_req_failed` counts it. Business refusals are never failures.
    pub const fn is_failed_request(self) -> bool {
        matches!(self, Self::Error | Self::NotSent | Self::Unknown)
    }

    /// Whether the attempt may have taken effect although no confirmation was received.
    pub const fn may_have_happened(self) -> bool {
        matches!(self, Self::Pending | Self::Unknown)
    }

    /// Whether the server confirmed to the user that it holds one.
    pub const fn is_acknowledged(self) -> bool {
        matches!(self, Self::Issued | Self::Replay)
    }
}

/// A user or coupon id as 64 bits, so that a record has a fixed size and joins are cheap.
///
/// A canonical decimal number below 2^63 is its own key; any other text is a 63-bit hash (FNV-1a
/// with a final avalanche) with the top bit set. For ten million different texts the chance that
/// any two share a key is below one in 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u64);

impl Key {
    /// No id is known.
    pub const NONE: Self = Self(u64::MAX);
    const HASHED: u64 = 1 << 63;

    /// The key of this id as it was sent, or as the truth shows it.
    pub fn of(text: &str) -> Self {
        match canonical_number(text) {
            Some(number) => Self(number),
            None => Self(Self::HASHED | hash(text.as_bytes())),
        }
    }

    /// The id itself, when the key is not a hash.
    pub const fn number(self) -> Option<u64> {
        if self.0 & Self::HASHED == 0 {
            Some(self.0)
        } else {
            None
        }
    }

    /// Whether an id is known.
    pub const fn is_some(self) -> bool {
        self.0 != Self::NONE.0
    }
}

fn canonical_number(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let canonical = !bytes.is_empty()
        && bytes.len() <= 19
        && bytes.iter().all(u8::is_ascii_digit)
        && (bytes[0] != b'0' || bytes.len() == 1);
    canonical
        .then(|| text.parse::<u64>().ok())
        .flatten()
        .filter(|number| number & Key::HASHED == 0)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The one text that would collide with NONE is moved by the mask; FNV alone mixes its high
    // bits badly for short texts, hence the avalanche.
    let mixed = crate::plan::mix(state);
    (mixed & !Key::HASHED) % (Key::HASHED - 1)
}

/// One attempt of one user. Times are nanoseconds since the run's origin, on a monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Who asked.
    pub user: Key,
    /// The coupon that the answer named, or [`Key::NONE`].
    pub coupon: Key,
    /// Before the first byte was written (or before the connection was tried, if none was).
    pub inv_ns: u64,
    /// After the body was fully read, or when the attempt was given up. A checker takes the end of
    /// an attempt without a certain answer as infinite, whatever stands here.
    pub ret_ns: u64,
    /// How long before `inv_ns` the attempt was due, in microseconds, saturating at 71 minutes.
    pub lag_us: u32,
    /// The HTTP status, 0 without an answer.
    pub status: u16,
    /// What it came to.
    pub kind: OutcomeKind,
    /// Index into [`crate::plan::Plan::labels`].
    pub label: u8,
    /// Index into [`crate::plan::Plan::steps`].
    pub step: u8,
    /// Why there is no certain answer.
    pub cause: Cause,
    /// Index into [`crate::plan::Plan::phases`].
    pub phase: u16,
    /// The virtual user, counted from 0 within its load.
    pub vu: u32,
}

/// Why an attempt ended without an answer that the scenario declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Cause {
    /// There was an answer that the scenario declares.
    None = 0,
    /// Nobody listens there.
    ConnectRefused = 1,
    /// The connection was not made in time.
    ConnectTimeout = 2,
    /// The connection could not be made for another reason (DNS, no route).
    ConnectFailed = 3,
    /// The TLS handshake failed.
    TlsFailed = 4,
    /// The answer did not come in time.
    Timeout = 5,
    /// The peer reset or closed the connection before the answer was complete.
    ConnectionLost = 6,
    /// The answer is not HTTP, or its body could not be read.
    BadAnswer = 7,
    /// No outcome of the step matches the answer.
    Undeclared = 8,
    /// The run ended while the attempt was under way.
    Cut = 9,
    /// A value that the request needs was not there: an earlier answer did not bring it.
    ValueMissing = 10,
    /// A value cannot stand where the request has its place, such as a line break in a header.
    ValueUnfit = 11,
    /// No port was left of the addresses of this machine that connections come from.
    NoLocalPort = 12,
    /// This machine, or this process, had no file left for a connection.
    NoFile = 13,
}

impl Cause {
    /// Every cause, in the order of its number.
    pub const ALL: [Self; 14] = [
        Self::None,
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::ConnectFailed,
        Self::TlsFailed,
        Self::Timeout,
        Self::ConnectionLost,
        Self::BadAnswer,
        Self::Undeclared,
        Self::Cut,
        Self::ValueMissing,
        Self::ValueUnfit,
        Self::NoLocalPort,
        Self::NoFile,
    ];

    /// The cause in words that finish "because".
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "it was answered",
            Self::ConnectRefused => "the connection was refused",
            Self::ConnectTimeout => "the connection was not made in time",
            Self::ConnectFailed => "the connection could not be made",
            Self::TlsFailed => "the TLS handshake failed",
            Self::Timeout => "no answer came in time",
            Self::ConnectionLost => "the connection was lost before the answer was complete",
            Self::BadAnswer => "the answer could not be read",
            Self::Undeclared => "no outcome of the step matches the answer",
            Self::Cut => "the run ended while the request was under way",
            Self::ValueMissing => "a value that it needs is not there",
            Self::ValueUnfit => "a value cannot stand at its place in the request",
            Self::NoLocalPort => "this machine had no local port left for the connection",
            Self::NoFile => "this machine had no open file left for the connection",
        }
    }
}

impl Operation {
    /// Bytes of one record on disk.
    pub const SIZE: usize = 48;

    /// The record as it stands on disk, little endian.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0_u8; Self::SIZE];
        bytes[0..8].copy_from_slice(&self.user.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.coupon.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.inv_ns.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.ret_ns.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.lag_us.to_le_bytes());
        bytes[36..38].copy_from_slice(&self.status.to_le_bytes());
        bytes[38] = self.kind as u8;
        bytes[39] = self.label;
        bytes[40] = self.step;
        bytes[41] = self.cause as u8;
        bytes[42..44].copy_from_slice(&self.phase.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.vu.to_le_bytes());
        bytes
    }

    /// Reads a record back; `None` if a byte that names a kind or cause is none of ours.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let u64_at = |at: usize| u64::from_le_bytes(array(bytes, at));
        let u32_at = |at: usize| u32::from_le_bytes(array(bytes, at));
        let u16_at = |at: usize| u16::from_le_bytes(array(bytes, at));
        Some(Self {
            user: Key(u64_at(0)),
            coupon: Key(u64_at(8)),
            inv_ns: u64_at(16),
            ret_ns: u64_at(24),
            lag_us: u32_at(32),
            status: u16_at(36),
            kind: OutcomeKind::from_number(bytes[38])?,
            label: bytes[39],
            step: bytes[40],
            cause: *Cause::ALL.get(usize::from(bytes[41]))?,
            phase: u16_at(42),
            vu: u32_at(44),
        })
    }
}

fn array<const N: usize>(bytes: &[u8; Operation::SIZE], at: usize) -> [u8; N] {
    let mut out = [0_u8; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_canonical_numbers_are_their_own_key() {
        assert_eq!(Key::of("42").number(), Some(42));
        assert_eq!(Key::of("0").number(), Some(0));
        for text in ["", "007", "+1", "-1", "1.0", "a1", "9223372036854775808"] {
            assert_eq!(Key::of(text).number(), None, "{text:?}");
        }
        assert_ne!(Key::of("007"), Key::of("7"));
        assert_ne!(Key::of("user-1"), Key::of("user-2"));
    }

    proptest! {
        #[test]
        fn a_record_survives_the_disk(
            user: u64, coupon: u64, inv_ns: u64, ret_ns: u64, lag_us: u32, status: u16,
            kind in 0_u8..10, label: u8, step: u8, cause in 0_usize..14, phase: u16, vu: u32,
        ) {
            let operation = Operation {
                user: Key(user), coupon: Key(coupon), inv_ns, ret_ns, lag_us, status,
                kind: OutcomeKind::from_number(kind).expect("in range"),
                label, step, cause: Cause::ALL[cause], phase, vu,
            };
            prop_assert_eq!(Operation::from_bytes(&operation.to_bytes()), Some(operation));
        }

        #[test]
        fn no_text_has_the_key_of_nothing(text: String) {
            prop_assert!(Key::of(&text).is_some());
        }
    }
}
