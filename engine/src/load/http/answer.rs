//! A whole answer, in memory that is used again for the next one.

/// Bytes of an answer's body that are kept for classification; the rest is read and forgotten.
pub(super) const BODY_LIMIT: usize = 1 << 20;

/// Memory that one large answer may leave behind with its VU.
const KEPT_BYTES: usize = 16 << 10;

/// The same while the VU pauses: thousands may.
const IDLE_BYTES: usize = 1 << 10;

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// 100 to 999, as received.
    pub status: u16,
    /// Names and values behind each other.
    text: Vec<u8>,
    /// Where each name and its value end in `text`.
    ends: Vec<(u32, u32)>,
    body: Vec<u8>,
}

impl Answer {
    /// Forgets everything but the room for it.
    pub fn clear(&mut self) {
        self.status = 0;
        self.ends.clear();
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
        self.text.extend_from_slice(name);
        let name_end = self.text.len() as u32;
        self.text.extend_from_slice(value);
        self.ends.push((name_end, self.text.len() as u32));
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
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, end)| {
            let name = &self.text[start..name_end as usize];
            let value = &self.text[name_end as usize..end as usize];
            start = end as usize;
            (name, value)
        })
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
