//! A whole answer, in memory that is used again for the next one.

/// Bytes of an answer's body that are kept for classification; the rest is read and forgotten.
pub(super) const BODY_LIMIT: usize = 1 << 20;

/// Memory that one large answer may leave behind with its VU.
const KEPT_BYTES: usize = 16 << 10;

/// The same while the VU pauses: thousands may.
const IDLE_BYTES: usize = 1 << 10;

/// A whole answer. Two are equal when they say the same.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// 100 to 999, as received.
    pub status: u16,
    /// Names and values, and what may stand between them.
    text: Vec<u8>,
    /// Where each name and its value stand in `text`.
    headers: Vec<Header>,
    body: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Header {
    name: Span,
    value: Span,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
}

impl Span {
    /// Of this piece, which is a part of `text` that begins at `base`.
    ///
    /// # Panics
    /// If it is no part of it.
    fn within(text: &[u8], piece: &[u8], base: usize) -> Self {
        // Nothing may stand anywhere, also outside of the text.
        let from = if piece.is_empty() {
            0
        } else {
            piece.as_ptr().addr().wrapping_sub(text.as_ptr().addr())
        };
        assert!(from + piece.len() <= text.len(), "a header is of its head");
        let from = base + from;
        Self {
            from: from as u32,
            to: (from + piece.len()) as u32,
        }
    }

    fn of(self, text: &[u8]) -> &[u8] {
        &text[self.from as usize..self.to as usize]
    }
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.body) == (other.status, &other.body)
            && self.headers().eq(other.headers())
    }
}

impl Eq for Answer {}

impl Answer {
    /// Forgets everything but the room for it.
    pub fn clear(&mut self) {
        self.status = 0;
        self.headers.clear();
        for bytes in [&mut self.text, &mut self.body] {
            bytes.clear();
            bytes.shrink_to(KEPT_BYTES);
        }
    }

    /// Forgets the answer, and gives back the room that a large one has taken.
    pub fn give_back(&mut self) {
        self.clear();
        for bytes in [&mut self.text, &mut self.body] {
            bytes.shrink_to(IDLE_BYTES);
        }
    }

    /// Adds a header. All headers together must be shorter than 4 GiB.
    pub fn push_header(&mut self, name: &[u8], value: &[u8]) {
        let from = self.text.len() as u32;
        self.text.extend_from_slice(name);
        let between = self.text.len() as u32;
        self.text.extend_from_slice(value);
        let to = self.text.len() as u32;
        self.headers.push(Header {
            name: Span { from, to: between },
            value: Span { from: between, to },
        });
    }

    /// Adds the headers of this head, of which each name and value is a part: with one copy.
    pub(super) fn push_head(&mut self, head: &[u8], headers: &[httparse::Header<'_>]) {
        let base = self.text.len();
        self.text.extend_from_slice(head);
        self.headers.extend(headers.iter().map(|header| Header {
            name: Span::within(head, header.name.as_bytes(), base),
            value: Span::within(head, header.value, base),
        }));
    }

    /// Adds a piece of the body; what is above the first MiB is dropped.
    pub fn push_body(&mut self, piece: &[u8]) {
        let room = BODY_LIMIT - self.body.len();
        self.body.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// The first MiB of the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Names and values in the order of their arrival.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let headers = self.headers.iter();
        headers.map(|header| (header.name.of(&self.text), header.value.of(&self.text)))
    }

    /// The values of all headers of this name, in whatever case.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_by_name_in_whatever_case() {
        let mut answer = Answer::default();
        answer.push_header(b"X-Result", b"SOLD");
        answer.push_header(b"empty", b"");
        answer.push_header(b"x-result", b"OUT");
        let values: Vec<_> = answer.header("x-Result").collect();
        assert_eq!(values, [b"SOLD".as_slice(), b"OUT"]);
        assert_eq!(answer.header("empty").collect::<Vec<_>>(), [b""]);
        assert_eq!(answer.header("x").count(), 0);
        answer.clear();
        assert_eq!(answer, Answer::default());
    }

    #[test]
    fn what_is_above_the_limit_is_dropped_and_its_memory_given_back() {
        let mut answer = Answer::default();
        for piece in [BODY_LIMIT - 1, 2, 3] {
            answer.push_body(&vec![b'.'; piece]);
        }
        assert_eq!(answer.body().len(), BODY_LIMIT);
        answer.clear();
        assert!(answer.body.capacity() <= KEPT_BYTES);
        answer.push_body(&[b'.'; KEPT_BYTES]);
        answer.clear();
        assert!(
            answer.body.capacity() >= KEPT_BYTES,
            "the next one is as large"
        );
        answer.give_back();
        assert!(answer.body.capacity() <= IDLE_BYTES);
    }
}
