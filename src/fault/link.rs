//! Faults on the way to a party: rules of the proxy, on all links that lead there.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::lease::Undo;
use super::nemesis::{Effect, Nemesis, Trouble};
use super::proxy::{Link, LinkCounters, RuleId};
use crate::plan::{LinkFault, LinkRule};

/// A rule lasts a little longer than its fault, whose end takes it off; should nobody do so, it ends
/// by itself.
const BEYOND: Duration = Duration::from_secs(5);

/// How long the kernel may take to refuse a connection.
const REFUSED_WITHIN: Duration = Duration::from_millis(500);

/// One rule on some links.
#[derive(Debug)]
pub struct OnLinks {
    links: Vec<Link>,
    rule: LinkRule,
    lasts: Duration,
    applied: Vec<(Link, RuleId)>,
    /// What had happened before.
    before: Vec<LinkCounters>,
}

impl OnLinks {
    /// On these links, for so long.
    pub const fn new(links: Vec<Link>, rule: LinkRule, lasts: Duration) -> Self {
        Self {
            links,
            rule,
            lasts,
            applied: Vec::new(),
            before: Vec::new(),
        }
    }

    async fn apply(&mut self) -> Result<(), Trouble> {
        self.before = self.links.iter().map(Link::counters).collect();
        let ttl = match (self.lasts.is_zero(), &self.rule.fault) {
            (true, LinkFault::Reset) => Duration::ZERO,
            _ => self.lasts + BEYOND,
        };
        for link in &self.links {
            let applied = link.apply(self.rule.clone(), ttl).await;
            let applied = applied
                .map_err(|error| Trouble::new(format!("the link {}: {error}", link.name())))?;
            self.applied.push((link.clone(), applied));
        }
        Ok(())
    }

    /// How often it has really met somebody, on all links.
    fn met(&self) -> u64 {
        let of = |counters: &LinkCounters| match self.rule.fault {
            LinkFault::Delay { .. } => counters.delayed,
            LinkFault::Rate { .. } => counters.throttled,
            LinkFault::Slice { .. } => counters.sliced,
            LinkFault::Reset => counters.resets,
            LinkFault::BlackHole => counters.swallowed,
            LinkFault::Close { .. } => counters.closed,
            LinkFault::HalfOpen => counters.half_opened,
            LinkFault::DropReply { .. } => counters.dropped_replies,
            LinkFault::Refuse => 0,
        };
        let now = self.links.iter().map(|link| of(&link.counters()));
        let before = self.before.iter().map(of);
        now.zip(before)
            .map(|(now, before)| now.saturating_sub(before))
            .sum()
    }

    async fn look(&self) -> Effect {
        if self.rule.fault == LinkFault::Refuse {
            return refused(&self.links).await;
        }
        let (met, what) = (self.met(), words(&self.rule.fault));
        if met > 0 {
            return Effect::Seen(format!("the proxy counts {met} {what}"));
        }
        let unreadable = self
            .links
            .iter()
            .find_map(|link| link.counters().why_unreadable);
        let why = unreadable.map_or_else(String::new, |why| format!("; {why}"));
        Effect::NotSeen(format!("the proxy counts no {what}{why}"))
    }

    async fn take_off(&mut self) -> Result<(), Trouble> {
        let mut first = Ok(());
        for (link, rule) in &self.applied {
            // One that has ended by itself is off.
            let removed = link.remove(*rule).await;
            let removed =
                removed.map_err(|error| Trouble::new(format!("the link {}: {error}", link.name())));
            first = first.and(removed.map(drop));
        }
        first
    }
}

/// What the proxy counts.
const fn words(fault: &LinkFault) -> &'static str {
    match fault {
        LinkFault::Delay { .. } => "lots of bytes that were held back",
        LinkFault::Rate { .. } => "pieces that had to wait",
        LinkFault::Slice { .. } => "pieces",
        LinkFault::Reset => "connections that got RST",
        LinkFault::BlackHole => "bytes that vanished",
        LinkFault::Close { .. } => "connections that were closed",
        LinkFault::HalfOpen => "connections of which one side was cut off",
        LinkFault::DropReply { .. } => "replies that were dropped",
        LinkFault::Refuse => "connections that were refused",
    }
}

/// Connects as any client would.
async fn refused(links: &[Link]) -> Effect {
    for link in links {
        let connected = timeout(REFUSED_WITHIN, TcpStream::connect(link.address())).await;
        match connected {
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {}
            Ok(Err(error)) => return Effect::NotSeen(format!("{}: {error}", link.name())),
            Ok(Ok(_)) => return Effect::NotSeen(format!("{} takes connections", link.name())),
            Err(_) => return Effect::NotSeen(format!("{} is silent", link.name())),
        }
    }
    Effect::Seen("a connection was refused".to_owned())
}

impl Nemesis for OnLinks {
    /// The proxy ends with the harness, and with it all that comes by its links.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(self.apply())
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(self.look())
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(self.take_off())
    }
}
