//! Does what a lease says: by whoever holds it, also when the one who injected the fault is gone.

use std::future::Future;

use rustix::process::Signal;

use super::database::session as sql;
use super::kafka;
use super::lease::Undo;
use super::loss;
use super::nemesis::Trouble;
use super::redis::session as redis;
use super::wait::{ANSWER_WITHIN, WHOLE_WITHIN, until};
use crate::plan::Secret;
use crate::{process, stack};

impl Undo {
    /// Does it. A victim that is gone needs nothing: a process whose number is somebody else's, a
    /// server at whose port nobody listens, a container that its engine does not know.
    ///
    /// # Errors
    /// When it was not done within 10 s, or the victim says no.
    pub async fn run(&self) -> Result<(), Trouble> {
        match self {
            Self::Continue { pid, started } => go_on(*pid, *started),
            Self::DataLimit {
                pid,
                started,
                bytes,
            } => limit_data(*pid, *started, *bytes),
            Self::Clock { file } => {
                let set = stack::set_clock(file, 0);
                set.map_err(|error| Trouble::new(format!("{}: {error}", file.display())))
            }
            // An engine that is just removing it says no, and does not know it a moment later.
            Self::Unpause { engine, container } => {
                until(WHOLE_WITHIN, || async {
                    let unpaused = stack::unpause(engine, container).await;
                    unpaused.map_err(Trouble::new)
                })
                .await
            }
            Self::StartContainer { engine, container } => {
                until(WHOLE_WITHIN, || async {
                    let started = stack::start_container(engine, container).await;
                    started.map_err(Trouble::new)
                })
                .await
            }
            Self::StartProcess {
                command,
                directory,
                file,
            } => {
                let started = stack::start_process(&command.secret(), directory, file).await;
                started.map_err(|problem| Trouble::new(format!("{}: {problem}", file.display())))
            }
            Self::ContainerLimits {
                engine,
                container,
                allowed,
            } => {
                until(WHOLE_WITHIN, || async {
                    let limited = stack::limit_container(engine, container, *allowed).await;
                    limited.map_err(Trouble::new)
                })
                .await
            }
            Self::RedisSettings { url, settings } => {
                let set = |(name, value): &(String, String)| words(&["CONFIG", "SET", name, value]);
                let commands: Vec<_> = settings.iter().map(set).collect();
                ask_redis(&url.secret(), &commands).await
            }
            Self::RedisUnpause { url } => {
                ask_redis(&url.secret(), &[words(&["CLIENT", "UNPAUSE"])]).await
            }
            Self::RedisReplicaOf { url, of } => {
                let command = match of {
                    Some((host, port)) => words(&["REPLICAOF", host, &port.to_string()]),
                    None => words(&["REPLICAOF", "NO", "ONE"]),
                };
                ask_redis(&url.secret(), &[command]).await
            }
            Self::Sql { url, run } => ask_database(&url.secret(), run).await,
            Self::KafkaTopic {
                brokers,
                topic,
                settings,
            } => kafka::give_back(brokers, topic, settings).await,
            Self::PacketRules { table } => loss::take_away(table).await,
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A stopped process goes on, unless its number is another's by now.
fn go_on(pid: u32, started: u64) -> Result<(), Trouble> {
    let sent = process::send(pid, started, Signal::CONT);
    sent.map_err(|error| Trouble::new(format!("process {pid}: {error}")))
}

/// A process gets its old limit back, unless its number is another's by now.
fn limit_data(pid: u32, started: u64, bytes: Option<u64>) -> Result<(), Trouble> {
    let set = process::data::set_limit(pid, started, bytes);
    set.map_err(|error| Trouble::new(format!("process {pid}: {error}")))
}

/// What came of one try.
enum Tried {
    /// It is over, well or not.
    Ended(Result<(), Trouble>),
    /// It may still come.
    Again(Trouble),
}

async fn tried<F, Trying>(mut once: F) -> Result<(), Trouble>
where
    F: FnMut() -> Trying,
    Trying: Future<Output = Tried>,
{
    let ended = until(WHOLE_WITHIN, || {
        let trying = once();
        async {
            match trying.await {
                Tried::Ended(ended) => Ok(ended),
                Tried::Again(trouble) => Err(trouble),
            }
        }
    });
    ended.await?
}

async fn ask_redis(url: &Secret, commands: &[Vec<String>]) -> Result<(), Trouble> {
    tried(|| ask_redis_once(url, commands)).await
}

async fn ask_redis_once(url: &Secret, commands: &[Vec<String>]) -> Tried {
    let mut session = match redis::Session::to(url).await {
        Ok(session) => session,
        Err(redis::Failure::Refused) => return Tried::Ended(Ok(())),
        // Also that it has no connection free: the fault's own end gives some back.
        Err(failure) => return Tried::Again(failure.at(url)),
    };
    let mut ended = Ok(());
    for command in commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        match session.run(&command).await {
            Ok(()) => {}
            Err(failure @ redis::Failure::Said(_)) => ended = ended.and(Err(failure.at(url))),
            Err(failure) => return Tried::Again(failure.at(url)),
        }
    }
    Tried::Ended(ended)
}

async fn ask_database(url: &Secret, statements: &[String]) -> Result<(), Trouble> {
    tried(|| ask_database_once(url, statements)).await
}

async fn ask_database_once(url: &Secret, statements: &[String]) -> Tried {
    let mut session = match sql::Session::open(url, ANSWER_WITHIN).await {
        Ok(session) => session,
        Err(sql::Failure::Refused) => return Tried::Ended(Ok(())),
        Err(failure) => return Tried::Again(failure.at(url)),
    };
    let mut ended = Ok(());
    for statement in statements {
        match session.run(statement).await {
            Ok(()) => {}
            Err(failure @ sql::Failure::Said { .. }) => ended = ended.and(Err(failure.at(url))),
            Err(failure) => return Tried::Again(failure.at(url)),
        }
    }
    session.close().await;
    Tried::Ended(ended)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::net::TcpListener;
    use std::process::{Child, Command};

    use super::*;
    use crate::fault::lease::Stored;

    struct Sleeper(Child);

    impl Sleeper {
        fn stopped() -> (Self, u32) {
            let child = Command::new("sleep").arg("600").spawn().unwrap();
            let pid = child.id();
            process::send(pid, started(pid), Signal::STOP).unwrap();
            let sleeper = Self(child);
            wait_for(pid, 'T');
            (sleeper, pid)
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn started(pid: u32) -> u64 {
        process::Stat::of(pid).unwrap().started
    }

    fn state(pid: u32) -> char {
        process::Stat::of(pid).unwrap().state
    }

    fn wait_for(pid: u32, wanted: char) {
        while state(pid) != wanted {
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_stopped_process_goes_on_and_another_with_its_number_stays() {
        let (_sleeper, pid) = Sleeper::stopped();
        let started = started(pid);
        let of = |started| Undo::Continue { pid, started };
        of(started + 1).run().await.unwrap();
        assert_eq!(state(pid), 'T');
        of(started).run().await.unwrap();
        wait_for(pid, 'S');
        of(started).run().await.unwrap();
    }

    #[tokio::test]
    async fn a_container_whose_engine_is_gone_needs_nothing() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = port.local_addr().unwrap();
        drop(port);
        let nowhere = "unix:///nowhere/docker.sock".to_owned();
        for engine in [nowhere, format!("tcp://{at}")] {
            let container = "0123456789ab".to_owned();
            let undo = Undo::Unpause { engine, container };
            undo.run()
                .await
                .unwrap_or_else(|error| panic!("{undo:?}: {error}"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_container_that_was_ended_is_not_forgotten_while_its_engine_is_away() {
        let undo = Undo::StartContainer {
            engine: "unix:///nowhere/docker.sock".to_owned(),
            container: "0123456789ab".to_owned(),
        };
        let trouble = undo.run().await.unwrap_err().to_string();
        assert!(
            trouble.contains("the engine at unix:///nowhere"),
            "{trouble}"
        );
    }

    #[tokio::test]
    async fn a_victim_whose_port_refuses_is_gone_and_needs_nothing() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = port.local_addr().unwrap();
        drop(port);
        let url = |scheme: &str| Stored::new(&Secret::new(format!("{scheme}://u:p@{at}/x")));
        let brokers = at.to_string();
        let undos = [
            Undo::RedisUnpause {
                url: Stored::new(&Secret::new(format!("redis://{at}"))),
            },
            Undo::Sql {
                url: url("mysql"),
                run: vec!["SELECT 1".to_owned()],
            },
            Undo::KafkaTopic {
                brokers,
                topic: "t".to_owned(),
                settings: Vec::new(),
            },
        ];
        for undo in undos {
            undo.run()
                .await
                .unwrap_or_else(|error| panic!("{undo:?}: {error}"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_victim_that_is_silent_is_not_gone_and_no_secret_is_told() {
        // It takes connections, and never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let redis = Stored::new(&Secret::new(format!("redis://:secret@{at}")));
        let mysql = Stored::new(&Secret::new(format!("mysql://u:secret@{at}/x")));
        let run = vec!["SELECT 1".to_owned()];
        for undo in [
            Undo::RedisUnpause { url: redis },
            Undo::Sql { url: mysql, run },
        ] {
            let trouble = undo.run().await.unwrap_err().to_string();
            assert!(trouble.contains("no answer within"), "{trouble}");
            assert!(!trouble.contains("secret"), "{trouble}");
        }
    }
}
