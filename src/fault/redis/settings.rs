//! Settings of Redis that a fault changes: read before, given back after.

use super::session::{Failure, Session};
use crate::fault::lease::{Stored, Undo};
use crate::fault::nemesis::Trouble;
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, until};
use crate::plan::Secret;

/// What it takes to give settings back: those that were read, in the order of their names.
#[derive(Debug, Clone)]
pub(super) struct Before(Undo);

impl Before {
    /// Reads what they are now.
    pub(super) async fn read(url: &Secret, names: &[&str]) -> Result<Self, Trouble> {
        let reading = async {
            let mut session = Session::to(url).await?;
            let mut settings = Vec::new();
            for name in names {
                settings.push(((*name).to_owned(), session.setting(name).await?));
            }
            Ok(settings)
        };
        let settings = reading.await.map_err(|failure: Failure| failure.at(url))?;
        let url = Stored::new(url);
        Ok(Self(Undo::RedisSettings { url, settings }))
    }

    pub(super) fn undo(&self) -> Undo {
        self.0.clone()
    }

    pub(super) async fn give_back(&self) -> Result<(), Trouble> {
        self.0.run().await
    }
}

/// Writes a key that is nobody's and takes it away again.
pub(super) async fn write(url: &Secret, label: &str) -> Result<(), Failure> {
    let key = format!("fcfs-bench:probe:{label}");
    let opened = Session::open(url, SILENT_AFTER).await;
    // A server that lets nobody in is silent to more than writes.
    let mut session = opened.map_err(|failure| Failure::Other(format!("connecting: {failure}")))?;
    // Should the answer be late, nobody is there to take it away.
    let () = session.ask(&["SET", &key, "1", "PX", "1000"]).await?;
    session.ask(&["DEL", &key]).await
}

/// Returns when a write is taken.
pub(super) async fn wait_until_written(url: &Secret, label: &str) -> Result<(), Trouble> {
    let written = || async {
        let written = write(url, label).await;
        written.map_err(|failure| failure.at(url))
    };
    until(WHOLE_WITHIN, written).await
}
