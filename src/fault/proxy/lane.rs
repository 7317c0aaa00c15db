//! The bytes of one connection in one direction: read, held back as the rules say, written.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::chance;
use super::core::Core;
use super::follow::Follower;
use super::rules::{Active, Towards};
use crate::plan::{LinkFault, mix};

/// What one connection holds back in one direction before it stops reading.
pub(super) const HELD_BY_LANE: usize = 1 << 20;

/// What one link holds back before connections that hold something stop reading.
pub(super) const HELD_BY_LINK: u64 = 64 << 20;

/// Counted for each lot beside its bytes, so that many small ones are bounded too.
const LOT: usize = size_of::<Lot>();

/// The largest piece for which a rate is asked at once.
const LARGEST_PIECE: usize = 16 << 10;

/// Why a connection ends before both parties have ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A party has reset it, or is not there any more.
    Broken,
    /// A `close` has come to its number of bytes.
    Quota,
    /// A reply was swallowed.
    ReplyDropped,
}

/// What the rules do to one lane.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) delays: Vec<Rc<Active>>,
    pub(super) rates: Vec<Rc<Active>>,
    pub(super) slice: Option<Slice>,
    pub(super) swallow: bool,
    /// What may still go on, of each `close`.
    pub(super) quotas: Vec<Rc<Cell<u64>>>,
    /// Rules that look for calls.
    pub(super) drops: Vec<Rc<Active>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub(super) bytes: usize,
    pub(super) pause: Duration,
}

impl Effects {
    /// Of several slices the smaller piece and the longer pause.
    pub(super) fn slice_also(&mut self, other: Slice) {
        let slice = self.slice.get_or_insert(other);
        slice.bytes = slice.bytes.min(other.bytes);
        slice.pause = slice.pause.max(other.pause);
    }

    /// Whether bytes are written as they come.
    fn lets_pass(&self) -> bool {
        self.delays.is_empty() && self.rates.is_empty() && self.slice.is_none() && !self.swallow
    }
}

/// Bytes that came together; none stand for the end of the stream.
#[derive(Debug)]
struct Lot {
    bytes: Box<[u8]>,
    /// So many are written already.
    written: usize,
    due: Option<Instant>,
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Lane {
    towards: Towards,
    core: Rc<Core>,
    effects: Effects,
    held: VecDeque<Lot>,
    held_bytes: usize,
    /// Nothing is written before.
    gate: Option<Instant>,
    /// So much may be written once the gate is open, without asking again.
    allowed: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// For draws that differ between connections, directions and lots.
    key: u64,
    /// The sender has ended its stream.
    ended: bool,
    /// The receiver has been told.
    shut: bool,
    /// Something was thrown away: what comes later must not follow.
    holed: bool,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.core.counters().held.subtract(self.held_bytes as u64);
    }
}

impl Lane {
    pub(super) fn new(core: Rc<Core>, towards: Towards, connection: u64) -> Self {
        Self {
            towards,
            core,
            effects: Effects::default(),
            held: VecDeque::new(),
            held_bytes: 0,
            gate: None,
            allowed: 0,
            timer: None,
            key: mix(connection << 1 | towards as u64),
            ended: false,
            shut: false,
            holed: false,
        }
    }

    /// What the rules do from now on. What a delay that has ended still holds is due at once.
    pub(super) fn set(&mut self, effects: Effects) {
        (self.gate, self.allowed) = (None, 0);
        if effects.delays.is_empty() {
            self.held.iter_mut().for_each(|lot| lot.due = None);
        }
        self.effects = effects;
        if self.effects.swallow && !self.held.is_empty() {
            self.swallow_held();
        }
    }

    /// Whether bytes of this lane were lost and nothing throws them away any more.
    pub(super) const fn has_hole(&self) -> bool {
        self.holed && !self.effects.swallow
    }

