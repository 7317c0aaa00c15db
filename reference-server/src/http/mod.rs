//! The server's HTTP face: state, routes, and what is measured around each.

mod body;
pub(crate) mod envelope;
mod event;
mod issue;
mod metered;
mod reply;
mod resource;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::coupon::CouponId;
use crate::error::ServerError;
use crate::issuer::Issuer;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::period::Period;
use crate::strategy::{self, Opened, Strategy};

pub(crate) use body::ReadBody;
use event::MembersOnly;
pub(crate) use metered::metered;
pub(crate) use resource::Resource;
pub(crate) use status::metrics_page;

/// One running server without its port. Clones share everything.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    database: String,
    strategy: Box<dyn Strategy>,
    issuer: Option<Issuer>,
    metrics: Metrics,
    coupon: CouponId,
    period: Period,
    members: Option<MembersOnly>,
}

impl AppState {
    /// Opens the stores, creates what is missing, and restores the strategy's memory.
    ///
    /// Must be called within a tokio runtime.
    pub async fn prepare(options: &Options) -> Result<Self, ServerError> {
        let members = MembersOnly::open(options).await?;
        let queue = members.as_ref().and_then(MembersOnly::queue);
        let metrics = Metrics::new().map_err(|e| ServerError::Metrics(e.to_string()))?;
        let Opened {
            strategy,
            issuer,
            database,
        } = strategy::open(options, queue, &metrics).await?;
        Ok(Self(Arc::new(Shared {
            database,
            strategy,
            issuer,
            metrics,
            coupon: options.coupon,
            period: options.period(),
            members,
        })))
    }

    /// Where the rows are: the absolute path of a file, or an address without credentials.
    pub fn database(&self) -> &str {
        &self.0.database
    }

    /// Refuses further coupons and writes those that are acknowledged.
    pub async fn shutdown(&self) -> Result<(), ServerError> {
        let lost = self.0.strategy.drain().await;
        if let Some(issuer) = &self.0.issuer {
            issuer.stop().await;
        }
        match lost {
            0 => Ok(()),
            rows => Err(ServerError::Undrained { rows }),
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

/// The routes of the server, to be called in process or served on a port.
pub fn app(state: AppState) -> Router {
    let routes = vec![
        (
            "POST",
            "/coupons/fcfs/{id}/issue",
            post(issue::with_body_outcomes),
        ),
        (
            "POST",
            "/api/v1/user-coupons/{id}/issue",
            post(issue::with_status_outcomes),
        ),
        ("POST", "/api/coupon/{id}", post(event::issue)),
        ("GET", "/api/event/coupon/{event}", get(event::page)),
        ("POST", "/api/admin/coupon", post(event::create)),
        ("GET", "/coupons/fcfs/{id}", get(status::coupon)),
        ("GET", "/health", get(status::health)),
        ("GET", "/metrics", get(status::metrics)),
        ("GET", "/clock", get(crate::clock::clock)),
    ];
    metered(&state.0.metrics, routes)
        .fallback(reply::no_such_route)
        .with_state(state)
}
