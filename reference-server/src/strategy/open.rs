//! Opens the stores that a strategy needs, and builds the strategy on them.

use std::sync::Arc;

use super::coupon_info::{CouponInfos, Keeping};
use super::db_conditional::DbConditional;
use super::db_pessimistic::DbPessimistic;
use super::early_sold_out::EarlySoldOut;
use super::false_duplicate::FalseDuplicate;
use super::ghost_duplicate::GhostDuplicate;
use super::leaving::{Leaving, Rows};
use super::memory_then_sqlite::MemoryThenSqlite;
use super::mysql_table::{MySqlTable, TableStock};
use super::redis_lua::RedisLua;
use super::redisson::UnderLease;
use super::redlock::{self, UnderRedlock};
use super::sqlite_atomic::SqliteAtomic;
use super::sqlite_lock::SqliteLock;
use super::{Strategy, StrategyName, is_conflict, open_kafka, open_memory, settings};
use crate::address::StoreUrl;
use crate::bug::Bugs;
use crate::coupon::IssueError;
use crate::error::ServerError;
use crate::issuer::Issuer;
use crate::lock::{Redlock, enough, signs_of_life};
use crate::metrics::Metrics;
use crate::mysql::{self, Isolation, MySqlStore};
use crate::options::Options;
use crate::queue::Queue;
use crate::redis_store::RedisStore;
use crate::schema;
use crate::store::Store;

/// As many as a lock over several instances is built on.
const MOST_REDIS: usize = 5;

/// A strategy on stores whose tables exist.
pub(crate) struct Opened {
    pub(crate) strategy: Box<dyn Strategy>,
    /// Where rows are written by a consumer in this process.
    pub(crate) issuer: Option<Issuer>,
    /// Where the rows are: a file, or an address without credentials.
    pub(crate) database: String,
}

/// Refuses what does not go together before anything is opened. With a queue, users leave it with
/// their answer.
pub(crate) async fn open(
    options: &Options,
    queue: Option<&Arc<Queue>>,
    metrics: &Metrics,
) -> Result<Opened, ServerError> {
    settings::check_bug(options)?;
    if !options.role.answers_users() && !options.strategy.publishes_events() {
        let strategy = options.strategy.to_string();
        return Err(ServerError::RoleElsewhere { strategy });
    }
    if options.redis.len() > MOST_REDIS {
        return Err(ServerError::TooManyRedis {
            given: options.redis.len(),
            most: MOST_REDIS,
        });
    }
    let bugs = Arc::new(Bugs::new(options.bug, options.seed));
    settings::check(options, &bugs)?;
    let mut opened = match options.strategy {
        StrategyName::SqliteAtomic | StrategyName::SqliteLock | StrategyName::MemoryThenSqlite => {
            on_sqlite(options, &bugs).await?
        }
        StrategyName::MemoryKafka => open_memory::on_memory(options, &bugs, queue, metrics).await?,
        StrategyName::RedisKafka
        | StrategyName::FireAndForget
        | StrategyName::Outbox
        | StrategyName::Queue => open_kafka::on_kafka(options, &bugs, queue, metrics).await?,
        _ => on_services(options, &bugs, queue, metrics).await?,
    };
    if let Some(queue) = queue {
        let rows = match options.strategy {
            StrategyName::RedisLua | StrategyName::Redisson => Rows::Later,
            of if of.publishes_events() => Rows::Later,
            _ => Rows::BeforeTheAnswer,
        };
        opened.strategy = Box::new(Leaving::new(opened.strategy, Arc::clone(queue), rows));
    }
    if bugs.keeps_a_refusal() {
        opened.strategy = Box::new(EarlySoldOut::new(opened.strategy));
    }
    if bugs.notes_the_user_first() {
        opened.strategy = Box::new(GhostDuplicate::new(opened.strategy));
    }
    if bugs.takes_errors_for_duplicates() {
        opened.strategy = Box::new(FalseDuplicate::new(opened.strategy, bugs));
    }
    Ok(opened)
}

async fn on_sqlite(options: &Options, bugs: &Arc<Bugs>) -> Result<Opened, ServerError> {
    let store = open_sqlite(options, bugs).await?;
    let bugs = Arc::clone(bugs);
    let database = store.path().display().to_string();
    let strategy: Box<dyn Strategy> = match options.strategy {
        StrategyName::SqliteAtomic => Box::new(SqliteAtomic::new(store, bugs)),
        StrategyName::SqliteLock => {
            let locked = SqliteLock::open(store, bugs).await;
            Box::new(locked.map_err(|source| sqlite_error(options, source))?)
        }
        _ => {
            let restored = MemoryThenSqlite::restore(store, bugs, options.queue).await;
            Box::new(restored.map_err(|error| sqlite_failed(options, error))?)
        }
    };
    Ok(Opened {
        strategy,
        issuer: None,
        database,
    })
}