    /// Moves what can be moved. Ready when the stream has ended and the receiver knows.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut TcpStream,
        to: &mut TcpStream,
        follower: Option<&mut Follower>,
    ) -> Poll<Result<(), End>> {
        let mut follower = follower;
        loop {
            let written = self.write(cx, to)?;
            if self.shut {
                return Poll::Ready(Ok(()));
            }
            let read = self.read(cx, from, to, follower.as_deref_mut())?;
            if written.is_pending() && read.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Whether another lot would find room.
    fn has_room(&self) -> bool {
        if self.held.is_empty() {
            return true;
        }
        !self.effects.delays.is_empty()
            && self.held_bytes < HELD_BY_LANE
            && self.core.counters().held.get() < HELD_BY_LINK
    }

    /// Reads one lot. Pending as well when there is no room for it.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut TcpStream,
        to: &mut TcpStream,
        follower: Option<&mut Follower>,
    ) -> Poll<Result<(), End>> {
        if self.ended || !self.has_room() {
            return Poll::Pending;
        }
        let core = Rc::clone(&self.core);
        let mut room = core.room();
        let mut buffer = ReadBuf::new(&mut room);
        ready!(Pin::new(from).poll_read(cx, &mut buffer)).map_err(|_| End::Broken)?;
        let bytes = buffer.filled();
        if bytes.is_empty() {
            self.end();
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(self.take(cx, bytes, to, follower))
    }

    /// The sender has ended its stream.
    fn end(&mut self) {
        self.ended = true;
        if self.effects.swallow || self.holed {
            self.holed = true;
        } else {
            self.hold(&[]);
        }
    }

    /// What has just come goes on, waits, or is thrown away.
    fn take(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: &mut TcpStream,
        follower: Option<&mut Follower>,
    ) -> Result<(), End> {
        if self.effects.swallow || self.holed {
            self.holed = true;
            self.core.counters().swallowed.add(bytes.len() as u64);
            return Ok(());
        }
        let (pass, dropped) = match follower {
            Some(follower) => self.follow(bytes, follower),
            None => (bytes.len(), false),
        };
        let mut bytes = &bytes[..pass];
        if self.held.is_empty() && self.effects.lets_pass() && !bytes.is_empty() {
            bytes = &bytes[self.write_some(cx, bytes, to)?..];
        }
        if !bytes.is_empty() {
            self.hold(bytes);
        }
        if dropped {
            return Err(End::ReplyDropped);
        }
        Ok(())
    }

    /// Shows the bytes to whoever follows the calls: how many may go on, and whether a reply that
    /// may not was whole.
    fn follow(&self, bytes: &[u8], follower: &mut Follower) -> (usize, bool) {
        let readable = follower.lost().is_none();
        let seen = match self.towards {
            Towards::Server => {
                follower.requests(bytes, &mut |call| {
                    // Every rule counts the call, also when another has chosen it already.
                    let looking = self.effects.drops.iter().filter(|rule| {
                        matches!(&rule.rule.fault, LinkFault::DropReply { of } if call.is(of))
                    });
                    let choices = looking.map(|rule| {
                        self.core.counters().calls.add(1);
                        rule.meets_call()
                    });
                    choices.fold(false, |chosen, also| chosen | also)
                });
                (bytes.len(), false)
            }
            Towards::Client => {
                let replies = follower.replies(bytes);
                (replies.pass, replies.dropped)
            }
        };
        if let (true, Some(why)) = (readable, follower.lost()) {
            self.core.counters().unreadable(why);
        }
        seen
    }

    fn hold(&mut self, bytes: &[u8]) {
        let due = (!self.effects.delays.is_empty()).then(|| self.due());
        if due.is_some() && !bytes.is_empty() {
            self.core.counters().delayed.add(1);
        }
        let size = bytes.len() + LOT;
        self.held_bytes += size;
        self.core.counters().held.add(size as u64);
        self.held.push_back(Lot {
            bytes: bytes.into(),
            written: 0,
            due,
        });
    }

    /// When what comes now may go on: after all delays, and not before what came earlier.
    fn due(&mut self) -> Instant {
        self.key = mix(self.key);
        let mut due = Instant::now();
        for rule in &self.effects.delays {
            if let LinkFault::Delay { by, jitter, spread } = rule.rule.fault {
                due += chance::delay(by, jitter, spread, rule.key ^ self.key);
            }
        }
        let before = self.held.back().and_then(|lot| lot.due);
        before.map_or(due, |before| due.max(before))
    }

    fn swallow_held(&mut self) {
        for lot in std::mem::take(&mut self.held) {
            let left = (lot.bytes.len() - lot.written) as u64;
            self.core.counters().swallowed.add(left);
        }
        self.core.counters().held.subtract(self.held_bytes as u64);
        (self.held_bytes, self.holed) = (0, true);
    }

    /// Writes what is due. Ready when something has gone.
    fn write(&mut self, cx: &mut Context<'_>, to: &mut TcpStream) -> Poll<Result<(), End>> {
        let mut moved = Poll::Pending;
        while let Some(mut lot) = self.held.pop_front() {
            let result = self.write_lot(cx, &mut lot, to);
            let done = lot.written == lot.bytes.len() && result.is_ready();
            if done {
                let size = lot.bytes.len() + LOT;
                self.held_bytes -= size;
                self.core.counters().held.subtract(size as u64);
            } else {
                self.held.push_front(lot);
            }
            match result {
                Poll::Ready(Ok(())) => moved = Poll::Ready(Ok(())),
                Poll::Ready(Err(end)) => return Poll::Ready(Err(end)),
                Poll::Pending => break,
            }
        }
        moved
    }

    /// Writes one piece of a lot, or ends the stream, when it may.
    fn write_lot(
        &mut self,
        cx: &mut Context<'_>,
        lot: &mut Lot,
        to: &mut TcpStream,
    ) -> Poll<Result<(), End>> {
        if let Some(due) = lot.due {
            ready!(self.wait(cx, due));
        }
        if lot.bytes.is_empty() {
            ready!(Pin::new(to).poll_shutdown(cx)).map_err(|_| End::Broken)?;
            self.shut = true;
            return Poll::Ready(Ok(()));
        }
        let left = &lot.bytes[lot.written..];
        if self.effects.lets_pass() {
            return match self.write_some(cx, left, to)? {
                0 => Poll::Pending,
                written => {
                    lot.written += written;
                    Poll::Ready(Ok(()))
                }
            };
        }
        if self.allowed == 0 {
            self.allow(left.len());
        }
        if let Some(gate) = self.gate {
            ready!(self.wait(cx, gate));
            self.gate = None;
        }
        let piece = &left[..left.len().min(self.allowed)];
        let written = self.write_some(cx, piece, to)?;
        if written == 0 {
            return Poll::Pending;
        }
        lot.written += written;
        self.allowed -= written;
        self.pause(lot.written < lot.bytes.len() || !self.held.is_empty());
        Poll::Ready(Ok(()))
    }

    /// Asks the rates for the next piece of so many bytes at most.
    fn allow(&mut self, left: usize) {
        let mut piece = left;
        if let Some(slice) = self.effects.slice {
            piece = piece.min(slice.bytes);
        }
        let rate = |rule: &Rc<Active>| match rule.rule.fault {
            LinkFault::Rate { bytes_per_second } => bytes_per_second.get(),
            _ => u64::MAX,
        };
        for rule in &self.effects.rates {
            let tick = usize::try_from(rate(rule) / 100).unwrap_or(usize::MAX);
            piece = piece.min(tick.clamp(1, LARGEST_PIECE));
        }
        self.allowed = piece;
        for rule in &self.effects.rates {
            let goes = rule.reserve(piece, rate(rule), self.towards);
            if goes > Instant::now() {
                self.core.counters().throttled.add(1);
            }
            self.gate = self.gate.max(Some(goes));
        }
    }

    /// After a piece that a slice has cut.
    fn pause(&mut self, more: bool) {
        if let (0, Some(slice), true) = (self.allowed, self.effects.slice, more) {
            self.core.counters().sliced.add(1);
            self.gate = Some(Instant::now() + slice.pause);
        }
    }

    /// Writes as much as the receiver and the quotas take; 0 when it takes nothing now.
    fn write_some(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: &mut TcpStream,
    ) -> Result<usize, End> {
        let quotas = self.effects.quotas.iter().map(|quota| quota.get());
        let least = quotas.min().unwrap_or(u64::MAX);
        let most = usize::try_from(least).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(most)];
        if bytes.is_empty() {
            return Err(End::Quota);
        }
        let written = match Pin::new(to).poll_write(cx, bytes) {
            Poll::Pending => return Ok(0),
            Poll::Ready(written) => written.map_err(|_: io::Error| End::Broken)?,
        };
        let counters = self.core.counters();
        match self.towards {
            Towards::Server => counters.to_server.add(written as u64),
            Towards::Client => counters.to_client.add(written as u64),
        }
        let count = |quota: &Rc<Cell<u64>>| quota.set(quota.get() - written as u64);
        self.effects.quotas.iter().for_each(count);
        if written as u64 == least {
            return Err(End::Quota);
        }
        Ok(written)
    }

    fn wait(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        if until <= Instant::now() {
            return Poll::Ready(());
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx)
    }
}
