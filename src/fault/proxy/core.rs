//! One link on the proxy's thread: its port, its rules, and whom they must be told to.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;

use super::connection;
use super::counters::Counters;
use super::rules::{Active, RuleId};
use super::{ProxyError, Shared};
use crate::plan::{LinkFault, LinkRule};

/// Connections of one link at a time. More wait in the kernel's queue.
pub const OPEN_ON_A_LINK: u64 = 16_384;

/// Rules on one link at a time.
const RULES: usize = 64;

/// Those who have connected and are not accepted yet; the system may have a lower limit.
const BACKLOG: u32 = 4_096;

/// Between two attempts at something that the system has refused.
const RETRY: Duration = Duration::from_millis(50);

/// The state of a link; only the proxy's thread has it.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    seed: u64,
    /// Bound and never listening: it keeps the port while the listener is closed, and shares it
    /// only with the listener.
    guard: TcpSocket,
    address: SocketAddr,
    listener: RefCell<Option<TcpListener>>,
    listener_changed: Notify,
    rules: RefCell<Vec<Rc<Active>>>,
    next_rule: Cell<u64>,
    open: RefCell<HashMap<u64, Rc<Handle>>>,
    room: Rc<RefCell<Box<[u8]>>>,
}

/// How a connection is told that the rules have changed.
#[derive(Debug, Default)]
pub(super) struct Handle {
    pub(super) changed: Notify,
    /// What is to be done once; taken by the connection.
    pub(super) order: RefCell<Option<Order>>,
}

impl Handle {
    /// Whether the connection is to be reset, which can be done whatever it is doing.
    pub(super) fn is_to_be_reset(&self) -> bool {
        matches!(*self.order.borrow(), Some(Order::Reset))
    }
}

/// What a rule does once to connections that are open.
#[derive(Debug, Clone)]
pub(super) enum Order {
    Reset,
    HalfOpen(Rc<Active>),
}

impl Core {
    /// Takes the port, and listens.
    pub(super) fn open(
        shared: Arc<Shared>,
        port: Option<u16>,
        seed: u64,
        room: Rc<RefCell<Box<[u8]>>>,
    ) -> io::Result<Rc<Self>> {
        let guard = socket(port.unwrap_or(0))?;
        let address = guard.local_addr()?;
        let core = Rc::new(Self {
            shared,
            seed,
            guard,
            address,
            listener: RefCell::new(None),
            listener_changed: Notify::new(),
            rules: RefCell::default(),
            next_rule: Cell::new(1),
            open: RefCell::default(),
            room,
        });
        core.listen()?;
        tokio::task::spawn_local(accept(Rc::clone(&core)));
        Ok(core)
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Where every connection of the thread reads, one at a time: what does not go on at once is
    /// copied out.
    pub(super) fn room(&self) -> RefMut<'_, Box<[u8]>> {
        self.room.borrow_mut()
    }

    /// The active rules that meet the connection of this number.
    pub(super) fn rules_for(&self, connection: u64) -> Vec<Rc<Active>> {
        let rules = self.rules.borrow();
        // A drop of replies meets calls, on whatever connection they come.
        let meets = |rule: &&Rc<Active>| {
            matches!(rule.rule.fault, LinkFault::DropReply { .. }) || rule.meets(connection)
        };
        rules.iter().filter(meets).cloned().collect()
    }

    /// Puts the rule into force on all connections, and ends it when its time is over.
    pub(super) fn apply(
        self: &Rc<Self>,
        rule: LinkRule,
        ttl: Duration,
    ) -> Result<RuleId, ProxyError> {
        if self.rules.borrow().len() >= RULES {
            return Err(ProxyError::TooManyRules(RULES));
        }
        let id = RuleId(self.next_rule.replace(self.next_rule.get() + 1));
        let timer = tokio::task::spawn_local(end_after(Rc::downgrade(self), id, ttl));
        let active = Rc::new(Active::new(id, rule, self.seed, timer.abort_handle()));
        if !ttl.is_zero() {
            self.rules.borrow_mut().push(Rc::clone(&active));
        }
        self.tell(&active);
        Ok(id)
    }

