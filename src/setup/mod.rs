//! Does what a scenario asks for before and after its load: requests, SQL, Redis, programs.
//!
//! The only part of the harness that writes to a system beside loading it, and only what the
//! scenario says.

mod crowd;
mod dialect;
mod redis;
mod request;
mod row;
mod shell;
mod sql;

use std::fmt;
use std::time::Duration;

use crate::load::http::Endpoint;
use crate::load::{Identities, RunClock};
use crate::plan::{Plan, SetupStep, SlotValues, Task, Template, Values};
use crowd::Crowd;

/// What all steps need.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// What is run.
    pub plan: &'a Plan,
    /// The instances of the target.
    pub endpoints: &'a [Endpoint],
    /// The run's time.
    pub clock: RunClock,
    /// Who asks.
    pub users: &'a Identities,
}

/// Why a step could not be done, in words without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A step under way.
struct Work<'a> {
    step: &'a SetupStep,
    site: Site<'a>,
    /// For whom it is done; `None`: once.
    crowd: Option<Crowd<'a>>,
    slots: &'a [Option<String>],
    /// Takes how many users are done.
    progress: &'a dyn Fn(u64),
}

/// What a step came to.
#[derive(Debug, Default)]
struct Done {
    /// Rows that SQL has changed; commands, requests or programs of the others.
    rows: u64,
    /// Values by the place of their capture in the step.
    captured: Vec<String>,
}

/// Does one step, keeps what it captures in `slots`, and says how many rows it has changed (or how
/// many commands, requests or programs it has run). `progress` takes the users that are done.
///
/// # Errors
/// When it could not be done. What was done before the fault stays done.
pub async fn perform(
    step: &SetupStep,
    site: Site<'_>,
    slots: &mut SlotValues,
    progress: &dyn Fn(u64),
) -> Result<u64, Failure> {
    let done = work(step, site, slots, progress).await;
    let done = done.map_err(|words| Failure(without_secrets(site.plan, slots, words)))?;
    for (slot, value) in std::iter::zip(step.captured(), done.captured) {
        slots[usize::from(slot)] = Some(value);
    }
    Ok(done.rows)
}

async fn work(
    step: &SetupStep,
    site: Site<'_>,
    slots: &[Option<String>],
    progress: &dyn Fn(u64),
) -> Result<Done, String> {
    if let Some(missing) = missing(step, slots, site.plan) {
        return Err(format!("`{missing}` is not there: nothing has captured it"));
    }
    let pool = site.plan.users.pool;
    let count = step.each.map(|each| each.of(pool));
    if let Some(count) = count.filter(|count| *count > pool) {
        return Err(format!("it is for {count} users, but there are {pool}"));
    }
    let unix_s = site.clock.unix_s();
    let crowd = count.map(|count| Crowd::new(site.users, count, slots, unix_s));
    let work = Work {
        step,
        site,
        crowd,
        slots,
        progress,
    };
    match &step.task {
        Task::Request { step, expect } => request::run(&work, step, expect).await,
        Task::Sql { url, statements } => sql::run(&work, url.reveal(), statements).await,
        Task::Redis { url, commands } => redis::run(&work, url.reveal(), commands).await,
        Task::Shell(words) => shell::run(&work, words).await,
    }
}

/// A value that the step needs and nothing has brought.
fn missing<'a>(step: &SetupStep, slots: &[Option<String>], plan: &'a Plan) -> Option<&'a str> {
    let templates = step.task.templates().into_iter();
    let mut needed = templates.flat_map(Template::slots);
    let is_there = |slot: u8| slots.get(usize::from(slot)).is_some_and(Option::is_some);
    // Those of the users are filled for each.
    let slot = needed.find(|slot| !is_there(*slot) && !plan.users.fills(*slot))?;
    let slot = plan.slots.get(usize::from(slot));
    Some(slot.map_or("?", |slot| &slot.name))
}

/// Servers and programs repeat what they were told, also by another step. A captured value that is
/// called a secret or is long may be a token.
fn without_secrets(plan: &Plan, slots: &[Option<String>], words: String) -> String {
    let captured = std::iter::zip(slots, &plan.slots);
    let secrets = captured.filter_map(|(value, slot)| {
        let value = value.as_deref()?;
        let is_secret = value.len() > 15 || (slot.secret && value.len() > 2);
        is_secret.then_some(value)
    });
    let words = secrets.fold(words, |words, secret| words.replace(secret, "***"));
    plan.mask.hide(&words)
}

impl Work<'_> {
    /// The values of a step that is done once.
    const fn once(&self) -> Values<'_> {
        Values {
            user: "",
            number: 0,
            vu: 0,
            iteration: 0,
            random: 0,
            slots: self.slots,
        }
    }

    /// Waits for a piece of the work, not longer than the step's timeout.
    async fn within<T>(&self, piece: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        within(self.step.timeout, piece).await
    }
}

async fn within<T>(
    limit: Duration,
    piece: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let ended = tokio::time::timeout(limit, piece).await;
    ended.unwrap_or_else(|_| Err(format!("no answer within {limit:?}")))
}

/// The beginning of what somebody said, on one line, unable to move a terminal's cursor.
fn quoted(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(MOST)
        .collect();
    if line.chars().count() > MOST {
        shown.push_str("...");
    }
    shown
}
