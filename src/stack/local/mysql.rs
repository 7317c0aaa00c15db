//! MariaDB of this run: its data directory, its configuration, its user, and the question whether
//! it is ready.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::timeout;

use super::kept::Kept;
use super::programs::MariaDb;
use super::service::{Kind, Service, log_of};
use crate::plan::Secret;
use crate::stack::NotReady;
use crate::stack::log::last_lines;

const NAME: &str = "mysql";
const USER: &str = "fcfs";
const DATABASE: &str = "coupons";

/// Makes the user, and is gone as soon as the server has read it.
const FIRST: &str = "first.sql";

/// How long an empty data directory may take.
const INSTALL_WITHIN: Duration = Duration::from_mins(2);

/// The same for the installer and the server, which would otherwise make it again. The coupons of a
/// run fit, and it is the largest file of a run directory.
const LOG_SIZE: &str = "32M";

const CONFIGURATION: &str = "# Made by fcfs-bench for one run.
[mysqld]
bind-address = 127.0.0.1
# Its users come by TCP; the path of a socket may be at most 107 bytes long.
socket =
skip-name-resolve

# More connections than any pool opens (1000) and than read the truth: a refused one would be the
# stack's fault, not the server's.
max_connections = 1100
# A pool opens all its connections at one instant.
back_log = 1100

# Durable: a commit is on the disk before it is answered, so neither a killed process nor a machine
# without power loses it. These are the costs that a run measures.
innodb_flush_log_at_trx_commit = 1
innodb_doublewrite = ON
# No replica reads it.
skip-log-bin

# Times are read as UTC, and two users are the same only if each byte is.
default-time-zone = +00:00
character-set-server = utf8mb4
collation-server = utf8mb4_bin
";

/// MariaDB that answers.
#[derive(Debug)]
pub(super) struct MySql {
    service: Service,
    url: Secret,
}

impl MySql {
    pub(super) async fn start(programs: &MariaDb, stack: &Path) -> Result<Self, NotReady> {
        let directory = stack.join(NAME);
        fs::create_dir_all(directory.join("tmp"))?;
        install(&programs.installer, &directory).await?;
        let kind = Recipe {
            server: programs.server.clone(),
            directory,
            password: password()?,
        };
        let first = kind.write_first()?;
        let service = Service::start(&kind).await?;
        drop(first);
        let url = Secret::new(format!(
            "mysql://{USER}:{}@127.0.0.1:{}/{DATABASE}",
            kind.password, service.port
        ));
        Ok(Self { service, url })
    }

    /// With its password.
    pub(super) const fn url(&self) -> &Secret {
        &self.url
    }

    /// The number of its keeper.
    pub(super) fn keeper(&self) -> Option<u32> {
        self.service.keeper()
    }

    pub(super) async fn stop(self) {
        self.service.stop().await;
    }
}

/// A file that is removed with this value, also when the start is interrupted.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        // It is in a directory that this run has made; the password in it is of no use to anybody
        // once the server has ended.
        let _ = fs::remove_file(&self.0);
    }
}

/// How it is started.
struct Recipe {
    server: PathBuf,
    /// Absolute.
    directory: PathBuf,
    password: String,
}

impl Recipe {
    fn write_first(&self) -> io::Result<Gone> {
        let path = self.directory.join(FIRST);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path)?;
        let gone = Gone(path);
        let user = format!("{USER}@'127.0.0.1'");
        write!(
            file,
            "CREATE DATABASE IF NOT EXISTS {DATABASE};\n\
             CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{}';\n\
             GRANT ALL ON {DATABASE}.* TO {user};\n",
            self.password
        )?;
        Ok(gone)
    }

    fn options(&self, port: u16) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(port)
            .username(USER)
            .password(&self.password)
            .database(DATABASE)
            .ssl_mode(MySqlSslMode::Disabled)
            .disable_statement_logging()
    }
}

impl Kind for Recipe {
    fn name(&self) -> &str {
        NAME
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    fn configure(&self, port: u16) -> io::Result<Vec<OsString>> {
        let path = |name: &str| quoted(&self.directory.join(name));
        let (data, tmp) = (path("data"), path("tmp"));
        fs::write(
            self.directory.join("my.cnf"),
            format!(
                "{CONFIGURATION}\ninnodb_log_file_size = {LOG_SIZE}\n\
                 datadir = {data}\ntmpdir = {tmp}\nport = {port}\n"
            ),
        )?;
        let mut first = OsString::from("--init-file=");
        first.push(self.directory.join(FIRST));
        // It starts in its directory; the first option also means: no other file.
        let mut words = vec![
            self.server.clone().into(),
            "--defaults-file=my.cnf".into(),
            first,
        ];
        words.extend(as_root());
        Ok(words)
    }

    /// Nobody else knows the password.
    async fn ask(&self, port: u16) -> Result<(), String> {
        let words = |error: sqlx::Error| error.to_string();
        let mut connection = self.options(port).connect().await.map_err(words)?;
        let asked = sqlx::query("SELECT 1").execute(&mut connection).await;
        asked.map_err(words)?;
        connection.close().await.map_err(words)
    }

    /// The server repeats a statement that it does not understand.
    fn hide(&self, text: &str) -> String {
        text.replace(&self.password, "***")
    }
}

/// Makes the data directory. The paths are relative, since the script cannot take a space in one.
async fn install(installer: &Path, directory: &Path) -> Result<(), NotReady> {
    let mut words = vec![
        installer.into(),
        "--no-defaults".into(),
        "--datadir=./data".into(),
        // Neither a database nor users that everybody may use.
        "--skip-test-db".into(),
        format!("--innodb-log-file-size={LOG_SIZE}").into(),
    ];
    words.extend(as_root());
    let log = log_of(directory);
    let mut kept = Kept::start(&words, directory, &log)?;
    let ended = timeout(INSTALL_WITHIN, kept.ended()).await;
    let problem = match ended {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(problem)) => problem,
        Err(_) => format!("not within {} s", INSTALL_WITHIN.as_secs()),
    };
    Err(NotReady::Service {
        service: NAME.to_owned(),
        problem: format!("its data directory could not be made: {problem}"),
        log: last_lines(&log),
    })
}

/// The server refuses to run as root unless it is told so.
fn as_root() -> Option<OsString> {
    let is_root = rustix::process::geteuid().is_root();
    is_root.then(|| "--user=root".into())
}

/// As an option file takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    format!("\"{}\"", path.replace('\\', r"\\").replace('"', "\\\""))
}

/// Letters and digits, so that it means the same in a URL and in SQL.
fn password() -> io::Result<String> {
    let mut bytes = [0; 24];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
    Ok(bytes.iter().fold(String::new(), hex))
}
