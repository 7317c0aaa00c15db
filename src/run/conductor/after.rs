//! What comes after the load: what is left is drained, the truth is read once all is quiet, and the
//! outputs are waited for.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{Aborted, Run};
use crate::check::Settled;
use crate::load::{Job, drain};
use crate::output::Progress;
use crate::probe::When;
use crate::run::drain_load::drain_load;
use crate::run::error::{RunError, failed_to};
use crate::run::event::Event;
use crate::run::interrupt::Interrupts;
use crate::run::outputs::Ending;
use crate::run::segment::OVER_AFTER;
use crate::scenario::value::Span;

/// The drain phase ends after this time, whatever is left.
const DRAIN_WITHIN: Duration = Duration::from_mins(1);

/// What is said to who asks for the end while the truth is read.
const READING: &str = "interrupted: the truth is still read; once more skips it";

impl Run {
    /// From the drain phase to the last read of the truth.
    pub(super) async fn after_the_load(
        mut self,
        job: Job,
        loaded: io::Result<Aborted>,
        collector: JoinHandle<()>,
        start_ns: u64,
    ) -> Result<(), RunError> {
        if loaded.is_ok() {
            self.other_segments(start_ns).await;
        }
        let drained = match &loaded {
            // A system that is broken need not be loaded further.
            Ok(Aborted::No) => self.drain(&job).await,
            Ok(Aborted::Yes) | Err(_) => Ok(()),
        };
        // The collector ends when the last sender is gone.
        drop(job);
        let collected = tokio::task::spawn_blocking(move || collector.join()).await;
        loaded.and(drained).map_err(failed_to("load the target"))?;
        if !matches!(collected, Ok(Ok(()))) {
            let source = io::Error::other("the collector panicked");
            return Err(RunError::Io {
                doing: "record the run",
                source,
            });
        }
        let outputs = self.outputs.take().map(Ending::begin);
        self.last_reads().await;
        if let Some(outputs) = outputs {
            for event in outputs.events(&self.interrupts, &self.progress).await {
                self.note(&event);
            }
        }
        self.note_interrupt();
        self.note(&Event::Ended {
            at_ns: self.clock.now_ns(),
        });
        self.progress.finish();
        self.truth.close().await;
        Ok(())
    }

    /// What comes after the load is of the load of all segments, and nobody says when the others have
    /// ended: only when they must have. Who does not wait for it has no truth to merge.
    async fn other_segments(&mut self, start_ns: u64) {
        let segment = self.plan.segment;
        if segment.is_whole() || !segment.leads() || self.interrupts.any() {
            return;
        }
        let over = self.plan.latest_end() + OVER_AFTER;
        let over = self.clock.instant(start_ns) + over;
        let left = over.saturating_duration_since(Instant::now());
        let left = Span(Duration::from_secs(left.as_secs()));
        self.progress.note(&format!(
            "the other segments may load for another {left}; then the truth is read"
        ));
        let mut interrupts = self.interrupts.clone();
        if interrupts.unless(1, sleep_until(over)).await.is_some() {
            self.note(&Event::SegmentsOver {
                at_ns: self.clock.now_ns(),
            });
        } else {
            let text = "interrupted before all segments were over: they cannot be merged";
            self.progress.note(text);
        }
    }

    /// Fresh users ask until the first sold-out; only then is it decided whether stock is left
    /// although users were told that it is not.
    async fn drain(&mut self, job: &Job) -> io::Result<()> {
        let wanted = self.plan.truth.as_ref().is_some_and(|truth| truth.drain);
        let Some(load) = drain_load(&self.plan).filter(|_| wanted && !self.interrupts.any()) else {
            return Ok(());
        };
        self.progress
            .say("settling, then draining until the first sold-out");
        self.settle().await;
        let most = self
            .plan
            .subject
            .as_ref()
            .map_or(0, |subject| subject.stock)
            + 1_000;
        let mut interrupts = self.interrupts.clone();
        let drained = interrupts
            .unless(1, drain(job, load, most, DRAIN_WITHIN))
            .await;
        if let Some(drained) = drained.transpose()? {
            self.note(&Event::Drained {
                requests: drained.requests,
                issued: drained.issued,
                sold_out: drained.sold_out,
            });
        }
        Ok(())
    }

    /// The final truth once the system is quiet, and the second read some seconds later.
    async fn last_reads(&mut self) {
        if !self.truth.reads_rows() {
            return;
        }
        self.progress.say("settling, then reading the truth");
        if let Some(settled) = self.settle().await {
            self.truth.settled(&settled);
        }
        let settle = self.plan.truth.as_ref().map(|truth| truth.settle);
        let quiet = settle.map_or(Duration::ZERO, |settle| settle.quiet);
        let truth = &mut self.truth;
        let reads = async {
            truth.read(When::Last).await;
            truth.read_tables().await;
            truth.delivered().await;
            truth.remaining_at_rest().await;
            sleep(quiet).await;
            truth.read(When::Second).await;
        };
        patiently(&self.interrupts, &self.progress, READING, reads).await;
    }

    /// `None` if there is nothing to wait for, or the user does not wish to wait.
    async fn settle(&self) -> Option<Settled> {
        let settle = self.plan.truth.as_ref()?.settle;
        let settling = self.truth.settle(settle);
        patiently(&self.interrupts, &self.progress, READING, settling)
            .await
            .flatten()
    }
}

/// What comes after the load goes on at the first request for the end: the evidence is worth a
/// few seconds. The second one cuts it.
pub(in crate::run) async fn patiently<T>(
    interrupts: &Interrupts,
    progress: &Progress,
    told: &str,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut interrupts = interrupts.clone();
    if !interrupts.any() {
        if let Some(output) = interrupts.unless(1, &mut future).await {
            return Some(output);
        }
        progress.note(told);
    }
    interrupts.unless(2, future).await
}
