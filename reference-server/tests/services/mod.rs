//! `MariaDB` and Redis for the tests of one file, started once and ended with the last test.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

pub(crate) mod kafka;

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use reference_server::StoreUrl;
use sqlx::{ConnectOptions, MySqlConnection, mysql::MySqlConnectOptions};
use tempfile::TempDir;

/// Both services; they live as long as somebody holds this, also when a test panics.
pub(crate) struct Services {
    mariadb: Service,
    redis: Service,
    next: AtomicU32,
}

/// A database and a Redis number of their own.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) mysql: StoreUrl,
    pub(crate) redis: StoreUrl,
    options: MySqlConnectOptions,
    mysql_url: String,
    redis_url: String,
}

/// A Redis of one test alone, which may kill it.
pub(crate) struct Instance(Service);

impl Instance {
    pub(crate) fn start() -> Self {
        Self(redis())
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn url(&self) -> StoreUrl {
        redis_url(self.0.port, 0).parse().unwrap()
    }

    /// As `kill -9` does. The port is refused from now on.
    pub(crate) fn kill(&mut self) {
        self.0.child.kill().unwrap();
        self.0.child.wait().unwrap();
    }

    /// Empty, on the port of the one that was killed.
    pub(crate) fn start_again(&mut self) {
        self.0 = redis_on(self.0.port);
    }

    /// Alive, connected, and silent.
    pub(crate) fn hang(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = Pid::from_child(&self.0.child);
        kill_process(pid, Signal::STOP).unwrap();
    }

    /// What a command gives as a text or a number.
    pub(crate) async fn ask(&self, words: &[&str]) -> Option<String> {
        ask_redis(&redis_url(self.0.port, 0), words).await
    }
}

fn redis_url(port: u16, database: u32) -> String {
    format!("redis://:p4ssw0rd@127.0.0.1:{port}/{database}")
}

async fn ask_redis(url: &str, words: &[&str]) -> Option<String> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command.query_async(&mut connection).await.unwrap()
}

/// The services that other tests run on at the moment, or new ones.
pub(crate) fn services() -> Arc<Services> {
    static RUNNING: Mutex<Weak<Services>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(services) = running.upgrade() {
        return services;
    }
    let services = Arc::new(Services::start());
    *running = Arc::downgrade(&services);
    services
}

impl Services {
    /// New ones that no other test is on.
    pub(crate) fn start() -> Self {
        Self {
            mariadb: mariadb(),
            redis: redis(),
            next: AtomicU32::new(0),
        }
    }

    /// Stores that nobody has used.
    pub(crate) async fn stores(&self) -> Stores {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("shop{number}");
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.mariadb.port)
            .username("bench")
            .password("p4ssw0rd");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        let mut connection = options.connect().await.unwrap();
        sqlx::query(create).execute(&mut connection).await.unwrap();
        let port = self.mariadb.port;
        let mysql = format!("mysql://bench:p4ssw0rd@127.0.0.1:{port}/{name}");
        let redis_url = redis_url(self.redis.port, number);
        Stores {
            mysql: mysql.parse().unwrap(),
            redis: redis_url.parse().unwrap(),
            options: options.database(&name),
            mysql_url: mysql,
            redis_url,
        }
    }
}

impl Stores {
    /// A connection that the server does not know of.
    pub(crate) async fn outside(&self) -> MySqlConnection {
        self.options.connect().await.unwrap()
    }

    /// With the password.
    pub(crate) fn mysql_url(&self) -> &str {
        &self.mysql_url
    }

    /// With the password.
    pub(crate) fn redis_url(&self) -> &str {
        &self.redis_url
    }

    /// Id and user of every row.
    pub(crate) async fn rows(&self) -> Vec<(i64, String)> {
        sqlx::query_as("SELECT id, userId FROM user_coupons ORDER BY id")
            .fetch_all(&mut self.outside().await)
            .await
            .unwrap()
    }

    /// Until so many transactions stand before a lock, in any database of the server.
    pub(crate) async fn wait_for_lock_waits(&self, wanted: i64) {
        let mut connection = self.outside().await;
        let waiting =
            "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
        for _ in 0..200 {
            let count: i64 = sqlx::query_scalar(waiting)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            if count >= wanted {
                return;
            }
            // The table shows the same again to whoever looks more often than ten times a second.
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        panic!("fewer than {wanted} transactions wait for a lock");
    }

    /// What a Redis command gives as a text or a number.
    pub(crate) async fn redis(&self, words: &[&str]) -> Option<String> {
        ask_redis(&self.redis_url, words).await
    }
}

/// One server as a child of the test.
struct Service {
    child: Child,
    directory: TempDir,
    port: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(directory: TempDir, port: u16, mut command: Command) -> Self {
        let log = || {
            let mut options = File::options();
            let options = options.create(true).append(true);
            options.open(directory.path().join("log")).unwrap()
        };
        command.stdin(Stdio::null()).stdout(log()).stderr(log());
        let mut service = Self {
            child: command.spawn().unwrap(),
            directory,
            port,
        };
        service.wait_until_open();
        service
    }

    fn wait_until_open(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(2);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.log());
            assert!(Instant::now() < deadline, "not open: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

fn redis() -> Service {
    redis_on(free_port())
}

fn redis_on(port: u16) -> Service {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(program("redis-server", "redis-server"));
    command.args(["--bind", "127.0.0.1", "--save", "", "--databases", "1000"]);
    command.args(["--requirepass", "p4ssw0rd", "--port", &port.to_string()]);
    command.arg("--dir").arg(directory.path());
    Service::start(directory, port, command)
}

fn mariadb() -> Service {
    let (port, directory) = (free_port(), tempfile::tempdir().unwrap());
    let home = directory.path().to_owned();
    let mut install = Command::new(program("mariadb-install-db", "mariadb-server"));
    install.args(["--no-defaults", "--skip-test-db"]);
    install.arg("--auth-root-authentication-method=normal");
    install.arg(option("--datadir", &home.join("data")));
    // In a shared directory, a server that starts removes the temporary tables of the others.
    install.env("TMPDIR", &home).stdin(Stdio::null());
    let output = as_root(&mut install).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "mariadb-install-db: {words}");

    let first = home.join("first.sql");
    let sql = "CREATE USER bench@'%' IDENTIFIED BY 'p4ssw0rd';\nGRANT ALL ON *.* TO bench@'%';\n";
    std::fs::write(&first, sql).unwrap();
    let mut command = Command::new(program("mariadbd", "mariadb-server"));
    command.args(["--no-defaults", "--bind-address=127.0.0.1"]);
    command.arg("--skip-name-resolve");
    command.arg(format!("--port={port}"));
    command.arg(option("--datadir", &home.join("data")));
    command.arg(option("--tmpdir", &home));
    command.arg(option("--socket", &home.join("socket")));
    command.arg(option("--init-file", &first));
    as_root(&mut command);
    Service::start(directory, port, command)
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// The server refuses to run as root unless it is told so.
fn as_root(command: &mut Command) -> &mut Command {
    if rustix::process::geteuid().is_root() {
        command.arg("--user=root");
    }
    command
}

/// A test without its server fails, because skipping would look like passing.
fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = places
        .iter()
        .map(|place| place.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!("{name} is not installed; run: scripts/services, or install {package}")
    })
}

/// A port below the range that the kernel gives out by itself, and beside those of other tests.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(37);
    loop {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let port = 20_000 + offset as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
