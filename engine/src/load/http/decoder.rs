//! Reads HTTP/1.1 answers out of bytes that arrive in any pieces (RFC 9112). Knows no socket.
//!
//! What a framing means, and where it differs between clients, is as hyper reads it: the tests
//! compare the two on the same bytes.

use std::mem::MaybeUninit;

use super::answer::Answer;
use super::chunked::Chunked;

/// Most bytes of an answer's head, interim answers not counted.
const HEAD_LIMIT: usize = 64 << 10;

/// Most headers of an answer, and most fields of a trailer section.
pub(super) const MAX_HEADERS: usize = 100;

/// The bytes are not an answer in HTTP/1.0 or HTTP/1.1, or above a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not HTTP/1.1")]
pub struct Malformed;

/// One answer under way.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// The beginning of a head that has not wholly arrived.
    head: Vec<u8>,
    to_head: bool,
    keep_alive: bool,
}

#[derive(Debug)]
enum State {
    Head,
    /// So many bytes of the body are still to come.
    Sized(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
}

impl Decoder {
    /// Expects the answer to a request; `to_head` if that is a HEAD request, whose answer has no
    /// body whatever its headers say.
    pub const fn new(to_head: bool) -> Self {
        Self {
            state: State::Head,
            head: Vec::new(),
            to_head,
            keep_alive: false,
        }
    }

    /// Expects the next answer.
    pub fn begin(&mut self, to_head: bool) {
        self.state = State::Head;
        self.head.clear();
        self.to_head = to_head;
        self.keep_alive = false;
    }

    /// Whether the answer is whole.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether the peer lets the connection be used for another request after this answer.
    pub const fn keeps_alive(&self) -> bool {
        self.is_done() && self.keep_alive
    }

    /// Takes the bytes that belong to this answer into `answer`; returns how many those were.
    ///
    /// # Errors
    /// When they cannot be an answer. The decoder is of no use then, until it begins anew.
    pub fn feed(&mut self, input: &[u8], answer: &mut Answer) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            at += match &mut self.state {
                State::Head => self.take_head(rest, answer)?,
                State::Sized(left) => {
                    let here = (*left).min(rest.len() as u64);
                    answer.push_body(&rest[..here as usize]);
                    *left -= here;
                    if *left == 0 {
                        self.state = State::Done;
                    }
                    here as usize
                }
                State::Chunked(body) => {
                    let taken = body.feed(rest, answer)?;
                    if body.is_done() {
                        self.state = State::Done;
                    }
                    taken
                }
                State::UntilClose => {
                    answer.push_body(rest);
                    rest.len()
                }
                State::Done => break,
            };
        }
        Ok(at)
    }

    /// Takes the end of the connection; `false` if the answer is not whole with it.
    ///
    /// # Errors
    /// When what has arrived of it cannot be an answer.
    pub fn close(&mut self, answer: &mut Answer) -> Result<bool, Malformed> {
        if matches!(self.state, State::UntilClose) {
            self.state = State::Done;
        }
        if !self.head.is_empty() {
            let head = std::mem::take(&mut self.head);
            self.parse(&head, answer)?;
        }
        Ok(self.is_done())
    }

    fn take_head(&mut self, input: &[u8], answer: &mut Answer) -> Result<usize, Malformed> {
        if self.head.is_empty() {
            // The usual case: the head is all there, and need not be copied.
            if let Some(length) = self.parse(input, answer)? {
                return Ok(length);
            }
            self.head.extend_from_slice(input);
            return within_limit(&self.head).map(|()| input.len());
        }
        let before = self.head.len();
        let mut head = std::mem::take(&mut self.head);
        head.extend_from_slice(input);
        // Only with the end of a line can there be more to learn.
        let parsed = if input.contains(&b'\n') {
            self.parse(&head, answer)?
        } else {
            None
        };
        if let Some(length) = parsed {
            head.clear();
            self.head = head;
            return Ok(length - before);
        }
        within_limit(&head)?;
        self.head = head;
        Ok(input.len())
    }

    /// The length of the head; `None` if its end has not arrived.
    fn parse(&mut self, input: &[u8], answer: &mut Answer) -> Result<Option<usize>, Malformed> {
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, input, &mut headers)
            .map_err(|_| Malformed)?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let status = response.code.filter(|status| *status >= 100);
        answer.status = status.ok_or(Malformed)?;
        if matches!(answer.status, 100 | 102..=199) {
            return Ok(Some(length));
        }
        let is_http11 = response.version == Some(1);
        let mut framing = Framing::new(is_http11);
        for header in response.headers.iter() {
            framing.header(header.name, header.value);
        }
        answer.push_head(&input[..length], response.headers);
        self.keep_alive = framing.keep_alive;
        self.state = match answer.status {
            // A switch of protocols, which nobody has asked for, is the last that is HTTP.
            101 => {
                self.keep_alive = false;
                State::Done
            }
            204 | 304 => State::Done,
            _ if self.to_head => State::Done,
            _ => framing.body(is_http11)?,
        };
        if matches!(self.state, State::UntilClose) {
            self.keep_alive = false;
        }
        Ok(Some(length))
    }
}

fn within_limit(head: &[u8]) -> Result<(), Malformed> {
    if head.len() < HEAD_LIMIT {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// What the headers say about the body and the connection.
#[derive(Debug)]
struct Framing {
    keep_alive: bool,
    closes: bool,
    length: Length,
    /// Whether `chunked` is the last of the transfer codings, if there are any.
    chunked: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Absent,
    Known(u64),
    /// Not a number, or two different ones.
    Wrong,
}

impl Framing {
    const fn new(is_http11: bool) -> Self {
        Self {
            keep_alive: is_http11,
            closes: false,
            length: Length::Absent,
            chunked: None,
        }
    }

    fn header(&mut self, name: &str, value: &[u8]) {
        // By its length first: most headers are none of these.
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case("content-length") => self.length(value),
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                let last = tokens(value).last().unwrap_or_default();
                self.chunked = Some(last.eq_ignore_ascii_case(b"chunked"));
            }
            _ => {}
        }
    }

    /// A `close` holds, whatever is said after it.
    fn connection(&mut self, value: &[u8]) {
        self.closes |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"close"));
        self.keep_alive |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"keep-alive"));
        self.keep_alive &= !self.closes;
    }

    /// The same number several times is that number (RFC 9112, section 6.3).
    fn length(&mut self, value: &[u8]) {
        for token in tokens(value) {
            self.length = match (self.length, decimal(token)) {
                (Length::Absent, Some(length)) => Length::Known(length),
                (Length::Known(before), Some(length)) if before == length => self.length,
                _ => Length::Wrong,
            };
        }
    }

    fn body(self, is_http11: bool) -> Result<State, Malformed> {
        match (self.chunked, self.length) {
            (Some(_), _) if !is_http11 => Err(Malformed),
            (Some(true), _) => Ok(State::Chunked(Chunked::new())),
            (Some(false), _) | (None, Length::Absent) => Ok(State::UntilClose),
            (None, Length::Known(0)) => Ok(State::Done),
            // The two highest numbers mean something else to hyper; no answer is that long.
            (None, Length::Known(length)) if length < u64::MAX - 1 => Ok(State::Sized(length)),
            (None, _) => Err(Malformed),
        }
    }
}

/// The members of a list (RFC 9110, section 5.6.1), also the empty ones. A value with letters
/// outside ASCII has one member, which is none of those that mean anything.
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let value = if value.is_ascii() { value } else { b"?" };
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &byte| {
        let digit = char::from(byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests;
