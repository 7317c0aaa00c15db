//! One connection from its acceptance to its end: which rules it meets, and how it ends.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::core::{Core, Order, Visit};
use super::follow::Follower;
use super::lane::{Effects, End, Lane, Slice};
use super::rules::{Active, Towards};
use crate::plan::{After, LinkFault};

/// How long both parties of a closed connection have to close it too, before it is given back.
const LINGER: Duration = Duration::from_secs(1);

/// How a connection ends.
#[derive(Debug)]
enum Fate {
    /// Both parties have ended their streams.
    Done,
    Broken,
    Reset,
    Closed,
    Holed,
    ReplyDropped,
    HalfOpen(Rc<Active>),
}

/// Carries one connection until it has ended.
pub(super) async fn run(visit: Visit, client: TcpStream) {
    let Some(client) = heard(&visit, client).await else {
        return;
    };
    let Some((client, server)) = connect(&visit, client).await else {
        return;
    };
    // What is written is to be sent; it was cut by the sender.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut pair = Pair::new(&visit, client, server);
    let fate = pair.carry(&visit).await;
    let Pair { client, server, .. } = pair;
    finish(&visit, fate, client, server).await;
}

async fn finish(visit: &Visit, fate: Fate, client: TcpStream, server: TcpStream) {
    let counters = visit.core.counters();
    let count = match fate {
        Fate::Done => return,
        Fate::Closed => return close(visit, client, server).await,
        Fate::HalfOpen(rule) => return half_open(visit, &rule, client, server).await,
        Fate::Broken => None,
        Fate::Reset => Some(&counters.resets),
        Fate::Holed => Some(&counters.holed),
        Fate::ReplyDropped => Some(&counters.dropped_replies),
    };
    // Before the parties can see it, so that whoever has seen it finds it counted.
    if let Some(count) = count {
        count.add(1);
    }
    reset(client);
    reset(server);
}

