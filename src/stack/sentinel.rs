//! What the Sentinels of a run say: which process of Redis is the primary, and whether all others
//! follow it.

use std::time::Duration;

use futures_util::future::join_all;
use redis::{Client, FromRedisValue, RedisError, cmd};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::plan::Secret;

/// What Sentinels call the Redis that they watch.
pub(super) const GROUP: &str = "redis";

/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// Between two questions. Sentinel also publishes a change, but not to whoever has just lost the
/// connection: what is asked for again and again cannot be missed, and a tenth of a second is
/// little beside the second after which a primary counts as dead.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The Sentinels of a run. Clones ask the same ones.
#[derive(Debug, Clone)]
pub struct Sentinels {
    ports: Vec<u16>,
    /// Of all processes of Redis.
    nodes: Vec<u16>,
    primary: watch::Receiver<u16>,
}

impl Sentinels {
    /// On these ports they watch Redis on those; `primary` is who was named last.
    pub(super) fn new(ports: Vec<u16>, nodes: Vec<u16>, primary: watch::Receiver<u16>) -> Self {
        Self {
            ports,
            nodes,
            primary,
        }
    }

    /// The port of the primary as it was known last.
    pub(super) fn primary(&self) -> u16 {
        *self.primary.borrow()
    }

    /// Where the servers are led: to the primary as it was known last.
    pub fn url(&self) -> Secret {
        url(self.primary())
    }

    /// The same, and all changes of it.
    pub(super) fn changes(&self) -> watch::Receiver<u16> {
        self.primary.clone()
    }

    /// Waits until the servers are led to this one.
    pub async fn lead_to(&self, place: &Secret) {
        let mut primary = self.primary.clone();
        // Nobody tells any more when the run is over; then nobody is led anywhere either.
        let _ = primary.wait_for(|port| url(*port) == *place).await;
    }

    /// Asks all of them once: where the primary is that a majority names.
    ///
    /// # Errors
    /// In words, when there is none.
    pub async fn named(&self) -> Result<Secret, String> {
        named_by(&self.ports).await.map(url)
    }

    /// Asks once whether all is in order: where the primary is, whom all others follow.
    ///
    /// # Errors
    /// In words, when it is not.
    pub async fn whole(&self) -> Result<Secret, String> {
        let primary = named_by(&self.ports).await?;
        let info: String = ask(primary, &["INFO", "replication"]).await?;
        let follow = followers(&info);
        let missing = |port: &&u16| **port != primary && !follow.contains(port);
        match self.nodes.iter().find(missing) {
            None => Ok(url(primary)),
            Some(port) => Err(format!(
                "the Redis on port {port} is no replica of the primary on port {primary}"
            )),
        }
    }
}

/// How a process of Redis is reached from this machine.
pub(super) fn url(port: u16) -> Secret {
    Secret::new(format!("redis://127.0.0.1:{port}"))
}

/// Asks again and again, for as long as what this returns is kept, and tells when another one is
/// named.
pub(super) fn follow(ports: Vec<u16>, primary: watch::Sender<u16>) -> JoinSet<()> {
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            if let Ok(port) = named_by(&ports).await {
                primary.send_if_modified(|now| std::mem::replace(now, port) != port);
            }
            sleep(ASK_EVERY).await;
        }
    });
    task
}

async fn named_by(ports: &[u16]) -> Result<u16, String> {
    let said = join_all(ports.iter().map(|port| master(*port))).await;
    let said: Vec<u16> = said.into_iter().flatten().collect();
    majority(&said, ports.len())
        .ok_or_else(|| format!("no majority of {} Sentinels names a primary", ports.len()))
}

async fn master(sentinel: u16) -> Result<u16, String> {
    let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP];
    let (_host, port): (String, u16) = ask(sentinel, &words).await?;
    Ok(port)
}

/// The one that more than half of so many name. A Sentinel that learns late of a change would lead
/// back to the old primary if one were enough.
fn majority(said: &[u16], of: usize) -> Option<u16> {
    let votes = |port: &u16| said.iter().filter(|other| *other == port).count();
    said.iter().copied().find(|port| votes(port) * 2 > of)
}

/// Sends one command to a Redis or a Sentinel of this machine.
pub(super) async fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> Result<T, String> {
    let asking = async {
        let client = Client::open(url(port).reveal())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = cmd(words.first().copied().unwrap_or_default());
        command.arg(words.get(1..).unwrap_or_default());
        command.query_async(&mut connection).await
    };
    let asked = timeout(ANSWER_WITHIN, asking).await;
    let asked = asked.map_err(|_| format!("no answer within {} ms", ANSWER_WITHIN.as_millis()))?;
    asked.map_err(|error: RedisError| error.to_string())
}

/// The ports of the replicas that have all that the one has who says this; nobody's for a replica.
/// Each has a line like `slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0`.
fn followers(info: &str) -> Vec<u16> {
    let lines = info.lines().map(str::trim);
    let replicas = lines.filter(|line| line.starts_with("slave") && line.contains("state=online"));
    let port = |line: &str| {
        let mut fields = line.split(',');
        let port = fields.find_map(|field| field.strip_prefix("port="))?;
        port.parse().ok()
    };
    replicas.filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_must_name_the_same() {
        let table: [(&str, &[u16], usize, Option<u16>); 6] = [
            ("all of them", &[1, 1, 1], 3, Some(1)),
            ("one has not learned of it yet", &[1, 2, 2], 3, Some(2)),
            ("one is silent", &[2, 2], 3, Some(2)),
            ("only one answers", &[2], 3, None),
            ("half of those that there are", &[1, 1, 2], 5, None),
            ("nobody answers", &[], 3, None),
        ];
        for (row, said, of, named) in table {
            assert_eq!(majority(said, of), named, "{row}");
        }
    }

    #[test]
    fn only_replicas_that_are_online_follow() {
        let info = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
                    slave0:ip=127.0.0.1,port=7001,state=online,offset=14,lag=0\r\n\
                    slave1:ip=127.0.0.1,port=7002,state=wait_bgsave,offset=0,lag=0\r\n";
        assert_eq!(followers(info), [7001]);
        let replica = "role:slave\r\nslave_read_only:1\r\nconnected_slaves:0\r\n";
        assert_eq!(followers(replica), Vec::<u16>::new());
    }
}
