//! Redis answers nobody, or no write, for a time that it was told at the beginning.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::Instant;

use super::session::{Failure, Session};
use super::settings;
use crate::fault::lease::{Stored, Undo};
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;

/// `CLIENT PAUSE`. Redis ends it by itself.
///
/// While it answers nobody, it does not take `CLIENT UNPAUSE` either: such a pause cannot be cut
/// short, and healing it waits for its end. A pause of writes can.
pub struct Stall {
    url: Secret,
    label: String,
    lasts: Duration,
    writes_only: bool,
    /// When Redis ends it.
    end: Option<Instant>,
}

impl Stall {
    /// `lasts`: whole milliseconds, at least one. `label` names the probe's key.
    pub fn new(url: &Secret, label: &str, lasts: Duration, writes_only: bool) -> Self {
        Self {
            url: url.clone(),
            label: label.to_owned(),
            lasts,
            writes_only,
            end: None,
        }
    }

    async fn pause(&mut self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        let lasts = self.lasts.as_millis().max(1).to_string();
        let what = if self.writes_only { "WRITE" } else { "ALL" };
        // A pause whose answer is lost has begun all the same.
        self.end = Some(Instant::now() + self.lasts);
        session.ask(&["CLIENT", "PAUSE", &lasts, what]).await
    }

    async fn ask(&self) -> Effect {
        let (word, asked) = if self.writes_only {
            ("SET", settings::write(&self.url, &self.label).await)
        } else {
            ("PING", ping(&self.url).await)
        };
        match asked {
            Err(Failure::Silent(limit)) => Effect::Seen(format!(
                "{word} was not answered within {} ms",
                limit.as_millis()
            )),
            Ok(()) => Effect::NotSeen(format!("{word} was answered")),
            Err(other) => Effect::NotSeen(format!("{word}: {other}")),
        }
    }

    async fn end(&self) -> Result<(), Trouble> {
        let left = self.end.map(|end| end - Instant::now());
        let mut limit = WHOLE_WITHIN;
        if self.writes_only {
            self.unpause().run().await?;
        } else {
            limit += left.unwrap_or_default();
        }
        let answers = || async {
            ping(&self.url)
                .await
                .map_err(|failure| failure.at(&self.url))
        };
        until(limit, answers).await?;
        settings::wait_until_written(&self.url, &self.label).await
    }

    fn unpause(&self) -> Undo {
        let url = Stored::new(&self.url);
        Undo::RedisUnpause { url }
    }
}

async fn ping(url: &Secret) -> Result<(), Failure> {
    let mut session = Session::open(url, SILENT_AFTER).await?;
    session.ask(&["PING"]).await
}

impl Nemesis for Stall {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        let undo = self.writes_only.then(|| self.unpause());
        async { Ok(undo.into_iter().collect()) }.boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let paused = self.pause().await;
            paused.map_err(|failure| failure.at(&self.url))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.end().boxed()
    }
}
