//! The provider `local`: real Redis and MariaDB as children of a run.

#[path = "support/harness/mod.rs"]
mod harness;

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use harness::scenario::Scenario;
use harness::{Bench, Ended, wait_until};
use rustix::process::Signal;

/// A run whose strategy needs both, with signs in its path that divide lists and words.
fn bench() -> (Bench, Vec<&'static str>) {
    let bench = Bench::with(&Scenario::short().strategy("redis-lua"));
    (
        bench,
        vec![
            "run",
            "scenario.yaml",
            "--out",
            "the run's: 1",
            "--provider",
            "local",
        ],
    )
}

fn text(bench: &Bench, name: &str) -> String {
    let path = bench.path("the run's: 1/stack").join(name);
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The command lines of all that works in this place.
fn workers(bench: &Bench) -> Vec<String> {
    let here = bench.path("the run's: 1/stack");
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    let here = entries.flatten().filter_map(|entry| {
        let at = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        // One that has ended and is not waited for has no command line.
        (at.starts_with(&here) && !line.is_empty()).then_some(line)
    });
    here.collect()
}

fn port_in(configuration: &str) -> u16 {
    let mut words = configuration
        .lines()
        .filter_map(|line| line.strip_prefix("port"));
    let port = words.next().expect("a port");
    port.trim_matches([' ', '=']).parse().expect("a number")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if !path.is_dir() {
            found.push(path);
        } else if !path.ends_with("mysql/data") {
            found.extend(files(&path));
        }
    }
    found
}

/// What looks like the password that MariaDB's user has.
fn holds_a_password(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.map(str::len).any(|len| len == 48)
}

#[test]
fn services_start_and_end_in_good_order_and_no_password_is_left() {
    let (bench, args) = bench();
    let running = bench.start(&args);
    let mut lines = Vec::new();
    wait_until("MariaDB has begun", || {
        lines.extend(workers(&bench));
        text(&bench, "mysql/log").contains("mariadbd: ready for connections")
    });
    let ended = running.wait();
    let log = text(&bench, "mysql/log");
    assert!(log.contains("Shutdown complete"), "{log}\n{}", ended.all());
    let log = text(&bench, "redis-1/log");
    assert!(log.contains("Redis is now ready to exit"), "{log}");
    assert_eq!(workers(&bench), Vec::<String>::new());
    assert!(
        lines.iter().any(|line| line.contains("mariadbd")),
        "{lines:?}"
    );
    let read = |path: &PathBuf| {
        String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned()
    };
    let texts = files(&bench.path("the run's: 1"));
    let texts = texts.iter().map(read).chain(lines).chain([ended.all()]);
    for text in texts {
        assert!(!holds_a_password(&text), "{text}");
    }
}

#[test]
fn what_looks_like_a_password_is_found() {
    let password = "0123456789abcdef".repeat(3);
    assert!(holds_a_password(&format!(
        "mysql://fcfs:{password}@h/coupons"
    )));
    assert!(!holds_a_password("mysql://fcfs:***@h/coupons"));
}

#[test]
fn nothing_outlives_a_harness_that_was_killed() {
    // The installer of MariaDB, and the server itself.
    for until in ["mariadb-install-db", "--init-file"] {
        let (bench, args) = bench();
        let running = bench.start(&args);
        wait_until("both are there", || {
            let lines = workers(&bench);
            let is = |name: &str| {
                lines
                    .iter()
                    .any(|line| line.contains(name) && !line.contains("keep"))
            };
            is("redis-server") && is(until)
        });
        running.signal(Signal::KILL);
        running.wait();
        wait_until("nothing runs", || workers(&bench).is_empty());
        let port = port_in(&text(&bench, "redis-1/redis.conf"));
        TcpListener::bind(("127.0.0.1", port)).expect("Redis's port is free");
        if until == "--init-file" {
            let port = port_in(&text(&bench, "mysql/my.cnf"));
            TcpListener::bind(("127.0.0.1", port)).expect("MariaDB's port is free");
        }
    }
}

#[test]
fn an_interrupt_while_services_start_leaves_nothing_behind() {
    let (bench, args) = bench();
    let mut running = bench.start(&args);
    running.wait_until_it_says("starting Redis and MySQL");
    running.signal(Signal::INT);
    running.wait().expect(105);
    wait_until("nothing runs", || workers(&bench).is_empty());
}

/// Programs that stand before the real ones in `PATH`.
fn with_programs(bench: &Bench, args: &[&str], programs: &[(&str, &str)]) -> Ended {
    std::fs::create_dir(bench.path("programs")).expect("a directory");
    for (name, script) in programs {
        let path = bench.path("programs").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("ours");
    }
    let before = std::env::var("PATH").expect("a path");
    let path = format!("{}:{before}", bench.path("programs").display());
    let running = bench.start_with(args, |command| {
        command.env("PATH", path);
    });
    running.wait()
}

#[test]
fn a_service_that_does_not_start_shows_the_end_of_its_log_without_the_password() {
    let table = [
        (
            "redis-server",
            "echo first; echo bad luck >&2; exit 3",
            "redis-1",
            "bad luck",
        ),
        // What its user is made with: nobody may see the password in it.
        (
            "mariadbd",
            "cat ../mysql/first.sql; exit 3",
            "mysql",
            "IDENTIFIED BY '***'",
        ),
    ];
    for (name, script, service, words) in table {
        let (bench, args) = bench();
        let programs = [("mariadb-install-db", "exit 0"), (name, script)];
        let ended = with_programs(&bench, &args, &programs).expect(113);
        ended.complains(&format!(
            "the service {service} did not start: it ended with exit status: 3"
        ));
        ended.complains(words);
        assert!(!holds_a_password(&ended.all()), "{}", ended.all());
        wait_until("nothing runs", || workers(&bench).is_empty());
    }
}

#[test]
fn a_data_directory_that_cannot_be_made_is_said() {
    let (bench, args) = bench();
    let programs = [("mariadb-install-db", "echo disk full; exit 1")];
    let ended = with_programs(&bench, &args, &programs).expect(113);
    ended.complains("the service mysql did not start: its data directory could not be made");
    ended.complains("disk full");
}

#[test]
fn a_port_that_was_taken_meanwhile_is_given_up_for_another() {
    let (bench, args) = bench();
    let taken = "if mkdir once 2>/dev/null; then echo 'bind: Address already in use'; exit 1; fi\n\
                 cp redis.conf second.conf; exec /usr/bin/redis-server \"$@\"";
    // MariaDB ends the run, since only Redis is of interest.
    let fails = "while ! grep -qs 'Ready to accept' ../redis-1/log; do sleep 0.01; done; exit 1";
    let programs = [("redis-server", taken), ("mariadb-install-db", fails)];
    let ended = with_programs(&bench, &args, &programs).expect(113);
    ended.complains("the service mysql did not start");
    assert!(
        bench
            .path("the run's: 1/stack/redis-1/second.conf")
            .exists()
    );
}

#[test]
fn missing_programs_are_named_with_the_command_that_installs_them() {
    let (bench, args) = bench();
    let running = bench.start_with(&args, |command| {
        command.env("PATH", "/nowhere");
    });
    let ended = running.wait().expect(113);
    ended.complains("the strategy needs Redis and MySQL, and `redis-server`");
    ended.complains("hint: apt-get install redis-server");
}
