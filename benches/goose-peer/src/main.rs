//! Goose with the work of `benches/peers`: each user posts JSON bodies of its own without a pause.
//!
//! Arguments are goose's own. `PEER_PATH` is where is posted to, `PEER_STATUS` the status of an answer
//! that is no error. Prints one line of JSON: `requests`, `failures`, `seconds`.

use std::io::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use goose::client::GooseClientBuilder;
use goose::metrics::GooseMetrics;
use goose::prelude::*;
use goose::test_plan::TestPlanStepAction;

static PATH: OnceLock<String> = OnceLock::new();
static STATUS: OnceLock<u16> = OnceLock::new();
/// The last user that has asked.
static USER: AtomicU64 = AtomicU64::new(0);

fn of_environment<T: std::str::FromStr>(name: &str) -> Result<T, Error> {
    let value = std::env::var(name).ok().and_then(|text| text.parse().ok());
    value.ok_or_else(|| Error::other(format!("{name} is missing or has another form")))
}

async fn issue(user: &mut GooseUser) -> TransactionResult {
    let path = PATH.get().map_or("/", String::as_str);
    let number = USER.fetch_add(1, Ordering::Relaxed) + 1;
    let request = user
        .get_request_builder(&GooseMethod::Post, path)?
        .header("content-type", "application/json")
        .body(format!(r#"{{"userId":"{number}"}}"#));
    let request = GooseRequest::builder()
        .method(GooseMethod::Post)
        .path(path)
        .set_request_builder(request)
        .expect_status_code(STATUS.get().copied().unwrap_or(200))
        .build();
    // A body that is not read to its end costs the connection.
    if let Ok(answer) = user.request(request).await?.response {
        let _ = answer.bytes().await;
    }
    Ok(())
}

/// From the first user's start until the first is told to stop.
fn seconds(metrics: &GooseMetrics) -> Option<f64> {
    let first = metrics.history.first()?.timestamp;
    let mut rest = metrics.history.iter();
    rest.find(|step| matches!(step.action, TestPlanStepAction::Maintaining))?;
    let took = rest.next()?.timestamp.signed_duration_since(first);
    Some(took.num_microseconds()? as f64 / 1e6)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (path, status) = (of_environment("PEER_PATH")?, of_environment("PEER_STATUS")?);
    PATH.get_or_init(|| path);
    STATUS.get_or_init(|| status);
    let attack = GooseAttack::initialize()?
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?
        .register_scenario(scenario!("issue").register_transaction(transaction!(issue)));
    let metrics = Box::pin(attack.execute()).await?;
    let all = metrics.requests.values();
    let (succeeded, failed) = all.fold((0, 0), |(succeeded, failed), of| {
        (succeeded + of.success_count, failed + of.fail_count)
    });
    let seconds = seconds(&metrics).ok_or("goose has no history of its load")?;
    println!(
        "{}",
        serde_json::json!({ "requests": succeeded + failed, "failures": failed, "seconds": seconds })
    );
    Ok(())
}
