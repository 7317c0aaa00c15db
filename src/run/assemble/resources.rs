//! What was measured from outside: the figures of each source, and what thresholds make of them.

use std::collections::BTreeMap;
use std::io;

use crate::measure::{
    Follow, Levels, Nature, Quantity, ResourceKind, ResourceLine, Resources, Told, read_resources,
};
use crate::plan::Plan;
use crate::report::{IncreaseFigures, LevelFigures, ResourceSample, ResourceSummary};
use crate::run::RunDirectory;

/// What the chart shows.
const CHARTED: [Quantity; 6] = [
    Quantity::CpuNs,
    Quantity::Connections,
    Quantity::RowLockWaits,
    Quantity::Queries,
    Quantity::Commands,
    Quantity::ConsumerLag,
];

const SECOND_NS: f64 = 1e9;

/// What the file of a run holds; empty for a run without one.
#[derive(Debug, Default)]
pub(super) struct FromOutside {
    pub(super) judged: Resources,
    pub(super) summaries: Vec<ResourceSummary>,
}

/// Reads the file once, with memory for the figures only. `every` is how many seconds a point of
/// the chart stands for.
pub(super) fn read(
    directory: &RunDirectory,
    plan: &Plan,
    start_ns: u64,
    every: u64,
) -> io::Result<FromOutside> {
    let mut judged = Resources::new(plan, start_ns);
    let mut sources = Sources {
        start_ns,
        every,
        follow: Follow::default(),
        known: Vec::new(),
    };
    for line in read_resources(&directory.resources_file())? {
        judged.line(&line);
        sources.line(&line);
    }
    judged.finish();
    let summaries = sources.finish();
    Ok(FromOutside { judged, summaries })
}

struct Sources {
    start_ns: u64,
    every: u64,
    follow: Follow,
    /// In the order of the file, which is that of the report.
    known: Vec<Source>,
}

/// One source, so far.
struct Source {
    kind: ResourceKind,
    summary: ResourceSummary,
    levels: BTreeMap<Quantity, Levels>,
    increases: BTreeMap<Quantity, Increases>,
}

#[derive(Default)]
struct Increases {
    sum: u64,
    covered_ns: u64,
    /// Of each rate, by the time that it was over.
    max_rate: f64,
}

impl Sources {
    fn line(&mut self, line: &ResourceLine) {
        let at = self.place(&line.source, line.kind);
        let (start_ns, every) = (self.start_ns, self.every);
        let source = &mut self.known[at];
        let mut values = BTreeMap::new();
        self.follow.line(line, |quantity, told| {
            source.take(quantity, told);
            let value = match told {
                Told::Level { value, .. } => value as f64,
                Told::Rate { per_second, .. } => per_second,
                Told::Increase { .. } => return,
            };
            if CHARTED.contains(&quantity) {
                values.insert(quantity.metric().to_owned(), value);
            }
        });
        source.count(line);
        // As for the other points: one in so many seconds, as it was.
        let t_s = (line.at_ns as f64 - start_ns as f64) / SECOND_NS;
        if (t_s.max(0.0).round() as u64).is_multiple_of(every) {
            let samples = &mut source.summary.samples;
            samples.push(ResourceSample { t_s, values });
        }
    }

    fn place(&mut self, name: &str, kind: ResourceKind) -> usize {
        let is_it = |one: &Source| one.summary.source == name && one.kind == kind;
        let known = self.known.iter().position(is_it);
        known.unwrap_or_else(|| {
            self.known.push(Source::new(name, kind));
            self.known.len() - 1
        })
    }

    fn finish(self) -> Vec<ResourceSummary> {
        let mut known = self.known;
        self.follow.finish(|name, kind, quantity, told| {
            let mut same = known.iter_mut();
            let source = same.find(|one| one.summary.source == name && one.kind == kind);
            if let Some(source) = source {
                source.take(quantity, told);
            }
        });
        known.into_iter().map(Source::finish).collect()
    }
}

impl Source {
    fn new(name: &str, kind: ResourceKind) -> Self {
        Self {
            kind,
            summary: ResourceSummary {
                source: name.to_owned(),
                kind: kind.name().to_owned(),
                ..ResourceSummary::default()
            },
            levels: BTreeMap::new(),
            increases: BTreeMap::new(),
        }
    }

    fn count(&mut self, line: &ResourceLine) {
        match &line.gap {
            None => self.summary.readings += 1,
            Some(why) => {
                self.summary.gaps += 1;
                self.summary.gap = Some(why.clone());
            }
        }
    }

    fn take(&mut self, quantity: Quantity, told: Told) {
        match told {
            Told::Level { value, .. } => {
                self.levels.entry(quantity).or_default().add(value as f64);
            }
            Told::Rate { per_second, .. } => {
                if quantity.nature() == Nature::Work {
                    self.levels.entry(quantity).or_default().add(per_second);
                }
                let increases = self.increases.entry(quantity).or_default();
                increases.max_rate = increases.max_rate.max(per_second);
            }
            Told::Increase {
                from_ns, to_ns, by, ..
            } => {
                let increases = self.increases.entry(quantity).or_default();
                increases.sum += by;
                increases.covered_ns += to_ns.saturating_sub(from_ns);
            }
        }
    }

    fn finish(mut self) -> ResourceSummary {
        for (quantity, levels) in &self.levels {
            let figures = self.level(*quantity, levels);
            let levels = &mut self.summary.levels;
            levels.extend(figures.map(|figures| (quantity.metric().to_owned(), figures)));
        }
        for (quantity, increases) in &self.increases {
            if quantity.nature() == Nature::Total && increases.covered_ns > 0 {
                let figures = IncreaseFigures {
                    increase: increases.sum,
                    rate: increases.rate(),
                    max_rate: increases.max_rate,
                };
                let counters = &mut self.summary.counters;
                counters.insert(quantity.metric().to_owned(), figures);
            }
        }
        self.summary
    }

    fn level(&self, quantity: Quantity, levels: &Levels) -> Option<LevelFigures> {
        let work = self.increases.get(&quantity);
        let work = work.filter(|work| quantity.nature() == Nature::Work && work.covered_ns > 0);
        // Readings may be unevenly apart, and what was worked between them is known exactly.
        let mean = work.map(|work| work.rate() / SECOND_NS);
        Some(LevelFigures {
            min: levels.min()?,
            mean: mean.or_else(|| levels.mean())?,
            max: levels.max()?,
        })
    }
}

impl Increases {
    fn rate(&self) -> f64 {
        self.sum as f64 / (self.covered_ns as f64 / SECOND_NS)
    }
}

/// One sentence for each source that was silent.
pub(super) fn warnings(summaries: &[ResourceSummary]) -> Vec<String> {
    let silent = summaries.iter().filter(|one| one.gaps > 0);
    let sentence = |one: &ResourceSummary| {
        let ResourceSummary {
            source, kind, gaps, ..
        } = one;
        let all = gaps + one.readings;
        let why = one.gap.as_deref().unwrap_or_default();
        format!("`{source}` ({kind}) was not measured {gaps} of {all} times: {why}")
    };
    silent.map(sentence).collect()
}
