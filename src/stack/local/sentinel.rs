//! Redis with replicas, and the Sentinels that choose the primary among them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all, try_join_all};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::redis::Redis;
use super::service::{Kind, Service};
use crate::plan::Standby;
use crate::stack::sentinel::{self, GROUP, Sentinels};
use crate::stack::{NotReady, settings};

/// In its directory; it writes into it what it learns.
const FILE: &str = "sentinel.conf";

/// How long an empty replica may take to be one.
const WHOLE_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// All processes of Redis, and those who watch them.
#[derive(Debug)]
pub(super) struct Group {
    /// Primary and replicas, in the order in which they were started.
    pub(super) nodes: Vec<Arc<Service>>,
    pub(super) watch: Watch,
}

/// The Sentinels, and the task that listens to them.
#[derive(Debug)]
pub(super) struct Watch {
    services: Vec<Service>,
    sentinels: Sentinels,
    following: JoinSet<()>,
}

impl Group {
    /// The first is the primary. It is ready when the Sentinels know all of it and each other, and
    /// every replica has what the primary has.
    pub(super) async fn start(
        program: &Path,
        stack: &Path,
        standby: Standby,
    ) -> Result<Self, NotReady> {
        let (named, primary) = watch::channel(0);
        let start = |number| Redis::start_in_group(program, stack, number, primary.clone());
        let first = start(1).await?;
        named.send_replace(first.port);
        let replicas = try_join_all((2..=1 + standby.replicas).map(start)).await?;
        let nodes: Vec<_> = [first].into_iter().chain(replicas).map(Arc::new).collect();
        let watchers = (1..=standby.sentinels).map(|number| {
            let kind = Sentinel::new(program, stack, number, nodes[0].port, standby)?;
            Ok::<_, NotReady>(Service::start(kind))
        });
        let watchers = watchers.collect::<Result<Vec<_>, _>>()?;
        // Side by side: none is ready before the others are there.
        let services = try_join_all(watchers).await?;
        let ports: Vec<u16> = services.iter().map(|service| service.port).collect();
        let all = nodes.iter().map(|node| node.port).collect();
        let sentinels = Sentinels::new(ports.clone(), all, primary);
        until_whole(&sentinels).await?;
        let watch = Watch {
            services,
            sentinels,
            following: sentinel::follow(ports, named),
        };
        Ok(Self { nodes, watch })
    }
}

async fn until_whole(sentinels: &Sentinels) -> Result<(), NotReady> {
    let give_up = Instant::now() + WHOLE_WITHIN;
    loop {
        let Err(problem) = sentinels.whole().await else {
            return Ok(());
        };
        if Instant::now() >= give_up {
            return Err(NotReady::Service {
                service: "redis-1".to_owned(),
                problem: format!("after {} s {problem}", WHOLE_WITHIN.as_secs()),
                log: String::new(),
            });
        }
        sleep(LOOK_EVERY).await;
    }
}

impl Watch {
    pub(super) const fn sentinels(&self) -> &Sentinels {
        &self.sentinels
    }

    /// Before what they watch: a Redis that stops is no reason to promote another one.
    pub(super) async fn stop(mut self) {
        self.following.shutdown().await;
        join_all(self.services.iter().map(Service::stop)).await;
    }
}

/// How one Sentinel is started.
#[derive(Debug)]
struct Sentinel {
    program: PathBuf,
    name: String,
    /// Absolute.
    directory: PathBuf,
    /// The port of the first primary.
    primary: u16,
    standby: Standby,
}

impl Sentinel {
    /// The n-th, from 1.
    fn new(
        program: &Path,
        stack: &Path,
        number: u8,
        primary: u16,
        standby: Standby,
    ) -> io::Result<Self> {
        let name = format!("sentinel-{number}");
        let directory = stack.join(&name);
        std::fs::create_dir_all(&directory)?;
        Ok(Self {
            program: program.to_owned(),
            name,
            directory,
            primary,
            standby,
        })
    }

    /// A majority must agree that the primary is dead.
    fn configuration(&self, port: u16) -> String {
        let Self {
            primary, standby, ..
        } = self;
        let quorum = standby.sentinels / 2 + 1;
        format!(
            "# Made by fcfs-bench for one run.
bind 127.0.0.1
protected-mode yes
daemonize no
port {port}
sentinel monitor {GROUP} 127.0.0.1 {primary} {quorum}
{}",
            settings::sentinel(GROUP)
        )
    }

    /// Somebody else's Sentinel on this port has another file.
    async fn is_this(&self, port: u16) -> Result<(), String> {
        let info: String = sentinel::ask(port, &["INFO", "server"]).await?;
        let mut lines = info.lines();
        let file = lines.find_map(|line| line.strip_prefix("config_file:"));
        if file.map(str::trim).map(Path::new) == Some(self.directory.join(FILE).as_path()) {
            Ok(())
        } else {
            Err("another Sentinel answers".to_owned())
        }
    }

    /// Names and values, one after the other.
    async fn knows_all(&self, port: u16) -> Result<(), String> {
        let words: Vec<String> = sentinel::ask(port, &["SENTINEL", "MASTER", GROUP]).await?;
        let number = |name: &str| {
            let mut pairs = words.chunks_exact(2);
            let pair = pairs.find(|pair| pair[0] == name)?;
            pair[1].parse::<u8>().ok()
        };
        let Standby {
            replicas,
            sentinels,
        } = self.standby;
        if number("num-slaves") != Some(replicas) {
            return Err("it does not know all replicas yet".to_owned());
        }
        if number("num-other-sentinels") != Some(sentinels - 1) {
            return Err("it does not know all other Sentinels yet".to_owned());
        }
        Ok(())
    }
}

impl Kind for Sentinel {
    fn name(&self) -> &str {
        &self.name
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    fn configure(&self, port: u16) -> io::Result<Vec<OsString>> {
        std::fs::write(self.directory.join(FILE), self.configuration(port))?;
        let words = [FILE, "--sentinel"].map(OsString::from);
        Ok([self.program.clone().into()]
            .into_iter()
            .chain(words)
            .collect())
    }

    fn ask(&self, port: u16) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            self.is_this(port).await?;
            self.knows_all(port).await
        })
    }

    fn hide(&self, text: &str) -> String {
        text.to_owned()
    }
}
