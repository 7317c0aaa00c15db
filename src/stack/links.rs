//! The ways between the parties of a run that faults need: each a link of the fault proxy, with one
//! stable address.
//!
//! Without a fault on a way there is no link on it, so that what is measured is not the proxy. One way
//! always has one: to a Redis whose primary may change.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::NotReady;
use super::sentinel::Sentinels;
use super::services::Services;
use crate::fault::proxy::{Link, Proxies, ProxyError};
use crate::load::http::Endpoint;
use crate::plan::fault::{Fault, Injection, Party};
use crate::plan::{LinkFault, LinkRule, OwnPart, Plan, Protocol, Secret, Target, mix};

/// All links of a run.
#[derive(Debug, Default)]
pub(super) struct Links {
    proxies: Option<Proxies>,
    wanted: Wanted,
    all: Vec<Way>,
    seed: u64,
}

/// One link, and whose faults it carries.
#[derive(Debug, Clone)]
pub struct Way {
    /// What stands behind it.
    pub party: Party,
    /// Which instance of it, from 1.
    pub number: u16,
    /// The link; its name says who comes by it.
    pub link: Link,
}

/// On the way to whom there are links.
#[derive(Debug, Default)]
struct Wanted(Vec<Party>);

impl Wanted {
    fn of(plan: &Plan) -> Self {
        let mut wanted = Self::by(&plan.faults);
        // Its address must not change when another one is the primary.
        if matches!(&plan.target, Target::Stack(stack) if stack.standby.is_some()) {
            wanted.0.push(Party::Redis);
        }
        wanted
    }

    fn by(faults: &[Fault]) -> Self {
        let on_a_link = faults
            .iter()
            .filter(|fault| matches!(fault.injection, Injection::Link(_) | Injection::Partition));
        Self(on_a_link.map(|fault| fault.victim.party.clone()).collect())
    }

    fn has(&self, party: &Party) -> bool {
        self.0.contains(party)
    }
}

impl From<ProxyError> for NotReady {
    fn from(error: ProxyError) -> Self {
        Self::Io(std::io::Error::other(format!("the fault proxy: {error}")))
    }
}

impl Links {
    /// Starts the proxy, if there is something that needs it.
    pub(super) fn start(plan: &Plan) -> Result<Self, NotReady> {
        let wanted = Wanted::of(plan);
        Ok(Self {
            proxies: (!wanted.0.is_empty()).then(Proxies::start).transpose()?,
            wanted,
            all: Vec::new(),
            seed: plan.seed,
        })
    }

    /// The links that the user's own system uses, whether there is a fault on them or not: it would
    /// not find its services without them.
    pub(super) async fn of_parts(&mut self, parts: &[OwnPart]) -> Result<(), NotReady> {
        for part in parts {
            let (Some(port), Some((host, upstream))) = (part.via, part.upstream()) else {
                continue;
            };
            if self.proxies.is_none() {
                self.proxies = Some(Proxies::start()?);
            }
            let name = format!("127.0.0.1:{port} to {}", part.name());
            let mut found = tokio::net::lookup_host((host, upstream)).await?;
            let (to, protocol) = match part.party {
                Party::Redis => ((Party::Redis, part.number), Protocol::Resp),
                _ => ((Party::Database, part.number), Protocol::MySql),
            };
            self.open_at(&name, Some(port), to, found.next(), protocol)
                .await?;
        }
        Ok(())
    }

    pub(super) fn ways(&self) -> &[Way] {
        &self.all
    }

    /// The address that each broker has for its clients, before it starts; `None` for its own.
    pub(super) async fn brokers(&mut self, brokers: u8) -> Result<Vec<Option<u16>>, NotReady> {
        let mut ports = Vec::new();
        for number in 1..=u16::from(brokers) {
            let port = if self.wanted.has(&Party::Kafka) {
                let name = format!("clients to kafka-{number}");
                let to = (Party::Kafka, number);
                Some(self.open(&name, to, None, Protocol::Kafka).await?.port())
            } else {
                None
            };
            ports.push(port);
        }
        Ok(ports)
    }

    /// Where the brokers really listen.
    pub(super) fn lead_to_brokers(&self, ports: &[u16]) {
        let ways = self.all.iter().filter(|way| way.party == Party::Kafka);
        for (way, port) in ways.zip(ports) {
            way.link
                .set_upstream(SocketAddr::from((Ipv4Addr::LOCALHOST, *port)));
        }
    }

