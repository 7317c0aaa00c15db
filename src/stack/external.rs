//! A system that already runs: found, and waited for until it answers.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep, timeout};

use super::{NotReady, TruthSources};
use crate::load::RunClock;
use crate::load::http::Endpoint;
use crate::plan::{BaseUrl, Plan};

/// How long a system may take to answer for the first time.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(3);

/// How long a server that is there may take for its health.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// How the target is spoken to.
pub(super) struct Way<'a> {
    pub(super) ready: Option<&'a str>,
    pub(super) http2: bool,
    pub(super) roots: &'a [CertificateDer<'static>],
}

pub(super) async fn reach(
    urls: &[BaseUrl],
    way: &Way<'_>,
    say: &dyn Fn(&str),
) -> Result<Vec<Endpoint>, NotReady> {
    let mut endpoints = Vec::with_capacity(urls.len());
    for url in urls {
        endpoints.push(reach_one(url, way, say).await?);
    }
    Ok(endpoints)
}

async fn reach_one(url: &BaseUrl, way: &Way<'_>, say: &dyn Fn(&str)) -> Result<Endpoint, NotReady> {
    let give_up = Instant::now() + READY_WITHIN;
    let mut said = false;
    loop {
        let answered = timeout(TRY_WITHIN, try_once(url, way)).await;
        let problem = match answered {
            Ok(Ok(endpoint)) => return Ok(endpoint),
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer within {} s", TRY_WITHIN.as_secs()),
        };
        if !std::mem::replace(&mut said, true) {
            let most = READY_WITHIN.as_secs();
            say(&format!("waiting for {url}, {most} s at most: {problem}"));
        }
        if Instant::now() >= give_up {
            return Err(NotReady::Unreachable {
                url: url.to_string(),
                problem,
            });
        }
        sleep(TRY_EVERY).await;
    }
}

async fn try_once(url: &BaseUrl, way: &Way<'_>) -> Result<Endpoint, String> {
    let endpoint = Endpoint::resolve(url.clone(), way.http2, way.roots)
        .await
        .map_err(|e| e.to_string())?;
    let connected = endpoint.connect(RunClock::start()).await;
    let opened = connected.map_err(|error| format!("{error} ({})", error.source))?;
    drop(opened);
    if let Some(path) = way.ready {
        ask(&format!("{url}{path}"), way.roots).await?;
    }
    Ok(endpoint)
}

/// Whether anybody answers there, whatever the answer is.
///
/// # Errors
/// In words, when nobody does.
pub(super) async fn alive(url: &str) -> Result<(), String> {
    let client = reqwest::Client::builder().timeout(ALIVE_WITHIN).build();
    let client = client.map_err(|error| error.to_string())?;
    let asked = client.get(url).send().await;
    asked.map_err(|error| error.without_url().to_string())?;
    Ok(())
}

/// What somebody answers there, as JSON.
///
/// # Errors
/// In words, when nobody does, or it is no JSON.
pub(super) async fn json(url: &str) -> Result<serde_json::Value, String> {
    let client = reqwest::Client::builder().timeout(ALIVE_WITHIN).build();
    let client = client.map_err(|error| error.to_string())?;
    let answered = async { client.get(url).send().await?.json().await };
    answered
        .await
        .map_err(|error: reqwest::Error| error.without_url().to_string())
}

/// Asks once for an answer below 500.
///
/// # Errors
/// In words, when there is another one, or none.
pub(super) async fn ask(url: &str, roots: &[CertificateDer<'static>]) -> Result<(), String> {
    crate::tls::install_provider();
    let roots: Result<Vec<_>, _> = roots
        .iter()
        .map(|root| reqwest::Certificate::from_der(root))
        .collect();
    let client = reqwest::Client::builder()
        .tls_certs_merge(roots.map_err(|error| error.to_string())?)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let client = client.map_err(|error| error.to_string())?;
    let answer = client
        .get(url)
        .send()
        .await
        .map_err(|error| error.without_url().to_string())?;
    if answer.status().is_server_error() {
        return Err(format!("{} from its ready path", answer.status()));
    }
    Ok(())
}

pub(super) fn truth(plan: &Plan) -> TruthSources {
    let Some(truth) = &plan.truth else {
        return TruthSources::default();
    };
    TruthSources {
        issued: truth.issued.clone(),
        stock: truth.stock.clone(),
        remaining: truth.remaining.clone(),
        pending: truth.pending.clone(),
        delivery: truth.delivery.clone(),
        tables: truth.tables.clone(),
    }
}
