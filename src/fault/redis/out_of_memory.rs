//! Redis has no memory left and refuses writes; it goes on answering reads.

use futures_util::future::{BoxFuture, FutureExt as _};

use super::session::{Failure, Session};
use super::settings::{self, Before};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::question;
use crate::plan::Secret;

/// The smaller ceiling is given back first, so that nothing is thrown away by an old policy.
pub(super) const SETTINGS: [&str; 2] = ["maxmemory", "maxmemory-policy"];

/// `maxmemory` as small as Redis was when it started, with `noeviction`.
///
/// A ceiling just below what is used now would stop to bite as soon as clients go away with their
/// buffers; below what an empty Redis needs it never does.
pub struct OutOfMemory {
    url: Secret,
    label: String,
    before: Option<Before>,
}

impl OutOfMemory {
    /// `label` names the probe's key.
    pub fn new(url: &Secret, label: &str) -> Self {
        Self {
            url: url.clone(),
            label: label.to_owned(),
            before: None,
        }
    }

    async fn shrink(&self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        let ceiling = ceiling(&mut session).await?;
        // First, or the smaller ceiling would cost keys under the policy of before.
        session.set("maxmemory-policy", "noeviction").await?;
        session.set("maxmemory", &ceiling.to_string()).await
    }

    async fn ask(&self) -> Effect {
        match settings::write(&self.url, &self.label).await {
            Err(Failure::Said(words)) if words.starts_with("OOM") => {
                Effect::Seen(format!("SET was refused: {words}"))
            }
            Ok(()) => Effect::NotSeen("SET was answered".to_owned()),
            Err(other) => Effect::NotSeen(format!("SET: {other}")),
        }
    }

    async fn give_back(&self) -> Result<(), Trouble> {
        if let Some(before) = &self.before {
            before.give_back().await?;
        }
        settings::wait_until_written(&self.url, &self.label).await
    }
}

/// In bytes: what Redis used before it had any data or client.
pub(super) async fn ceiling(session: &mut Session) -> Result<u64, Failure> {
    let memory = session.info("memory").await?;
    // Zero would mean that there is no ceiling.
    Ok(memory.number("used_memory_startup")?.max(1))
}

impl Nemesis for OutOfMemory {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let before = Before::read(&self.url, &SETTINGS).await?;
            let before = self.before.insert(before);
            Ok(vec![before.undo()])
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let shrunk = self.shrink().await;
            shrunk.map_err(|failure| failure.at(&self.url))
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
