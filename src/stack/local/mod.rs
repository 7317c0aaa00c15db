//! The provider `local`: real services as children of the run, on free ports of the loopback
//! address, with their files in the run directory.

mod kafka;
mod kept;
mod libraries;
mod mysql;
mod programs;
mod redis;
mod sentinel;
mod service;

use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::{join_all, join3, try_join_all, try_join3};

use self::kafka::Kafka;
use self::mysql::MySql;
use self::programs::Programs;
use self::redis::Redis;
use self::sentinel::{Group, Watch};
pub(super) use self::service::Service;
pub(super) use self::service::{PORTS, free_port};
use super::NotReady;
use super::account::as_admin;
use super::clock::Clocks;
use super::outside::Figures;
use super::sentinel::Sentinels;
use crate::plan::fault::Party;
use crate::plan::{Database, ResourceOf, Secret, Stack, Standby};

/// Which services a stack needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// Instances.
    pub(super) redis: u8,
    /// Who takes the place of the one Redis.
    pub(super) standby: Option<Standby>,
    pub(super) mysql: bool,
    /// Brokers.
    pub(super) kafka: u8,
}

impl Needs {
    pub(super) fn of(stack: &Stack) -> Self {
        Self {
            redis: stack.redis,
            standby: stack.standby,
            mysql: stack.database == Database::MySql,
            kafka: stack.kafka,
        }
    }

    pub(super) const fn none(self) -> bool {
        self.redis == 0 && !self.mysql && self.kafka == 0
    }

    pub(super) fn in_words(self) -> String {
        let redis = match self.redis {
            0 => None,
            1 if self.standby.is_some() => Some("Redis with Sentinels".to_owned()),
            1 => Some("Redis".to_owned()),
            more => Some(format!("Redis ({more} instances)")),
        };
        let mysql = self.mysql.then(|| "MySQL".to_owned());
        let kafka = match self.kafka {
            0 => None,
            1 => Some("Kafka".to_owned()),
            more => Some(format!("Kafka ({more} brokers)")),
        };
        let mut words: Vec<_> = [redis, mysql, kafka].into_iter().flatten().collect();
        let last = words.pop().unwrap_or_default();
        if words.is_empty() {
            return last;
        }
        format!("{} and {last}", words.join(", "))
    }
}

/// The services of one run. What is dropped without being stopped ends by itself.
#[derive(Debug, Default)]
pub(super) struct Services {
    redis: Vec<Arc<Service>>,
    /// Who chooses the primary of several that are copies of each other.
    watch: Option<Watch>,
    mysql: Option<MySql>,
    kafka: Option<Kafka>,
}

impl Services {
    /// Starts all side by side. `stack` is a directory that is there; `advertised` are the ports that
    /// brokers tell their clients, `None` for their own.
    pub(super) async fn start(
        needs: Needs,
        clocks: &Clocks,
        stack: &Path,
        advertised: &[Option<u16>],
    ) -> Result<Self, NotReady> {
        let programs = Programs::find(needs)?;
        // Some of them do not take a relative path, others show the absolute one.
        let stack = stack.canonicalize()?;
        let redis = async {
            let Some(program) = &programs.redis else {
                return Ok((Vec::new(), None));
            };
            if let Some(standby) = needs.standby {
                let Group { nodes, watch } = Group::start(program, &stack, standby).await?;
                return Ok((nodes, Some(watch)));
            }
            let clocks = (1..=needs.redis).map(|number| {
                let name = format!("redis-{number}");
                Ok((number, clocks.of_party(&Party::Redis, &stack, &name)?))
            });
            let clocks: Vec<_> = clocks.collect::<io::Result<_>>()?;
            let instances = clocks.into_iter();
            let instances =
                instances.map(|(number, clock)| Redis::start(program, &stack, number, clock));
            let started = try_join_all(instances).await?;
            Ok((started.into_iter().map(Arc::new).collect::<Vec<_>>(), None))
        };
        let mysql = async {
            match &programs.mysql {
                Some(programs) => {
                    let clock = clocks.of_party(&Party::Database, &stack, "mysql")?;
                    MySql::start(programs, &stack, clock).await.map(Some)
                }
                None => Ok(None),
            }
        };
        let kafka = async {
            match &programs.kafka {
                Some(programs) => {
                    let started = Kafka::start(programs, &stack, needs.kafka, advertised).await;
                    started.map(Some)
                }
                None => Ok(None),
            }
        };
        let ((redis, watch), mysql, kafka) = try_join3(redis, mysql, kafka).await?;
        Ok(Self {
            redis,
            watch,
            mysql,
            kafka,
        })
    }

    /// One for each instance; of several that are copies of each other the primary's alone.
    pub(super) fn redis_urls(&self) -> Vec<String> {
        if let Some(sentinels) = self.sentinels() {
            return vec![redis::url(sentinels.primary())];
        }
        let ports = self.redis.iter().map(|service| service.port);
        ports.map(redis::url).collect()
    }

    /// With a password.
    pub(super) fn mysql_url(&self) -> Option<&Secret> {
        self.mysql.as_ref().map(MySql::url)
    }

    /// Who chooses the primary of Redis, where there are several.
    pub(super) fn sentinels(&self) -> Option<&Sentinels> {
        self.watch.as_ref().map(Watch::sentinels)
    }

    /// Each process of Redis, in their order.
    pub(super) fn redis(&self) -> &[Arc<Service>] {
        &self.redis
    }

    pub(super) fn mysql(&self) -> Option<&Arc<Service>> {
        self.mysql.as_ref().map(MySql::service)
    }

    /// The ports of the brokers behind the addresses that they tell their clients.
    pub(super) fn client_ports(&self) -> &[u16] {
        self.kafka.as_ref().map_or(&[], Kafka::client_ports)
    }

    /// Each broker, in their order.
    pub(super) fn brokers(&self) -> &[Arc<Service>] {
        self.kafka.as_ref().map_or(&[], Kafka::services)
    }

    /// What each can tell of itself.
    pub(super) fn outside(&self) -> Vec<Figures> {
        let redis = self.redis.iter().zip(1..).map(|(service, number)| {
            let url = Secret::new(redis::url(service.port));
            Figures {
                name: format!("redis-{number}"),
                process: Some(service.process()),
                of: Some(ResourceOf::Redis(url)),
            }
        });
        let mysql = self.mysql.iter().map(|mysql| Figures {
            name: "mysql".to_owned(),
            process: Some(mysql.service().process()),
            of: Some(ResourceOf::Sql(as_admin(mysql.url()))),
        });
        let kafka = self.kafka.iter().flat_map(Kafka::outside);
        redis.chain(mysql).chain(kafka).collect()
    }

    /// Where a client of Kafka begins: the address of each broker, separated by commas.
    pub(super) fn kafka(&self) -> Option<String> {
        self.kafka.as_ref().map(Kafka::bootstrap)
    }

    /// Stops all in good order, side by side.
    pub(super) async fn stop(self) {
        let redis = async {
            if let Some(watch) = self.watch {
                watch.stop().await;
            }
            join_all(self.redis.iter().map(|redis| redis.stop())).await
        };
        let mysql = async {
            if let Some(mysql) = self.mysql {
                mysql.stop().await;
            }
        };
        let kafka = async {
            if let Some(kafka) = self.kafka {
                kafka.stop().await;
            }
        };
        join3(redis, mysql, kafka).await;
    }
}
