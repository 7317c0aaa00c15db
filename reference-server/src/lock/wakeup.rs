//! Wakes those who wait for a lock, when Redis publishes that it is free.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::{Client, RedisResult};
use tokio::sync::Notify;

use crate::background::Background;

/// One connection that is subscribed to the channels of all locks, and those who wait here.
pub(super) struct Wakeups {
    waiting: Arc<HashMap<String, Notify>>,
    _listener: Background,
}

impl Wakeups {
    /// Between two attempts to connect. Meanwhile nobody is woken, and waits end by time.
    const PAUSE: Duration = Duration::from_millis(500);

    pub(super) async fn listen(
        client: Client,
        channels: impl IntoIterator<Item = String>,
    ) -> RedisResult<Self> {
        let channels = channels.into_iter().map(|channel| (channel, Notify::new()));
        let waiting: Arc<HashMap<_, _>> = Arc::new(channels.collect());
        let messages = subscribe(&client, &waiting).await?;
        let listener = Background::start(listen(client, messages, Arc::clone(&waiting)));
        Ok(Self {
            waiting,
            _listener: listener,
        })
    }

    /// Waits for a message, but not longer than `limit`. One message wakes one of those who wait
    /// here: only one can get the lock, and its own message will wake the next.
    pub(super) async fn wait(&self, channel: &str, limit: Duration) {
        match self.waiting.get(channel) {
            Some(notify) => drop(tokio::time::timeout(limit, notify.notified()).await),
            None => tokio::time::sleep(limit).await,
        }
    }
}

async fn subscribe(
    client: &Client,
    waiting: &HashMap<String, Notify>,
) -> RedisResult<redis::aio::PubSubStream> {
    let mut connection = client.get_async_pubsub().await?;
    for channel in waiting.keys() {
        connection.subscribe(channel).await?;
    }
    Ok(connection.into_on_message())
}

async fn listen(
    client: Client,
    mut messages: redis::aio::PubSubStream,
    waiting: Arc<HashMap<String, Notify>>,
) {
    loop {
        while let Some(message) = messages.next().await {
            if let Some(notify) = waiting.get(message.get_channel_name()) {
                notify.notify_one();
            }
        }
        tracing::warn!(event = "subscription_lost", "locks are waited for by time");
        messages = loop {
            tokio::time::sleep(Wakeups::PAUSE).await;
            match subscribe(&client, &waiting).await {
                Ok(messages) => break messages,
                Err(error) => tracing::warn!(event = "not_subscribed", %error),
            }
        };
        // What was published in between was heard by nobody.
        waiting.values().for_each(Notify::notify_one);
    }
}
