//! One process of the bundled server: this binary's own `serve`, on SQLite or on the services of
//! the run.
//!
//! The child stops when its standard input ends, so it does not outlive the harness even when that
//! is killed with `kill -9`.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::NotReady;
use super::log::last_lines;
use super::services::Services;
use super::settings::{KAFKA_GROUP, KAFKA_TOPIC};
use crate::plan::{BaseUrl, Plan, Role, Secret, Stack, Subject};

/// How long the server may take to listen.
const LISTEN_WITHIN: Duration = Duration::from_secs(15);

/// How long it may take to finish its requests and its queue.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The variables that `serve` reads beside `--redis`, `--mysql` and `--kafka`.
const REDIS: &str = "FCFS_REDIS";
const MYSQL: &str = "FCFS_MYSQL";
const KAFKA: &str = "FCFS_KAFKA";
/// What members' tokens are signed with; only the environment has it.
const JWT_SECRET: &str = "FCFS_JWT_SECRET";

/// What all processes of a run have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<'r> {
    pub(super) plan: &'r Plan,
    pub(super) stack: &'r Stack,
    pub(super) services: &'r Services,
    /// Where the logs go.
    pub(super) directory: &'r Path,
    /// Where the rows are.
    pub(super) database: &'r Secret,
    /// The file of the rows, where there is no service for them.
    pub(super) file: Option<&'r Path>,
}

/// Whom a router asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Upstreams {
    pub(super) coupon: Vec<BaseUrl>,
    pub(super) queue: Vec<BaseUrl>,
}

/// A running process.
#[derive(Debug)]
pub(super) struct Server {
    name: String,
    child: Child,
    /// Its end is the server's signal to stop.
    stdin: Option<ChildStdin>,
    url: BaseUrl,
}

#[derive(Debug, Deserialize)]
struct Listening {
    address: std::net::SocketAddr,
}

impl Server {
    /// `name` is what its log is called after.
    pub(super) async fn start(
        common: Common<'_>,
        role: Role,
        name: &str,
        upstreams: &Upstreams,
    ) -> Result<Self, NotReady> {
        let log = common.directory.join(format!("{name}.log"));
        let mut command = command(common, role)?;
        if role == Role::Router {
            for (flag, urls) in [
                ("--coupon-url", &upstreams.coupon),
                ("--queue-url", &upstreams.queue),
            ] {
                for url in urls {
                    command.arg(flag).arg(url.to_string());
                }
            }
        }
        let mut child = command.stderr(File::create(&log)?).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or_else(|| io::Error::other("no stdout"))?;
        let listening = match timeout(LISTEN_WITHIN, listening(stdout)).await {
            Ok(listening) => listening,
            Err(_) => Err(format!("not within {} s", LISTEN_WITHIN.as_secs())),
        };
        let address = match listening {
            Ok(listening) => listening.address,
            Err(problem) => {
                return Err(NotReady::Server {
                    problem,
                    log: last_lines(&log).replace(common.database.reveal(), "***"),
                });
            }
        };
        let url = BaseUrl {
            https: false,
            host: address.ip().to_string(),
            port: address.port(),
            prefix: String::new(),
        };
        Ok(Self {
            name: name.to_owned(),
            child,
            stdin,
            url,
        })
    }

    pub(super) const fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// What it is called, and its number; none once it was waited for.
    pub(super) fn process(&self) -> Option<(String, u32)> {
        Some((self.name.clone(), self.child.id()?))
    }

    /// Ends its input, waits for its end, and kills it if it takes too long.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        if timeout(STOP_WITHIN, self.child.wait()).await.is_err() {
            // It is gone already if this fails.
            let _ = self.child.kill().await;
        }
    }
}

fn command(common: Common<'_>, role: Role) -> io::Result<Command> {
    let Common { plan, stack, .. } = common;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--stop-with-stdin"]);
    command.args(["--seed", &plan.seed.to_string()]);
    if let Some(Subject { coupon, stock }) = &plan.subject {
        command.args(["--coupon", coupon, "--stock", &stock.to_string()]);
    }
    let names = [("--strategy", &stack.strategy), ("--bug", &stack.bug)];
    for (name, value) in names {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    if role != Role::All {
        command.args(["--role", role.as_str()]);
    }
    for setting in &stack.settings {
        command.args([&setting.flag, &setting.argument]);
    }
    if let Some(file) = common.file {
        command.arg("--database").arg(file);
    }
    reach(&mut command, common.services);
    command.env_remove(JWT_SECRET);
    if let Some(secret) = plan.users.token_secret() {
        command.env(JWT_SECRET, secret.reveal());
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    // A Ctrl-C in the terminal is for the harness, which ends the server in its own time.
    command.process_group(0);
    Ok(command)
}

/// Where its services are. Everybody on the machine can read a command line, so the url with the
/// password is in the environment.
fn reach(command: &mut Command, services: &Services) {
    // What the user's own shell has set is for a server of their own.
    for variable in [REDIS, MYSQL, KAFKA] {
        command.env_remove(variable);
    }
    for url in services.redis_urls() {
        command.args(["--redis", &url]);
    }
    if let Some(brokers) = services.kafka() {
        command.args(["--kafka", &brokers]);
        command.args(["--kafka-topic", KAFKA_TOPIC, "--kafka-group", KAFKA_GROUP]);
    }
    if let Some(url) = services.mysql_url() {
        command.env(MYSQL, url.reveal());
    }
}

async fn listening(stdout: ChildStdout) -> Result<Listening, String> {
    let mut line = String::new();
    let read = BufReader::new(stdout).read_line(&mut line).await;
    match read {
        Ok(0) => Err("it ended before it listened".to_owned()),
        Ok(_) => serde_json::from_str(&line).map_err(|error| format!("{error} in {line:?}")),
        Err(error) => Err(error.to_string()),
    }
}
