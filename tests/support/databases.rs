//! Starts the databases of the tests, each empty and with a user of its own.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use rustix::process::{Signal, geteuid};

use crate::support::{Service, free_port, program, run};

/// Redis with the password `p4ssw0rd`.
pub(crate) fn redis() -> Service {
    let (port, directory) = (free_port(), tempfile::tempdir().unwrap());
    Service::start(directory, port, Signal::KILL, move |directory| {
        let mut command = Command::new(program("redis-server"));
        command.args(["--bind", "127.0.0.1", "--save", "", "--port"]);
        command.arg(port.to_string()).arg("--dir").arg(directory);
        command.args(["--requirepass", "p4ssw0rd"]);
        command
    })
}

/// MariaDB with the user `bench`, the password `p4ssw0rd` and the database `shop`.
pub(crate) fn mariadb() -> Service {
    let (port, directory) = (free_port(), tempfile::tempdir().unwrap());
    let mut install = Command::new(program("mariadb-install-db"));
    install.args([
        "--no-defaults",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
    ]);
    install.arg(option("--datadir", &directory.path().join("data")));
    // In a shared directory, a server that starts removes the temporary tables of the others.
    install.env("TMPDIR", directory.path());
    run(as_root(&mut install));
    let first = "CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;\n\
                 CREATE USER IF NOT EXISTS bench@'%' IDENTIFIED BY 'p4ssw0rd';\n\
                 GRANT ALL ON *.* TO bench@'%';\n";
    std::fs::write(directory.path().join("first.sql"), first).unwrap();
    Service::start(directory, port, Signal::KILL, move |directory| {
        let mut command = Command::new(program("mariadbd"));
        command.args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
        ]);
        command.arg(format!("--port={port}"));
        command.arg(option("--datadir", &directory.join("data")));
        command.arg(option("--tmpdir", directory));
        command.arg(option("--socket", &directory.join("socket")));
        command.arg(option("--init-file", &directory.join("first.sql")));
        as_root(&mut command);
        command
    })
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// The server refuses to run as root unless it is told so.
fn as_root(command: &mut Command) -> &mut Command {
    if geteuid().is_root() {
        command.arg("--user=root");
    }
    command
}

/// PostgreSQL with the user `bench` and no password.
pub(crate) fn postgres() -> Service {
    let (port, directory) = (free_port(), tempfile::tempdir().unwrap());
    give_away(directory.path());
    let mut install = unprivileged("initdb");
    install.args([
        "--username=bench",
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
    ]);
    install.arg("--pgdata").arg(directory.path().join("data"));
    run(&mut install);
    // SIGQUIT is the immediate shutdown, which ends the server's children, too.
    Service::start(directory, port, Signal::QUIT, move |directory| {
        let mut command = unprivileged("postgres");
        command
            .arg("-D")
            .arg(directory.join("data"))
            .arg("-k")
            .arg(directory);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        command
    })
}

/// `PostgreSQL` refuses to run as root, so root starts it as the user that its package made.
fn unprivileged(name: &str) -> Command {
    if !geteuid().is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new(program("setpriv"));
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command.arg(program(name)).current_dir("/");
    command
}

fn give_away(path: &Path) {
    if geteuid().is_root() {
        let output = Command::new("id")
            .args(["-u", "postgres"])
            .output()
            .unwrap();
        let id = String::from_utf8(output.stdout).unwrap();
        let id = id.trim().parse();
        chown(
            path,
            Some(id.expect("a user postgres; run: scripts/services")),
            None,
        )
        .unwrap();
    }
}
