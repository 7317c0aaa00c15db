//! What the server tells about itself: a coupon's numbers, its health, its metrics.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{AppState, reply};
use crate::coupon::{CouponId, IssueError};
use crate::health::{self, SCRAPE_LIMIT};
use crate::metrics::Metrics;

/// A coupon's numbers, all of one instant.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Coupon {
    id: CouponId,
    status: String,
    /// As the table has it.
    stock_quantity: i64,
    /// As it was at the beginning.
    total_quantity: i64,
    remaining: i64,
    issued: i64,
    pending: i64,
}

pub(super) async fn coupon(State(state): State<AppState>, Path(coupon): Path<String>) -> Response {
    let Ok(id) = coupon.parse() else {
        return reply::failure(&IssueError::UnknownCoupon);
    };
    match state.0.strategy.stock(id).await {
        Ok(stock) => Json(Coupon {
            id,
            status: stock.status,
            stock_quantity: stock.in_table,
            total_quantity: stock.total,
            remaining: stock.remaining,
            issued: stock.issued,
            pending: stock.pending,
        })
        .into_response(),
        Err(error) => reply::failure(&error),
    }
}

pub(super) async fn health(State(state): State<AppState>) -> Response {
    health::response(&health::ask(state.0.strategy.check()).await).into_response()
}

/// Answers in any case: a coupon that cannot be read is when the other numbers are wanted most.
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    let shared = &state.0;
    let (stock, signs, ()) = tokio::join!(
        tokio::time::timeout(SCRAPE_LIMIT, shared.strategy.stock(shared.coupon)),
        health::ask_for_scrape(shared.strategy.check()),
        async {
            if let Some(issuer) = &shared.issuer {
                issuer.measure_lag().await;
            }
        },
    );
    match stock {
        Ok(Ok(stock)) => shared.metrics.set_stock(&stock),
        Ok(Err(error)) => tracing::debug!(event = "stock_unread", %error),
        Err(_) => tracing::debug!(event = "stock_unread", "no answer in time"),
    }
    shared.metrics.set_signs(&signs);
    metrics_page(&shared.metrics)
}

/// The page that Prometheus scrapes.
pub(crate) fn metrics_page(metrics: &Metrics) -> Response {
    let format = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (format, metrics.render()).into_response()
}
