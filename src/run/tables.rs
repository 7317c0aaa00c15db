//! Reads the tables of the truth that are read whole: before the load, and once the system is quiet.

use super::truth::{Base, open};
use crate::check::{TableRead, TableRows};
use crate::load::RunClock;
use crate::plan::{self, Table};
use crate::probe::{Probe, ProbeError};

/// The open sources.
pub(super) struct Tables {
    open: Vec<(Table, Probe)>,
}

impl Tables {
    /// Connects to the sources.
    pub(super) async fn open(sources: &plan::Tables, base: &Base) -> Result<Self, ProbeError> {
        let mut all = Vec::new();
        for table in Table::ALL {
            if let Some(probe) = open(sources.of(table), base).await? {
                all.push((table, probe));
            }
        }
        Ok(Self { open: all })
    }

    /// Whether there is nothing to read.
    pub(super) const fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// All rows of each: the ledger before the balances that follow from it.
    pub(super) async fn read(
        &self,
        clock: RunClock,
    ) -> Vec<Result<(Table, TableRead), ProbeError>> {
        let mut reads = Vec::with_capacity(self.open.len());
        for (table, probe) in &self.open {
            let read = probe.table(*table).await.map(|rows| {
                let at_ns = clock.now_ns();
                (*table, TableRead { at_ns, rows })
            });
            reads.push(read);
        }
        reads
    }

    /// What reads that found nothing would say.
    pub(super) fn nothing(&self) -> impl Iterator<Item = (Table, TableRead)> {
        self.open.iter().map(|(table, _)| {
            let (at_ns, rows) = (0, TableRows::default());
            (*table, TableRead { at_ns, rows })
        })
    }

    /// How many rows there are in all; `None` if one of them cannot be asked.
    pub(super) async fn count(&self) -> Option<u64> {
        let mut rows = 0;
        for (_, probe) in &self.open {
            rows += probe.count().await.ok()?;
        }
        Some(rows)
    }

    /// Says goodbye to the sources.
    pub(super) async fn close(self) {
        for (_, probe) in self.open {
            probe.close().await;
        }
    }
}
