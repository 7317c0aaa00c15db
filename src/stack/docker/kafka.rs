//! Apache Kafka in containers: one broker or three in `KRaft` mode, each of which is a controller
//! too, set by the variables of the official image.

use futures_util::future::{join_all, try_join_all};
use testcontainers::bollard::query_parameters::RemoveContainerOptionsBuilder;

use super::container::{Address, Container, Failed, Kind, Launched};
use super::network::Network;
use super::{NotReady, Place};
use crate::stack::cluster::{self, Cluster};
use crate::stack::local::{PORTS, free_port};
use crate::stack::outside::Figures;
use crate::stack::settings;

/// Where brokers talk to each other, and controllers, in their containers.
const BROKERS: u16 = 9094;
const CONTROLLERS: u16 = 9093;

/// A volume of the image, which its user may write.
const DATA: &str = "/var/lib/kafka/data";

/// All brokers, which answer.
#[derive(Debug)]
pub(super) struct Kafka {
    brokers: Vec<Container>,
    network: Option<Network>,
}

impl Kafka {
    /// Starts the brokers side by side: with three, none is ready before another one is.
    pub(super) async fn start(place: &Place<'_>, brokers: u8) -> Result<Self, NotReady> {
        let cluster = Cluster::new(brokers)?;
        let network = network(place, brokers).await?;
        let image = place.engine.images.kafka.as_ref();
        let mut tried = 1;
        loop {
            let kinds = kinds(place, &cluster, network.as_ref())?;
            let launched = kinds
                .iter()
                .map(|kind| Launched::launch(kind, image, place));
            // All of them end, so that none comes after what was started has been removed.
            let launched = join_all(launched).await;
            match launched.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(launched) => {
                    let ready = launched.into_iter().zip(&kinds);
                    let ready = ready.map(|(launched, kind)| launched.ready(kind, place));
                    let brokers = try_join_all(ready).await?;
                    return Ok(Self { brokers, network });
                }
                Err(Failed::PortTaken(_)) if tried < PORTS => {
                    remove(place, &kinds).await;
                    tried += 1;
                }
                Err(failed) => return Err(failed.into()),
            }
        }
    }

    /// As clients take it.
    pub(super) fn bootstrap(&self) -> String {
        cluster::bootstrap(self.brokers.iter().map(|broker| broker.port))
    }

    pub(super) fn outside(&self) -> Vec<Figures> {
        let processes = self.brokers.iter().map(Container::process);
        cluster::figures(&self.bootstrap(), processes)
    }

    /// Stops all in good order, and removes them with their network; whether they are gone.
    pub(super) async fn stop(self) -> bool {
        let removed = join_all(self.brokers.into_iter().map(Container::stop)).await;
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

/// Removes what was made under these names, whether it runs or not.
async fn remove(place: &Place<'_>, kinds: &[Broker]) {
    let removals = kinds.iter().map(|kind| {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
        let name = &kind.address.name;
        let docker = &place.engine.docker;
        docker.remove_container(name, Some(options.build()))
    });
    // What stays makes the next try fail, which says so; and the keeper removes it.
    let _ = join_all(removals).await;
}

/// How one broker is started.
struct Broker {
    cluster: Cluster,
    /// From 1.
    number: u8,
    name: String,
    address: Address,
    /// Of all brokers in their order, as their controllers find each other.
    hosts: Vec<String>,
}

fn kinds(
    place: &Place<'_>,
    cluster: &Cluster,
    network: Option<&Network>,
) -> std::io::Result<Vec<Broker>> {
    let container = |number| format!("fcfs-bench-{}-kafka-{number}", place.run);
    let hosts: Vec<_> = match network {
        Some(_) => (1..=cluster.brokers).map(container).collect(),
        None => vec!["localhost".to_owned()],
    };
    let broker = |number| {
        Ok(Broker {
            cluster: cluster.clone(),
            number,
            name: format!("kafka-{number}"),
            address: Address {
                name: container(number),
                port: free_port()?,
                network: network.map(|network| network.name.clone()),
            },
            hosts: hosts.clone(),
        })
    };
    (1..=cluster.brokers).map(broker).collect()
}

impl Broker {
    /// What follows from where it runs.
    fn place(&self) -> Vec<(&'static str, String)> {
        let port = self.address.port;
        let host = &self.hosts[usize::from(self.number - 1)];
        let voters = self.hosts.iter().zip(1..);
        let voters: Vec<_> = voters
            .map(|(host, number)| format!("{number}@{host}:{CONTROLLERS}"))
            .collect();
        let here = Self::PORT;
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
                words("CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,CLIENT:PLAINTEXT"),
            ),
            (
                "KAFKA_LISTENERS",
                format!("CLIENT://:{here},BROKER://:{BROKERS},CONTROLLER://:{CONTROLLERS}"),
            ),
            (
                "KAFKA_ADVERTISED_LISTENERS",
                format!("CLIENT://127.0.0.1:{port},BROKER://{host}:{BROKERS}"),
            ),
        ]
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
    const PORT: u16 = 9092;

    fn name(&self) -> &str {
        &self.name
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

    async fn ask(&self, port: u16) -> Result<(), String> {
        self.cluster.ask(port).await
    }

    fn secret(&self) -> Option<&str> {
        None
    }

    fn address(&self) -> Option<&Address> {
        Some(&self.address)
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
            address: Address {
                name: "one".to_owned(),
                port: 12345,
                network: None,
            },
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
}
