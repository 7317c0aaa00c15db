//! What waits to be sent, oldest first and bounded: what is too much is lost from the old end.

use std::collections::VecDeque;

use super::wire::Packed;

/// How much older than the newest request one may be, in milliseconds.
const OLDEST_MS: i64 = 15 * 60 * 1_000;

/// Bytes of all requests that wait.
const MOST_BYTES: usize = 32 << 20;

/// Requests that wait, and how many samples were lost because too many did.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Packed>,
    bytes: usize,
    lost: u64,
}

impl Backlog {
    /// Takes a request behind all others. It is kept whatever its size is.
    pub(super) fn push(&mut self, request: Packed) {
        let since = request.at_ms - OLDEST_MS;
        self.bytes += request.body.len();
        self.waiting.push_back(request);
        let too_much = |backlog: &Self| {
            let is_old = backlog.waiting.front().is_some_and(|one| one.at_ms < since);
            is_old || backlog.bytes > MOST_BYTES
        };
        while self.waiting.len() > 1 && too_much(self) {
            self.lose();
        }
    }

    /// Takes the oldest request off.
    pub(super) fn pop(&mut self) -> Option<Packed> {
        let request = self.waiting.pop_front()?;
        self.bytes -= request.body.len();
        Some(request)
    }

    /// Gives up all that waits.
    pub(super) fn lose_all(&mut self) {
        while !self.waiting.is_empty() {
            self.lose();
        }
    }

    /// Samples that were given up.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    fn lose(&mut self) {
        if let Some(request) = self.pop() {
            self.lost += request.samples;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at_s: i64, bytes: usize, samples: u64) -> Packed {
        Packed {
            body: vec![0; bytes].into(),
            samples,
            at_ms: at_s * 1_000,
        }
    }

    #[test]
    fn what_is_more_than_fifteen_minutes_old_is_lost_and_counted() {
        let mut backlog = Backlog::default();
        for (at_s, samples) in [(0, 1), (300, 2), (900, 4)] {
            backlog.push(request(at_s, 10, samples));
        }
        assert_eq!(backlog.lost(), 0);
        backlog.push(request(1_201, 10, 8));
        assert_eq!(backlog.lost(), 1 + 2);
        assert_eq!(backlog.pop().map(|request| request.samples), Some(4));
    }

    #[test]
    fn what_is_too_large_pushes_the_oldest_out() {
        let mut backlog = Backlog::default();
        for samples in [1, 2, 4] {
            backlog.push(request(0, MOST_BYTES / 2, samples));
        }
        assert_eq!(backlog.lost(), 1);
        backlog.push(request(0, MOST_BYTES + 1, 8));
        assert_eq!(backlog.lost(), 1 + 2 + 4, "only the newest is left");
        assert_eq!(backlog.pop().map(|request| request.samples), Some(8));
    }

    #[test]
    fn what_was_taken_off_is_not_lost_and_what_is_given_up_is() {
        let mut backlog = Backlog::default();
        for samples in [1, 2, 4] {
            backlog.push(request(0, 10, samples));
        }
        assert_eq!(backlog.pop().map(|request| request.samples), Some(1));
        assert_eq!(backlog.lost(), 0);
        backlog.lose_all();
        assert_eq!(backlog.lost(), 2 + 4);
        assert_eq!(backlog.pop(), None);
        // Nothing is left of their bytes.
        backlog.push(request(0, MOST_BYTES, 1));
        backlog.push(request(0, 0, 1));
        assert_eq!(backlog.lost(), 2 + 4);
    }
}
