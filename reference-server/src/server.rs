//! Runs the server on a port, from the announcement of its address to the last row written.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::error::ServerError;
use crate::http::{AppState, app};
use crate::listener;
use crate::logging::init_logging;
use crate::options::Options;
use crate::stop::Stop;

/// How long requests may take to finish once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// The whole program: logging, a runtime of its own, and [`serve`].
///
/// # Errors
/// When it could not start, or not end as it should.
pub fn run(options: Options) -> Result<(), ServerError> {
    init_logging(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(ServerError::Runtime)?
        .block_on(serve(options))
}

/// Serves until SIGTERM, SIGINT or, if asked for, the end of stdin.
///
/// Prints one line on stdout when the port is open. Afterwards requests are finished, and what
/// was acknowledged is written.
pub async fn serve(options: Options) -> Result<(), ServerError> {
    let stop = Stop::listen(options.stop_with_stdin)?;
    let state = AppState::prepare(&options).await?;
    let outcome = open_and_run(&options, &state, stop).await;
    // What was acknowledged must be written even if the port failed.
    let drained = state.shutdown().await;
    tracing::info!(event = "stopped");
    outcome.and(drained)
}

async fn open_and_run(options: &Options, state: &AppState, stop: Stop) -> Result<(), ServerError> {
    let listener = listener::bind(options.listen)?;
    let address = listener
        .local_addr()
        .map_err(|source| ServerError::Listen {
            address: options.listen,
            source,
        })?;
    announce(options, state, address)?;
    tokio::select! {
        () = accept(listener, state.clone(), stop) => {}
        () = state.keep_metrics_small() => {}
    }
    Ok(())
}

async fn accept(listener: TcpListener, state: AppState, stop: Stop) {
    let (stopping, stopped) = oneshot::channel();
    let listener = listener.tap_io(|connection| {
        // Only costs latency if it fails, and the peer may be gone already.
        let _ = connection.set_nodelay(true);
    });
    let serving = axum::serve(listener, app(state)).with_graceful_shutdown(async move {
        let reason = stop.requested().await;
        tracing::info!(event = "stopping", reason);
        let _ = stopping.send(());
    });
    let grace_over = async {
        // An error means that the signal task is gone with the runtime: then the grace is over.
        if stopped.await.is_ok() {
            tokio::time::sleep(GRACE).await;
        }
    };
    tokio::select! {
        // Serving only ends by stopping; accept errors are retried inside.
        _ = serving => {}
        () = grace_over => tracing::warn!(event = "requests_cut", grace_s = GRACE.as_secs()),
    }
}

/// The line that tells the process which started this one where to knock.
#[derive(Serialize)]
struct Listening<'a> {
    event: &'static str,
    address: String,
    strategy: String,
    role: String,
    database: &'a str,
}

fn announce(options: &Options, state: &AppState, at: SocketAddr) -> Result<(), ServerError> {
    let line = Listening {
        event: "listening",
        address: at.to_string(),
        strategy: options.strategy.to_string(),
        role: options.role.to_string(),
        database: state.database(),
    };
    let mut text =
        serde_json::to_string(&line).map_err(|error| ServerError::Announce(error.into()))?;
    text.push('\n');
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(ServerError::Announce)?;
    tracing::info!(event = "listening", address = %at, strategy = line.strategy, role = line.role, bug = ?options.bug);
    Ok(())
}
