//! Opens the stores of the strategies that publish events, and starts their issuer.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;

use super::fire_and_forget::FireAndForget;
use super::issuer_only::IssuerOnly;
use super::open::{Opened, error_of, first_redis, missing, mysql_error, needed_mysql, open_mysql};
use super::outbox::Outbox;
use super::redis_guard::RedisGuard;
use super::redis_kafka::RedisKafka;
use super::relay::Relay;
use super::{KafkaCheck, Strategy, StrategyName};
use crate::address::StoreUrl;
use crate::bug::Bugs;
use crate::error::ServerError;
use crate::issuer::{Issuer, Work};
use crate::kafka::publisher::{Promise, Publisher};
use crate::kafka::{Lag, Place, topic};
use crate::metrics::Metrics;
use crate::mysql::{Isolation, MySqlStore, outbox};
use crate::options::Options;
use crate::queue::Queue;
use crate::redis_store::RedisStore;
use crate::tables::{TableStock, Tables};

const KAFKA_LIKE: &str = "HOST:9092";

/// One for the relay, whose transaction is open until Kafka has answered, and one for the issuer.
const BACKGROUND: NonZeroUsize = NonZeroUsize::new(2).expect("two are some");

/// All addresses are asked for before a store is opened.
struct Addresses<'a> {
    mysql: &'a StoreUrl,
    /// `None`: this role of this strategy needs no Redis.
    redis: Option<&'a StoreUrl>,
    place: Place,
}

/// What every strategy here is built on.
struct Stores {
    store: Arc<MySqlStore>,
    /// Connections of its own, so that background work takes none from users.
    background: Arc<MySqlStore>,
    kafka: KafkaCheck,
    bugs: Arc<Bugs>,
}

pub(super) async fn on_kafka(
    options: &Options,
    bugs: &Arc<Bugs>,
    queue: Option<&Arc<Queue>>,
    metrics: &Metrics,
) -> Result<Opened, ServerError> {
    let addresses = addresses(options)?;
    let mysql = addresses.mysql;
    let failed = |source| kafka_error(&addresses.place, source);
    let asker = topic::prepare(&addresses.place).await.map_err(failed)?;
    let store = Arc::new(open_mysql(options, mysql, bugs, metrics).await?);
    let background = MySqlStore::open(
        mysql,
        BACKGROUND,
        options.lock_timeout(),
        Isolation::ReadCommitted,
    )
    .await;
    let background = background.map_err(|source| mysql_error(mysql, source))?;
    background.watch(metrics, "background");
    let stores = Stores {
        store,
        background: Arc::new(background),
        kafka: KafkaCheck::new(asker, addresses.place.clone()),
        bugs: Arc::clone(bugs),
    };
    if options.strategy == StrategyName::Outbox {
        prepare_outbox(mysql, &stores).await?;
    }
    let tables = Tables::MySql(Arc::clone(&stores.background));
    let prepared = tables.prepare().await;
    prepared.map_err(|error| error_of(mysql, mysql, error))?;
    let strategy = strategy(options, &addresses, &stores, metrics).await?;
    Ok(Opened {
        strategy,
        issuer: issuer(options, &addresses.place, tables, bugs, queue, metrics).await?,
        database: mysql.to_string(),
    })
}

/// The issuer, if it is of this role.
pub(super) async fn issuer(
    options: &Options,
    place: &Place,
    tables: Tables,
    bugs: &Arc<Bugs>,
    queue: Option<&Arc<Queue>>,
    metrics: &Metrics,
) -> Result<Option<Issuer>, ServerError> {
    if !options.role.writes_rows() {
        return Ok(None);
    }
    let lag = Lag::open(place.clone(), metrics).map_err(|source| kafka_error(place, source))?;
    let started = Issuer::start(Work {
        place: place.clone(),
        tables,
        stock: table_stock(options.strategy),
        bugs: Arc::clone(bugs),
        queue: queue.cloned(),
        lag: Arc::new(lag),
    });
    let issuer = started.await.map_err(|source| kafka_error(place, source));
    issuer.map(Some)
}

fn addresses(options: &Options) -> Result<Addresses<'_>, ServerError> {
    let needs_redis = options.strategy != StrategyName::Outbox && options.role.answers_users();
    Ok(Addresses {
        redis: needs_redis.then(|| first_redis(options)).transpose()?,
        mysql: needed_mysql(options)?,
        place: place(options)?,
    })
}

pub(super) fn place(options: &Options) -> Result<Place, ServerError> {
    let brokers = options.kafka.clone();
    Ok(Place {
        brokers: brokers
            .ok_or_else(|| missing(options.strategy, "--kafka", "FCFS_KAFKA", KAFKA_LIKE))?,
        topic: options.kafka_topic.clone(),
        partitions: options.kafka_partitions,
        group: options.kafka_group.clone(),
    })
}

fn table_stock(strategy: StrategyName) -> TableStock {
    if strategy == StrategyName::Outbox {
        TableStock::Taken
    } else {
        TableStock::FollowsRows
    }
}

async fn prepare_outbox(url: &StoreUrl, stores: &Stores) -> Result<(), ServerError> {
    let failed = |source| mysql_error(url, source);
    let mut connection = stores.store.connection().await.map_err(failed)?;
    let prepared = outbox::prepare(&mut connection, &stores.bugs).await;
    prepared.map_err(failed)
}

async fn strategy(
    options: &Options,
    addresses: &Addresses<'_>,
    stores: &Stores,
    metrics: &Metrics,
) -> Result<Box<dyn Strategy>, ServerError> {
    let (store, bugs) = (Arc::clone(&stores.store), Arc::clone(&stores.bugs));
    let kafka = stores.kafka.clone();
    if !options.role.answers_users() {
        return Ok(Box::new(IssuerOnly::new(Tables::MySql(store), kafka)));
    }
    let publisher = publisher(options, &addresses.place, metrics)?;
    let Some(url) = addresses.redis else {
        let every = Duration::from_millis(options.outbox_interval_ms.into());
        let publisher = Arc::new(publisher);
        let background = Arc::clone(&stores.background);
        let relay = Relay::start(background, Arc::clone(&publisher), every);
        return Ok(Box::new(Outbox::new(store, relay, publisher, bugs)));
    };
    let opened = RedisStore::open(url, options.redis_pool).await;
    let redis = opened.map_err(|source| error_of(url, addresses.mysql, source.into()))?;
    let guard = RedisGuard::restore(redis, store, bugs).await;
    let guard = guard.map_err(|error| error_of(url, addresses.mysql, error))?;
    Ok(match options.strategy {
        StrategyName::FireAndForget => Box::new(FireAndForget::new(guard, publisher)),
        _ => Box::new(RedisKafka::new(guard, publisher, kafka)),
    })
}

pub(super) fn publisher(
    options: &Options,
    place: &Place,
    metrics: &Metrics,
) -> Result<Publisher, ServerError> {
    let (promise, limit_ms) = match options.strategy {
        StrategyName::FireAndForget => (Promise::BestEffort, 3_000),
        _ => (Promise::Durable, 10_000),
    };
    let limit_ms = options.kafka_delivery_timeout_ms.unwrap_or(limit_ms);
    let limit = Duration::from_millis(limit_ms.into());
    let opened = Publisher::open(place, promise, options.queue, limit, metrics);
    opened.map_err(|source| kafka_error(place, source))
}

pub(super) fn kafka_error(place: &Place, source: KafkaError) -> ServerError {
    ServerError::Kafka {
        brokers: place.brokers.clone(),
        source,
    }
}
