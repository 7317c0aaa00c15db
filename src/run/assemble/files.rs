//! Reads back what a run has left in its directory.

use std::io;

use super::resources::{self, FromOutside};
use super::stock::Left;
use super::{alerts, faults};
use crate::check::Observations;
use crate::measure::alert::Watched;
use crate::measure::fault::Measured;
use crate::measure::scalability::Scaling;
use crate::measure::{Second, Totals, Windows, intervals, read_intervals, read_seconds};
use crate::plan::Plan;
use crate::probe::read_truth;
use crate::report::Sample;
use crate::run::RunDirectory;
use crate::run::event::{Event, read_events};
use crate::run::guard::Generator;

/// Points of the chart.
const SAMPLES: u64 = 600;

/// The evidence in memory; its size does not grow with the run but for the issued rows.
pub(super) struct Files {
    pub(super) events: Vec<Event>,
    pub(super) totals: Totals,
    pub(super) windows: Windows,
    pub(super) scaling: Scaling,
    pub(super) samples: Vec<Sample>,
    pub(super) generator: Generator,
    pub(super) seconds: u64,
    pub(super) cpu: f64,
    pub(super) resident_max: u64,
    pub(super) truth: Observations,
    pub(super) outside: FromOutside,
    /// `None`: no alerts were watched.
    pub(super) alerts: Option<Watched>,
    /// By fault and occurrence.
    pub(super) faults: Vec<Measured>,
}

impl Files {
    pub(super) fn read(directory: &RunDirectory, plan: &Plan) -> io::Result<Self> {
        // A run that was killed early has not all files; what is missing is empty.
        let events = or_empty(read_events(&directory.events_file()))?;
        let mut totals = or_empty(read_intervals(&directory.intervals_file()))?;
        totals.dropped = vec![0; plan.phases.len()];
        let truth = or_empty(read_truth(directory.path()))?;
        let mut files = Self {
            events,
            totals,
            windows: or_new(windows(directory, plan), plan)?,
            scaling: Scaling::new(plan),
            samples: Vec::new(),
            generator: Generator::default(),
            seconds: 0,
            cpu: 0.0,
            resident_max: 0,
            truth,
            outside: FromOutside::default(),
            alerts: None,
            faults: Vec::new(),
        };
        let path = directory.seconds_file();
        if path.exists() {
            let total = read_seconds(&path)?.count() as u64;
            let every = total.div_ceil(SAMPLES).max(1);
            let mut left = Left::new(plan, &files.truth.remaining, files.start_ns());
            for second in read_seconds(&path)? {
                left.second(plan, &second);
                files.second(&second, every, &left);
            }
        }
        let every = files.seconds.div_ceil(SAMPLES).max(1);
        let outside = resources::read(directory, plan, files.start_ns(), every);
        files.outside = or_empty(outside)?;
        files.alerts = alerts::read(&files.events);
        files.faults = faults::read(directory, plan, &files)?;
        Ok(files)
    }

    /// When the load began; a run that came to none has measured nothing either.
    pub(super) fn start_ns(&self) -> u64 {
        let started = self.events.iter().find_map(|event| match event {
            Event::LoadStarted { at_ns, .. } => Some(*at_ns),
            _ => None,
        });
        started.unwrap_or_default()
    }

    fn second(&mut self, second: &Second, every: u64, left: &Left) {
        self.seconds += 1;
        self.cpu += second.generator_cpu;
        self.resident_max = self.resident_max.max(second.resident_bytes);
        self.generator.second(second);
        self.scaling.second(second);
        self.totals.data_sent += second.data_sent;
        self.totals.data_received += second.data_received;
        self.totals.vus = second.vus;
        self.totals.vus_max = self.totals.vus_max.max(second.vus);
        let end = second.t as f64 + second.length_s;
        self.totals.elapsed = std::time::Duration::from_secs_f64(end);
        for (phase, count) in &second.dropped {
            if let Some(dropped) = self.totals.dropped.get_mut(usize::from(*phase)) {
                *dropped += count;
            }
        }
        // A last fraction of a second says little about a rate.
        let whole = second.length_s >= 0.5 || self.seconds == 1;
        if whole && second.t.is_multiple_of(every) {
            self.samples.push(Sample {
                remaining: left.read_by(end),
                stock_minus_confirmed: left.unconfirmed(),
                ..sample(second)
            });
        }
    }
}

/// Goes through the seconds again as the collector did.
fn windows(directory: &RunDirectory, plan: &Plan) -> io::Result<Windows> {
    let mut windows = Windows::new(plan);
    // A threshold over the whole run needs no second look at the file.
    if plan
        .thresholds
        .iter()
        .all(|threshold| threshold.windows.is_none())
    {
        return Ok(windows);
    }
    let (seconds_file, intervals_file) = (directory.seconds_file(), directory.intervals_file());
    let mut seconds = read_seconds(&seconds_file)?.peekable();
    for interval in intervals(&intervals_file)? {
        let interval = interval?;
        while let Some(second) = seconds.next_if(|second| second.t < interval.start.as_secs()) {
            windows.second(plan, &second);
        }
        windows.add(plan, interval.start, interval.id, &interval.histogram);
    }
    seconds.for_each(|second| windows.second(plan, &second));
    windows.finish(plan);
    Ok(windows)
}

fn or_new(read: io::Result<Windows>, plan: &Plan) -> io::Result<Windows> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Windows::new(plan)),
        read => read,
    }
}

fn or_empty<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => read,
    }
}

fn sample(second: &Second) -> Sample {
    let length = second.length_s.max(1e-3);
    let per_second = |(name, count): (&String, &u64)| (name.clone(), *count as f64 / length);
    Sample {
        t_s: second.t as f64,
        rps: second.requests as f64 / length,
        vus: second.vus,
        p50_ms: second.p50_ms,
        p95_ms: second.p95_ms,
        p99_ms: second.p99_ms,
        outcomes: second.outcomes.iter().map(per_second).collect(),
        remaining: None,
        stock_minus_confirmed: None,
    }
}
