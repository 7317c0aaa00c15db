//! Redis throws its keys away for want of memory: what counted the stock, and who has got one.

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::{Duration, Instant, sleep};

use super::out_of_memory::{SETTINGS, ceiling};
use super::session::{Failure, Session};
use super::settings::{self, Before};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::{SILENT_AFTER, question};
use crate::plan::Secret;

/// How long Redis may take to throw everything away.
const SQUEEZE_WITHIN: Duration = Duration::from_secs(5);

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// `maxmemory` as small as an empty Redis with `allkeys-lru`, until as many keys are gone as there
/// were. The settings are given back at once; the keys do not come back.
pub struct Evict {
    url: Secret,
    label: String,
    before: Option<Before>,
    /// Of Redis since its start.
    evicted_before: u64,
}

impl Evict {
    /// `label` names the probe's key.
    pub fn new(url: &Secret, label: &str) -> Self {
        Self {
            url: url.clone(),
            label: label.to_owned(),
            before: None,
            evicted_before: 0,
        }
    }

    async fn squeeze(&self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        let keys = session.info("keyspace").await?.keys();
        let ceiling = ceiling(&mut session).await?;
        session.set("maxmemory-policy", "allkeys-lru").await?;
        session.set("maxmemory", &ceiling.to_string()).await?;
        let end = Instant::now() + SQUEEZE_WITHIN;
        loop {
            let evicted = evicted(&mut session).await?;
            let evicted = evicted.saturating_sub(self.evicted_before);
            let left = session.info("keyspace").await?.keys();
            // A load that writes on may never let it become empty.
            if left == 0 || evicted >= keys || Instant::now() >= end {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn ask(&self) -> Effect {
        let asked = async {
            let mut session = Session::open(&self.url, SILENT_AFTER).await?;
            evicted(&mut session).await
        };
        match asked.await {
            Ok(evicted) if evicted > self.evicted_before => {
                let gone = evicted - self.evicted_before;
                Effect::Seen(format!("evicted_keys rose by {gone}"))
            }
            Ok(evicted) => Effect::NotSeen(format!("evicted_keys stayed at {evicted}")),
            Err(failure) => Effect::NotSeen(format!("INFO: {failure}")),
        }
    }

    async fn give_back(&self) -> Result<(), Trouble> {
        match &self.before {
            Some(before) => before.give_back().await,
            None => Ok(()),
        }
    }
}

async fn evicted(session: &mut Session) -> Result<u64, Failure> {
    session.info("stats").await?.number("evicted_keys")
}

impl Nemesis for Evict {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let before = Before::read(&self.url, &SETTINGS).await?;
            let counted = async { evicted(&mut Session::to(&self.url).await?).await };
            let counted = counted.await;
            self.evicted_before = counted.map_err(|failure| failure.at(&self.url))?;
            let before = self.before.insert(before);
            Ok(vec![before.undo()])
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let squeezed = self.squeeze().await;
            // A ceiling that stays would refuse writes, which is another fault.
            self.give_back().await?;
            squeezed.map_err(|failure| failure.at(&self.url))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.give_back().await?;
            settings::wait_until_written(&self.url, &self.label).await
        }
        .boxed()
    }
}
