//! MariaDB of this run: its data directory, its configuration, its user, and the question whether
//! it is ready.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::kept::{Kept, Log};
use super::programs::MariaDb;
use super::service::{Kind, Service, log_of};
use crate::plan::Secret;
use crate::stack::account::{ADMIN, Account, DATABASE, USER};
use crate::stack::log::last_lines;
use crate::stack::settings::MYSQL;
use crate::stack::{Clock, NotReady};

const NAME: &str = "mysql";

/// Makes the users, and is gone as soon as the server has read it.
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
";

/// MariaDB that answers.
#[derive(Debug)]
pub(super) struct MySql {
    service: Arc<Service>,
    url: Secret,
}

impl MySql {
    pub(super) async fn start(
        programs: &MariaDb,
        stack: &Path,
        clock: Option<Clock>,
    ) -> Result<Self, NotReady> {
        let directory = stack.join(NAME);
        fs::create_dir_all(directory.join("tmp"))?;
        install(&programs.installer, &directory).await?;
        let kind = Recipe {
            server: programs.server.clone(),
            directory,
            account: Account::new()?,
            clock,
        };
        let first = kind.write_first()?;
        let account = kind.account.clone();
        let service = Service::start(kind).await?;
        drop(first);
        let url = account.url(service.port);
        let service = Arc::new(service);
        Ok(Self { service, url })
    }

    /// With its password.
    pub(super) const fn url(&self) -> &Secret {
        &self.url
    }

    pub(super) const fn service(&self) -> &Arc<Service> {
        &self.service
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
    account: Account,
    clock: Option<Clock>,
}

impl Recipe {
    fn write_first(&self) -> io::Result<Gone> {
        let path = self.directory.join(FIRST);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path)?;
        let gone = Gone(path);
        let [user, admin] = [USER, ADMIN].map(|name| format!("{name}@'127.0.0.1'"));
        let password = self.account.password();
        write!(
            file,
            "CREATE DATABASE IF NOT EXISTS {DATABASE};\n\
             CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}';\n\
             GRANT ALL ON {DATABASE}.* TO {user};\n\
             CREATE USER IF NOT EXISTS {admin} IDENTIFIED BY '{password}';\n\
             GRANT ALL ON *.* TO {admin} WITH GRANT OPTION;\n"
        )?;
        Ok(gone)
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
        let data = quoted(&self.directory.join("data"));
        // Seen from there. It is a list, divided by colons, so a path with one could not be said.
        let tmp = "../tmp";
        fs::write(
            self.directory.join("my.cnf"),
            format!(
                "{CONFIGURATION}{MYSQL}\ninnodb_log_file_size = {LOG_SIZE}\n\
                 datadir = {data}\ntmpdir = {tmp}\nport = {port}\n"
            ),
        )?;
        // It starts in its directory; the option also means: no other file.
        let mut words = vec![self.server.clone().into(), "--defaults-file=my.cnf".into()];
        // When it starts again, its user is there.
        let first = self.directory.join(FIRST);
        if first.exists() {
            let mut option = OsString::from("--init-file=");
            option.push(first);
            words.push(option);
        }
        words.extend(as_root());
        Ok(words)
    }

    /// Nobody else knows the password.
    fn ask(&self, port: u16) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.account.ask(port))
    }

    fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// The server repeats a statement that it does not understand.
    fn hide(&self, text: &str) -> String {
        self.account.hide(text)
    }
}

/// Makes the data directory. The paths are relative, since the script cannot take a space in one, and
/// the server takes a colon for the end of one.
async fn install(installer: &Path, directory: &Path) -> Result<(), NotReady> {
    let mut words = vec![
        installer.into(),
        "--no-defaults".into(),
        "--datadir=./data".into(),
        "--tmpdir=../tmp".into(),
        // Neither a database nor users that everybody may use.
        "--skip-test-db".into(),
        format!("--innodb-log-file-size={LOG_SIZE}").into(),
    ];
    words.extend(as_root());
    let log = log_of(directory);
    let mut kept = Kept::start(&words, directory, &log, Log::New)?;
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
