//! The chunked transfer coding of RFC 9112, section 7.1, for bytes that arrive in any pieces.

use super::answer::Answer;
use super::decoder::{MAX_HEADERS, Malformed};

/// Most bytes of all chunk extensions of a body, and of its trailer section.
const MOST_BESIDE: usize = 16 << 10;

/// Where in a chunked body the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first digit of a size.
    Size,
    /// Behind a digit.
    Digits,
    /// Behind the size, in white space.
    Space,
    /// In an extension, whose meaning nobody here knows.
    Extension,
    /// Behind the CR of a size line.
    SizeLf,
    /// In the data.
    Data,
    /// Behind the data.
    DataCr,
    DataLf,
    /// In the trailer section or at its end, at the start of a line.
    Line,
    /// In a line of the trailer section.
    Trailer,
    /// Behind the CR of such a line.
    TrailerLf,
    /// Behind the CR of the last, empty line.
    EndLf,
    /// Behind the end.
    End,
}

/// A body under way.
#[derive(Debug)]
pub(super) struct Chunked {
    place: Place,
    /// Of this chunk's data, what is still to come.
    left: u64,
    extension_bytes: usize,
    trailer: Vec<u8>,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Size,
            left: 0,
            extension_bytes: 0,
            trailer: Vec::new(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.place == Place::End
    }

    /// Takes what belongs to the body; returns how much that was.
    pub(super) fn feed(&mut self, input: &[u8], answer: &mut Answer) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < input.len() && self.place != Place::End {
            if self.place == Place::Data {
                let here = self.left.min((input.len() - at) as u64) as usize;
                answer.push_body(&input[at..at + here]);
                at += here;
                self.left -= here as u64;
                if self.left == 0 {
                    self.place = Place::DataCr;
                }
            } else {
                self.place = self.step(input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// One byte that is not data.
    fn step(&mut self, byte: u8) -> Result<Place, Malformed> {
        use Place::{
            Data, DataCr, DataLf, Digits, End, EndLf, Extension, Line, Size, SizeLf, Space,
            Trailer, TrailerLf,
        };
        Ok(match (self.place, byte) {
            (Size | Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte)?,
            (Digits | Space, b' ' | b'\t') => Space,
            (Digits | Space, b';') => Extension,
            (Digits | Space | Extension, b'\r') => SizeLf,
            (Extension, b'\n') => return Err(Malformed),
            (Extension, _) => {
                self.extension_bytes += 1;
                limit(self.extension_bytes)?;
                Extension
            }
            (SizeLf, b'\n') if self.left == 0 => Line,
            (SizeLf, b'\n') => Data,
            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => Size,
            (Line, b'\r') => EndLf,
            (EndLf, b'\n') => self.end()?,
            (Trailer, b'\r') => self.keep(byte, TrailerLf)?,
            (Line | Trailer, _) => self.keep(byte, Trailer)?,
            (TrailerLf, b'\n') => self.keep(byte, Line)?,
            (End, _) => End,
            _ => return Err(Malformed),
        })
    }

    fn digit(&mut self, byte: u8) -> Result<Place, Malformed> {
        let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
        let size = self.left.checked_mul(16).ok_or(Malformed)?;
        self.left = size + u64::from(digit);
        Ok(Place::Digits)
    }

    fn keep(&mut self, byte: u8, next: Place) -> Result<Place, Malformed> {
        self.trailer.push(byte);
        limit(self.trailer.len())?;
        Ok(next)
    }

    /// Trailer fields are checked and forgotten: nothing here asks for them.
    fn end(&mut self) -> Result<Place, Malformed> {
        if !self.trailer.is_empty() {
            self.trailer.extend_from_slice(b"\r\n");
            let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let parsed = httparse::parse_headers(&self.trailer, &mut fields);
            let whole = parsed.is_ok_and(|parsed| parsed.is_complete());
            self.trailer = Vec::new();
            if !whole {
                return Err(Malformed);
            }
        }
        Ok(Place::End)
    }
}

const fn limit(bytes: usize) -> Result<(), Malformed> {
    if bytes < MOST_BESIDE {
        Ok(())
    } else {
        Err(Malformed)
    }
}
