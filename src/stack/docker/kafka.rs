//! Apache Kafka in containers: one broker or three in `KRaft` mode, each of which is a controller
//! too, set by the variables of the official image.

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all, try_join_all};

use super::container::{Address, Container, Kind};
use super::launch::{Failed, Launched, remove};
use super::network::Network;
use super::{NotReady, Place};
use crate::stack::cluster::{self, Cluster};
use crate::stack::local::{PORTS, free_port};
use crate::stack::outside::Figures;
use crate::stack::settings;

/// Where brokers talk to each other, and controllers, in their containers.
const BROKERS: u16 = 9094;
const CONTROLLERS: u16 = 9093;

/// Where the harness comes in, and the servers of a run where no link is on their way.
const CLIENT: u16 = 9092;

/// Where those come in who come by a link.
const LINKED: u16 = 9095;

/// A volume of the image, which its user may write.
const DATA: &str = "/var/lib/kafka/data";

/// All brokers, which answer.
#[derive(Debug)]
pub(super) struct Kafka {
    brokers: Vec<Arc<Container>>,
    /// Of this machine, where those come in who come by a link.
    linked: Vec<u16>,
    network: Option<Network>,
}

impl Kafka {
    /// Starts the brokers side by side: with three, none is ready before another one is.
    /// `advertised` are the ports of the links to them, `None` without one.
    pub(super) async fn start(
        place: &Place<'_>,
        brokers: u8,
        advertised: &[Option<u16>],
    ) -> Result<Self, NotReady> {
        let cluster = Cluster::new(brokers)?;
        let network = network(place, brokers).await?;
        let image = place.engine.images.kafka.as_ref();
        let mut tried = 1;
        loop {
            let kinds = kinds(place, &cluster, network.as_ref(), advertised)?;
            let linked = kinds
                .iter()
                .filter_map(|kind| Some(kind.link.as_ref()?.here));
            let linked = linked.collect();
            let names: Vec<_> = kinds.iter().map(|kind| kind.name.clone()).collect();
            let launched = kinds
                .into_iter()
                .map(|kind| Launched::launch(Box::new(kind), image, place));
            // All of them end, so that none comes after what was started has been removed.
            let launched = join_all(launched).await;
            match launched.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(launched) => {
                    let ready = launched.into_iter().map(|launched| launched.ready(place));
                    let brokers = try_join_all(ready).await?;
                    return Ok(Self {
                        brokers: brokers.into_iter().map(Arc::new).collect(),
                        linked,
                        network,
                    });
                }
                Err(Failed::PortTaken(_)) if tried < PORTS => {
                    join_all(names.iter().map(|name| remove(place, name))).await;
                    tried += 1;
                }
                Err(failed) => return Err(failed.into()),
            }
        }
    }

    /// As clients take it.
    pub(super) fn bootstrap(&self) -> String {
        cluster::bootstrap(self.brokers.iter().map(|broker| broker.port()))
    }

    pub(super) fn brokers(&self) -> &[Arc<Container>] {
        &self.brokers
    }

    /// The ports behind the links, if there are links.
    pub(super) fn linked(&self) -> &[u16] {
        &self.linked
    }

    pub(super) fn outside(&self) -> Vec<Figures> {
        let processes = self.brokers.iter().map(|broker| broker.process());
        cluster::figures(&self.bootstrap(), processes)
    }

    /// Stops all in good order, and removes them with their network; whether they are gone.
    pub(super) async fn stop(self) -> bool {
        let removed = join_all(self.brokers.iter().map(|broker| broker.remove())).await;
        let network = match self.network {
            Some(network) => network.remove().await,
            None => true,
        };
        network && removed.into_iter().all(|removed| removed)
    }
}

/// One broker alone talks to itself.
async fn network(place: &Place<'_>, brokers: u8) -> Result<Option<Network>, NotReady> {
    if brokers == 1 {
        return Ok(None);
    }
    let network = Network::make(place).await;
    let network = network.map_err(|problem| NotReady::Service {
        service: "kafka-1".to_owned(),
        problem,
        log: String::new(),
    })?;
    Ok(Some(network))
}

/// How one broker is started.
struct Broker {
    cluster: Cluster,
    /// From 1.
    number: u8,
    name: String,
    address: Address,
    link: Option<ByLink>,
    /// Of all brokers in their order, as their controllers find each other.
    hosts: Vec<String>,
}

/// The second way to a broker. Who asks at a port is told the address that belongs to it, so those who
/// come by a link stay with it, and the harness is not met by what happens there.
struct ByLink {
    /// Of this machine, where the link leads to.
    here: u16,
    /// The link's own.
    advertised: u16,
}

fn kinds(
    place: &Place<'_>,
    cluster: &Cluster,
    network: Option<&Network>,
    advertised: &[Option<u16>],
) -> std::io::Result<Vec<Broker>> {
    let name = |number: u8| format!("kafka-{number}");
    let hosts: Vec<_> = match network {
        Some(_) => (1..=cluster.brokers)
            .map(|number| place.container(&name(number)))
            .collect(),
        None => vec!["localhost".to_owned()],
    };
    let broker = |number: u8| {
        let name = name(number);
        let link = advertised.get(usize::from(number - 1)).copied().flatten();
        let link = link.map(|advertised| {
            let here = free_port()?;
            Ok::<_, std::io::Error>(ByLink { here, advertised })
        });
        Ok(Broker {
            cluster: cluster.clone(),
            number,
            address: Address {
                network: network.map(|network| network.name.clone()),
                ..Address::new(place, &name)?
            },
            name,
            link: link.transpose()?,
            hosts: hosts.clone(),
        })
    };
    (1..=cluster.brokers).map(broker).collect()
}

