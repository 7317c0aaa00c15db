//! Kafka's protocol (Kafka protocol guide, "Protocol primitives" and "Headers"): frames with a
//! length, and a number that a reply shares with its request.

use std::collections::VecDeque;

use super::{CHOSEN, Call, Replies, keep, take};

/// What is kept of a request: its header, and of `Produce` what stands before `acks`.
const KEPT: usize = 512;

/// No broker takes a longer request by default, none sends a longer reply by far.
const LARGEST: i32 = 1 << 30;

/// Numbers of APIs that are there, with room for those to come.
const APIS: std::ops::Range<i16> = 0..1_000;

const PRODUCE: i16 = 0;
const SASL_HANDSHAKE: i16 = 17;

/// The length and the number of a reply, by which it is known.
const REPLY_HEADER: usize = 8;

/// Follows one connection.
#[derive(Debug, Default)]
pub(super) struct Kafka {
    /// The length of the request that comes.
    asked: Vec<u8>,
    asked_left: usize,
    request: Vec<u8>,
    /// The numbers of requests whose replies are dropped.
    chosen: VecDeque<[u8; 4]>,
    lost: Option<&'static str>,
    /// Length and number of the reply that comes.
    answered: Vec<u8>,
    answered_left: usize,
    dropping: bool,
}

impl Kafka {
    pub(super) const fn lost(&self) -> Option<&'static str> {
        self.lost
    }

    pub(super) fn requests(&mut self, bytes: &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) {
        let mut bytes = bytes;
        while !bytes.is_empty() && self.lost.is_none() {
            if self.asked.len() < 4 {
                let missing = 4 - self.asked.len();
                self.asked.extend_from_slice(take(&mut bytes, missing));
                let Some(length) = self.asked.first_chunk() else {
                    continue;
                };
                // An API, its version and a number are the least.
                match i32::from_be_bytes(*length) {
                    length @ 8..=LARGEST => self.asked_left = length as usize,
                    _ => self.lost = Some("what the client says is not Kafka, or is TLS"),
                }
                continue;
            }
            let part = take(&mut bytes, self.asked_left);
            keep(&mut self.request, part, KEPT);
            self.asked_left -= part.len();
            if self.asked_left == 0 {
                self.request(choose);
                self.request.clear();
                self.asked.clear();
            }
        }
    }

    fn request(&mut self, choose: &mut dyn FnMut(Call<'_>) -> bool) {
        let [a, b, c, d, number @ ..] = *self.request.first_chunk::<8>().unwrap_or(&[0xff; 8]);
        let (api, version) = (i16::from_be_bytes([a, b]), i16::from_be_bytes([c, d]));
        if !APIS.contains(&api) {
            self.lost = Some("what the client says is not Kafka, or is TLS");
        } else if (api, version) == (SASL_HANDSHAKE, 0) {
            self.lost = Some("the client logs in with SASL outside of frames");
        } else if has_reply(api, version, &self.request[8..])
            && choose(Call::Api(api))
            && self.chosen.len() < CHOSEN
        {
            self.chosen.push_back(number);
        }
    }

    pub(super) fn replies(&mut self, bytes: &[u8]) -> Replies {
        let mut left = bytes;
        let mut seen = Replies::all(bytes);
        if self.dropping {
            seen.pass = 0;
        }
        while !left.is_empty() && (self.lost.is_none() || self.dropping) {
            if self.answered.len() < REPLY_HEADER {
                let missing = REPLY_HEADER - self.answered.len();
                self.answered.extend_from_slice(take(&mut left, missing));
                self.reply_header();
                if self.dropping {
                    // Without the last byte of its number, nobody takes it for a reply.
                    seen.pass = bytes.len() - left.len() - 1;
                }
            } else {
                self.answered_left -= take(&mut left, self.answered_left).len();
            }
            if self.answered.len() == REPLY_HEADER && self.answered_left == 0 {
                self.answered.clear();
                seen.dropped = self.dropping;
            }
            if seen.dropped {
                break;
            }
        }
        seen
    }

    /// Looks at length and number once both are there.
    fn reply_header(&mut self) {
        let [a, b, c, d, ref number @ ..] = self.answered[..] else {
            return;
        };
        let length = i32::from_be_bytes([a, b, c, d]);
        if !(4..=LARGEST).contains(&length) {
            self.lost = Some("what the server says is not Kafka");
            return;
        }
        self.answered_left = length as usize - 4;
        let place = self.chosen.iter().position(|chosen| chosen == number);
        self.dropping = place.is_some_and(|place| self.chosen.remove(place).is_some());
    }
}

/// Whether the broker answers: it does not to `Produce` with `acks=0`. `rest` follows the number.
fn has_reply(api: i16, version: i16, rest: &[u8]) -> bool {
    api != PRODUCE || acks(version, rest).is_some_and(|acks| acks != 0)
}

/// The `acks` of a `Produce`; none when it is not among the bytes.
fn acks(version: i16, rest: &[u8]) -> Option<i16> {
    let mut rest = behind_text(rest)?;
    // From version 9 on, texts have short lengths, and the header has tagged fields.
    if version >= 9 {
        rest = behind_tags(rest)?;
        let (length, behind) = unsigned(rest)?;
        rest = behind.get(usize::try_from(length).ok()?.saturating_sub(1)..)?;
    } else if version >= 3 {
        rest = behind_text(rest)?;
    }
    rest.first_chunk().map(|acks| i16::from_be_bytes(*acks))
}

/// Behind a text that may be missing: its length is then -1.
fn behind_text(bytes: &[u8]) -> Option<&[u8]> {
    let (length, behind) = bytes.split_first_chunk()?;
    behind.get(usize::try_from(i16::from_be_bytes(*length)).unwrap_or(0)..)
}

fn behind_tags(bytes: &[u8]) -> Option<&[u8]> {
    let (count, mut bytes) = unsigned(bytes)?;
    for _ in 0..count {
        let (_, behind) = unsigned(bytes)?;
        let (length, behind) = unsigned(behind)?;
        bytes = behind.get(usize::try_from(length).ok()?..)?;
    }
    Some(bytes)
}

/// A number in groups of seven bits, the lowest first.
fn unsigned(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        number |= u32::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}
