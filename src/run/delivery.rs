//! Reads the way of the issued rows: before the load, and once the system is quiet.

use std::io;

use super::truth::{Base, open};
use crate::check::{End, EventsRead};
use crate::load::RunClock;
use crate::plan;
use crate::probe::events::EventReader;
use crate::probe::{IdsOf, Probe, ProbeError, TruthLog, When};

/// The open sources.
pub(super) struct Delivery {
    outbox: Option<Probe>,
    events: Option<EventReader>,
    effects: Option<Probe>,
}

/// What one of them said.
pub(super) enum Read {
    Ids(IdsOf, When, Vec<String>),
    Ends(Vec<End>),
    Events(EventsRead),
}

impl Read {
    pub(super) fn write(&self, log: &mut TruthLog) -> io::Result<()> {
        match self {
            Self::Ids(of, when, ids) => log.ids(*of, *when, ids),
            Self::Ends(ends) => log.ends(ends),
            Self::Events(read) => log.events(read),
        }
    }
}

impl Delivery {
    /// Connects to the sources.
    pub(super) async fn open(sources: &plan::Delivery, base: &Base) -> Result<Self, ProbeError> {
        Ok(Self {
            outbox: open(sources.outbox.as_ref(), base).await?,
            events: sources.events.as_ref().map(EventReader::new).transpose()?,
            effects: open(sources.effects.as_ref(), base).await?,
        })
    }

    /// What is there before the load; a source that cannot be read now is an error.
    pub(super) async fn before(&self) -> Result<Vec<Read>, ProbeError> {
        let mut reads = Vec::new();
        if let Some(events) = &self.events {
            reads.push(Read::Ends(events.ends().await?));
        }
        for (of, probe) in [
            (IdsOf::Outbox, &self.outbox),
            (IdsOf::Effects, &self.effects),
        ] {
            if let Some(probe) = probe {
                reads.push(Read::Ids(of, When::Baseline, probe.ids().await?));
            }
        }
        Ok(reads)
    }

    /// What is there at rest, from the outbox to the effects: what is read at one place was read at
    /// the place before it.
    pub(super) async fn last(&self, clock: RunClock) -> Vec<Result<Read, ProbeError>> {
        let ids = |of| move |ids| Read::Ids(of, When::Last, ids);
        let mut reads = Vec::new();
        if let Some(outbox) = &self.outbox {
            reads.push(outbox.ids().await.map(ids(IdsOf::Outbox)));
        }
        if let Some(events) = &self.events {
            let read = events.read().await.map(|read| {
                let at_ns = clock.now_ns();
                Read::Events(EventsRead { at_ns, ..read })
            });
            reads.push(read);
        }
        if let Some(effects) = &self.effects {
            reads.push(effects.ids().await.map(ids(IdsOf::Effects)));
        }
        reads
    }

    /// Says goodbye to the sources.
    pub(super) async fn close(self) {
        for probe in [self.outbox, self.effects].into_iter().flatten() {
            probe.close().await;
        }
    }
}
