//! TCP links whose bytes can be delayed, cut, lost and thrown away; untouched as long as no rule
//! says otherwise.
//!
//! One link is one stable address before one party: what stands behind it may die and come back
//! elsewhere. All links live on one thread, so that neither the load nor the conductor waits for
//! them. What goes wrong by itself is passed on as it is: a half-closed stream as a half-closed
//! one, RST as RST, a server that cannot be reached as RST to the client.

mod chance;
mod connection;
mod core;
mod counters;
pub mod follow;
mod lane;
mod rules;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use self::core::Core;
use self::counters::Counters;
use crate::plan::{LinkFault, LinkRule, Protocol};

pub use self::core::OPEN_ON_A_LINK;
pub use self::counters::LinkCounters;
pub use self::rules::RuleId;

/// Links of one proxy.
const LINKS: usize = 256;

/// Wishes that wait for the thread. When full, whoever has another one waits.
const WISHES: usize = 64;

/// What one read takes at most.
const ROOM: usize = 64 << 10;

/// Why the proxy does not do what it was asked for.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// The rule contradicts itself, or the link.
    #[error("{0}")]
    Rule(String),
    /// More would never be looked at by anybody.
    #[error("the link has {0} rules already")]
    TooManyRules(usize),
    /// More would never be looked at by anybody.
    #[error("the proxy has {0} links already")]
    TooManyLinks(usize),
    /// Its [`Proxies`] was dropped.
    #[error("the proxy has ended")]
    Ended,
    /// The system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

type Reply<T> = oneshot::Sender<Result<T, ProxyError>>;

/// What the thread is asked for. Links are counted in the order in which they were opened.
enum Wish {
    Open {
        shared: Arc<Shared>,
        listen: Option<u16>,
        seed: u64,
        reply: Reply<(usize, SocketAddr)>,
    },
    Apply {
        link: usize,
        rule: LinkRule,
        ttl: Duration,
        reply: Reply<RuleId>,
    },
    Remove {
        link: usize,
        id: RuleId,
        reply: Reply<bool>,
    },
    Clear {
        link: usize,
        reply: Reply<usize>,
    },
}

/// What a link's handles share with the thread.
#[derive(Debug)]
struct Shared {
    counters: Counters,
    protocol: Protocol,
    upstream: Mutex<Option<SocketAddr>>,
}

impl Shared {
    fn upstream(&self) -> Option<SocketAddr> {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread of all links. Dropping it closes all of their sockets and waits for the thread.
#[derive(Debug)]
pub struct Proxies {
    wishes: mpsc::Sender<Wish>,
    /// Dropped to end the thread.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Proxies {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            // It has panicked, and has said so.
            let _ = thread.join();
        }
    }
}

impl Proxies {
    /// Starts the thread, without links.
    ///
    /// # Errors
    /// When the system has no thread or no descriptors left.
    pub fn start() -> io::Result<Self> {
        let (wishes, wished) = mpsc::channel(WISHES);
        let (alive, ended) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("fault-proxy".to_owned());
        let thread = thread.spawn(move || run(wished, ended, &ready))?;
        let started = is_ready.recv();
        started.unwrap_or_else(|_| Err(io::Error::other("the thread ended before it began")))?;
        Ok(Self {
            wishes,
            alive: Some(alive),
            thread: Some(thread),
        })
    }

    /// Opens a link: an address of 127.0.0.1 behind which there is `upstream`, or nobody until
    /// [`Link::set_upstream`]. Without `listen` the system chooses the port, which is the link's
    /// until the proxy ends. Draws follow from `seed`.
    ///
    /// # Errors
    /// When the port is taken, or there are 256 links.
    pub async fn open(
        &self,
        name: &str,
        listen: Option<u16>,
        upstream: Option<SocketAddr>,
        protocol: Protocol,
        seed: u64,
    ) -> Result<Link, ProxyError> {
        let shared = Arc::new(Shared {
            counters: Counters::default(),
            protocol,
            upstream: Mutex::new(upstream),
        });
        let opened = |reply| Wish::Open {
            shared: Arc::clone(&shared),
            listen,
            seed,
            reply,
        };
        let (place, address) = ask(&self.wishes, opened).await?;
        Ok(Link {
            name: name.into(),
            place,
            address,
            wishes: self.wishes.clone(),
            shared,
        })
    }
}

async fn ask<T>(
    wishes: &mpsc::Sender<Wish>,
    wish: impl FnOnce(Reply<T>) -> Wish,
) -> Result<T, ProxyError> {
    let (reply, answer) = oneshot::channel();
    let sent = wishes.send(wish(reply)).await;
    sent.map_err(|_| ProxyError::Ended)?;
    answer.await.unwrap_or(Err(ProxyError::Ended))
}

/// One address and what stands behind it. Clones are the same link; it ends with its [`Proxies`].
#[derive(Debug, Clone)]
pub struct Link {
    name: Arc<str>,
    place: usize,
    address: SocketAddr,
    wishes: mpsc::Sender<Wish>,
    shared: Arc<Shared>,
}

