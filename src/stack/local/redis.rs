//! One Redis of this run: its configuration, and the question whether it is ready.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use ::redis::{Client, RedisError, cmd};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::service::{Kind, Service};
use crate::stack::{Clock, NotReady, settings};

/// Redis keeps no password here: it listens on the loopback address only, for the time of a run.
const CONFIGURATION: &str = "# Made by fcfs-bench for one run.
bind 127.0.0.1
protected-mode yes
daemonize no
";

/// How one instance is started.
#[derive(Debug)]
pub(super) struct Redis {
    program: PathBuf,
    name: String,
    /// Absolute.
    directory: PathBuf,
    /// The port of the primary of those that it belongs to, 0 before there is one; `None` where it
    /// stands alone.
    primary: Option<watch::Receiver<u16>>,
    clock: Option<Clock>,
}

impl Redis {
    /// The n-th instance, from 1, with its files in a directory of its own.
    pub(super) async fn start(
        program: &Path,
        stack: &Path,
        number: u8,
        clock: Option<Clock>,
    ) -> Result<Service, NotReady> {
        let kind = Self::new(program, stack, number, None)?;
        Service::start(Self { clock, ..kind }).await
    }

    /// One of several. Whenever it is started it follows who is the primary then, unless that is
    /// itself: as scripts of the field do that ask Sentinel first, so that a primary of before does
    /// not come back as a second one.
    pub(super) async fn start_in_group(
        program: &Path,
        stack: &Path,
        number: u8,
        primary: watch::Receiver<u16>,
    ) -> Result<Service, NotReady> {
        let kind = Self::new(program, stack, number, Some(primary))?;
        Service::start(kind).await
    }

    fn new(
        program: &Path,
        stack: &Path,
        number: u8,
        primary: Option<watch::Receiver<u16>>,
    ) -> io::Result<Self> {
        let name = format!("redis-{number}");
        let directory = stack.join(&name);
        std::fs::create_dir_all(&directory)?;
        Ok(Self {
            program: program.to_owned(),
            name,
            directory,
            primary,
            clock: None,
        })
    }

    /// What a configuration says of others.
    fn in_group(&self, port: u16) -> String {
        let Some(primary) = &self.primary else {
            return String::new();
        };
        let follows = match *primary.borrow() {
            0 => String::new(),
            primary if primary == port => String::new(),
            primary => format!("replicaof 127.0.0.1 {primary}\n"),
        };
        format!("\n{}{follows}", settings::REDIS_IN_GROUP)
    }

    async fn directory_of(port: u16) -> Result<String, RedisError> {
        let client = Client::open(url(port))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let _pong: String = cmd("PING").query_async(&mut connection).await?;
        let mut asking = cmd("CONFIG");
        asking.arg("GET").arg("dir");
        let (_name, directory): (String, String) = asking.query_async(&mut connection).await?;
        Ok(directory)
    }
}

pub(super) fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

impl Kind for Redis {
    fn name(&self) -> &str {
        &self.name
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    fn configure(&self, port: u16) -> io::Result<Vec<OsString>> {
        // It starts in its directory, which is where it keeps its files.
        std::fs::write(
            self.directory.join("redis.conf"),
            format!(
                "{CONFIGURATION}\n{}port {port}\n{}",
                settings::REDIS,
                self.in_group(port)
            ),
        )?;
        Ok(vec![self.program.clone().into(), "redis.conf".into()])
    }

    /// Somebody else's Redis on this port has another directory.
    fn ask(&self, port: u16) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let directory = Self::directory_of(port).await;
            let directory = directory.map_err(|error| error.to_string())?;
            if Path::new(&directory) == self.directory {
                Ok(())
            } else {
                Err("another Redis answers".to_owned())
            }
        })
    }

    fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    fn hide(&self, text: &str) -> String {
        text.to_owned()
    }
}
