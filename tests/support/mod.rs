//! Starts real servers as children of a test, in a directory of their own, and ends them with it.

#[allow(dead_code, reason = "not every test reads from Kafka")]
pub(crate) mod kafka;
pub(crate) mod nemesis;

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fcfs_bench::check::IssuedRow;
use fcfs_bench::plan::{Pages, Query, Secret, Source};
use fcfs_bench::probe::Probe;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server that lives as long as this value, also when the test panics.
pub(crate) struct Service {
    #[allow(dead_code, reason = "not every test starts one again")]
    command: Box<dyn Fn(&Path) -> Command + Send + Sync>,
    stop: Signal,
    child: Child,
    directory: TempDir,
    /// On the loopback address.
    pub(crate) port: u16,
}

impl Service {
    /// Starts a server in a prepared directory and waits until it takes connections. `stop` ends
    /// it at once, with everything that it started.
    pub(crate) fn start(
        directory: TempDir,
        port: u16,
        stop: Signal,
        command: impl Fn(&Path) -> Command + Send + Sync + 'static,
    ) -> Self {
        let child = spawn(&mut command(directory.path()), directory.path());
        let mut service = Self {
            command: Box::new(command),
            stop,
            child,
            directory,
            port,
        };
        service.wait_until_open();
        service
    }

    /// Ends the server abruptly.
    pub(crate) fn stop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process(pid, self.stop);
        }
        let _ = self.child.wait();
    }

    /// Sends it a signal.
    #[allow(dead_code, reason = "not every test does")]
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it runs");
    }

    /// Starts the server again on what it left behind.
    #[allow(dead_code, reason = "not every test starts one again")]
    pub(crate) fn start_again(&mut self) {
        let path = self.directory.path();
        self.child = spawn(&mut (self.command)(path), path);
        self.wait_until_open();
    }

    fn wait_until_open(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().expect("the child can be asked");
            assert!(ended.is_none(), "the server ended: {}", self.log());
            assert!(Instant::now() < deadline, "not open: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(command: &mut Command, directory: &Path) -> Child {
    let open = || {
        let mut options = File::options();
        let log = options.create(true).append(true);
        log.open(directory.join("log"))
            .expect("a log in the directory")
    };
    let command = command.stdin(Stdio::null()).stdout(open()).stderr(open());
    command.spawn().expect("the server can be started")
}

/// Runs a program to its end.
#[allow(dead_code, reason = "not every service needs preparation")]
pub(crate) fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.expect("the program can be started");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {words}");
}

/// Where a program is; a test without its server fails, because skipping would look like passing.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    // Debian keeps PostgreSQL's programs in a directory for each version.
    for version in std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
    {
        places.extend(version.map(|version| version.path().join("bin")));
    }
    let found = places
        .iter()
        .map(|place| place.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not installed; run: scripts/services"))
}

/// A port that nobody uses, each time another one.
///
/// It is taken from below the range that the kernel gives out by itself: a port that the kernel
/// chose could be given to another test, or to an outgoing connection, before the server binds it.
pub(crate) fn free_port() -> u16 {
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

/// A source without offset.
pub(crate) fn source(query: Query) -> Source {
    Source { query, offset: 0 }
}

/// A SQL query as a source.
#[allow(dead_code, reason = "not every service speaks SQL")]
pub(crate) fn sql(url: &str, query: &str) -> Source {
    source(Query::Sql {
        url: Secret::new(url),
        query: query.to_owned(),
        pages: None,
    })
}

/// The same, its rows read in pages.
#[allow(dead_code, reason = "not every service speaks SQL")]
pub(crate) fn paged(url: &str, query: &str, key: &str, rows: u64) -> Source {
    source(Query::Sql {
        url: Secret::new(url),
        query: query.to_owned(),
        pages: Some(Pages {
            key: key.to_owned(),
            rows,
        }),
    })
}

/// Opens a source that has no target.
#[allow(dead_code, reason = "not every test reads rows")]
pub(crate) async fn open(source: &Source) -> Probe {
    Probe::open(source, None)
        .await
        .expect("the source is there")
}

/// User, id, time and grain of each row.
/// A row as user, id, time and its grain.
#[allow(dead_code, reason = "not every test reads rows")]
pub(crate) type Shown<'a> = (&'a str, Option<&'a str>, Option<i64>, Option<i64>);

#[allow(dead_code, reason = "not every test reads rows")]
pub(crate) fn shown(rows: &[IssuedRow]) -> Vec<Shown<'_>> {
    let mut shown = Vec::new();
    for row in rows {
        let (user, id) = (row.user.as_str(), row.id.as_deref());
        shown.push((user, id, row.created_us, row.grain_us));
    }
    shown
}

/// Rows with the names of their columns, as one text each.
#[allow(dead_code, reason = "not every service speaks SQL")]
#[derive(Default)]
pub(crate) struct Rows(pub(crate) Vec<String>);

impl fcfs_bench::probe::RowReader for Rows {
    fn take(&mut self, names: &[String], values: &[Option<String>]) -> Result<bool, String> {
        let pairs = std::iter::zip(names, values);
        let shown =
            pairs.map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("-")));
        self.0.push(shown.collect::<Vec<_>>().join(" "));
        Ok(true)
    }
}
