//! One instance of what a run has brought up, as a fault sees it: it can be asked, stopped, killed and
//! started again, always at the same address.

use std::sync::Arc;

use rustix::process::Signal;

use super::local::Service;
use super::server::Server;
use super::services::Services;
use super::settings::{KAFKA_TOPIC, MYSQL_LOCK};
use super::{Ready, Way};
use crate::plan::fault::Party;
use crate::plan::{Role, Secret};
use crate::process::{self, Stat};

/// A process or a container of the stack.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    party: Party,
    /// From 1, among those of its party.
    number: u16,
    url: Option<Secret>,
    /// The same for a user who may do anything.
    admin: Option<Secret>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Service(Arc<Service>),
    Server(Arc<Server>),
}

/// A process of this machine: its number, and when it started, which tells it from another one that
/// gets the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Its number.
    pub pid: u32,
    /// In the kernel's ticks since the boot.
    pub started: u64,
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

    /// Asks it once, in its own protocol, whether it answers.
    ///
    /// # Errors
    /// In words, when it does not.
    pub async fn ask(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(service) => service.ask().await,
            Body::Server(server) => server.ask().await,
        }
    }

    /// Its process; none while it does not run.
    pub fn running(&self) -> Option<Running> {
        let pid = match &self.body {
            // The keeper is not what is meant.
            Body::Service(service) => *process::children(service.keeper()?).first()?,
            Body::Server(server) => server.pid()?,
        };
        let started = Stat::of(pid)?.started;
        Some(Running { pid, started })
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be reached.
    pub fn send(&self, signal: Signal) -> Result<(), String> {
        let running = self.running().ok_or("it does not run")?;
        let sent = process::send(running.pid, running.started, signal);
        sent.map_err(|error| error.to_string())
    }

    /// Kills it, and returns when it is gone.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be reached.
    pub async fn kill(&self) -> Result<(), String> {
        self.send(Signal::KILL)?;
        match &self.body {
            Body::Service(service) => service.has_ended().await,
            Body::Server(server) => server.has_ended().await,
        }
        Ok(())
    }

    /// Lets it stop in good order.
    pub async fn stop(&self) {
        match &self.body {
            Body::Service(service) => service.stop().await,
            Body::Server(server) => server.stop().await,
        }
    }

    /// Starts it again at its address, and returns when it answers; nothing if it runs.
    ///
    /// # Errors
    /// In words, with the last lines of its log.
    pub async fn start_again(&self) -> Result<(), String> {
        let started = match &self.body {
            Body::Service(service) => service.start_again().await,
            Body::Server(server) => server.start_again().await,
        };
        started.map_err(|error| error.to_string())
    }
}

impl Ready {
    /// What the events of the bundled system go through.
    pub const TOPIC: &str = KAFKA_TOPIC;

    /// Locks what every transaction of the bundled system needs.
    pub const COUPONS_LOCK: &str = MYSQL_LOCK;

    /// The links on which faults can be.
    pub fn ways(&self) -> Vec<Way> {
        self.links.ways().to_vec()
    }

    /// Everything that the run has brought up and can break.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = self.services.parts();
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
                body: Body::Server(Arc::clone(server)),
            });
        }
        parts
    }
}

impl Services {
    fn parts(&self) -> Vec<Part> {
        let Self::Local(local) = self else {
            return Vec::new();
        };
        let part = |party, number, url, service: &Arc<Service>| Part {
            name: service.name().to_owned(),
            party,
            number,
            url,
            admin: None,
            body: Body::Service(Arc::clone(service)),
        };
        let redis = local.redis().iter().zip(local.redis_urls()).zip(1..);
        let redis = redis.map(|((service, url), number)| {
            part(Party::Redis, number, Some(Secret::new(url)), service)
        });
        let mysql = local.mysql().map(|service| {
            let url = local.mysql_url().cloned();
            Part {
                admin: self.mysql_admin_url(),
                ..part(Party::Database, 1, url, service)
            }
        });
        let brokers = local.brokers().iter().zip(1..).map(|(service, number)| {
            let address = Secret::new(format!("127.0.0.1:{}", service.port));
            part(Party::Kafka, number, Some(address), service)
        });
        redis.chain(mysql).chain(brokers).collect()
    }
}
