//! The bundled server as an operator runs it: a process for each role, on services that the
//! harness knows nothing about.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use crate::databases::{mariadb, redis};
use crate::harness::claims::get;
use crate::support::{Service, kafka};

/// `MariaDB`, Redis and Kafka.
pub(crate) struct Services {
    mariadb: Service,
    redis: Service,
    /// The one that may be stopped and started again.
    pub(crate) kafka: Service,
}

/// One system on them, with stores and a topic of its own, whose logs go to a directory.
pub(crate) struct System {
    name: &'static str,
    strategy: &'static str,
    stock: u64,
    mysql: String,
    redis: String,
    kafka: String,
    logs: PathBuf,
}

/// A process of the system; it ends with this value.
pub(crate) struct Role {
    child: Child,
    port: u16,
}

/// What the system says of its coupon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    /// Coupons that users were given.
    pub(crate) given: i64,
    /// Their rows that an issuer has written.
    pub(crate) rows: i64,
}

impl Services {
    /// Side by side, since each takes a while.
    pub(crate) fn start() -> Self {
        std::thread::scope(|scope| {
            let mariadb = scope.spawn(mariadb);
            let kafka = scope.spawn(kafka::start);
            Self {
                redis: redis(),
                mariadb: mariadb.join().expect("MariaDB starts"),
                kafka: kafka.join().expect("Kafka starts"),
            }
        })
    }

    /// A system that nobody has used. `number` is that of its Redis database.
    pub(crate) fn system(
        &self,
        name: &'static str,
        number: u8,
        strategy: &'static str,
        stock: u64,
        logs: PathBuf,
    ) -> System {
        let mysql = format!("mysql://bench:p4ssw0rd@127.0.0.1:{}", self.mariadb.port);
        ask(&mysql, format!("CREATE DATABASE {name}"));
        System {
            name,
            strategy,
            stock,
            mysql: format!("{mysql}/{name}"),
            redis: format!("redis://:p4ssw0rd@127.0.0.1:{}/{number}", self.redis.port),
            kafka: format!("127.0.0.1:{}", self.kafka.port),
            logs,
        }
    }
}

/// Rows of one text each.
fn ask(url: &str, statement: String) -> Vec<String> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = MySqlConnection::connect(url).await.expect("MariaDB");
        let query = sqlx::query_scalar(AssertSqlSafe(statement));
        query.fetch_all(&mut connection).await.expect("an answer")
    })
}

impl System {
    /// Starts a process of this role, and waits until it listens. Its log is `ROLE.log`, also when
    /// it is started again.
    pub(crate) fn start(&self, role: &str, more: &[&str]) -> Role {
        let mut options = File::options();
        let log = options.create(true).append(true).open(self.log(role));
        let mut child = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"))
            .args(["serve", "--listen", "127.0.0.1:0", "--stop-with-stdin"])
            .args(["--strategy", self.strategy, "--role", role])
            .args(["--stock", &self.stock.to_string()])
            .args(["--kafka", &self.kafka, "--kafka-topic", self.name])
            .args(["--kafka-group", self.name])
            .args(more)
            .env("FCFS_MYSQL", &self.mysql)
            .env("FCFS_REDIS", &self.redis)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.expect("a file for the log"))
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("its stdout is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("it says where it listens");
        Role {
            port: port_in(&line).unwrap_or_else(|| panic!("{role}: {line:?} {}", self.text(role))),
            child,
        }
    }

    fn log(&self, role: &str) -> PathBuf {
        self.logs.join(format!("{role}.log"))
    }

    /// What the processes of this role have logged.
    pub(crate) fn text(&self, role: &str) -> String {
        std::fs::read_to_string(self.log(role)).unwrap_or_default()
    }

    /// Everybody who has a row.
    pub(crate) fn holders(&self) -> Vec<String> {
        ask(&self.mysql, "SELECT userId FROM user_coupons".to_owned())
    }

    /// What `truth` of a scenario says about this system.
    pub(crate) fn truth(&self) -> String {
        let query = "SELECT userId, id, createdAt FROM user_coupons WHERE couponId = 1";
        let url = &self.mysql;
        format!("issued: {{ sql: {{ url: \"{url}\", query: \"{query}\" }} }}")
    }

    /// The same of its events and of what they do.
    pub(crate) fn way(&self) -> String {
        let Self {
            mysql, kafka, name, ..
        } = self;
        format!(
            "events: {{ kafka: {{ brokers: \"{kafka}\", topic: {name}, id: /id }} }}, \
             effects: {{ sql: {{ url: \"{mysql}\", query: SELECT eventId FROM coupon_notices }} }}"
        )
    }

    /// The same of what its issuers have not written yet.
    pub(crate) fn lag(&self) -> String {
        let Self { kafka, name, .. } = self;
        format!("{{ kafka: {{ brokers: \"{kafka}\", group: {name}, topic: {name} }} }}")
    }
}

fn port_in(line: &str) -> Option<u16> {
    let announced: Value = serde_json::from_str(line).ok()?;
    let (_, port) = announced["address"].as_str()?.rsplit_once(':')?;
    port.parse().ok()
}

impl Role {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// As `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was ours");
    }

    /// What a process that answers users says.
    pub(crate) fn numbers(&self) -> Numbers {
        let answer = get(self.port, "/coupons/fcfs/1");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let number = |name: &str| answer[name].as_i64().expect("a number");
        Numbers {
            given: number("totalQuantity") - number("remaining"),
            rows: number("issued"),
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It is gone already if this fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
