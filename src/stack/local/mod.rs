//! The provider `local`: real services as children of the run, on free ports of the loopback
//! address, with their files in the run directory.

mod kept;
mod mysql;
mod programs;
mod redis;
mod service;

use std::path::Path;

use futures_util::future::{join_all, try_join, try_join_all};

use self::mysql::MySql;
use self::programs::Programs;
use self::redis::Redis;
use self::service::Service;
use super::NotReady;
use super::outside::Figures;
use crate::plan::{Database, Process, ResourceOf, Secret, Stack};

/// Which services a stack needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// Instances.
    pub(super) redis: u8,
    pub(super) mysql: bool,
}

impl Needs {
    pub(super) fn of(stack: &Stack) -> Self {
        Self {
            redis: stack.redis,
            mysql: stack.database == Database::MySql,
        }
    }

    pub(super) const fn none(self) -> bool {
        self.redis == 0 && !self.mysql
    }

    pub(super) fn in_words(self) -> String {
        let redis = match self.redis {
            0 => None,
            1 => Some("Redis".to_owned()),
            more => Some(format!("Redis ({more} instances)")),
        };
        let mysql = self.mysql.then(|| "MySQL".to_owned());
        let words: Vec<_> = redis.into_iter().chain(mysql).collect();
        words.join(" and ")
    }
}

/// The services of one run. What is dropped without being stopped ends by itself.
#[derive(Debug, Default)]
pub(super) struct Services {
    redis: Vec<Service>,
    mysql: Option<MySql>,
}

impl Services {
    /// Starts all side by side. `stack` is a directory that is there.
    pub(super) async fn start(needs: Needs, stack: &Path) -> Result<Self, NotReady> {
        let programs = Programs::find(needs)?;
        // Some of them do not take a relative path, others show the absolute one.
        let stack = stack.canonicalize()?;
        let redis = async {
            let Some(program) = &programs.redis else {
                return Ok(Vec::new());
            };
            let instances = (1..=needs.redis).map(|number| Redis::start(program, &stack, number));
            try_join_all(instances).await
        };
        let mysql = async {
            match &programs.mysql {
                Some(programs) => MySql::start(programs, &stack).await.map(Some),
                None => Ok(None),
            }
        };
        let (redis, mysql) = try_join(redis, mysql).await?;
        Ok(Self { redis, mysql })
    }

    /// One for each instance.
    pub(super) fn redis_urls(&self) -> Vec<String> {
        let ports = self.redis.iter().map(|service| service.port);
        ports.map(redis::url).collect()
    }

    /// With a password.
    pub(super) fn mysql_url(&self) -> Option<&Secret> {
        self.mysql.as_ref().map(MySql::url)
    }

    /// What each can tell of itself.
    pub(super) fn outside(&self) -> Vec<Figures> {
        let redis = self.redis.iter().zip(1..).map(|(service, number)| {
            let url = Secret::new(redis::url(service.port));
            Figures {
                name: format!("redis-{number}"),
                process: service.keeper().map(Process::ChildOf),
                of: ResourceOf::Redis(url),
            }
        });
        let mysql = self.mysql.iter().map(|mysql| Figures {
            name: "mysql".to_owned(),
            process: mysql.keeper().map(Process::ChildOf),
            of: ResourceOf::Sql(mysql.url().clone()),
        });
        redis.chain(mysql).collect()
    }

    /// Stops all in good order, side by side.
    pub(super) async fn stop(self) {
        let redis = join_all(self.redis.into_iter().map(Service::stop));
        let mysql = async {
            if let Some(mysql) = self.mysql {
                mysql.stop().await;
            }
        };
        futures_util::future::join(redis, mysql).await;
    }
}
