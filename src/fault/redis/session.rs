//! One connection to Redis, with a limit on each answer and errors without secrets.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, Value};
use tokio::time::timeout;

use crate::fault::nemesis::Trouble;
use crate::fault::wait::ANSWER_WITHIN;
use crate::plan::Secret;

/// A connection.
pub(in crate::fault) struct Session {
    connection: MultiplexedConnection,
    /// For each answer.
    limit: Duration,
}

/// Why there was no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fault) enum Failure {
    /// There was none within this time.
    Silent(Duration),
    /// Nobody listens.
    Refused,
    /// Redis said no; its words.
    Said(String),
    /// Something else, in words.
    Other(String),
}

impl Failure {
    /// With the place where it happened.
    pub(in crate::fault) fn at(&self, url: &Secret) -> Trouble {
        Trouble::new(format!("{}: {self}", url.redacted()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(limit) => write!(f, "no answer within {} ms", limit.as_millis()),
            Self::Refused => f.write_str("the connection is refused"),
            Self::Said(words) | Self::Other(words) => f.write_str(words),
        }
    }
}

impl Session {
    /// Connects; the limit is for this, and for each answer.
    pub(in crate::fault) async fn open(url: &Secret, limit: Duration) -> Result<Self, Failure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(None);
        let client = client(url)?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let connected = timeout(limit, connecting).await;
        let connected = connected.map_err(|_| Failure::Silent(limit))?;
        let connection = connected.map_err(|error| failure(&error, limit))?;
        Ok(Self { connection, limit })
    }

    /// Connects with the limit of one that should answer.
    pub(in crate::fault) async fn to(url: &Secret) -> Result<Self, Failure> {
        Self::open(url, ANSWER_WITHIN).await
    }

    /// Sends one command and gives its answer.
    pub(in crate::fault) async fn ask<T: FromRedisValue>(
        &mut self,
        words: &[&str],
    ) -> Result<T, Failure> {
        let mut command = Cmd::new();
        command.arg(words);
        let asking = command.query_async(&mut self.connection);
        let answer = timeout(self.limit, asking).await;
        let answer = answer.map_err(|_| Failure::Silent(self.limit))?;
        answer.map_err(|error| failure(&error, self.limit))
    }

    /// Sends one command; what it answers does not matter, unless it is an error.
    pub(in crate::fault) async fn run(&mut self, words: &[&str]) -> Result<(), Failure> {
        self.ask::<Value>(words).await.map(|_| ())
    }

    /// What a setting is now.
    pub(in crate::fault) async fn setting(&mut self, name: &str) -> Result<String, Failure> {
        let pair: Vec<String> = self.ask(&["CONFIG", "GET", name]).await?;
        let missing = || Failure::Other(format!("Redis has no setting {name}"));
        pair.into_iter().nth(1).ok_or_else(missing)
    }

    /// Sets it.
    pub(in crate::fault) async fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.ask(&["CONFIG", "SET", name, value]).await
    }

    /// A section of what Redis tells of itself.
    pub(in crate::fault) async fn info(&mut self, section: &str) -> Result<Info, Failure> {
        self.ask(&["INFO", section]).await.map(Info)
    }

    /// What the client of this connection is called in the list of clients.
    pub(in crate::fault) async fn id(&mut self) -> Result<u64, Failure> {
        self.ask(&["CLIENT", "ID"]).await
    }
}

/// Lines of a name, a colon and a value.
pub(in crate::fault) struct Info(String);

impl Info {
    pub(in crate::fault) fn text(&self, name: &str) -> Option<&str> {
        let pairs = self.0.lines().filter_map(|line| line.split_once(':'));
        let mut named = pairs.filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value.trim())
    }

    pub(in crate::fault) fn number(&self, name: &str) -> Result<u64, Failure> {
        let number = self.text(name).and_then(|value| value.parse().ok());
        number.ok_or_else(|| Failure::Other(format!("INFO has no number {name}")))
    }

    /// How many keys all databases have.
    pub(in crate::fault) fn keys(&self) -> u64 {
        let databases = self.0.lines().filter(|line| line.starts_with("db"));
        let counts = databases.filter_map(|line| {
            let (_, behind) = line.split_once(":keys=")?;
            behind.split(',').next()?.parse::<u64>().ok()
        });
        counts.sum()
    }
}

/// A client that has not connected yet.
pub(in crate::fault) fn client(url: &Secret) -> Result<Client, Failure> {
    // The error itself may repeat parts of the URL.
    let client = Client::open(url.reveal());
    client.map_err(|_| Failure::Other("is no well-formed Redis URL".to_owned()))
}

fn failure(error: &RedisError, limit: Duration) -> Failure {
    if error.is_timeout() {
        Failure::Silent(limit)
    } else if error.is_connection_refusal() {
        Failure::Refused
    } else if let Some(code) = error.code() {
        let detail = error.detail().unwrap_or_default();
        Failure::Said(format!("{code} {detail}").trim_end().to_owned())
    } else {
        Failure::Other(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_redis_tells_of_itself_is_found_by_its_whole_name() {
        let text = "# Memory\r\nused_memory_startup:7\r\nused_memory:9\r\nrole:master\r\n";
        let info = Info(text.to_owned());
        assert_eq!(info.number("used_memory").unwrap(), 9);
        assert_eq!(info.text("role"), Some("master"));
        assert!(info.number("used").is_err());
    }

    #[test]
    fn keys_of_all_databases_are_counted() {
        let text = "# Keyspace\r\ndb0:keys=3,expires=0,avg_ttl=0\r\ndb12:keys=4,expires=1\r\n";
        assert_eq!(Info(text.to_owned()).keys(), 7);
        assert_eq!(Info("# Keyspace\r\n".to_owned()).keys(), 0);
    }

    #[test]
    fn a_url_that_is_none_is_not_repeated() {
        let url = Secret::new("redis://:secret@host:port");
        let trouble = client(&url).unwrap_err().at(&url).to_string();
        assert!(trouble.contains("no well-formed"), "{trouble}");
        assert!(!trouble.contains("secret"), "{trouble}");
    }
}