impl Broker {
    /// What follows from where it runs.
    fn place(&self) -> Vec<(&'static str, String)> {
        let (listeners, advertised) = self.listeners();
        let host = &self.hosts[usize::from(self.number - 1)];
        let voters = self.hosts.iter().zip(1..);
        let voters: Vec<_> = voters
            .map(|(host, number)| format!("{number}@{host}:{CONTROLLERS}"))
            .collect();
        let words = |text: &str| text.to_owned();
        vec![
            ("CLUSTER_ID", self.cluster.id.clone()),
            ("KAFKA_NODE_ID", self.number.to_string()),
            ("KAFKA_LOG_DIRS", words(DATA)),
            ("KAFKA_CONTROLLER_QUORUM_VOTERS", voters.join(",")),
            ("KAFKA_CONTROLLER_LISTENER_NAMES", words("CONTROLLER")),
            ("KAFKA_INTER_BROKER_LISTENER_NAME", words("BROKER")),
            (
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                words("CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,CLIENT:PLAINTEXT,LINKED:PLAINTEXT"),
            ),
            (
                "KAFKA_LISTENERS",
                format!("{listeners},BROKER://:{BROKERS},CONTROLLER://:{CONTROLLERS}"),
            ),
            (
                "KAFKA_ADVERTISED_LISTENERS",
                format!("{advertised},BROKER://{host}:{BROKERS}"),
            ),
        ]
    }

    /// Where it listens for clients, and what it tells them.
    fn listeners(&self) -> (String, String) {
        let here = self.address.port;
        let listeners = format!("CLIENT://:{CLIENT}");
        let advertised = format!("CLIENT://127.0.0.1:{here}");
        match &self.link {
            None => (listeners, advertised),
            Some(ByLink { advertised: to, .. }) => (
                format!("{listeners},LINKED://:{LINKED}"),
                format!("{advertised},LINKED://127.0.0.1:{to}"),
            ),
        }
    }

    /// What does not.
    fn settings(&self) -> Vec<(String, String)> {
        let replicas = settings::replicas(self.cluster.brokers);
        let lines = settings::lines(settings::KAFKA).chain(settings::lines(&replicas));
        lines.filter_map(variable).collect()
    }
}

/// A line of `server.properties`, as the image takes it.
fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.to_ascii_uppercase().replace('.', "_");
    Some((format!("KAFKA_{name}"), value.to_owned()))
}

impl Kind for Broker {
    fn name(&self) -> &str {
        &self.name
    }

    fn port(&self) -> u16 {
        CLIENT
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn published(&self) -> Vec<(u16, u16)> {
        let own = (CLIENT, self.address.port);
        let linked = self.link.as_ref().map(|link| (LINKED, link.here));
        std::iter::once(own).chain(linked).collect()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let [least, most, collector] = settings::KAFKA_JVM;
        let machine = [
            ("KAFKA_HEAP_OPTS", format!("{least} {most}")),
            ("KAFKA_JVM_PERFORMANCE_OPTS", collector.to_owned()),
        ];
        let place = self.place().into_iter().chain(machine);
        let place = place.map(|(name, value)| (name.to_owned(), value));
        place.chain(self.settings()).collect()
    }

    /// The image's own.
    fn command(&self) -> Vec<String> {
        Vec::new()
    }

    fn ask(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.cluster.ask(self.address.port))
    }

    fn secret(&self) -> Option<&str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(hosts: &[&str], number: u8) -> Broker {
        let brokers = u8::try_from(hosts.len()).expect("few");
        Broker {
            cluster: Cluster::new(brokers).expect("random numbers"),
            number,
            name: format!("kafka-{number}"),
            address: Address::of_a_test(),
            link: None,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        }
    }

    #[track_caller]
    fn has(broker: &Broker, name: &str, value: &str) {
        let all = broker.environment();
        let found: Vec<_> = all.iter().filter(|(key, _)| key == name).collect();
        assert_eq!(found, [&(name.to_owned(), value.to_owned())]);
    }

    #[test]
    fn each_setting_is_a_variable_of_the_official_image() {
        let one = broker(&["localhost"], 1);
        has(&one, "KAFKA_PROCESS_ROLES", "broker,controller");
        has(&one, "KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false");
        has(&one, "KAFKA_MIN_INSYNC_REPLICAS", "1");
        has(&one, "KAFKA_HEAP_OPTS", "-Xms256m -Xmx256m");
        has(&one, "CLUSTER_ID", &one.cluster.id);
    }

    #[test]
    fn clients_come_by_the_published_port_and_brokers_by_the_network() {
        let second = broker(&["a", "b", "c"], 2);
        let advertised = "CLIENT://127.0.0.1:12345,BROKER://b:9094";
        has(&second, "KAFKA_ADVERTISED_LISTENERS", advertised);
        let voters = "1@a:9093,2@b:9093,3@c:9093";
        has(&second, "KAFKA_CONTROLLER_QUORUM_VOTERS", voters);
        has(&second, "KAFKA_MIN_INSYNC_REPLICAS", "2");
    }
    #[test]
    fn who_comes_by_a_link_stays_with_it_and_the_harness_does_not_come_by_it() {
        let here = 23456;
        let mut linked = broker(&["localhost"], 1);
        linked.link = Some(ByLink {
            here,
            advertised: 34567,
        });
        let advertised =
            "CLIENT://127.0.0.1:12345,LINKED://127.0.0.1:34567,BROKER://localhost:9094";
        has(&linked, "KAFKA_ADVERTISED_LISTENERS", advertised);
        let listeners = "CLIENT://:9092,LINKED://:9095,BROKER://:9094,CONTROLLER://:9093";
        has(&linked, "KAFKA_LISTENERS", listeners);
        assert_eq!(linked.published(), [(9092, 12345), (9095, here)]);
    }
}
