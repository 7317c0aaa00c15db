//! Makes the topic of the events, unless it is there.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::{Instant, sleep};

use super::{Place, check};

/// How long brokers may take to answer for the first time, and a new topic to have leaders.
const READY_WITHIN: Duration = Duration::from_secs(30);

const TRY_EVERY: Duration = Duration::from_millis(100);

/// More copies than this protect nothing that a run can show.
const MOST_COPIES: usize = 3;

/// Returns a client that is for questions about the cluster.
pub(crate) async fn prepare(place: &Place) -> Result<Arc<BaseConsumer>, KafkaError> {
    let asker: Arc<BaseConsumer> = Arc::new(place.client().create()?);
    let copies = brokers(&asker).await?.min(MOST_COPIES) as i32;
    let admin: AdminClient<DefaultClientContext> = place.client().create()?;
    let topic = NewTopic::new(
        &place.topic,
        place.partitions.into(),
        TopicReplication::Fixed(copies),
    );
    let options = AdminOptions::new().operation_timeout(Some(READY_WITHIN));
    for made in admin.create_topics([&topic], &options).await? {
        match made {
            // Another server may have been first.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, error)) => return Err(KafkaError::AdminOp(error)),
        }
    }
    until_ready(&asker, place).await?;
    Ok(asker)
}

async fn brokers(asker: &Arc<BaseConsumer>) -> Result<usize, KafkaError> {
    let asker = Arc::clone(asker);
    let asked = tokio::task::spawn_blocking(move || {
        let metadata = asker.fetch_metadata(None, Place::ANSWER_LIMIT)?;
        Ok(metadata.brokers().len())
    });
    asked.await.unwrap_or(Err(KafkaError::Canceled))
}

async fn until_ready(asker: &Arc<BaseConsumer>, place: &Place) -> Result<(), KafkaError> {
    let give_up = Instant::now() + READY_WITHIN;
    loop {
        match check(asker, place).await {
            Err(_) if Instant::now() < give_up => sleep(TRY_EVERY).await,
            checked => return checked,
        }
    }
}
