//! What has really happened on a link: counted where it happens, read from any thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What has happened on a link since it was opened; bytes and events, never what was only asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Whether the address takes connections; not while a `refuse` rule is active.
    pub listening: bool,
    /// Connections accepted.
    pub connections: u64,
    /// Connections that are open now, on either side.
    pub open: u64,
    /// Accepted, and the server could not be reached: the client got RST.
    pub unreachable: u64,
    /// Attempts to accept that the system has refused, for want of file descriptors.
    pub not_accepted: u64,
    /// Bytes written to the server.
    pub to_server: u64,
    /// Bytes written to the client.
    pub to_client: u64,
    /// Lots of bytes that were held back by a `delay`.
    pub delayed: u64,
    /// Bytes that are held back now, by a rule or a slow receiver, with what each lot takes beside.
    pub held: u64,
    /// Pieces that had to wait for a `rate`.
    pub throttled: u64,
    /// Pieces after which a `slice` paused.
    pub sliced: u64,
    /// Connections that a `reset` has ended: RST sent on both sockets.
    pub resets: u64,
    /// Bytes that a `black_hole`, or the dead side of a `half_open`, has thrown away.
    pub swallowed: u64,
    /// Connections that were reset when a `black_hole` ended, because they had lost something.
    pub holed: u64,
    /// Connections that a `close` has ended with FIN.
    pub closed: u64,
    /// Connections of which one side was cut off by a `half_open`.
    pub half_opened: u64,
    /// Calls that a `drop_reply` was looking for, whether it then chose them or not.
    pub calls: u64,
    /// Replies that had arrived from the server and never went on. Each has ended its connection.
    pub dropped_replies: u64,
    /// Connections whose calls cannot be seen, so that no `drop_reply` meets them.
    pub unreadable: u64,
    /// Why, of the last of them.
    pub why_unreadable: Option<&'static str>,
}

/// One number that only rises, or rises and falls.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, number: u64) {
        self.0.fetch_sub(number, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) listening: AtomicBool,
    pub(super) connections: Count,
    pub(super) open: Count,
    pub(super) unreachable: Count,
    pub(super) not_accepted: Count,
    pub(super) to_server: Count,
    pub(super) to_client: Count,
    pub(super) delayed: Count,
    pub(super) held: Count,
    pub(super) throttled: Count,
    pub(super) sliced: Count,
    pub(super) resets: Count,
    pub(super) swallowed: Count,
    pub(super) holed: Count,
    pub(super) closed: Count,
    pub(super) half_opened: Count,
    pub(super) calls: Count,
    pub(super) dropped_replies: Count,
    pub(super) unreadable: Count,
    pub(super) why_unreadable: Mutex<Option<&'static str>>,
}

impl Counters {
    pub(super) fn unreadable(&self, why: &'static str) {
        self.unreadable.add(1);
        let last = self.why_unreadable.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(super) fn snapshot(&self) -> LinkCounters {
        let why_unreadable = self.why_unreadable.lock();
        LinkCounters {
            listening: self.listening.load(Ordering::Relaxed),
            connections: self.connections.get(),
            open: self.open.get(),
            unreachable: self.unreachable.get(),
            not_accepted: self.not_accepted.get(),
            to_server: self.to_server.get(),
            to_client: self.to_client.get(),
            delayed: self.delayed.get(),
            held: self.held.get(),
            throttled: self.throttled.get(),
            sliced: self.sliced.get(),
            resets: self.resets.get(),
            swallowed: self.swallowed.get(),
            holed: self.holed.get(),
            closed: self.closed.get(),
            half_opened: self.half_opened.get(),
            calls: self.calls.get(),
            dropped_replies: self.dropped_replies.get(),
            unreadable: self.unreadable.get(),
            why_unreadable: *why_unreadable.unwrap_or_else(PoisonError::into_inner),
        }
    }
}
