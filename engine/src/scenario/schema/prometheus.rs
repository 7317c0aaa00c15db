//! `outputs.prometheus`: a page that is scraped, and where series are written to.

use schemars::JsonSchema;

use super::alerts::Proof;
use super::shape;
use super::text::{Listen, Span, Url};

/// Metrics of the run, for Prometheus and what understands it: a page that is scraped while the run
/// goes on, remote write, or both.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = shape::not_empty,
    example = serde_json::json!({ "listen": "127.0.0.1:9464" }),
)]
pub(super) struct Prometheus {
    /// The address and port of the page `/metrics`, which is there from before anything is started
    /// until the last read of the truth.
    #[schemars(example = "127.0.0.1:9464")]
    listen: Option<Listen>,
    /// A receiver that all series are written to.
    #[schemars(example = serde_json::json!({ "url": "http://127.0.0.1:9090/api/v1/write" }))]
    remote_write: Option<RemoteWrite>,
}

/// A receiver of remote write 1.0. Nothing but samples goes there, so it may be on any host.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RemoteWrite {
    /// Its whole address: `/api/v1/write` of Prometheus (started with
    /// `--web.enable-remote-write-receiver`) and VictoriaMetrics, `/api/v1/push` of Mimir.
    #[schemars(example = "http://127.0.0.1:9090/api/v1/write")]
    url: Url,
    /// What each request proves itself with.
    #[schemars(example = serde_json::json!({ "bearer": "${PROMETHEUS_TOKEN}" }))]
    auth: Option<Proof>,
    /// From one reading of all series to the next, 1 s to 1 min.
    #[schemars(extend("default" = "5s"), example = "10s")]
    every: Option<Span>,
    /// How long the end of the run goes on trying, at most an hour.
    #[schemars(extend("default" = "30s"), example = "2m")]
    drain: Option<Span>,
}