impl Link {
    /// As it was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens; it never changes.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is spoken on it.
    pub fn protocol(&self) -> Protocol {
        self.shared.protocol
    }

    /// Where connections that come from now on are led to. Open ones stay where they are.
    pub fn set_upstream(&self, upstream: SocketAddr) {
        let place = self.shared.upstream.lock();
        *place.unwrap_or_else(PoisonError::into_inner) = Some(upstream);
    }

    /// Puts a rule into force until it is removed, and at most for `ttl`. When this returns, the
    /// listener is closed if the rule says so, and every open connection acts on the rule before it
    /// moves another byte. Rules add up: delays are added, of two rates the lower one counts, of two
    /// slices the smaller piece and the longer pause.
    ///
    /// A `reset` with a `ttl` of zero meets the connections that are open and no others.
    ///
    /// # Errors
    /// When [`LinkRule::problem`] has something to say, when the rule would last no time, when the
    /// link has 64 rules, or when the proxy has ended.
    pub async fn apply(&self, rule: LinkRule, ttl: Duration) -> Result<RuleId, ProxyError> {
        if let Some(problem) = rule.problem(self.protocol()) {
            return Err(ProxyError::Rule(problem));
        }
        if ttl.is_zero() && rule.fault != LinkFault::Reset {
            let kind = rule.fault.kind();
            let words = format!("{kind} for no time does nothing: only a reset is over at once");
            return Err(ProxyError::Rule(words));
        }
        let link = self.place;
        let wish = |reply| Wish::Apply {
            link,
            rule,
            ttl,
            reply,
        };
        ask(&self.wishes, wish).await
    }

    /// Ends a rule: whether it was still active.
    ///
    /// # Errors
    /// When the port cannot be listened on again after a `refuse`; this is tried again until it
    /// can. When the proxy has ended, and all rules with it.
    pub async fn remove(&self, id: RuleId) -> Result<bool, ProxyError> {
        let link = self.place;
        ask(&self.wishes, |reply| Wish::Remove { link, id, reply }).await
    }

    /// Ends all rules of the link: how many were still active.
    ///
    /// # Errors
    /// As for [`Link::remove`].
    pub async fn clear(&self) -> Result<usize, ProxyError> {
        let link = self.place;
        ask(&self.wishes, |reply| Wish::Clear { link, reply }).await
    }

    /// Where connections are led to now.
    pub fn upstream(&self) -> Option<SocketAddr> {
        self.shared.upstream()
    }

    /// What has happened so far.
    pub fn counters(&self) -> LinkCounters {
        self.shared.counters.snapshot()
    }
}

/// The thread, until `ended` says so. Says first whether it has what it needs.
fn run(
    wished: mpsc::Receiver<Wish>,
    ended: oneshot::Receiver<()>,
    ready: &SyncSender<io::Result<()>>,
) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    let (runtime, started) = match runtime {
        Ok(runtime) => (Some(runtime), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // Whoever starts the thread waits for this.
    let _ = ready.send(started);
    let Some(runtime) = runtime else { return };
    runtime.block_on(async {
        tokio::select! {
            biased;
            // The sender never says anything.
            _ = ended => {}
            () = serve(wished) => {}
        }
    });
}

async fn serve(mut wished: mpsc::Receiver<Wish>) {
    let room = Rc::new(RefCell::new(vec![0; ROOM].into_boxed_slice()));
    let mut links: Vec<Rc<Core>> = Vec::new();
    while let Some(wish) = wished.recv().await {
        grant(wish, &mut links, &room);
    }
}

/// Whoever has asked may have gone; what was asked for is done all the same.
fn grant(wish: Wish, links: &mut Vec<Rc<Core>>, room: &Rc<RefCell<Box<[u8]>>>) {
    match wish {
        Wish::Open {
            shared,
            listen,
            seed,
            reply,
        } => {
            let opened = open(links, || Core::open(shared, listen, seed, Rc::clone(room)));
            let _ = reply.send(opened);
        }
        Wish::Apply {
            link,
            rule,
            ttl,
            reply,
        } => {
            let _ = reply.send(links[link].apply(rule, ttl));
        }
        Wish::Remove { link, id, reply } => {
            let _ = reply.send(links[link].remove(id).map_err(ProxyError::Io));
        }
        Wish::Clear { link, reply } => {
            let _ = reply.send(links[link].clear().map_err(ProxyError::Io));
        }
    }
}

fn open(
    links: &mut Vec<Rc<Core>>,
    open: impl FnOnce() -> io::Result<Rc<Core>>,
) -> Result<(usize, SocketAddr), ProxyError> {
    if links.len() >= LINKS {
        return Err(ProxyError::TooManyLinks(LINKS));
    }
    let core = open()?;
    let address = core.address();
    links.push(core);
    Ok((links.len() - 1, address))
}
