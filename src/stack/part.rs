//! One instance of what a run has brought up, or of what already runs, as a fault sees it: it can be asked, stopped, killed and
//! started again, always at the same address.

mod clock;
mod held;

use std::sync::Arc;

use rustix::process::Signal;

use super::docker::{self, Container};
use super::embedded::Broker;
use super::local::Service;
use super::own::Own;
use super::server::Server;
use super::services::Services;
use super::settings::{KAFKA_TOPIC, MYSQL_LOCK};
use super::{Ready, Sentinels, Way};
use crate::fault::lease::Undo;
use crate::plan::fault::Party;
use crate::plan::{OwnPart, Plan, Role, Secret, Target};
use crate::process::{self, Stat};

/// All brokers of the mock are one process, which is neither of them.
const MOCK_FREEZES_NOT: &str = "a broker of the mock cannot be frozen";

/// A process or a container.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    party: Party,
    /// From 1, among those of its party.
    number: u16,
    url: Option<Secret>,
    /// The same for a user who may do anything.
    admin: Option<Secret>,
    /// At which it listens on the loopback of this machine.
    ports: Vec<u16>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Service(Arc<Service>),
    Server(Arc<Server>),
    Container(Arc<Container>),
    /// Of the mock of `embedded`.
    Broker(Arc<Broker>),
    /// Of a system that the run has not started.
    Own(Arc<Own>),
}

/// A process of this machine: its number, and when it started, which tells it from another one that
/// gets the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Running {
    pid: u32,
    /// In the kernel's ticks since the boot.
    started: u64,
}

impl Part {
    /// As reports and figures call it: `redis-1`, `coupon-2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it belongs to.
    pub const fn party(&self) -> &Party {
        &self.party
    }

    /// From 1, among those of its party.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Where it answers, with a password; for Kafka `HOST:PORT`.
    pub const fn url(&self) -> Option<&Secret> {
        self.url.as_ref()
    }

    /// Where a user comes in who may do anything, with a password.
    pub fn admin(&self) -> Option<&Secret> {
        self.admin.as_ref().or(self.url.as_ref())
    }

    /// Whether that user is another one than that of the system.
    pub const fn has_admin(&self) -> bool {
        self.admin.is_some()
    }

    /// All at which its clients reach it on the loopback of this machine, as far as they are known.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Asks it once, in its own protocol, whether it answers.
    ///
    /// # Errors
    /// In words, when it does not.
    pub async fn ask(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(service) => service.ask().await,
            Body::Server(server) => server.ask().await,
            Body::Container(container) => container.ask().await,
            Body::Broker(broker) => broker.ask().await,
            Body::Own(own) => own.ask().await,
        }
    }

    /// Its process, where it is one; none while it does not run.
    fn running(&self) -> Option<Running> {
        let pid = match &self.body {
            // The keeper is not what is meant.
            Body::Service(service) => *process::children(service.keeper()?).first()?,
            Body::Server(server) => server.pid()?,
            Body::Container(_) | Body::Broker(_) | Body::Own(_) => return None,
        };
        let started = Stat::of(pid)?.started;
        Some(Running { pid, started })
    }

    fn send(&self, signal: Signal) -> Result<(), String> {
        let running = self.running().ok_or("it does not run")?;
        let sent = process::send(running.pid, running.started, signal);
        sent.map_err(|error| error.to_string())
    }

    /// What lets it go on if this process cannot.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be frozen.
    pub fn undo_of_freeze(&self) -> Result<Vec<Undo>, String> {
        match &self.body {
            Body::Service(_) | Body::Server(_) => {
                let Running { pid, started } = self.running().ok_or("it does not run")?;
                Ok(vec![Undo::Continue { pid, started }])
            }
            Body::Container(container) => Ok(vec![Undo::Unpause {
                engine: docker::engine_place(),
                container: container.id().to_owned(),
            }]),
            Body::Broker(_) => Err(MOCK_FREEZES_NOT.to_owned()),
            Body::Own(own) => own.undo_of_freeze(),
        }
    }

    /// What starts it again if this process cannot: nothing where it ends with the run.
    pub fn undo_of_end(&self) -> Vec<Undo> {
        match &self.body {
            Body::Own(own) => own.undo_of_end(),
            _ => Vec::new(),
        }
    }

    /// Stops it where it is, with all its connections open.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be reached.
    pub async fn freeze(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(_) | Body::Server(_) => self.send(Signal::STOP),
            Body::Container(container) => container.pause().await,
            Body::Broker(_) => Err(MOCK_FREEZES_NOT.to_owned()),
            Body::Own(own) => own.freeze().await,
        }
    }

    /// Lets it go on; nothing if it is not frozen.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be reached.
    pub async fn thaw(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(_) | Body::Server(_) => self.send(Signal::CONT),
            Body::Container(container) => container.unpause().await,
            Body::Broker(_) => Ok(()),
            Body::Own(own) => own.thaw().await,
        }
    }

    /// Kills it, and returns when it is gone.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be reached.
    pub async fn kill(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(service) => {
                self.send(Signal::KILL)?;
                service.has_ended().await;
                Ok(())
            }
            Body::Server(server) => {
                self.send(Signal::KILL)?;
                server.has_ended().await;
                Ok(())
            }
            Body::Container(container) => container.kill().await,
            Body::Broker(broker) => broker.down().await,
            Body::Own(own) => own.kill().await,
        }
    }

    /// Lets it stop in good order.
    ///
    /// # Errors
    /// In words, when it cannot be reached.
    pub async fn stop(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(service) => service.stop().await,
            Body::Server(server) => server.stop().await,
            Body::Container(container) => container.stop().await?,
            Body::Broker(broker) => broker.down().await?,
            Body::Own(own) => own.stop().await?,
        }
        Ok(())
    }

    /// Starts it again at its address, and returns when it answers; nothing if it runs.
    ///
    /// # Errors
    /// In words, with the last lines of its log.
    pub async fn start_again(&self) -> Result<(), String> {
        let started = match &self.body {
            Body::Service(service) => service.start_again().await,
            Body::Server(server) => server.start_again().await,
            Body::Container(container) => container.start_again().await,
            Body::Broker(broker) => return broker.up().await,
            Body::Own(own) => return own.start_again().await,
        };
        started.map_err(|error| error.to_string())
    }
}

