//! Where the services are that the stack has brought up, for those who break them on purpose.

use super::account::ADMIN;
use super::{Ready, settings};
use crate::plan::Secret;

/// Addresses of services; empty for a system that already runs.
#[derive(Debug, Clone, Default)]
pub struct Victims {
    /// One for each instance.
    pub redis: Vec<Secret>,
    /// `MySQL` or `MariaDB`.
    pub database: Option<DatabaseVictim>,
    /// All brokers.
    pub kafka: Option<KafkaVictim>,
}

/// The database of a stack.
#[derive(Debug, Clone)]
pub struct DatabaseVictim {
    /// As a user who may do anything at the server.
    pub admin: Secret,
    /// That user, who also reads for the run.
    pub admin_user: &'static str,
    /// As the user that the servers write as, who may do anything in their database and no more.
    pub system: Secret,
    /// Locks what every transaction of the servers needs.
    pub lock: &'static str,
}

/// The brokers of a stack.
#[derive(Debug, Clone)]
pub struct KafkaVictim {
    /// `HOST:PORT`, separated by commas.
    pub brokers: String,
    /// What the events of the run go through.
    pub topic: &'static str,
}

impl Ready {
    /// What the stack has brought up.
    pub fn victims(&self) -> Victims {
        let redis = self.services.redis_urls().into_iter().map(Secret::new);
        let system = self.services.mysql_url().cloned();
        let urls = self.services.mysql_admin_url().zip(system);
        Victims {
            redis: redis.collect(),
            database: urls.map(|(admin, system)| DatabaseVictim {
                admin,
                admin_user: ADMIN,
                system,
                lock: settings::MYSQL_LOCK,
            }),
            kafka: self.services.kafka().map(|brokers| KafkaVictim {
                brokers,
                topic: settings::KAFKA_TOPIC,
            }),
        }
    }
}
