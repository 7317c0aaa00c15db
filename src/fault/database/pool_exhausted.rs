//! Sessions are taken until the database gives no more than a few.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use tokio::time::{sleep, timeout};

use super::session::{Failure, Session};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::repeated::Repeated;
use crate::fault::wait::{ANSWER_WITHIN, SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;

const CEILING: &str = "SHOW GLOBAL VARIABLES LIKE 'max_connections'";
const CONNECTED: &str = "SHOW GLOBAL STATUS LIKE 'Threads_connected'";

/// The server's number of "too many connections".
const TOO_MANY: u16 = 1040;

/// Sessions that are opened at one time.
const AT_ONCE: u64 = 64;

/// How soon a session that the system has given up is taken.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Sessions held open up to `max_connections` less `leave`; they end with the harness. Sessions that
/// the system has are its own; each that it gives up is taken.
///
/// A user with `SUPER` or `CONNECTION ADMIN` gets one more than `max_connections`.
pub struct PoolExhausted {
    url: Secret,
    leave: u64,
    holding: Option<Repeated>,
}

impl PoolExhausted {
    /// `leave`: how many stay free for the system. The URL is best of a user without privileges, as
    /// the system's is: one who may exceed the ceiling is let in although it is reached.
    pub fn new(url: &Secret, leave: u32) -> Self {
        Self {
            url: url.clone(),
            leave: u64::from(leave),
            holding: None,
        }
    }

    async fn take(&mut self) -> Result<(), Failure> {
        let mut held = Held {
            url: self.url.clone(),
            leave: self.leave,
            watcher: Session::to(&self.url).await?,
            sessions: Vec::new(),
        };
        let all = async {
            while held.take_more().await? > 0 {}
            Ok(())
        };
        let all = timeout(WHOLE_WITHIN, all).await;
        all.map_err(|_| Failure::Other("not all sessions could be taken".to_owned()))??;
        self.holding = Some(Repeated::begin(held.hold()));
        Ok(())
    }

    async fn ask(&self) -> Effect {
        let asked = async {
            let mut session = Session::open(&self.url, SILENT_AFTER).await?;
            let figures = (
                session.shown(CONNECTED).await?,
                session.shown(CEILING).await?,
            );
            session.close().await;
            Ok::<_, Failure>(figures)
        };
        match asked.await {
            Err(failure) if failure.code() == Some(TOO_MANY) => {
                Effect::Seen(format!("a new session was refused: {failure}"))
            }
            // The one who asks has taken one, too.
            Ok((connected, ceiling)) if connected + self.leave > ceiling => Effect::Seen(format!(
                "{connected} of {ceiling} connections are taken (Threads_connected)"
            )),
            Ok((connected, ceiling)) => Effect::NotSeen(format!(
                "a new session was let in; {connected} of {ceiling} connections are taken"
            )),
            Err(other) => Effect::NotSeen(format!("a new session: {other}")),
        }
    }

    async fn give_back(&mut self) -> Result<(), Trouble> {
        if let Some(holding) = self.holding.take() {
            holding.end().await;
        }
        let lets_in = || async {
            let session = Session::to(&self.url).await;
            session.map_err(|failure| failure.at(&self.url))
        };
        until(WHOLE_WITHIN, lets_in).await?.close().await;
        Ok(())
    }
}

/// Sessions that ask nothing, and one that looks.
struct Held {
    url: Secret,
    leave: u64,
    watcher: Session,
    sessions: Vec<Session>,
}

impl Held {
    /// Takes some of those that are free beside those to leave, and says how many were.
    async fn take_more(&mut self) -> Result<u64, Failure> {
        let taken = self.watcher.shown(CONNECTED).await? + self.leave;
        let ceiling = self.watcher.shown(CEILING).await?;
        let free = ceiling.saturating_sub(taken.max(self.sessions.len() as u64));
        let opening = (0..free.min(AT_ONCE)).map(|_| Session::to(&self.url));
        for opened in join_all(opening).await {
            match opened {
                Ok(session) => self.sessions.push(session),
                // The system was faster.
                Err(failure) if failure.code() == Some(TOO_MANY) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(free)
    }

    async fn hold(mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            // What cannot be taken now can be at the next look.
            let _ = timeout(ANSWER_WITHIN, self.take_more()).await;
        }
    }
}

impl Nemesis for PoolExhausted {
    /// Nothing: the sessions end with the harness.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let url = self.url.clone();
            let taken = self.take().await;
            taken.map_err(|failure| failure.at(&url))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.give_back().boxed()
    }
}
