//! The connections to one Redis server.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisError};

use crate::address::StoreUrl;
use crate::coupon::CouponId;

/// Connections that are taken in turn; requests on one of them do not wait for each other's
/// answers. One that breaks is made anew, and the command that it broke under is not repeated.
pub(crate) struct RedisStore {
    client: Client,
    connections: Box<[ConnectionManager]>,
    next: AtomicUsize,
}

/// Stock of a coupon: a number.
pub(crate) fn stock_key(coupon: CouponId) -> String {
    format!("coupon:{coupon}:stock")
}

/// Users who hold a coupon: a set.
pub(crate) fn users_key(coupon: CouponId) -> String {
    format!("coupon:{coupon}:users")
}

/// Highest id that was given to a row.
pub(crate) const ID_KEY: &str = "user_coupons:id";

impl RedisStore {
    /// An answer that takes longer counts as lost.
    const ANSWER_LIMIT: Duration = Duration::from_secs(3);
    const CONNECT_LIMIT: Duration = Duration::from_secs(2);

    pub(crate) async fn open(
        url: &StoreUrl,
        connections: NonZeroUsize,
    ) -> Result<Self, RedisError> {
        let client = parse(url)?;
        let config = Self::config(Self::ANSWER_LIMIT);
        let mut opened = Vec::with_capacity(connections.get());
        for _ in 0..connections.get() {
            let connection = ConnectionManager::new_with_config(client.clone(), config.clone());
            opened.push(connection.await?);
        }
        Ok(Self::of(client, opened))
    }

    /// Connects when it is first asked: the server may be one that others can do without.
    pub(crate) fn open_later(
        url: &StoreUrl,
        connections: NonZeroUsize,
        answer_limit: Duration,
    ) -> Result<Self, RedisError> {
        let client = parse(url)?;
        let config = Self::config(answer_limit);
        let opened = (0..connections.get())
            .map(|_| ConnectionManager::new_lazy_with_config(client.clone(), config.clone()));
        let opened = opened.collect::<Result<_, _>>()?;
        Ok(Self::of(client, opened))
    }

    fn of(client: Client, connections: Vec<ConnectionManager>) -> Self {
        Self {
            client,
            connections: connections.into(),
            next: AtomicUsize::new(0),
        }
    }

    fn config(answer_limit: Duration) -> ConnectionManagerConfig {
        ConnectionManagerConfig::new()
            .set_response_timeout(Some(answer_limit))
            .set_connection_timeout(Some(Self::CONNECT_LIMIT))
            // The next request tries again; this one should hear soon that the server is gone.
            .set_number_of_retries(1)
    }

    /// For a connection of one's own, as a subscription needs it.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The next connection.
    pub(crate) fn connection(&self) -> ConnectionManager {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections[turn % self.connections.len()].clone()
    }

    /// What is left of a coupon. `None`: the stock is not loaded.
    pub(crate) async fn stock(&self, coupon: CouponId) -> Result<Option<i64>, RedisError> {
        redis::cmd("GET")
            .arg(stock_key(coupon))
            .query_async(&mut self.connection())
            .await
    }

    /// Whether the server still answers.
    pub(crate) async fn check(&self) -> Result<(), RedisError> {
        redis::cmd("PING").query_async(&mut self.connection()).await
    }
}

fn parse(url: &StoreUrl) -> Result<Client, RedisError> {
    if !url.reveal().starts_with("redis://") {
        return Err((
            ErrorKind::InvalidClientConfig,
            "the URL must begin with redis://",
        )
            .into());
    }
    Client::open(url.reveal())
}