    /// How a process of the server reaches its services: by links of its own, or as they are.
    pub(super) async fn of_server(
        &mut self,
        server: &str,
        services: &Services,
    ) -> Result<Reach, NotReady> {
        let mut redis = Vec::new();
        for (url, number) in services.redis_urls().into_iter().zip(1..) {
            redis.push(if self.wanted.has(&Party::Redis) {
                let name = format!("{server} to redis-{number}");
                let to = (Party::Redis, number);
                self.around(&name, to, &url, Protocol::Resp).await?
            } else {
                url
            });
        }
        let mysql = match services.mysql_url() {
            Some(url) if self.wanted.has(&Party::Database) => {
                let (name, to) = (format!("{server} to mysql"), (Party::Database, 1));
                let url = self
                    .around(&name, to, url.reveal(), Protocol::MySql)
                    .await?;
                Some(Secret::new(url))
            }
            url => url.cloned(),
        };
        let kafka = match services.kafka() {
            Some(_) if self.wanted.has(&Party::Kafka) => {
                let ways = self.all.iter().filter(|way| way.party == Party::Kafka);
                let addresses = ways.map(|way| way.link.address().to_string());
                Some(addresses.collect::<Vec<_>>().join(","))
            }
            kafka => kafka,
        };
        Ok(Reach {
            redis,
            mysql,
            kafka,
        })
    }

    /// Leads all links to Redis to whoever is the primary, for as long as what this returns is kept;
    /// nothing where it cannot change.
    pub(super) fn lead(&self, sentinels: Option<&Sentinels>) -> JoinSet<()> {
        let mut leading = JoinSet::new();
        if let Some(sentinels) = sentinels {
            let ways = self.all.iter().filter(|way| way.party == Party::Redis);
            let links = ways.map(|way| way.link.clone()).collect();
            leading.spawn(lead(links, sentinels.changes()));
        }
        leading
    }

    /// The same system, by a link if there are faults on the way of its clients. What is said on it
    /// stays the same, the host's name as well.
    pub(super) async fn of_clients(
        &mut self,
        endpoints: Vec<Endpoint>,
    ) -> Result<Vec<Endpoint>, NotReady> {
        if !self.wanted.has(&Party::Client) {
            return Ok(endpoints);
        }
        let mut led = Vec::new();
        for (endpoint, number) in endpoints.into_iter().zip(1..) {
            let (name, to) = (
                format!("clients to {}", endpoint.url),
                (Party::Client, number),
            );
            let upstream = endpoint.address();
            let address = self.open(&name, to, upstream, Protocol::Opaque).await?;
            led.push(endpoint.by(address));
        }
        Ok(led)
    }

    /// The URL with the address of a new link in the place of its own.
    async fn around(
        &mut self,
        name: &str,
        to: (Party, u16),
        url: &str,
        protocol: Protocol,
    ) -> Result<String, NotReady> {
        let place = address_in(url).ok_or_else(|| {
            std::io::Error::other(format!("{name}: a service has no address on this machine"))
        })?;
        let address = self.open(name, to, Some(place), protocol).await?;
        Ok(url.replacen(&place.to_string(), &address.to_string(), 1))
    }

    async fn open(
        &mut self,
        name: &str,
        to: (Party, u16),
        upstream: Option<SocketAddr>,
        protocol: Protocol,
    ) -> Result<SocketAddr, NotReady> {
        self.open_at(name, None, to, upstream, protocol).await
    }

    async fn open_at(
        &mut self,
        name: &str,
        listen: Option<u16>,
        (party, number): (Party, u16),
        upstream: Option<SocketAddr>,
        protocol: Protocol,
    ) -> Result<SocketAddr, NotReady> {
        let proxies = self.proxies.as_ref().ok_or(ProxyError::Ended)?;
        let seed = mix(self.seed ^ mix(self.all.len() as u64 + 1));
        let link = proxies.open(name, listen, upstream, protocol, seed).await?;
        let address = link.address();
        self.all.push(Way {
            party,
            number,
            link,
        });
        Ok(address)
    }
}

/// As a load balancer before Sentinel does it, or an address that moves: who was connected to the old
/// primary is cut off, and meets the new one when they come again.
async fn lead(links: Vec<Link>, mut primary: watch::Receiver<u16>) {
    loop {
        let port = *primary.borrow_and_update();
        let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        for link in links.iter().filter(|link| link.upstream() != Some(place)) {
            link.set_upstream(place);
            let cut = LinkRule::of(LinkFault::Reset);
            // It fails only when the proxy has ended, and all connections with it.
            let _ = link.apply(cut, Duration::ZERO).await;
        }
        if primary.changed().await.is_err() {
            return;
        }
    }
}

/// What stands before a path, and behind a password: all services of a run have addresses, no names.
fn address_in(url: &str) -> Option<SocketAddr> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    host.parse().ok()
}

/// Where a process finds its services.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// One for each instance.
    pub(super) redis: Vec<String>,
    /// With a password.
    pub(super) mysql: Option<Secret>,
    /// Brokers, separated by commas.
    pub(super) kafka: Option<String>,
}
