//! Reads what is measured from outside, once a second beside the load, and writes it down.
//!
//! ```text
//! before |0s     1s     2s ...      | after     (of the load; each a reading of all sources)
//! ```
//! What a consumer group has not read yet is read on until the rows have settled.
//!
//! It runs on the main thread and waits for nothing but its sources, each of which has less time than
//! lies between two readings. A source that does not answer is a gap, which is written too.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep_until;

use crate::load::RunClock;
use crate::measure::{Quantities, ResourceKind, ResourceLine, ResourceLog};
use crate::plan::{HARNESS, Mask, Process, Resource, ResourceOf};
use crate::probe::outside::{Answer, Meters};

/// How often all sources are read.
const EVERY: Duration = Duration::from_secs(1);

/// How long sources may take until they can answer at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long one source may take.
const WITHIN: Duration = Duration::from_millis(900);

/// The sources and the file that their answers go to.
pub(super) struct Sampler {
    meters: Meters,
    log: ResourceLog,
    clock: RunClock,
    mask: Mask,
}

impl Sampler {
    /// Creates the file. The harness is measured with all the others; files of process ids are
    /// relative to `scenario`.
    pub(super) fn create(
        file: &Path,
        resources: &[Resource],
        scenario: &Path,
        clock: RunClock,
        mask: Mask,
    ) -> io::Result<Self> {
        let harness = Resource {
            name: HARNESS.to_owned(),
            of: ResourceOf::Process(Process::Harness),
        };
        let all: Vec<Resource> = [harness]
            .into_iter()
            .chain(resources.iter().cloned())
            .collect();
        Ok(Self {
            meters: Meters::new(&all, scenario),
            log: ResourceLog::create(file)?,
            clock,
            mask,
        })
    }

    /// Waits, for some seconds at most, until all sources can answer at once.
    pub(super) async fn connect(&mut self) {
        self.meters.connect(CONNECT_WITHIN).await;
    }

    /// Reads beside what comes after the load, and once behind it, only how far consumers are
    /// behind: all else is measured of the load alone.
    pub(super) async fn beside<T>(mut self, rest: impl Future<Output = T>) -> T {
        self.meters.retain(ResourceKind::Kafka);
        let from_ns = self.clock.now_ns();
        let ended = tokio::select! {
            ended = rest => ended,
            never = self.every_second(from_ns) => match never {},
        };
        self.read().await;
        ended
    }

    /// Reads all sources now, and says which of them did not answer.
    pub(super) async fn read(&mut self) -> Vec<String> {
        let clock = self.clock;
        let answers = self.meters.read(WITHIN, || clock.now_ns()).await;
        let lines = answers.into_iter().map(|answer| self.line(answer));
        let lines: Vec<ResourceLine> = lines.collect();
        // What the disk does not take is a gap, too: no reading.
        let _ = self.log.append(&lines);
        let gap = |line: ResourceLine| Some(format!("{}: {}", line.source, line.gap?));
        lines.into_iter().filter_map(gap).collect()
    }

    /// Reads at each whole second of the load, until it is dropped. A second in which the last
    /// reading is still under way is left out.
    pub(super) async fn every_second(&mut self, start_ns: u64) -> Infallible {
        let every_ns = EVERY.as_nanos() as u64;
        loop {
            let passed = self.clock.now_ns().saturating_sub(start_ns) / every_ns;
            let next_ns = start_ns + (passed + 1) * every_ns;
            sleep_until(self.clock.instant(next_ns)).await;
            self.read().await;
        }
    }

    fn line(&self, answer: Answer) -> ResourceLine {
        let (values, gap) = match answer.values {
            Ok(values) => (values, None),
            Err(words) => (Quantities::new(), Some(self.mask.hide(&words))),
        };
        ResourceLine {
            at_ns: answer.at_ns,
            source: answer.source,
            kind: answer.kind,
            values,
            gap,
        }
    }
}
