//! What is measured from outside of the load, as plain data.

use super::Secret;
use super::model::Plan;
use super::servers::process_name;
use super::stack::Database;
use super::target::Target;
use crate::measure::ResourceKind;

/// Something whose figures are read once a second, beside the load.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// As reports and thresholds call it. A process and what it serves share a name.
    pub name: String,
    /// Where its figures are.
    pub of: ResourceOf,
}

/// Where the figures of a resource are.
#[derive(Debug, Clone, PartialEq)]
pub enum ResourceOf {
    /// The kernel knows them.
    Process(Process),
    /// MySQL or MariaDB counts them: `mysql:` or `mariadb:`.
    Sql(Secret),
    /// Redis counts them: `redis:`.
    Redis(Secret),
    /// The brokers of Kafka know them.
    Kafka(ConsumerGroup),
}

/// A consumer group of Kafka, and a topic that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// `HOST:PORT`, several separated by commas.
    pub brokers: String,
    /// Its name.
    pub group: String,
    /// The topic's name.
    pub topic: String,
}

impl ResourceOf {
    /// What kind of figures it has.
    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Process(_) => ResourceKind::Process,
            Self::Sql(_) => ResourceKind::Sql,
            Self::Redis(_) => ResourceKind::Redis,
            Self::Kafka(_) => ResourceKind::Kafka,
        }
    }
}

/// Which process is meant. All but the harness are taken together with the processes that they
/// have started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Process {
    /// This one, without those that it has started.
    Harness,
    /// The one with this number.
    Pid(u32),
    /// The one that the process with this number has started.
    ChildOf(u32),
    /// The one whose number stands in this file; read each time, so that it may start again.
    /// Relative to the scenario's directory.
    PidFile(String),
    /// The one that listens on this TCP port of this machine.
    Port(u16),
}

/// Under this name the harness itself is measured.
pub const HARNESS: &str = "harness";

impl Plan {
    /// All that a run of this plan measures from outside, by name and kind: the harness, what the
    /// run brings up, and what the scenario names.
    pub fn measured(&self) -> Vec<(String, ResourceKind)> {
        let mut all = vec![(HARNESS.to_owned(), ResourceKind::Process)];
        all.extend(brought_up(&self.target));
        let named = self.resources.iter();
        all.extend(named.map(|resource| (resource.name.clone(), resource.of.kind())));
        all
    }
}

/// What the run brings up: each service is a process, and has figures of its own.
pub(super) fn brought_up(target: &Target) -> Vec<(String, ResourceKind)> {
    let Target::Stack(stack) = target else {
        return Vec::new();
    };
    let both = |name: String, kind| [(name.clone(), ResourceKind::Process), (name, kind)];
    let mut all = Vec::new();
    for group in &stack.groups {
        let names = (1..=group.count).map(|number| process_name(&stack.groups, group.role, number));
        all.extend(names.map(|name| (name, ResourceKind::Process)));
    }
    for number in 1..=stack.redis_processes() {
        all.extend(both(format!("redis-{number}"), ResourceKind::Redis));
    }
    if stack.database == Database::MySql {
        all.extend(both("mysql".to_owned(), ResourceKind::Sql));
    }
    // The mock is one process, however many brokers it has.
    let brokers = if stack.embeds_kafka() { 1 } else { stack.kafka };
    for number in 1..=brokers {
        all.push((format!("kafka-{number}"), ResourceKind::Process));
    }
    if stack.kafka > 0 {
        // Of the whole cluster; any broker says the same.
        all.push(("kafka-1".to_owned(), ResourceKind::Kafka));
    }
    all
}
