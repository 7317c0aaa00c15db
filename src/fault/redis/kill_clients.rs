//! Redis closes all connections, again and again.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::sleep;

use super::session::{Failure, Session};
use super::settings;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::repeated::Repeated;
use crate::fault::wait::{SILENT_AFTER, question};
use crate::plan::Secret;

/// `CLIENT KILL TYPE normal`. It ends with the harness.
///
/// That connections are closed is seen by one that was opened before and asks nothing: nobody but
/// Redis closes it.
pub struct KillClients {
    url: Secret,
    label: String,
    every: Duration,
    /// The number of the connection that asks nothing, and the connection.
    canary: Option<(u64, Session)>,
    killing: Option<Repeated>,
}

impl KillClients {
    /// `every`: from one time to the next, more than zero. `label` names the probe's key.
    pub fn new(url: &Secret, label: &str, every: Duration) -> Self {
        Self {
            url: url.clone(),
            label: label.to_owned(),
            every,
            canary: None,
            killing: None,
        }
    }

    async fn ask(&self) -> Effect {
        let Some((canary, _)) = &self.canary else {
            return Effect::NotSeen("no connection was there before".to_owned());
        };
        let asked = async {
            let mut session = Session::open(&self.url, SILENT_AFTER).await?;
            session.ask::<String>(&["CLIENT", "LIST"]).await
        };
        match asked.await {
            Ok(clients) if is_among(&clients, *canary) => Effect::NotSeen(
                "a connection that was opened before is still in the list of clients".to_owned(),
            ),
            Ok(_) => Effect::Seen(
                "a connection that was opened before is not in the list of clients any more"
                    .to_owned(),
            ),
            Err(failure) => Effect::NotSeen(format!("CLIENT LIST: {failure}")),
        }
    }
}

/// Whether a list of clients, one a line with `id=` first, has this one.
fn is_among(clients: &str, id: u64) -> bool {
    let ids = clients.lines().filter_map(|line| {
        let first = line.split(' ').next()?;
        first.strip_prefix("id=")?.parse::<u64>().ok()
    });
    ids.into_iter().any(|one| one == id)
}

async fn kill(session: &mut Session) -> Result<u64, Failure> {
    let words = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
    session.ask(&words).await
}

async fn kill_on(url: Secret, every: Duration, first: Session) {
    let mut session = Some(first);
    loop {
        sleep(every).await;
        // One that was lost is opened anew; who has killed it may not be we.
        session = match session.take() {
            Some(session) => Some(session),
            None => Session::to(&url).await.ok(),
        };
        if let Some(open) = &mut session
            && kill(open).await.is_err()
        {
            session = None;
        }
    }
}

impl Nemesis for KillClients {
    /// Nothing: it ends with the connection that asks for it.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let opened = async {
                let mut session = Session::to(&self.url).await?;
                Ok((session.id().await?, session))
            };
            let opened = opened.await;
            let opened = opened.map_err(|failure: Failure| failure.at(&self.url))?;
            self.canary = Some(opened);
            Ok(Vec::new())
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let killed = async {
                let mut session = Session::to(&self.url).await?;
                kill(&mut session).await?;
                Ok(session)
            };
            let session = killed.await;
            let session = session.map_err(|failure: Failure| failure.at(&self.url))?;
            let killing = kill_on(self.url.clone(), self.every, session);
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
            self.canary = None;
            settings::wait_until_written(&self.url, &self.label).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_found_by_its_whole_number() {
        let clients = "id=12 addr=127.0.0.1:1 name= cmd=ping\nid=3 addr=id=7\n";
        assert!(is_among(clients, 12));
        assert!(is_among(clients, 3));
        assert!(!is_among(clients, 1));
        assert!(!is_among(clients, 7));
        assert!(!is_among("", 1));
    }
}
