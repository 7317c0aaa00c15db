//! One Redis in a container.

use ::redis::{Client, RedisError, cmd};
use futures_util::future::BoxFuture;

use super::container::{Address, Container, Kind};
use super::{NotReady, Place, launch};
use crate::stack::settings;

/// How one instance is started.
pub(super) struct Redis {
    name: String,
    address: Address,
}

impl Redis {
    /// The n-th instance, from 1.
    pub(super) async fn start(place: &Place<'_>, number: u8) -> Result<Container, NotReady> {
        let name = format!("redis-{number}");
        let image = place.engine.images.redis.as_ref();
        let make = |address| Self {
            name: name.clone(),
            address,
        };
        launch::start(make, &name, image, place).await
    }
}

pub(super) fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

impl Kind for Redis {
    fn name(&self) -> &str {
        &self.name
    }

    fn port(&self) -> u16 {
        6379
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Its network is the container's: who may come is decided by where the port is published.
    fn command(&self) -> Vec<String> {
        let mut words = vec!["redis-server".to_owned()];
        for line in settings::lines("protected-mode no").chain(settings::lines(settings::REDIS)) {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            words.push(format!("--{name}"));
            words.push(value.trim_matches('"').to_owned());
        }
        words
    }

    /// The engine has bound the port itself, so nobody else can answer on it.
    fn ask(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            let asked = ping(self.address.port).await;
            asked.map_err(|error| error.to_string())
        })
    }

    fn secret(&self) -> Option<&str> {
        None
    }
}

async fn ping(port: u16) -> Result<(), RedisError> {
    let client = Client::open(url(port))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    cmd("PING").query_async::<String>(&mut connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_an_option() {
        let kind = Redis {
            name: "redis-1".to_owned(),
            address: Address::of_a_test(),
        };
        let words = kind.command();
        let given = |option: &str, value: &str| {
            let mut pairs = words.windows(2);
            pairs.any(|pair| pair[0] == format!("--{option}") && pair[1] == value)
        };
        assert_eq!(words[0], "redis-server");
        assert!(given("protected-mode", "no"), "{words:?}");
        assert!(given("maxclients", "10000"), "{words:?}");
        assert!(given("appendfsync", "everysec"), "{words:?}");
        // Nothing is between the quotes, and nothing is what Redis must get.
        assert!(given("save", ""), "{words:?}");
        assert!(!words.iter().any(|word| word.contains('#')), "{words:?}");
    }
}
