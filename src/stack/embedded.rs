//! The bundled server as a child process: this binary's own `serve`, on SQLite or on the services of
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

use super::local::Services;
use super::log::last_lines;
use super::{NotReady, TruthSources};
use crate::plan::{BaseUrl, Plan, Query, Secret, Source, Stack, Subject};

/// How long the server may take to listen.
const LISTEN_WITHIN: Duration = Duration::from_secs(15);

/// How long it may take to finish its requests and its queue.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The variables that `serve` reads beside `--redis`, `--mysql` and `--kafka`.
const REDIS: &str = "FCFS_REDIS";
const MYSQL: &str = "FCFS_MYSQL";
const KAFKA: &str = "FCFS_KAFKA";

/// The running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// Its end is the server's signal to stop.
    stdin: Option<ChildStdin>,
    url: BaseUrl,
    /// Where its rows are.
    database: Secret,
}

#[derive(Debug, Deserialize)]
struct Listening {
    address: std::net::SocketAddr,
}

impl Server {
    pub(super) async fn start(
        plan: &Plan,
        stack: &Stack,
        directory: &Path,
        services: &Services,
    ) -> Result<Self, NotReady> {
        let log = directory.join("server.log");
        let file = directory.join("coupons.db");
        let mut command = command(plan, stack)?;
        let database = match services.mysql_url() {
            Some(url) => url.clone(),
            None => Secret::new(format!("sqlite:{}", file.display())),
        };
        if services.mysql_url().is_none() {
            command.arg("--database").arg(&file);
        }
        reach(&mut command, services);
        let mut child = command.stderr(File::create(&log)?).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no stdout"))?;
        let listening = timeout(LISTEN_WITHIN, listening(stdout)).await;
        let fail = |problem: String| NotReady::Server {
            problem,
            log: last_lines(&log).replace(database.reveal(), "***"),
        };
        let address = match listening {
            Ok(Ok(listening)) => listening.address,
            Ok(Err(problem)) => return Err(fail(problem)),
            Err(_) => return Err(fail(format!("not within {} s", LISTEN_WITHIN.as_secs()))),
        };
        let (host, port) = (address.ip().to_string(), address.port());
        let url = BaseUrl {
            https: false,
            host,
            port,
            prefix: String::new(),
        };
        Ok(Self {
            child,
            stdin,
            url,
            database,
        })
    }

    pub(super) const fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// The plan's own sources, with those of the bundled server where the plan leaves it to it.
    pub(super) fn truth(&self, plan: &Plan) -> TruthSources {
        let Some(truth) = &plan.truth else {
            return TruthSources::default();
        };
        let id = plan
            .subject
            .as_ref()
            .map_or("1", |subject| subject.coupon.as_str());
        let fill = |source: &Option<Source>, bundled: Query| {
            let source = source.clone()?;
            let query = if source.query == Query::Bundled {
                bundled
            } else {
                source.query
            };
            Some(Source { query, ..source })
        };
        TruthSources {
            issued: fill(&truth.issued, self.issued_rows(id)),
            stock: fill(&truth.stock, self.number(id, "/totalQuantity")),
            remaining: fill(&truth.remaining, self.number(id, "/remaining")),
        }
    }

    fn issued_rows(&self, coupon: &str) -> Query {
        // The id is a number here: `serve` takes no other, so the scenario cannot have another.
        Query::Sql {
            url: self.database.clone(),
            query: format!(
                "SELECT userId, id, createdAt FROM user_coupons WHERE couponId = {coupon}"
            ),
        }
    }

    fn number(&self, coupon: &str, pointer: &str) -> Query {
        Query::Http {
            url: Secret::new(format!("{}/coupons/fcfs/{coupon}", self.url)),
            headers: Vec::new(),
            pointer: pointer.to_owned(),
            user: String::new(),
            id: None,
            time: None,
        }
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

fn command(plan: &Plan, stack: &Stack) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--stop-with-stdin",
        "--log-level",
        "info",
    ]);
    command.args(["--seed", &plan.seed.to_string()]);
    if let Some(Subject { coupon, stock }) = &plan.subject {
        command.args(["--coupon", coupon, "--stock", &stock.to_string()]);
    }
    let settings = [("--strategy", &stack.strategy), ("--bug", &stack.bug)];
    for (name, value) in settings {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    if let Some(readers) = stack.database_pool {
        command.args(["--database-pool", &readers.to_string()]);
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
