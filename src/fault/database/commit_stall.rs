//! Nothing can be written or committed in the database; reads are answered.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::session::{Failure, Session};
use super::write::Write;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::question;
use crate::plan::Secret;

/// How long the lock may wait, in seconds, and who waits for it. Meanwhile it keeps others waiting
/// already: that is not what was asked for.
const LOCK: &str = "SET SESSION lock_wait_timeout = 5";
const LOCK_WITHIN: Duration = Duration::from_secs(6);

/// The statements that keep the lock waiting are those that have run for long.
const LONGEST: &str = "SELECT CONCAT('session ', id, ' has run a statement for ', time, ' s') \
                       FROM information_schema.processlist WHERE command = 'Query' \
                       AND id <> CONNECTION_ID() ORDER BY time DESC LIMIT 1";

/// `FLUSH TABLES WITH READ LOCK` on a session of its own, with whose end it ends.
pub struct CommitStall {
    url: Secret,
    write: Option<Write>,
    lock: Option<Session>,
}

impl CommitStall {
    /// The user needs the privilege `RELOAD`; the URL names a database with a table.
    pub fn new(url: &Secret) -> Self {
        Self {
            url: url.clone(),
            write: None,
            lock: None,
        }
    }

    async fn lock(&mut self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        session.run(LOCK).await?;
        // The server would end a session that is silent for longer than this.
        session.run("SET SESSION wait_timeout = 86400").await?;
        let locked = session.run_within(LOCK_WITHIN, "FLUSH TABLES WITH READ LOCK");
        if let Err(failure) = locked.await {
            let longest = self.longest().await;
            session.close().await;
            return Err(Failure::Other(format!(
                "FLUSH TABLES WITH READ LOCK waits behind what runs already: {failure}{longest}"
            )));
        }
        self.lock = Some(session);
        Ok(())
    }

    async fn longest(&self) -> String {
        let asked = async { Session::to(&self.url).await?.texts(LONGEST).await };
        let found = asked.await.ok().and_then(|mut found| found.pop());
        found.map_or_else(String::new, |found| format!("; {found}"))
    }

    async fn ask(&self) -> Effect {
        let Some(write) = &self.write else {
            return Effect::NotSeen("no write was tried".to_owned());
        };
        match write.attempt().await {
            Err(Failure::Silent(limit)) => Effect::Seen(format!(
                "an UPDATE of no row was not answered within {} ms",
                limit.as_millis()
            )),
            Ok(()) => Effect::NotSeen("an UPDATE of no row was answered".to_owned()),
            Err(other) => Effect::NotSeen(format!("an UPDATE of no row: {other}")),
        }
    }

    async fn unlock(&mut self) -> Result<(), Trouble> {
        if let Some(session) = self.lock.take() {
            session.close().await;
        }
        match &self.write {
            Some(write) => write.wait_until_taken().await,
            None => Ok(()),
        }
    }
}

impl Nemesis for CommitStall {
    /// Nothing: the lock ends with its session.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            self.write = Some(Write::find(&self.url).await?);
            Ok(Vec::new())
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let url = self.url.clone();
            let locked = self.lock().await;
            locked.map_err(|failure| failure.at(&url))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.unlock().boxed()
    }
}
