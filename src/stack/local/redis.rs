//! One Redis of this run: its configuration, and the question whether it is ready.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use ::redis::{Client, RedisError, cmd};
use futures_util::future::BoxFuture;

use super::service::{Kind, Service};
use crate::stack::{NotReady, settings};

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
}

impl Redis {
    /// The n-th instance, from 1, with its files in a directory of its own.
    pub(super) async fn start(
        program: &Path,
        stack: &Path,
        number: u8,
    ) -> Result<Service, NotReady> {
        let name = format!("redis-{number}");
        let directory = stack.join(&name);
        std::fs::create_dir_all(&directory)?;
        let program = program.to_owned();
        let kind = Self {
            program,
            name,
            directory,
        };
        Service::start(kind).await
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
            format!("{CONFIGURATION}\n{}port {port}\n", settings::REDIS),
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

    fn hide(&self, text: &str) -> String {
        text.to_owned()
    }
}
