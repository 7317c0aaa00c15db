//! Opens the file and the Kafka of `memory-kafka`, and starts its issuer.

use std::sync::Arc;

use super::issuer_only::IssuerOnly;
use super::memory_kafka::MemoryKafka;
use super::open::{Opened, open_sqlite, sqlite_failed};
use super::open_kafka::{issuer, kafka_error, place, publisher};
use super::{KafkaCheck, Strategy};
use crate::bug::Bugs;
use crate::error::ServerError;
use crate::kafka::topic;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::queue::Queue;
use crate::tables::Tables;

pub(super) async fn on_memory(
    options: &Options,
    bugs: &Arc<Bugs>,
    queue: Option<&Arc<Queue>>,
    metrics: &Metrics,
) -> Result<Opened, ServerError> {
    let place = place(options)?;
    let asker = topic::prepare(&place).await;
    let asker = asker.map_err(|source| kafka_error(&place, source))?;
    let kafka = KafkaCheck::new(asker, place.clone());
    let store = open_sqlite(options, bugs).await?;
    let tables = Tables::Sqlite(Arc::clone(&store));
    let prepared = tables.prepare().await;
    prepared.map_err(|error| sqlite_failed(options, error))?;
    let database = store.path().display().to_string();
    let strategy: Box<dyn Strategy> = if options.role.answers_users() {
        let publisher = publisher(options, &place, metrics)?;
        let restored = MemoryKafka::restore(store, publisher, kafka, Arc::clone(bugs)).await;
        Box::new(restored.map_err(|error| sqlite_failed(options, error))?)
    } else {
        Box::new(IssuerOnly::new(tables.clone(), kafka))
    };
    Ok(Opened {
        strategy,
        issuer: issuer(options, &place, tables, bugs, queue, metrics).await?,
        database,
    })
}
