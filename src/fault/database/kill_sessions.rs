//! The sessions of the system are killed, again and again.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::sleep;

use super::session::{Failure, Session};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::repeated::Repeated;
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;

/// All sessions of users, with their users: the server's own threads and its replicas are none.
const SESSIONS: &str = "SELECT id, user FROM information_schema.processlist \
                        WHERE id <> CONNECTION_ID() AND command NOT IN \
                        ('Daemon', 'Binlog Dump', 'Binlog Dump GTID', 'Slave_IO', 'Slave_SQL') \
                        AND user NOT IN ('system user', 'event_scheduler')";

/// The server's number of "there is no such session": it has ended in the meantime.
const NO_SESSION: u16 = 1094;

/// `KILL CONNECTION` of every session but our own. It ends with the harness.
pub struct KillSessions {
    url: Secret,
    every: Duration,
    victims: Victims,
    /// Sessions that were there before.
    before: Vec<u64>,
    killing: Option<Repeated>,
}

/// Whose sessions are killed.
#[derive(Debug, Clone)]
struct Victims {
    /// Users whose sessions are left alone.
    spared: Vec<String>,
}

impl KillSessions {
    /// `every`: from one time to the next, more than zero. `spared`: users whose sessions are left
    /// alone, beside the one that kills. The user needs `PROCESS`, and `CONNECTION ADMIN` or `SUPER`,
    /// unless it is the system's own.
    pub fn new(url: &Secret, every: Duration, spared: &[String]) -> Self {
        Self {
            url: url.clone(),
            every,
            victims: Victims {
                spared: spared.to_vec(),
            },
            before: Vec::new(),
            killing: None,
        }
    }

    async fn ask(&self) -> Effect {
        let there = async {
            let mut session = Session::open(&self.url, SILENT_AFTER).await?;
            let there = self.victims.list(&mut session).await;
            session.close().await;
            there
        };
        let there = match there.await {
            Ok(there) => there,
            Err(failure) => return Effect::NotSeen(format!("the list of sessions: {failure}")),
        };
        let count = self.before.len();
        let left = self.before.iter().filter(|id| there.contains(id)).count();
        if count == 0 {
            Effect::NotSeen("there was no session that could be killed".to_owned())
        } else if left > 0 {
            Effect::NotSeen(format!(
                "{left} of the {count} sessions of before are there"
            ))
        } else {
            Effect::Seen(format!(
                "none of the {count} sessions of before is there any more"
            ))
        }
    }
}

impl Victims {
    async fn list(&self, session: &mut Session) -> Result<Vec<u64>, Failure> {
        let sessions = session.pairs(SESSIONS).await?.into_iter();
        let victims = sessions.filter(|(_, user)| !self.spared.contains(user));
        Ok(victims.filter_map(|(id, _)| id.parse().ok()).collect())
    }

    async fn kill(&self, session: &mut Session) -> Result<(), Failure> {
        for id in self.list(session).await? {
            match session.run(&format!("KILL CONNECTION {id}")).await {
                Err(failure) if failure.code() != Some(NO_SESSION) => return Err(failure),
                _ => {}
            }
        }
        Ok(())
    }

    async fn kill_on(self, url: Secret, every: Duration, first: Session) {
        let mut session = Some(first);
        loop {
            sleep(every).await;
            session = match session.take() {
                Some(session) => Some(session),
                None => Session::to(&url).await.ok(),
            };
            if let Some(open) = &mut session
                && self.kill(open).await.is_err()
            {
                session = None;
            }
        }
    }
}

impl Nemesis for KillSessions {
    /// Nothing: it ends with the session that asks for it.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let there = async {
                let mut session = Session::to(&self.url).await?;
                let there = self.victims.list(&mut session).await;
                session.close().await;
                there
            };
            let there = there.await.map_err(|failure| failure.at(&self.url))?;
            self.before = there;
            Ok(Vec::new())
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let killed = async {
                let mut session = Session::to(&self.url).await?;
                self.victims.kill(&mut session).await?;
                Ok(session)
            };
            let killed = killed.await;
            let session = killed.map_err(|failure: Failure| failure.at(&self.url))?;
            let victims = self.victims.clone();
            let killing = victims.kill_on(self.url.clone(), self.every, session);
            self.killing = Some(Repeated::begin(killing));
            Ok(())
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            if let Some(killing) = self.killing.take() {
                killing.end().await;
            }
            let answers = || async {
                let asked = async {
                    let mut session = Session::to(&self.url).await?;
                    session.run("SELECT 1").await?;
                    session.close().await;
                    Ok(())
                };
                asked
                    .await
                    .map_err(|failure: Failure| failure.at(&self.url))
            };
            until(WHOLE_WITHIN, answers).await
        }
        .boxed()
    }
}
