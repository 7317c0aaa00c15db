//! One server of whatever role, without its port.

use std::sync::Arc;

use axum::Router;

use crate::bug::Bugs;
use crate::error::ServerError;
use crate::http::{AppState, app};
use crate::jwt::Members;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::queue::{Queue, QueueServer};
use crate::redis_store::RedisStore;
use crate::role::Role;
use crate::router::RouterServer;

/// A server that is ready to answer.
#[derive(Clone)]
pub struct Node(Kind);

#[derive(Clone)]
enum Kind {
    Coupons(AppState),
    Queue(QueueServer),
    Router(RouterServer),
}

impl Node {
    /// Opens what the role needs. Must be called within a tokio runtime.
    pub async fn prepare(options: &Options) -> Result<Self, ServerError> {
        Ok(Self(match options.role {
            Role::All | Role::Coupon | Role::Issuer => {
                Kind::Coupons(AppState::prepare(options).await?)
            }
            Role::Queue => {
                let members = members(options, "--role queue")?;
                let queue = open_queue(options, "--role queue").await?;
                write_defaults(&queue, options).await?;
                Kind::Queue(QueueServer::start(queue, members, &options.line)?)
            }
            Role::Router => {
                let members = members(options, "--role router")?;
                options.router.check()?;
                let queue = open_queue(options, "--role router").await?;
                write_defaults(&queue, options).await?;
                Kind::Router(RouterServer::new(queue, members, options)?)
            }
        }))
    }

    /// Its routes, to be called in process or served on a port.
    pub fn app(&self) -> Router {
        match &self.0 {
            Kind::Coupons(state) => app(state.clone()),
            Kind::Queue(server) => server.clone().app(),
            Kind::Router(server) => server.clone().app(),
        }
    }

    /// Where the rows of coupons are: the path of a file, or an address without credentials.
    pub fn database(&self) -> Option<&str> {
        match &self.0 {
            Kind::Coupons(state) => Some(state.database()),
            Kind::Queue(_) | Kind::Router(_) => None,
        }
    }

    /// Ends what goes on beside requests; what was acknowledged is written.
    pub async fn shutdown(&self) -> Result<(), ServerError> {
        match &self.0 {
            Kind::Coupons(state) => state.shutdown().await,
            Kind::Queue(server) => {
                server.shutdown().await;
                Ok(())
            }
            Kind::Router(_) => Ok(()),
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        match &self.0 {
            Kind::Coupons(state) => state.metrics(),
            Kind::Queue(server) => server.metrics(),
            Kind::Router(server) => server.metrics(),
        }
    }
}

/// What checks the members' tokens.
pub(crate) fn members(options: &Options, who: &str) -> Result<Members, ServerError> {
    let secret = options.jwt_secret.as_ref();
    let secret = secret.ok_or_else(|| ServerError::Missing {
        who: who.to_owned(),
        what: "the secret that members' tokens are signed with",
        hint: "give it in the environment as FCFS_JWT_SECRET",
    })?;
    Ok(Members::new(secret))
}

/// The queues in the first Redis server.
pub(crate) async fn open_queue(options: &Options, who: &str) -> Result<Queue, ServerError> {
    let url = options.redis.first().ok_or_else(|| ServerError::Missing {
        who: who.to_owned(),
        what: "--redis URL",
        hint: "give --redis redis://:PASSWORD@HOST:6379/0, or the URL in the environment as FCFS_REDIS",
    })?;
    let opened = RedisStore::open(url, options.redis_pool).await;
    let redis = opened.map_err(|source| ServerError::Redis {
        address: url.to_string(),
        source,
    })?;
    let bugs = Bugs::new(options.bug, options.seed);
    Ok(Queue::new(Arc::new(redis), options.line.settings(), bugs))
}

async fn write_defaults(queue: &Queue, options: &Options) -> Result<(), ServerError> {
    let written = queue.write_defaults().await;
    written.map_err(|source| ServerError::Redis {
        address: options
            .redis
            .first()
            .map_or_else(String::new, ToString::to_string),
        source,
    })
}
