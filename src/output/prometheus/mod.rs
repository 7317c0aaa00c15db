//! Prometheus: a page that is scraped while the run goes on, and remote write.

mod background;
mod backlog;
mod buckets;
mod figures;
mod page;
mod registry;
mod remote;
mod remote_write;
mod scrapes;
mod server;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Feed;
use super::sink::Losses;
use crate::plan::Plan;
use figures::Figures;
pub(super) use page::Page;
pub(crate) use page::listen;
pub(super) use remote_write::RemoteWriter;

/// The metrics of one output, which its own thread adds up and another one reads.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    figures: Arc<Mutex<Figures>>,
    losses: Losses,
}

impl Shared {
    pub(super) fn new(plan: &Arc<Plan>, testid: &str, losses: Losses) -> Self {
        let figures = Figures::new(Arc::clone(plan), testid);
        Self {
            figures: Arc::new(Mutex::new(figures)),
            losses,
        }
    }

    fn take(&self, feed: &Feed) {
        match feed {
            Feed::LoadStarted { .. } => self.lock().load_started(),
            Feed::Second { line, histograms } => self.lock().second(line, histograms),
            Feed::Fault(mark) => self.lock().fault(mark),
            Feed::Remaining { remaining, .. } => self.lock().remaining(*remaining),
            Feed::LoadEnded { .. } => self.lock().load_ended(),
            Feed::Operations { .. } | Feed::Alert(_) => {}
        }
    }

    /// The figures as they are now, with what all outputs have lost.
    fn now(&self) -> MutexGuard<'_, Figures> {
        let mut figures = self.lock();
        for (output, lost) in self.losses.now() {
            figures.dropped_points(&output, lost);
        }
        figures
    }

    /// What panicked in the middle has left sums that can be told of still.
    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many points a piece makes; attempts and alerts are told of by others.
pub(super) fn weigh(feed: &Feed) -> u64 {
    match feed {
        Feed::Second { histograms, .. } => 1 + histograms.len() as u64,
        Feed::Operations { .. } | Feed::Alert(_) => 0,
        _ => 1,
    }
}
