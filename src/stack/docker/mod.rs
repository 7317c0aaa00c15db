//! The provider `docker`: real services as containers of an engine on this machine, with ports on
//! 127.0.0.1 and their logs in the run directory.

mod container;
mod engine;
mod images;
mod kafka;
mod keeper;
mod mysql;
mod network;
mod redis;
mod sweep;

use std::fs::File;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::{join, join_all, try_join_all, try_join3};

use self::container::Container;
pub(super) use self::engine::{Engine, Unavailable};
use self::kafka::Kafka;
use self::keeper::Keeper;
use self::mysql::MySql;
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
    redis: Vec<Container>,
    mysql: Option<(Container, Secret)>,
    kafka: Option<Kafka>,
    keeper: Keeper,
}

impl Engine {
    /// Starts all side by side. `stack` is a directory that is there.
    pub(super) async fn start(self, needs: Needs, stack: &Path) -> Result<Services, NotReady> {
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
            Kafka::start(&place, needs.kafka).await.map(Some)
        };
        let (redis, mysql, kafka) = try_join3(try_join_all(redis), mysql, kafka).await?;
        Ok(Services {
            redis,
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
        let ports = self.redis.iter().map(|container| container.port);
        ports.map(redis::url).collect()
    }

    /// With a password.
    pub(super) fn mysql_url(&self) -> Option<&Secret> {
        self.mysql.as_ref().map(|(_, url)| url)
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
                of: Some(ResourceOf::Redis(Secret::new(redis::url(container.port)))),
            });
        let mysql = self.mysql.iter().map(|(container, url)| Figures {
            name: "mysql".to_owned(),
            process: container.process(),
            of: Some(ResourceOf::Sql(as_admin(url))),
        });
        let kafka = self.kafka.iter().flat_map(Kafka::outside);
        redis.chain(mysql).chain(kafka).collect()
    }

    /// Stops all in good order, side by side, and removes them.
    pub(super) async fn stop(self) {
        let mysql = self.mysql.map(|(container, _)| container);
        let containers = self.redis.into_iter().chain(mysql);
        let kafka = async {
            match self.kafka {
                Some(kafka) => kafka.stop().await,
                None => true,
            }
        };
        let (removed, kafka) = join(join_all(containers.map(Container::stop)), kafka).await;
        if kafka && removed.into_iter().all(|removed| removed) {
            self.keeper.dismiss().await;
        } else {
            self.keeper.let_go().await;
        }
    }
}
