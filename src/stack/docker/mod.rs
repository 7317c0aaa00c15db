//! The provider `docker`: real services as containers of an engine on this machine, with ports on
//! 127.0.0.1 and their logs in the run directory.

mod container;
mod engine;
mod images;
mod kafka;
mod keeper;
mod launch;
mod limits;
mod log;
mod mysql;
mod named;
mod network;
mod pause;
mod redis;
mod sweep;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::{join, join_all, try_join_all, try_join3};

pub(super) use self::container::Container;
pub(super) use self::engine::{Engine, Unavailable};
use self::kafka::Kafka;
use self::keeper::Keeper;
pub use self::limits::{Allowed, Change, CpuCount, Limits, limit};
use self::mysql::MySql;
pub(super) use self::named::Named;
pub use self::named::start;
pub use self::pause::unpause;
use self::redis::Redis;
pub use self::sweep::keep_containers;
use super::NotReady;
use super::account::{as_admin, random_hex};
use super::local::Needs;
use super::outside::Figures;
use crate::plan::{ResourceOf, Secret};

/// The run that something in an engine belongs to.
const RUN_LABEL: &str = "fcfs-bench.run";
/// The process that has started it.
const PID_LABEL: &str = "fcfs-bench.pid";
/// When, in seconds of Unix time.
const STARTED_LABEL: &str = "fcfs-bench.started";

/// The containers of one run. What is dropped without being stopped is removed by the keeper.
#[derive(Debug)]
pub(super) struct Services {
    redis: Vec<Arc<Container>>,
    mysql: Option<MySql>,
    kafka: Option<Kafka>,
    keeper: Keeper,
}

impl Engine {
    /// Starts all side by side. `stack` is a directory that is there; `advertised` are the ports of
    /// the links to the brokers, `None` without one.
    pub(super) async fn start(
        self,
        needs: Needs,
        stack: &Path,
        advertised: &[Option<u16>],
    ) -> Result<Services, NotReady> {
        let run = random_hex::<8>()?;
        let log = File::create(stack.join("containers.log"))?;
        // Before the first container: it removes also one that the engine has not finished yet.
        let keeper = Keeper::start(&run, log)?;
        let place = Place {
            engine: self,
            labels: labels(run.clone()),
            run,
            stack,
        };
        let redis = (1..=needs.redis).map(|number| Redis::start(&place, number));
        let mysql = async {
            if !needs.mysql {
                return Ok(None);
            }
            MySql::start(&place).await.map(Some)
        };
        let kafka = async {
            if needs.kafka == 0 {
                return Ok(None);
            }
            let started = Kafka::start(&place, needs.kafka, advertised).await;
            started.map(Some)
        };
        let (redis, mysql, kafka) = try_join3(try_join_all(redis), mysql, kafka).await?;
        Ok(Services {
            redis: redis.into_iter().map(Arc::new).collect(),
            mysql,
            kafka,
            keeper,
        })
    }
}

/// Where containers are started.
struct Place<'a> {
    engine: Engine,
    labels: Vec<(&'static str, String)>,
    /// The value of [`RUN_LABEL`].
    run: String,
    /// The directory of the logs.
    stack: &'a Path,
}

impl Place<'_> {
    /// What a container is called in the engine.
    fn container(&self, name: &str) -> String {
        format!("fcfs-bench-{}-{name}", self.run)
    }
}

/// Where the engine of this run is, for one who has to find it again.
pub(super) fn engine_place() -> String {
    engine::place()
}

fn labels(run: String) -> Vec<(&'static str, String)> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let started = started.map_or(0, |since| since.as_secs());
    vec![
        (RUN_LABEL, run),
        (PID_LABEL, std::process::id().to_string()),
        (STARTED_LABEL, started.to_string()),
    ]
}

impl Services {
    /// One for each instance.
    pub(super) fn redis_urls(&self) -> Vec<String> {
        let ports = self.redis.iter().map(|container| container.port());
        ports.map(redis::url).collect()
    }

    /// With a password.
    pub(super) fn mysql_url(&self) -> Option<&Secret> {
        self.mysql.as_ref().map(|mysql| &mysql.url)
    }

    /// Each instance of Redis, in their order.
    pub(super) fn redis(&self) -> &[Arc<Container>] {
        &self.redis
    }

    pub(super) fn mysql(&self) -> Option<&Arc<Container>> {
        self.mysql.as_ref().map(|mysql| &mysql.container)
    }

    /// Each broker, in their order.
    pub(super) fn brokers(&self) -> &[Arc<Container>] {
        self.kafka.as_ref().map_or(&[], Kafka::brokers)
    }

    /// Where the links to the brokers lead, if there are links.
    pub(super) fn linked_ports(&self) -> &[u16] {
        self.kafka.as_ref().map_or(&[], Kafka::linked)
    }

    /// Where a client of Kafka begins: the address of each broker, separated by commas.
    pub(super) fn kafka(&self) -> Option<String> {
        self.kafka.as_ref().map(Kafka::bootstrap)
    }

    /// What each can tell of itself.
    pub(super) fn outside(&self) -> Vec<Figures> {
        let redis = self
            .redis
            .iter()
            .zip(1..)
            .map(|(container, number)| Figures {
                name: format!("redis-{number}"),
                process: container.process(),
                of: Some(ResourceOf::Redis(Secret::new(redis::url(container.port())))),
            });
        let mysql = self.mysql.iter().map(|mysql| Figures {
            name: "mysql".to_owned(),
            process: mysql.container.process(),
            of: Some(ResourceOf::Sql(as_admin(&mysql.url))),
        });
        let kafka = self.kafka.iter().flat_map(Kafka::outside);
        redis.chain(mysql).chain(kafka).collect()
    }

    /// Stops all in good order, side by side, and removes them.
    pub(super) async fn stop(self) {
        let mysql = self.mysql.iter().map(|mysql| &mysql.container);
        let containers = self.redis.iter().chain(mysql);
        let kafka = async {
            match self.kafka {
                Some(kafka) => kafka.stop().await,
                None => true,
            }
        };
        let (removed, kafka) = join(join_all(containers.map(|one| one.remove())), kafka).await;
        if kafka && removed.into_iter().all(|removed| removed) {
            self.keeper.dismiss().await;
        } else {
            self.keeper.let_go().await;
        }
    }
}
