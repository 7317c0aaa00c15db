//! A replica of Redis takes over, and the primary of before becomes its replica: who goes on
//! writing to the old address is refused, and what had not been replicated yet is gone.

use futures_util::future::{BoxFuture, FutureExt as _};

use super::session::{Failure, Info, Session};
use super::settings;
use crate::fault::lease::{Stored, Undo};
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;

/// `REPLICAOF`, without Sentinel: nobody tells the clients.
pub struct Failover {
    primary: Secret,
    replica: Secret,
    label: String,
    known: Option<Known>,
}

/// Where each of the two reaches the other.
#[derive(Debug, Clone)]
struct Known {
    primary: (String, u16),
    replica: (String, u16),
}

impl Failover {
    /// `replica` is one of `primary`. `label` names the probe's key.
    pub fn new(primary: &Secret, replica: &Secret, label: &str) -> Self {
        Self {
            primary: primary.clone(),
            replica: replica.clone(),
            label: label.to_owned(),
            known: None,
        }
    }

    async fn look(&self) -> Result<Known, Trouble> {
        let below = replication(&self.replica).await?;
        let above = replication(&self.primary).await?;
        let wrong = |url: &Secret, words: &str| Failure::Other(words.to_owned()).at(url);
        if below.text("role") != Some("slave") {
            return Err(wrong(&self.replica, "is no replica (ROLE is master)"));
        }
        let host = below.text("master_host").map(str::to_owned);
        let port = below.text("master_port").and_then(|port| port.parse().ok());
        let primary = host.zip(port);
        let primary = primary.ok_or_else(|| wrong(&self.replica, "does not tell its primary"))?;
        let replica = only_replica(&above);
        let replica = replica.ok_or_else(|| {
            wrong(
                &self.primary,
                "does not have exactly one replica that is online",
            )
        })?;
        Ok(Known { primary, replica })
    }

    async fn switch(&self) -> Result<(), Trouble> {
        let Some(known) = &self.known else {
            let words = "where the two reach each other was not asked";
            return Err(Trouble::new(words));
        };
        follow(&self.replica, None).run().await?;
        follow(&self.primary, Some(known.replica.clone()))
            .run()
            .await
    }

    async fn ask(&self) -> Effect {
        match settings::write(&self.primary, &self.label).await {
            Err(Failure::Said(words)) if words.starts_with("READONLY") => {
                Effect::Seen(format!("SET on the primary of before was refused: {words}"))
            }
            Ok(()) => Effect::NotSeen("SET on the primary of before was answered".to_owned()),
            Err(other) => Effect::NotSeen(format!("SET on the primary of before: {other}")),
        }
    }

    async fn switch_back(&self) -> Result<(), Trouble> {
        let Some(known) = &self.known else {
            return Ok(());
        };
        // What was written to the other one meanwhile should not be lost, too. A primary that
        // cannot follow is made one again all the same.
        let _ = until(WHOLE_WITHIN / 2, || self.caught_up()).await;
        for undo in self.back(known) {
            undo.run().await?;
        }
        settings::wait_until_written(&self.primary, &self.label).await?;
        // A replica says that it follows some time before its primary says that it is online.
        until(WHOLE_WITHIN, || async {
            follows(&self.replica).await?;
            self.look().await
        })
        .await?;
        Ok(())
    }

    /// Whether the primary of before has all that the other one has.
    async fn caught_up(&self) -> Result<(), Trouble> {
        let below = replication(&self.primary).await?;
        if below.text("role") == Some("master") {
            return Ok(());
        }
        follows(&self.primary).await?;
        let above = replication(&self.replica).await?;
        let offset = |info: &Info| {
            let offset = info.number("master_repl_offset");
            offset.map_err(|failure| failure.at(&self.primary))
        };
        if offset(&below)? < offset(&above)? {
            return Err(Trouble::new("the primary of before is behind"));
        }
        Ok(())
    }

    fn back(&self, known: &Known) -> [Undo; 2] {
        [
            follow(&self.primary, None),
            follow(&self.replica, Some(known.primary.clone())),
        ]
    }
}

fn follow(url: &Secret, of: Option<(String, u16)>) -> Undo {
    let url = Stored::new(url);
    Undo::RedisReplicaOf { url, of }
}

async fn replication(url: &Secret) -> Result<Info, Trouble> {
    let asked = async {
        let mut session = Session::open(url, SILENT_AFTER).await?;
        session.info("replication").await
    };
    asked.await.map_err(|failure| failure.at(url))
}

/// The replica of a line `slave0:ip=127.0.0.1,port=6380,state=online,...`, if there is only one.
fn only_replica(info: &Info) -> Option<(String, u16)> {
    if info.text("connected_slaves") != Some("1") {
        return None;
    }
    let line = info.text("slave0")?;
    let field = |name: &str| {
        let mut pairs = line.split(',').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let is_online = field("state") == Some("online");
    let at = (field("ip")?.to_owned(), field("port")?.parse().ok()?);
    is_online.then_some(at)
}

async fn follows(url: &Secret) -> Result<(), Trouble> {
    let link = replication(url).await?;
    match link.text("master_link_status") {
        Some("up") => Ok(()),
        Some(_) => Err(Failure::Other(
            "does not follow its primary (is `masterauth` set where there is a password?)"
                .to_owned(),
        )
        .at(url)),
        None => Err(Failure::Other("is no replica".to_owned()).at(url)),
    }
}

impl Nemesis for Failover {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let known = self.look().await?;
            let undo = self.back(&known).to_vec();
            self.known = Some(known);
            Ok(undo)
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.switch().boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.switch_back().boxed()
    }
}
