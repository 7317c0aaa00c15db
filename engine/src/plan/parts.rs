//! What faults may break of a system that already runs, as the scenario names it.

use super::allowed::is_loopback;
use super::fault::Party;
use super::{Process, Secret};

/// Something of the user's own system.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnPart {
    /// As faults call it.
    pub party: Party,
    /// From 1, among those of its party.
    pub number: u16,
    /// How it is found on this machine, where it is to be frozen or stopped.
    pub found: Option<Found>,
    /// What starts a process again: a command for a shell in the scenario's directory, which
    /// returns. Only where a file holds the process's number.
    pub start: Option<Secret>,
    /// Where it is asked; of a broker `HOST:PORT`.
    pub url: Option<Secret>,
    /// The same for a user who may do what a fault does.
    pub admin: Option<Secret>,
    /// The port of 127.0.0.1 at which a link leads to it while the run lasts.
    pub via: Option<u16>,
    /// What events go through.
    pub topic: Option<String>,
}

/// How a part is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// By its number, or by a file that has it.
    Process(Process),
    /// By its name or id.
    Container(String),
    /// By the labels of its Compose project.
    Service {
        /// The project's name.
        project: String,
        /// The service's.
        service: String,
    },
}

impl OwnPart {
    /// Whether it can be started again once it is gone.
    pub const fn can_start_again(&self) -> bool {
        match &self.found {
            Some(Found::Container(_) | Found::Service { .. }) => true,
            Some(Found::Process(_)) => self.start.is_some(),
            None => false,
        }
    }

    /// As reports call it: `redis-1`, `server-2`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.party.name(), self.number)
    }

    /// All hosts at which it is asked, without brackets for IPv6.
    pub(super) fn hosts(&self) -> Vec<String> {
        if self.party == Party::Kafka {
            return self.url.iter().filter_map(broker_host).collect();
        }
        let urls = self.url.iter().chain(&self.admin);
        urls.filter_map(|url| host_of(url.reveal())).collect()
    }

    /// Host and port behind [`OwnPart::via`].
    pub fn upstream(&self) -> Option<(String, u16)> {
        let text = self.url.as_ref()?.reveal();
        let port = url::Url::parse(text).ok()?.port();
        let usual = match self.party {
            Party::Redis => 6379,
            _ => 3306,
        };
        Some((host_of(text)?, port.unwrap_or(usual)))
    }

    /// The port at which it is asked, if that is on the loopback of this machine.
    pub fn port_here(&self) -> Option<u16> {
        let (host, port) = match self.party {
            Party::Redis | Party::Database => self.upstream()?,
            Party::Kafka => {
                let address = self.url.as_ref()?;
                let (_, port) = address.reveal().rsplit_once(':')?;
                (broker_host(address)?, port.parse().ok()?)
            }
            Party::Server(_) | Party::Client => {
                let text = self.url.as_ref()?.reveal();
                let url = url::Url::parse(text).ok()?;
                (host_of(text)?, url.port_or_known_default()?)
            }
        };
        is_loopback(&host).then_some(port)
    }
}

/// As the clients of a service read it out of its URL.
fn host_of(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(host.trim_matches(['[', ']']).to_owned())
}

fn broker_host(address: &Secret) -> Option<String> {
    let (host, _) = address.reveal().rsplit_once(':')?;
    Some(host.trim_matches(['[', ']']).to_owned())
}