pub(super) async fn open_sqlite(options: &Options, bugs: &Bugs) -> Result<Arc<Store>, ServerError> {
    let failed = |source| sqlite_error(options, source);
    let pool = options.database_pool;
    let store = Store::open(&options.database, pool, options.lock_timeout()).await;
    let store = store.map_err(failed)?;
    let user_index = settings::user_index(options, bugs);
    {
        let writer = store.writer().await;
        let mut writer = writer.map_err(|error| sqlite_failed(options, error))?;
        schema::prepare(&mut writer, user_index, options.coupon, options.stock)
            .await
            .map_err(failed)?;
    }
    Ok(Arc::new(store))
}

async fn on_services(
    options: &Options,
    bugs: &Arc<Bugs>,
    queue: Option<&Arc<Queue>>,
    metrics: &Metrics,
) -> Result<Opened, ServerError> {
    let strategy = options.strategy;
    // Both are asked for before one of them is opened.
    let redis = match strategy {
        StrategyName::RedisLua | StrategyName::Redisson => Some(first_redis(options)?),
        StrategyName::Redlock => Some(any_redis(options)?),
        _ => None,
    };
    let url = needed_mysql(options)?;
    let store = Arc::new(open_mysql(options, url, bugs, metrics).await?);
    let bugs = Arc::clone(bugs);
    let strategy: Box<dyn Strategy> = match redis {
        Some(_) if strategy == StrategyName::Redlock => {
            Box::new(under_redlock(options, store, bugs, metrics).await?)
        }
        Some(redis) if strategy == StrategyName::Redisson => {
            Box::new(under_lease(options, (redis, url), store, bugs, queue, metrics).await?)
        }
        Some(redis) => Box::new(redis_lua(options, redis, url, store, bugs, queue).await?),
        None if strategy == StrategyName::DbPessimistic => {
            Box::new(DbPessimistic::new(store, bugs))
        }
        None => Box::new(DbConditional::new(store, bugs)),
    };
    Ok(Opened {
        strategy,
        issuer: None,
        database: url.to_string(),
    })
}

pub(super) async fn open_mysql(
    options: &Options,
    url: &StoreUrl,
    bugs: &Bugs,
    metrics: &Metrics,
) -> Result<MySqlStore, ServerError> {
    let failed = |source| mysql_error(url, source);
    let isolation = if bugs.reads_an_old_snapshot() {
        Isolation::RepeatableRead
    } else {
        Isolation::ReadCommitted
    };
    let pool = options.database_pool;
    let store = MySqlStore::open(url, pool, options.lock_timeout(), isolation).await;
    let store = store.map_err(failed)?;
    store.watch(metrics, "users");
    let user_index = settings::user_index(options, bugs);
    let mut connection = store.connection().await.map_err(failed)?;
    mysql::schema::prepare(&mut connection, user_index, options.coupon, options.stock)
        .await
        .map_err(failed)?;
    drop(connection);
    Ok(store)
}

async fn redis_lua(
    options: &Options,
    redis: &StoreUrl,
    mysql: &StoreUrl,
    store: Arc<MySqlStore>,
    bugs: Arc<Bugs>,
    queue: Option<&Arc<Queue>>,
) -> Result<RedisLua, ServerError> {
    let failed = |error| error_of(redis, mysql, error);
    let opened = RedisStore::open(redis, options.redis_pool).await;
    let opened = opened.map_err(|source| failed(source.into()))?;
    let table = MySqlTable::new(
        Arc::clone(&store),
        Arc::clone(&bugs),
        TableStock::WithRows,
        queue.cloned(),
    );
    let restored = RedisLua::restore(opened, store, table, bugs, options.queue).await;
    restored.map_err(failed)
}

/// Whose error it is, where both are worked on.
pub(super) fn error_of(redis: &StoreUrl, mysql: &StoreUrl, error: IssueError) -> ServerError {
    match error {
        IssueError::Redis(source) => redis_error(redis, source),
        other => mysql_error(mysql, storage(other)),
    }
}

pub(super) fn needed_mysql(options: &Options) -> Result<&StoreUrl, ServerError> {
    let url = options.mysql.as_ref();
    url.ok_or_else(|| missing(options.strategy, "--mysql", "FCFS_MYSQL", MYSQL_LIKE))
}

