//! Takes the events of the outbox to Kafka, and marks those that arrived.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::coupon::IssueError;
use crate::kafka::publisher::Publisher;
use crate::mysql::{MySqlStore, outbox};

/// Events of one look.
const BATCH: u32 = 500;

/// How long the look in hand may take when the server stops. It is safe to cut: events that were
/// sent and not marked are sent again.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The running relay.
pub(super) struct Relay {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Relay {
    pub(super) fn start(
        store: Arc<MySqlStore>,
        publisher: Arc<Publisher>,
        every: Duration,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(store, publisher, every, stopped));
        Self {
            stop,
            task: Mutex::new(Some(task)),
        }
    }

    /// Looks a last time, and ends.
    pub(super) async fn stop(&self) {
        // Nobody listens when the task has ended.
        let _ = self.stop.send(true);
        if let Some(mut task) = self.task.lock().await.take()
            && timeout(STOP_LIMIT, &mut task).await.is_err()
        {
            tracing::warn!(event = "events_left", "they stay in the outbox");
            task.abort();
        }
    }
}

async fn run(
    store: Arc<MySqlStore>,
    publisher: Arc<Publisher>,
    every: Duration,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        // Read before the look, so that there is one look after the last user was answered.
        let last = *stop.borrow_and_update();
        match relay(&store, &publisher).await {
            Ok(Relayed { all: false }) => continue,
            Ok(Relayed { all: true }) => {}
            Err(error) => tracing::warn!(event = "relay_retried", %error),
        }
        if last {
            return;
        }
        // An error means that the relay was dropped.
        if let Ok(Err(_)) = timeout(every, stop.changed()).await {
            return;
        }
    }
}

/// What one look came to.
struct Relayed {
    /// Nothing more waits, or it does not arrive at the moment.
    all: bool,
}

/// Several relays do not take the same events: each skips what another one has locked.
async fn relay(store: &MySqlStore, publisher: &Publisher) -> Result<Relayed, IssueError> {
    let mut transaction = store.begin().await?;
    let waiting = outbox::waiting(&mut transaction, BATCH).await?;
    let sent = join_all(waiting.iter().map(|event| publisher.publish(event))).await;
    let mut arrived = Vec::new();
    for (event, sent) in waiting.iter().zip(sent) {
        match sent {
            Ok(()) => arrived.push(event.id),
            Err(failure) => {
                tracing::warn!(event = "event_not_relayed", row = event.id, error = %failure.error());
            }
        }
    }
    outbox::mark(&mut transaction, &arrived).await?;
    transaction.commit().await?;
    Ok(Relayed {
        all: arrived.len() < BATCH as usize,
    })
}
