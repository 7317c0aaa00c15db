//! The bundled system: who provides its services, and how many of each.

use super::servers::{Group, ServerSetting};
use crate::scenario::value::Image;

/// The bundled system.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// What was asked for; `auto` is resolved when the stack starts.
    pub provider: Provider,
    /// The server's strategy, as `fcfs-bench serve --strategy` takes it.
    pub strategy: Option<String>,
    /// The defect to plant, as `fcfs-bench serve --bug` takes it.
    pub bug: Option<String>,
    /// Its processes, in the order in which they start.
    pub groups: Vec<Group>,
    /// What is set about them.
    pub settings: Vec<ServerSetting>,
    /// Instances of Redis that the strategy works with.
    pub redis: u8,
    /// Who takes the place of the one Redis when it dies, if anybody does.
    pub standby: Option<Standby>,
    /// Brokers of Kafka: none, 1 or 3.
    pub kafka: u8,
    /// Where the strategy keeps its rows.
    pub database: Database,
    /// What the containers of its services are made of.
    pub images: Images,
}

/// Bytes that each partition of the Kafka in this program keeps. Beyond them its oldest events are
/// thrown away, read or not (`max_size` in librdkafka's `rdkafka_mock.c`, which nothing can set).
pub const KEPT_BY_MOCK: usize = 5 * 1024 * 1024;

/// Partitions of the topic that events go through, unless the scenario says how many.
const PARTITIONS: u16 = 3;

impl Stack {
    /// Whether its Kafka is in this program: the only service that is, so it is taken where no
    /// other is needed.
    pub fn embeds_kafka(&self) -> bool {
        let alone = self.kafka > 0 && self.redis == 0 && self.database == Database::Sqlite;
        alone && matches!(self.provider, Provider::Auto | Provider::Embedded)
    }

    /// Processes of Redis, primary or not, without Sentinels.
    pub fn redis_processes(&self) -> u8 {
        self.redis + self.standby.map_or(0, |standby| standby.replicas)
    }

    /// Of the topic that events go through.
    pub fn partitions(&self) -> u16 {
        let mut settings = self.settings.iter();
        let written = settings.find(|setting| setting.key == "kafka_partitions");
        written
            .and_then(|written| written.argument.parse().ok())
            .unwrap_or(PARTITIONS)
    }
}

/// Replicas of the one Redis of a stack, and the Sentinels that choose the primary among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standby {
    /// 1 or 2.
    pub replicas: u8,
    /// 3 or 5.
    pub sentinels: u8,
}

/// Names of images; `None` for the one that the provider `docker` takes by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// Of each Redis.
    pub redis: Option<Image>,
    /// Of MySQL, or MariaDB in its place.
    pub mysql: Option<Image>,
    /// Of each broker of Kafka.
    pub kafka: Option<Image>,
}

/// Where the bundled server keeps its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file of its own.
    Sqlite,
    /// MySQL, or MariaDB in its place.
    MySql,
}

/// Who provides the services of the bundled system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The best that is there.
    Auto,
    /// Nothing but this binary: SQLite and in-process stand-ins.
    Embedded,
    /// Real services as children of the run, from programs of this machine.
    Local,
    /// Real services as containers of a Docker engine on this machine.
    Docker,
}
