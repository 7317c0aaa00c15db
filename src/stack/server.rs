//! One process of the bundled server: this binary's own `serve`, on SQLite or on the services of
//! the run.
//!
//! The child stops when its standard input ends, so it does not outlive the harness even when that
//! is killed with `kill -9`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::clock::{Clock, Clocks};
use super::links::Reach;
use super::log::last_lines;
use super::settings::{KAFKA_GROUP, KAFKA_TOPIC};
use super::{NotReady, external};
use crate::plan::fault::Party;
use crate::plan::{BaseUrl, Plan, Process, Role, Secret, Stack, Subject};
use crate::process;

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
    pub(super) clocks: &'r Clocks,
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

/// A process, which can be stopped and started again on its port.
#[derive(Debug)]
pub(super) struct Server {
    name: String,
    launch: Launch,
    url: BaseUrl,
    /// `None` while it does not run.
    running: Mutex<Option<Running>>,
}

/// How it is started.
struct Launch {
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    /// The file with the number of the process: who measures it finds it again there.
    number: PathBuf,
    /// What must not be read in its log.
    secret: Secret,
    clock: Option<Clock>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Its end is the server's signal to stop.
    stdin: Option<ChildStdin>,
}

#[derive(Debug, Deserialize)]
struct Listening {
    address: SocketAddr,
}

impl Server {
    /// `name` is what its log is called after.
    pub(super) async fn start(
        common: Common<'_>,
        role: Role,
        name: &str,
        others: (&Upstreams, &Reach),
    ) -> Result<Self, NotReady> {
        let party = Party::Server(role);
        let clock = common.clocks.of_party(&party, common.directory, name)?;
        let launch = Launch::of(common, role, name, others);
        let launch = Launch { clock, ..launch };
        File::create(&launch.log)?;
        let (running, address) = launch.start(Ipv4Addr::LOCALHOST.into(), 0).await?;
        let url = BaseUrl {
            https: false,
            host: address.ip().to_string(),
            port: address.port(),
            prefix: String::new(),
        };
        Ok(Self {
            name: name.to_owned(),
            launch,
            url,
            running: Mutex::new(Some(running)),
        })
    }