impl Part {
    /// One of a system that already runs.
    pub(super) fn own(written: &OwnPart, own: Own) -> Self {
        Self {
            name: written.name(),
            party: written.party.clone(),
            number: written.number,
            url: written.url.clone(),
            admin: written.admin.clone(),
            ports: written.port_here().into_iter().collect(),
            body: Body::Own(Arc::new(own)),
        }
    }
}

impl Ready {
    /// What events go through: those of the bundled system, or as the scenario says.
    pub fn topic(&self, plan: &Plan) -> String {
        let named = match &plan.target {
            Target::Stack(_) => None,
            Target::Urls { parts, .. } => parts.iter().find_map(|part| part.topic.clone()),
        };
        named.unwrap_or_else(|| KAFKA_TOPIC.to_owned())
    }

    /// Locks what every transaction of the bundled system needs.
    pub const COUPONS_LOCK: &str = MYSQL_LOCK;

    /// The links on which faults can be.
    pub fn ways(&self) -> Vec<Way> {
        self.links.ways().to_vec()
    }

    /// Who chooses the primary of Redis, where there are several.
    pub fn sentinels(&self) -> Option<Sentinels> {
        self.services.sentinels().cloned()
    }

    /// Everything that the run can break: what it has brought up, or what the scenario names.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = self.services.parts();
        self.add_ports_behind_links(&mut parts);
        parts.extend(self.own.iter().cloned());
        let servers = self.servers.iter().flat_map(super::servers::Servers::all);
        let mut numbers = std::collections::BTreeMap::<Role, u16>::new();
        for (role, server) in servers {
            let number = numbers.entry(role).or_default();
            *number += 1;
            parts.push(Part {
                name: server.name().to_owned(),
                party: Party::Server(role),
                number: *number,
                url: None,
                admin: None,
                ports: vec![server.url().port],
                body: Body::Server(Arc::clone(server)),
            });
        }
        parts
    }

    /// A broker has one more for those who come by a link.
    fn add_ports_behind_links(&self, parts: &mut [Part]) {
        let brokers = parts.iter_mut().filter(|part| part.party == Party::Kafka);
        for broker in brokers {
            let ways = self.links.ways().iter();
            let to_it =
                ways.filter(|way| (&way.party, way.number) == (&broker.party, broker.number));
            let behind = to_it.filter_map(|way| way.link.upstream());
            broker.ports.extend(behind.map(|place| place.port()));
        }
    }
}

impl Services {
    fn parts(&self) -> Vec<Part> {
        match self {
            Self::None => Vec::new(),
            Self::Embedded(embedded) => {
                let brokers = embedded.brokers().iter().zip(1..);
                let brokers = brokers.map(|(broker, number)| Part {
                    name: broker.name().to_owned(),
                    party: Party::Kafka,
                    number,
                    url: Some(Secret::new(broker.address())),
                    admin: None,
                    ports: vec![broker.port()],
                    body: Body::Broker(Arc::clone(broker)),
                });
                brokers.collect()
            }
            Self::Local(local) => {
                let service = |service: &Arc<Service>| One {
                    name: service.name().to_owned(),
                    port: service.port,
                    body: Body::Service(Arc::clone(service)),
                };
                self.each(
                    local.redis().iter().map(service),
                    local.mysql().map(service),
                    local.brokers().iter().map(service),
                )
            }
            Self::Docker(docker) => {
                let container = |container: &Arc<Container>| One {
                    name: container.name().to_owned(),
                    port: container.port(),
                    body: Body::Container(Arc::clone(container)),
                };
                self.each(
                    docker.redis().iter().map(container),
                    docker.mysql().map(container),
                    docker.brokers().iter().map(container),
                )
            }
        }
    }

    fn each(
        &self,
        redis: impl Iterator<Item = One>,
        mysql: Option<One>,
        brokers: impl Iterator<Item = One>,
    ) -> Vec<Part> {
        let redis = redis.zip(1..).map(|(one, number)| {
            let url = super::sentinel::url(one.port);
            one.part(Party::Redis, number, Some(url))
        });
        let mysql = mysql.map(|one| Part {
            admin: self.mysql_admin_url(),
            ..one.part(Party::Database, 1, self.mysql_url().cloned())
        });
        let brokers = brokers.zip(1..).map(|(one, number)| {
            let address = Secret::new(format!("127.0.0.1:{}", one.port));
            one.part(Party::Kafka, number, Some(address))
        });
        redis.chain(mysql).chain(brokers).collect()
    }
}

/// An instance of a service, whoever runs it.
struct One {
    name: String,
    port: u16,
    body: Body,
}

impl One {
    fn part(self, party: Party, number: u16, url: Option<Secret>) -> Part {
        Part {
            name: self.name,
            party,
            number,
            url,
            admin: None,
            ports: vec![self.port],
            body: self.body,
        }
    }
}