    fn tell(&self, active: &Rc<Active>) {
        let order = match active.rule.fault {
            LinkFault::Reset => Some(Order::Reset),
            LinkFault::HalfOpen => Some(Order::HalfOpen(Rc::clone(active))),
            LinkFault::Refuse => {
                self.stop_listening();
                None
            }
            _ => None,
        };
        for (number, handle) in self.open.borrow().iter() {
            if order.is_some() && active.meets(*number) {
                handle.order.replace(order.clone());
            }
            handle.changed.notify_one();
        }
    }

    /// Ends a rule: whether it was still active.
    pub(super) fn remove(&self, id: RuleId) -> io::Result<bool> {
        let mut rules = self.rules.borrow_mut();
        let place = rules.iter().position(|active| active.id == id);
        let removed = place.map(|place| rules.remove(place));
        drop(rules);
        self.heal()?;
        Ok(removed.is_some())
    }

    /// Ends all rules: how many were still active.
    pub(super) fn clear(&self) -> io::Result<usize> {
        let removed = std::mem::take(&mut *self.rules.borrow_mut());
        self.heal()?;
        Ok(removed.len())
    }

    /// Whether the rule is still active.
    pub(super) fn has(&self, id: RuleId) -> bool {
        self.rules.borrow().iter().any(|active| active.id == id)
    }

    fn heal(&self) -> io::Result<()> {
        for handle in self.open.borrow().values() {
            handle.changed.notify_one();
        }
        if self.is_refusing() {
            return Ok(());
        }
        self.listen()
    }

    /// Unless it does already.
    fn listen(&self) -> io::Result<()> {
        if self.listener.borrow().is_some() {
            return Ok(());
        }
        // Wakes `accept`, which takes connections, or tries again if this fails.
        self.listener_changed.notify_one();
        self.guard.set_reuseaddr(true)?;
        let listener = socket(self.address.port())?.listen(BACKLOG)?;
        self.listener.replace(Some(listener));
        self.counters().listening.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn stop_listening(&self) {
        self.listener.replace(None);
        // If it fails, only whoever asks for this very port could get it.
        let _ = self.guard.set_reuseaddr(false);
        self.counters().listening.store(false, Ordering::Relaxed);
        self.listener_changed.notify_one();
    }

    fn is_refusing(&self) -> bool {
        let rules = self.rules.borrow();
        rules
            .iter()
            .any(|active| active.rule.fault == LinkFault::Refuse)
    }
}

/// A socket of this machine alone, bound so that it can share its port with others of the same
/// kind as long as at most one of them listens.
fn socket(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

async fn end_after(core: Weak<Core>, id: RuleId, ttl: Duration) {
    tokio::time::sleep(ttl).await;
    if let Some(core) = core.upgrade() {
        // A port that cannot be opened again is tried again by `accept`.
        let _ = core.remove(id);
    }
}

/// Takes connections for as long as the thread runs.
async fn accept(core: Rc<Core>) {
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = core.listener_changed.notified() => {
                if core.listener.borrow().is_none() && !core.is_refusing() && core.listen().is_err() {
                    tokio::time::sleep(RETRY).await;
                }
                continue;
            }
            accepted = next(&core) => accepted,
        };
        if let Ok(client) = accepted {
            number += 1;
            core.counters().connections.add(1);
            let visit = Visit::new(&core, number);
            tokio::task::spawn_local(connection::run(visit, client));
        } else {
            core.counters().not_accepted.add(1);
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// The next connection, once there is room for it.
async fn next(core: &Core) -> io::Result<TcpStream> {
    while core.counters().open.get() >= OPEN_ON_A_LINK {
        tokio::time::sleep(RETRY).await;
    }
    let accepted = std::future::poll_fn(|cx| {
        let listener = core.listener.borrow();
        let accepted = listener.as_ref().map(|listener| listener.poll_accept(cx));
        accepted.unwrap_or(Poll::Pending)
    });
    Ok(accepted.await?.0)
}

/// One connection in the books of its link, until it is dropped.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) core: Rc<Core>,
    pub(super) handle: Rc<Handle>,
    /// From 1.
    pub(super) number: u64,
}

impl Visit {
    fn new(core: &Rc<Core>, number: u64) -> Self {
        let handle = Rc::new(Handle::default());
        core.counters().open.add(1);
        core.open.borrow_mut().insert(number, Rc::clone(&handle));
        Self {
            core: Rc::clone(core),
            handle,
            number,
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.core.open.borrow_mut().remove(&self.number);
        self.core.counters().open.subtract(1);
    }
}