    pub(super) const fn url(&self) -> &BaseUrl {
        &self.url
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// As what measures it finds it.
    pub(super) fn process(&self) -> Process {
        Process::PidFile(self.launch.number.display().to_string())
    }

    /// Its number; none while it does not run.
    pub(super) fn pid(&self) -> Option<u32> {
        // Held only while it is stopped or started.
        self.running.try_lock().ok()?.as_ref()?.child.id()
    }

    /// Asks it once whether it answers at all.
    ///
    /// # Errors
    /// In words, when it does not.
    pub(super) async fn ask(&self) -> Result<(), String> {
        external::alive(&format!("{}/health", self.url)).await
    }

    /// What sets its clock.
    pub(super) const fn clock(&self) -> Option<&Clock> {
        self.launch.clock.as_ref()
    }

    /// What it takes the time to be, in microseconds of Unix time.
    ///
    /// # Errors
    /// In words, when it does not say.
    pub(super) async fn time_us(&self) -> Result<i64, String> {
        let said = external::json(&format!("{}/clock", self.url)).await?;
        let micros = said["unixMicros"].as_i64();
        micros.ok_or_else(|| format!("it says {said}"))
    }

    /// Waits for the end of a process that was killed, so that it can be started again.
    pub(super) async fn has_ended(&self) {
        if let Some(mut running) = self.running.lock().await.take() {
            let _ = running.child.wait().await;
        }
    }

    /// Starts it again on its port; nothing if it runs.
    pub(super) async fn start_again(&self) -> Result<(), NotReady> {
        let mut running = self.running.lock().await;
        if running.is_none() {
            let place = Ipv4Addr::LOCALHOST.into();
            let (started, _) = self.launch.start(place, self.url.port).await?;
            *running = Some(started);
        }
        Ok(())
    }

    /// Ends its input, waits for its end, and kills it if it takes too long.
    pub(super) async fn stop(&self) {
        let Some(mut running) = self.running.lock().await.take() else {
            return;
        };
        drop(running.stdin.take());
        if timeout(STOP_WITHIN, running.child.wait()).await.is_err() {
            // It is gone already if this fails.
            let _ = running.child.kill().await;
        }
    }
}

impl Launch {
    fn of(
        common: Common<'_>,
        role: Role,
        name: &str,
        (upstreams, reach): (&Upstreams, &Reach),
    ) -> Self {
        let Common { plan, stack, .. } = common;
        let mut words: Vec<OsString> = Vec::new();
        let mut add = |flag: &str, value: &dyn AsRef<OsStr>| {
            words.extend([OsString::from(flag), value.as_ref().to_owned()]);
        };
        add("--seed", &plan.seed.to_string());
        if let Some(Subject { coupon, stock, .. }) = &plan.subject {
            add("--coupon", coupon);
            add("--stock", &stock.to_string());
        }
        let names = [("--strategy", &stack.strategy), ("--bug", &stack.bug)];
        for (flag, value) in names {
            if let Some(value) = value {
                add(flag, value);
            }
        }
        if role != Role::All {
            add("--role", &role.as_str());
        }
        for setting in &stack.settings {
            add(&setting.flag, &setting.argument);
        }
        if let Some(file) = common.file {
            add("--database", &file);
        }
        // Everybody on the machine can read a command line, so what is secret is in the environment.
        let mut environment = Vec::new();
        for url in &reach.redis {
            add("--redis", url);
        }
        if let Some(brokers) = &reach.kafka {
            add("--kafka", brokers);
            add("--kafka-topic", &KAFKA_TOPIC);
            add("--kafka-group", &KAFKA_GROUP);
        }
        if let Some(url) = &reach.mysql {
            environment.push((MYSQL, url.reveal().to_owned()));
        }
        if let Some(secret) = plan.users.token_secret() {
            environment.push((JWT_SECRET, secret.reveal().to_owned()));
        }
        if role == Role::Router {
            for (flag, urls) in [
                ("--coupon-url", &upstreams.coupon),
                ("--queue-url", &upstreams.queue),
            ] {
                for url in urls {
                    add(flag, &url.to_string());
                }
            }
        }
        Self {
            arguments: words,
            environment,
            log: common.directory.join(format!("{name}.log")),
            number: common.directory.join(format!("{name}.pid")),
            secret: common.database.clone(),
            clock: None,
        }
    }

    async fn start(&self, place: IpAddr, port: u16) -> Result<(Running, SocketAddr), NotReady> {
        let mut child = self.command(SocketAddr::new(place, port))?.spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or_else(|| io::Error::other("no stdout"))?;
        let listening = match timeout(LISTEN_WITHIN, listening(stdout)).await {
            Ok(listening) => listening,
            Err(_) => Err(format!("not within {} s", LISTEN_WITHIN.as_secs())),
        };
        match listening {
            Ok(listening) => {
                let number = child.id().unwrap_or_default();
                if self.clock.is_some() {
                    Clock::unshare(number);
                }
                std::fs::write(&self.number, number.to_string())?;
                Ok((Running { child, stdin }, listening.address))
            }
            Err(problem) => Err(NotReady::Server {
                problem,
                log: last_lines(&self.log).replace(self.secret.reveal(), "***"),
            }),
        }
    }

    fn command(&self, listen: SocketAddr) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "serve",
                "--listen",
                &listen.to_string(),
                "--stop-with-stdin",
            ])
            .args(&self.arguments);
        // What the user's own shell has set is for a server of their own.
        for variable in [REDIS, MYSQL, KAFKA, JWT_SECRET] {
            command.env_remove(variable);
        }
        command.env(process::MARK, process::mark());
        if let Some(clock) = &self.clock {
            command.envs(clock.environment());
        }
        let log = File::options().append(true).create(true).open(&self.log)?;
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        // A Ctrl-C in the terminal is for the harness, which ends the server in its own time.
        command.process_group(0);
        Ok(command)
    }
}

/// Without the environment, which holds passwords.
impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
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
