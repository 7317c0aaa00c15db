//! Remote write: all series are read every few seconds, and sent until the receiver has taken them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::proto::MetricFamily;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, Url, redirect};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::backlog::Backlog;
use super::wire::{Told, values};
use crate::load::RunClock;
use crate::output::notes::Notes;
use crate::plan::{Mask, Secret};

/// What an answer may take.
const WITHIN: Duration = Duration::from_secs(10);

/// The first pause after a failure; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest pause, also where the receiver asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Characters of an answer that an error repeats.
const QUOTED: usize = 200;

/// Where samples go.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    client: Client,
    url: Url,
    authorization: Option<Secret>,
    mask: Mask,
}

/// What has become of samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Taken by the receiver.
    pub(super) written: u64,
    /// Given up.
    pub(super) lost: u64,
    /// Requests that had to be sent again.
    pub(super) retries: u64,
    /// In words, without secrets.
    pub(super) last_error: Option<String>,
}

/// What the one who reads and the one who sends share.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    backlog: Backlog,
    /// Samples of the request under way.
    sending: u64,
    /// Nothing more comes.
    closed: bool,
    tally: Tally,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> Tally {
        let state = self.lock();
        let mut tally = state.tally.clone();
        tally.lost += state.backlog.lost();
        tally
    }
}

/// How an attempt to send went.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Taken,
    /// It may be taken later, after the pause that the receiver asks for.
    Later(String, Option<Duration>),
    /// It never will be.
    Never(String),
}

impl Receiver {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// In words, when it can never be asked as it is written.
    pub(super) fn new(
        url: &str,
        authorization: Option<Secret>,
        mask: Mask,
    ) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("its address is wrong: {error}"))?;
        crate::tls::install_provider();
        let client = Client::builder()
            // A redirect would send our headers to somebody else.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(WITHIN)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            url,
            authorization,
            mask,
        })
    }

    async fn send(&self, body: bytes::Bytes) -> Sent {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_ENCODING, "snappy")
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0")
            .header(
                USER_AGENT,
                concat!("fcfs-bench/", env!("CARGO_PKG_VERSION")),
            )
            .body(body);
        if let Some(secret) = &self.authorization {
            request = request.header(AUTHORIZATION, secret.reveal());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Sent::Later(self.mask.hide(&in_words(&error)), None),
        };
        let status = response.status();
        if status.is_success() {
            return Sent::Taken;
        }
        let pause = response.headers().get(RETRY_AFTER);
        let pause = pause.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut words = format!("answered {}", status.as_u16());
        if let Ok(Ok(Some(chunk))) = timeout(WITHIN, chunk(response)).await {
            // Hidden before it is cut: half a secret is one, too.
            let text = self.mask.hide(&String::from_utf8_lossy(&chunk));
            let text: String = text.trim().chars().take(QUOTED).collect();
            words = format!("{words}: {}", text.replace(char::is_control, " "));
        }
        match status.as_u16() {
            429 | 500..=599 => Sent::Later(words, pause.map(Duration::from_secs)),
            _ => Sent::Never(words),
        }
    }
}

async fn chunk(mut response: reqwest::Response) -> reqwest::Result<Option<bytes::Bytes>> {
    response.chunk().await
}

/// The error with what caused it, without the address, which stands beside it.
fn in_words(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    match words.pop() {
        Some(deepest) => deepest,
        None if error.is_timeout() => format!("no answer within {} s", WITHIN.as_secs()),
        None => "it cannot be sent".to_owned(),
    }
}

/// What is written, and how often.
pub(super) struct Job<F> {
    /// Who gets it.
    pub(super) receiver: Receiver,
    /// From one reading to the next.
    pub(super) every: Duration,
    /// Labels that all series get.
    pub(super) labels: Vec<(&'static str, String)>,
    /// Whose times the samples have.
    pub(super) clock: RunClock,
    /// All series as they are now.
    pub(super) families: F,
    /// Told after each change of what was lost.
    pub(super) lost: Box<dyn Fn(u64) + Send>,
    /// Told when the receiver goes away and when it is back.
    pub(super) notes: Notes,
}

/// Reads and sends until `stop` is there. Then the last values and the end of every series are
/// sent, for which `limit` says how long.
pub(super) async fn write<F>(
    job: Job<F>,
    stop: impl Future<Output = ()>,
    limit: impl Future<Output = ()>,
) -> Tally
where
    F: Fn() -> Vec<MetricFamily>,
{
    let queue = Arc::new(Queue::default());
    let sender = tokio::spawn(send_all(
        job.receiver.clone(),
        Arc::clone(&queue),
        job.notes,
    ));
    let mut told = Told::default();
    let mut last_ms = 0;
    let mut read = |values, queue: &Queue| {
        // Two readings never have one time: the end of a series comes behind its last value.
        let now_ms = (job.clock.unix_ns() + job.clock.now_ns()) / 1_000_000;
        last_ms = (now_ms as i64).max(last_ms + 1);
        let mut state = queue.lock();
        for request in told.requests(values, last_ms) {
            state.backlog.push(request);
        }
        drop(state);
        queue.changed.notify_one();
        (job.lost)(queue.tally().lost);
    };
    let labels: Vec<_> = job
        .labels
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut ticks = interval(job.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = ticks.tick() => read(values(&(job.families)(), &labels), &queue),
        }
    }
    read(values(&(job.families)(), &labels), &queue);
    read(BTreeMap::new(), &queue);
    queue.lock().closed = true;
    queue.changed.notify_one();
    finish(sender, limit).await;
    let mut state = queue.lock();
    state.backlog.lose_all();
    state.tally.lost += std::mem::take(&mut state.sending);
    drop(state);
    queue.tally()
}

/// Waits for the one who sends, as long as the limit allows.
async fn finish(mut sender: tokio::task::JoinHandle<()>, limit: impl Future<Output = ()>) {
    tokio::select! {
        _ = &mut sender => {}
        () = limit => {
            sender.abort();
            // What it was sending is counted when it is surely over.
            let _ = sender.await;
        }
    }
}

/// Sends what waits, in order: a receiver refuses what is older than what it has.
async fn send_all(receiver: Receiver, queue: Arc<Queue>, mut notes: Notes) {
    let mut refused = false;
    loop {
        let request = {
            let mut state = queue.lock();
            let request = state.backlog.pop();
            state.sending = request.as_ref().map_or(0, |request| request.samples);
            if request.is_none() && state.closed {
                return;
            }
            request
        };
        let Some(request) = request else {
            queue.changed.notified().await;
            continue;
        };
        let mut pause = PAUSE;
        loop {
            match receiver.send(request.body.clone()).await {
                Sent::Taken => {
                    notes.back();
                    let mut state = queue.lock();
                    state.tally.written += std::mem::take(&mut state.sending);
                    break;
                }
                Sent::Never(words) => {
                    notes.back();
                    if !std::mem::replace(&mut refused, true) {
                        notes.refused(&words);
                    }
                    let mut state = queue.lock();
                    state.tally.lost += std::mem::take(&mut state.sending);
                    state.tally.last_error = Some(words);
                    break;
                }
                Sent::Later(words, asked) => {
                    notes.away(&format!("does not take points: {words}"));
                    {
                        let mut state = queue.lock();
                        state.tally.retries += 1;
                        state.tally.last_error = Some(words);
                    }
                    sleep(asked.unwrap_or(pause).clamp(PAUSE, LONGEST_PAUSE)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