/// Sends RST, whatever is still to be read or written.
fn reset(stream: TcpStream) {
    // Fails only when the connection is gone.
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// Sends FIN both ways. What still comes is read, since a socket that is given back with something
/// to read sends RST.
async fn close(visit: &Visit, mut client: TcpStream, mut server: TcpStream) {
    let _ = (client.shutdown().await, server.shutdown().await);
    visit.core.counters().closed.add(1);
    let both = async {
        drain(&visit.core, &mut client).await;
        drain(&visit.core, &mut server).await;
    };
    let _ = timeout(LINGER, both).await;
}

async fn drain(core: &Core, stream: &mut TcpStream) {
    while let Some(1..) = poll_fn(|cx| poll_discard(core, cx, stream)).await {}
}

/// Reads and throws away: how much, 0 at the end of the stream, nothing when it is broken.
fn poll_discard(core: &Core, cx: &mut Context<'_>, stream: &mut TcpStream) -> Poll<Option<usize>> {
    let mut room = core.room();
    let mut buffer = ReadBuf::new(&mut room);
    let read = ready!(Pin::new(stream).poll_read(cx, &mut buffer));
    Poll::Ready(read.ok().map(|()| buffer.filled().len()))
}

/// One side is gone, the other is not told.
async fn half_open(visit: &Visit, rule: &Active, client: TcpStream, server: TcpStream) {
    let (gone, mut left) = if rule.is_for(Towards::Server) {
        (server, client)
    } else {
        (client, server)
    };
    reset(gone);
    visit.core.counters().half_opened.add(1);
    match silence(visit, &mut left, || visit.core.has(rule.id)).await {
        Silence::Gone => {}
        Silence::Over { .. } => reset(left),
        Silence::Reset => {
            reset(left);
            visit.core.counters().resets.add(1);
        }
    }
}

/// How it ends that nobody listens to a party.
enum Silence {
    /// The party has ended its stream, or its connection is broken.
    Gone,
    Reset,
    /// Whether it has said something meanwhile.
    Over {
        lost: bool,
    },
}

/// Throws away what comes, for as long as `lasts` says.
async fn silence(visit: &Visit, stream: &mut TcpStream, lasts: impl Fn() -> bool) -> Silence {
    let mut lost = false;
    loop {
        if visit.handle.is_to_be_reset() {
            return Silence::Reset;
        }
        if !lasts() {
            return Silence::Over { lost };
        }
        tokio::select! {
            biased;
            () = visit.handle.changed.notified() => {}
            read = poll_fn(|cx| poll_discard(&visit.core, cx, stream)) => match read {
                None | Some(0) => return Silence::Gone,
                Some(bytes) => {
                    lost = true;
                    visit.core.counters().swallowed.add(bytes as u64);
                }
            }
        }
    }
}

/// The client, unless a rule resets it as it comes. While a black hole is on its way to the server,
/// it is connected to nobody.
async fn heard(visit: &Visit, mut client: TcpStream) -> Option<TcpStream> {
    let rules = || visit.core.rules_for(visit.number);
    let counters = visit.core.counters();
    if rules().iter().any(|met| met.rule.fault == LinkFault::Reset) {
        reset(client);
        counters.resets.add(1);
        return None;
    }
    let swallows =
        |met: &Rc<Active>| met.rule.fault == LinkFault::BlackHole && met.is_for(Towards::Server);
    match silence(visit, &mut client, || rules().iter().any(swallows)).await {
        Silence::Over { lost: false } => return Some(client),
        Silence::Over { lost: true } => counters.holed.add(1),
        Silence::Reset => counters.resets.add(1),
        Silence::Gone => return None,
    }
    reset(client);
    None
}

/// Both sides, or none when the server cannot be reached.
async fn connect(visit: &Visit, client: TcpStream) -> Option<(TcpStream, TcpStream)> {
    let counters = visit.core.counters();
    let connected = async {
        let upstream = visit.core.shared.upstream()?;
        TcpStream::connect(upstream).await.ok()
    };
    tokio::pin!(connected);
    let server = tokio::select! {
        biased;
        server = &mut connected => server,
        () = reset_ordered(visit) => {
            // The server may have accepted already; then `carry` resets both sides.
            let Ok(server) = timeout(LINGER, connected).await else {
                reset(client);
                counters.resets.add(1);
                return None;
            };
            server
        }
    };
    let Some(server) = server else {
        reset(client);
        counters.unreachable.add(1);
        return None;
    };
    Some((client, server))
}

async fn reset_ordered(visit: &Visit) {
    while !visit.handle.is_to_be_reset() {
        visit.handle.changed.notified().await;
    }
}

/// A rule that meets this connection, and what it remembers of it.
#[derive(Debug)]
struct Met {
    rule: Rc<Active>,
    /// Of a `close`: what may still go on.
    left: Option<Rc<Cell<u64>>>,
    /// Of a `close`: when it closes.
    until: Option<Instant>,
}

impl Met {
    fn new(rule: Rc<Active>) -> Self {
        let (left, until) = match rule.rule.fault {
            LinkFault::Close {
                after: After::Bytes(bytes),
            } => (Some(Rc::new(Cell::new(bytes))), None),
            LinkFault::Close {
                after: After::Time(time),
            } => (None, Instant::now().checked_add(time)),
            _ => (None, None),
        };
        Self { rule, left, until }
    }
}

/// Both sides of a connection, and what goes between them.
#[derive(Debug)]
struct Pair {
    client: TcpStream,
    server: TcpStream,
    to_server: Lane,
    to_client: Lane,
    follower: Option<Follower>,
    met: Vec<Met>,
}

impl Pair {
    fn new(visit: &Visit, client: TcpStream, server: TcpStream) -> Self {
        let lane = |towards| Lane::new(Rc::clone(&visit.core), towards, visit.number);
        Self {
            client,
            server,
            to_server: lane(Towards::Server),
            to_client: lane(Towards::Client),
            follower: Follower::new(visit.core.shared.protocol),
            met: Vec::new(),
        }
    }

    async fn carry(&mut self, visit: &Visit) -> Fate {
        loop {
            match visit.handle.order.take() {
                Some(Order::Reset) => return Fate::Reset,
                Some(Order::HalfOpen(rule)) => return Fate::HalfOpen(rule),
                None => {}
            }
            self.meet(visit.core.rules_for(visit.number));
            if self.to_server.has_hole() || self.to_client.has_hole() {
                return Fate::Holed;
            }
            if self
                .met
                .iter()
                .any(|met| met.left.as_ref().is_some_and(|left| left.get() == 0))
            {
                return Fate::Closed;
            }
            let until = self.met.iter().filter_map(|met| met.until).min();
            tokio::select! {
                biased;
                () = visit.handle.changed.notified() => {}
                () = at(until) => return Fate::Closed,
                ended = poll_fn(|cx| self.poll(cx)) => return fate(ended),
            }
        }
    }

    /// These rules and no others from now on.
    fn meet(&mut self, rules: Vec<Rc<Active>>) {
        let mut before = std::mem::take(&mut self.met);
        for rule in rules {
            let known = before.iter().position(|met| met.rule.id == rule.id);
            let met = known.map(|place| before.swap_remove(place));
            self.met.push(met.unwrap_or_else(|| Met::new(rule)));
        }
        self.to_server.set(self.effects(Towards::Server));
        self.to_client.set(self.effects(Towards::Client));
    }

    fn effects(&self, towards: Towards) -> Effects {
        let mut effects = Effects::default();
        for met in self.met.iter().filter(|met| met.rule.is_for(towards)) {
            let rule = Rc::clone(&met.rule);
            match &rule.rule.fault {
                LinkFault::Delay { .. } => effects.delays.push(rule),
                LinkFault::Rate { .. } => effects.rates.push(rule),
                LinkFault::Slice { bytes, pause } => effects.slice_also(Slice {
                    bytes: bytes.get() as usize,
                    pause: *pause,
                }),
                LinkFault::BlackHole => effects.swallow = true,
                LinkFault::Close { .. } => effects.quotas.extend(met.left.clone()),
                LinkFault::DropReply { .. } => effects.drops.push(rule),
                LinkFault::Reset | LinkFault::Refuse | LinkFault::HalfOpen => {}
            }
        }
        effects
    }

    /// Ready when both streams have ended, or one of them cannot go on.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Self { client, server, .. } = self;
        // Requests first: a reply is only looked for when its request has been seen.
        let follower = self.follower.as_mut();
        let asked = self.to_server.poll(cx, client, server, follower)?;
        let follower = self.follower.as_mut();
        let answered = self.to_client.poll(cx, server, client, follower)?;
        if asked.is_ready() && answered.is_ready() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

const fn fate(ended: Result<(), End>) -> Fate {
    match ended {
        Ok(()) => Fate::Done,
        Err(End::Broken) => Fate::Broken,
        Err(End::Quota) => Fate::Closed,
        Err(End::ReplyDropped) => Fate::ReplyDropped,
    }
}
