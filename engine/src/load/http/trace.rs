//! When, and how much, was written to and read from a connection during one attempt.

use std::cell::Cell;

/// What was seen on the wire since the last [`Trace::begin`]. Times are nanoseconds of the run's
/// clock, 0 until they happened.
#[derive(Debug, Default)]
pub struct Trace {
    begun_ns: Cell<u64>,
    written_ns: Cell<u64>,
    first_read_ns: Cell<u64>,
    last_read_ns: Cell<u64>,
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Trace {
    /// Forgets what was seen: a new attempt begins.
    pub fn begin(&self, now_ns: u64) {
        self.begun_ns.set(now_ns);
        self.written_ns.set(0);
        self.first_read_ns.set(0);
        self.last_read_ns.set(0);
        self.sent.set(0);
        self.received.set(0);
    }

    /// Bytes written; with 0 the attempt certainly did nothing.
    pub const fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Bytes read.
    pub const fn received(&self) -> u64 {
        self.received.get()
    }

    /// When something was read last.
    pub(super) const fn last_read_ns(&self) -> u64 {
        self.last_read_ns.get()
    }

    /// Nanoseconds spent sending, waiting for the first byte, and receiving.
    pub const fn parts_ns(&self) -> (u64, u64, u64) {
        let (begun, written) = (self.begun_ns.get(), self.written_ns.get());
        let (first_read, last_read) = (self.first_read_ns.get(), self.last_read_ns.get());
        (
            written.saturating_sub(begun),
            first_read.saturating_sub(written),
            last_read.saturating_sub(first_read),
        )
    }

    pub(super) fn wrote(&self, now_ns: u64, bytes: usize) {
        self.written_ns.set(now_ns);
        self.sent.set(self.sent.get() + bytes as u64);
    }

    pub(super) fn read(&self, now_ns: u64, bytes: usize) {
        if self.received.get() == 0 {
            self.first_read_ns.set(now_ns);
        }
        self.last_read_ns.set(now_ns);
        self.received.set(self.received.get() + bytes as u64);
    }
}
