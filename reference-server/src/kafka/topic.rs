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
    let (brokers, is_there) = look(&asker, place).await?;
    // Not every cluster lets its clients make topics, and then it is there.
    if !is_there {
        make(place, brokers.min(MOST_COPIES) as i32).await?;
    }
    until_ready(&asker, place).await?;
    Ok(asker)
}

async fn make(place: &Place, copies: i32) -> Result<(), KafkaError> {
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
    Ok(())
}

/// How many brokers there are, and whether the topic is there.
async fn look(asker: &Arc<BaseConsumer>, place: &Place) -> Result<(usize, bool), KafkaError> {
    let (asker, topic) = (Arc::clone(asker), place.topic.clone());
    let asked = tokio::task::spawn_blocking(move || {
        let metadata = asker.fetch_metadata(None, Place::ANSWER_LIMIT)?;
        let is_there = metadata.topics().iter().any(|one| one.name() == topic);
        Ok((metadata.brokers().len(), is_there))
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