async fn under_lease(
    options: &Options,
    (redis, mysql): (&StoreUrl, &StoreUrl),
    store: Arc<MySqlStore>,
    bugs: Arc<Bugs>,
    queue: Option<&Arc<Queue>>,
    metrics: &Metrics,
) -> Result<UnderLease, ServerError> {
    let opened = RedisStore::open(redis, options.redis_pool).await;
    let opened = opened.map_err(|source| redis_error(redis, source))?;
    let settings = (&options.locks, &options.stocks);
    let capacity = options.queue;
    let opened = UnderLease::open(opened, store, bugs, capacity, settings, queue, metrics).await;
    opened.map_err(|error| match error {
        IssueError::Redis(source) => redis_error(redis, source),
        other => mysql_error(mysql, storage(other)),
    })
}

/// Starts with a minority of the instances silent: that is what a quorum is for.
async fn under_redlock(
    options: &Options,
    store: Arc<MySqlStore>,
    bugs: Arc<Bugs>,
    metrics: &Metrics,
) -> Result<UnderRedlock, ServerError> {
    let timing = settings::timing(options);
    let mut instances = Vec::new();
    for url in &options.redis {
        let opened = RedisStore::open_later(url, options.redis_pool, timing.answer_limit());
        instances.push(Arc::new(opened.map_err(|error| redis_error(url, error))?));
    }
    let answers = signs_of_life(&instances).await;
    let mut silent = &options.redis[0];
    for (url, answer) in options.redis.iter().zip(&answers) {
        if let Err(error) = answer {
            tracing::warn!(event = "instance_silent", redis = %url, %error);
            silent = url;
        }
    }
    enough(answers).map_err(|error| redis_error(silent, error))?;
    let first = Arc::clone(&instances[0]);
    Ok(UnderRedlock::new(redlock::Shared {
        lock: Redlock::new(instances, timing, &options.locks, &bugs, metrics),
        infos: CouponInfos::new(
            Arc::clone(&store),
            first,
            Keeping {
                for_s: options.coupon_cache_s,
                sold_out: options.coupon_cache_sold_out,
            },
            Arc::clone(&bugs),
            metrics,
        ),
        store,
        bugs,
        work: options.locks.work(),
        falls_back: options.locks.lock_fallback_database,
        refusals: options.locks.lock_log_level,
        own: tokio::sync::Mutex::default(),
    }))
}

fn any_redis(options: &Options) -> Result<&StoreUrl, ServerError> {
    let first = options.redis.first();
    first.ok_or_else(|| missing(options.strategy, "--redis", "FCFS_REDIS", REDIS_LIKE))
}

/// The harness may have started more than one: they are for strategies that lock with a quorum.
pub(super) fn first_redis(options: &Options) -> Result<&StoreUrl, ServerError> {
    let first = any_redis(options)?;
    if options.redis.len() > 1 {
        tracing::warn!(event = "store_unused", used = %first, given = options.redis.len());
    }
    Ok(first)
}

const MYSQL_LIKE: &str = "mysql://USER:PASSWORD@HOST:3306/DATABASE";
const REDIS_LIKE: &str = "redis://:PASSWORD@HOST:6379/0";

pub(super) fn missing(
    strategy: StrategyName,
    option: &'static str,
    variable: &'static str,
    like: &'static str,
) -> ServerError {
    ServerError::MissingStore {
        strategy: strategy.to_string(),
        option,
        variable,
        like,
    }
}

pub(super) fn sqlite_failed(options: &Options, error: IssueError) -> ServerError {
    sqlite_error(options, storage(error))
}

fn sqlite_error(options: &Options, source: sqlx::Error) -> ServerError {
    let path = options.database.clone();
    if is_conflict(&source) {
        let database = path.display().to_string();
        ServerError::TwoOfOneUser { database }
    } else {
        ServerError::Database { path, source }
    }
}

pub(super) fn mysql_error(url: &StoreUrl, source: sqlx::Error) -> ServerError {
    let address = url.to_string();
    if is_conflict(&source) {
        let database = address;
        ServerError::TwoOfOneUser { database }
    } else {
        ServerError::MySql { address, source }
    }
}

fn redis_error(url: &StoreUrl, source: redis::RedisError) -> ServerError {
    ServerError::Redis {
        address: url.to_string(),
        source,
    }
}

fn storage(error: IssueError) -> sqlx::Error {
    match error {
        IssueError::Storage(source) => source,
        other => sqlx::Error::Protocol(other.to_string()),
    }
}
