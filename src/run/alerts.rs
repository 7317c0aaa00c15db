//! Watches alerts beside the load, once a second, and writes down each change.
//!
//! ```text
//! before |0s     1s     2s ...      | after the last heal     (of the load; each a question)
//! ```
//! A source that does not answer before the load ends the run; one that falls silent later is a gap.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::error::{RunError, failed_to};
use super::event::{Event, EventLog};
use crate::history::{AlertChange, AlertMark};
use crate::load::RunClock;
use crate::measure::alert::{Changes, Labels};
use crate::plan::{Alerts, Mask, Plan};
use crate::probe::ProbeError;
use crate::probe::alerts::AlertsProbe;

/// How often it is asked which alerts fire.
const EVERY: Duration = Duration::from_secs(1);

/// How long an answer may take.
const WITHIN: Duration = Duration::from_millis(900);

/// How long the first one may take.
const FIRST_WITHIN: Duration = Duration::from_secs(5);

/// A source of alerts that has answered, and what has changed since.
pub(super) struct AlertWatch {
    probe: AlertsProbe,
    changes: Changes,
    /// By number.
    names: Vec<String>,
    clock: RunClock,
    events: EventLog,
    mask: Mask,
}

/// It watches until it is ended, or dropped.
pub(super) struct Watching {
    /// Dropped to end it.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl AlertWatch {
    /// Asks for the first time; `None` if the plan names no source.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn open(
        plan: &Plan,
        roots: &[CertificateDer<'static>],
        clock: RunClock,
        events: &EventLog,
    ) -> Result<Option<Self>, RunError> {
        let Some(of) = &plan.alerts else {
            return Ok(None);
        };
        let (probe, firing) = first(of, roots).await.map_err(RunError::Alerts)?;
        let events = events.try_clone();
        let mut watch = Self {
            probe,
            changes: Changes::default(),
            names: Vec::new(),
            clock,
            events: events.map_err(failed_to("write to the run directory"))?,
            mask: plan.mask.clone(),
        };
        // What fires already is in the report's warnings.
        watch.take(Ok(firing));
        Ok(Some(watch))
    }

    /// Watches from now on; `shown` is told each change in words.
    pub(super) fn begin(mut self, start_ns: u64, shown: mpsc::Sender<String>) -> Watching {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            loop {
                let next = sleep_until(self.clock.instant(self.next_ns(start_ns)));
                let over = tokio::select! {
                    _ = &mut stopped => true,
                    () = next => false,
                };
                for words in self.read().await {
                    // What is not shown in time is in the report.
                    let _ = shown.try_send(words);
                }
                if over {
                    break;
                }
            }
            let end = self.changes.end(self.clock.now_ns());
            self.note(end);
        });
        Watching {
            stop: Some(stop),
            task,
        }
    }

    /// The next whole second of the load; one in which the last answer is still waited for is left
    /// out.
    fn next_ns(&self, start_ns: u64) -> u64 {
        let every_ns = EVERY.as_nanos() as u64;
        let passed = self.clock.now_ns().saturating_sub(start_ns) / every_ns;
        start_ns + (passed + 1) * every_ns
    }

    async fn read(&mut self) -> Vec<String> {
        let firing = self.probe.firing(WITHIN).await;
        self.take(firing.map_err(|error| error.to_string()))
    }

    /// Writes down what has changed, and says it.
    fn take(&mut self, reading: Result<Vec<Labels>, String>) -> Vec<String> {
        let marks = self.changes.take(self.clock.now_ns(), reading);
        let mut said = Vec::new();
        for mark in marks {
            let words = self.in_words(&mark.change);
            said.extend(words.map(|words| self.mask.hide(&words)));
            self.note(mark);
        }
        said
    }

    fn in_words(&mut self, change: &AlertChange) -> Option<String> {
        match change {
            AlertChange::Firing { name, .. } => {
                self.names.push(name.clone());
                Some(format!("alert {name}: fires"))
            }
            AlertChange::Cleared { alert } => {
                let name = self.names.get(*alert as usize).map_or("?", String::as_str);
                Some(format!("alert {name}: has cleared"))
            }
            AlertChange::Silent { why } => Some(format!("alerts are not watched: {why}")),
            AlertChange::Heard { missed } => Some(format!(
                "alerts are watched again, after {missed} questions without an answer"
            )),
            AlertChange::Watched | AlertChange::Ended { .. } => None,
        }
    }

    /// A mark that the disk does not take is missing from the report, which then says less.
    fn note(&mut self, mark: AlertMark) {
        let _ = self.events.append(&Event::Alert(mark));
    }
}

impl Watching {
    /// Asks for the last time.
    pub(super) async fn end(mut self) {
        self.stop = None;
        let _ = (&mut self.task).await;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn first(
    of: &Alerts,
    roots: &[CertificateDer<'static>],
) -> Result<(AlertsProbe, Vec<Labels>), ProbeError> {
    let probe = AlertsProbe::open(of, roots)?;
    let firing = probe.firing(FIRST_WITHIN).await?;
    Ok((probe, firing))
}
