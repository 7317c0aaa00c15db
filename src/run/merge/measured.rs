//! Adds up what all segments have measured, second by second of the load, which began at the same
//! moment in all of them. Histograms are added and percentiles are those of the sum; memory holds one
//! second.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::iter::Peekable;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::parts::Part;
use crate::measure::{Interval, IntervalLog, Second, SecondLog, SeriesId, intervals, read_seconds};
use crate::plan::Plan;
use crate::run::RunDirectory;
use crate::run::second::measured;

type Intervals = Peekable<Box<dyn Iterator<Item = io::Result<Interval>>>>;
type Seconds = Peekable<Box<dyn Iterator<Item = Second>>>;

pub(super) fn write(parts: &[Part], plan: &Plan, directory: &RunDirectory) -> io::Result<()> {
    let mut log = IntervalLog::create(&directory.intervals_file())?;
    let mut lines = SecondLog::create(&directory.seconds_file())?;
    let intervals = parts
        .iter()
        .map(|part| open(&part.directory.intervals_file(), intervals));
    let mut intervals: Vec<Intervals> = intervals.collect::<io::Result<_>>()?;
    let seconds = parts
        .iter()
        .map(|part| open(&part.directory.seconds_file(), read_seconds));
    let mut seconds: Vec<Seconds> = seconds.collect::<io::Result<_>>()?;
    while let Some(t) = next(&mut intervals, &mut seconds)? {
        let mut histograms = BTreeMap::new();
        for one in &mut intervals {
            add_all(one, t, &mut histograms)?;
        }
        let length = Duration::from_secs(1);
        for (id, histogram) in &histograms {
            log.append(Duration::from_secs(t), length, *id, histogram)?;
        }
        let of_parts = seconds.iter_mut();
        let of_parts = of_parts.filter_map(|one| one.next_if(|second| second.t == t));
        if let Some(sum) = of_parts.reduce(sum) {
            lines.append(&Second {
                length_s: sum.length_s,
                vus: sum.vus,
                dropped: sum.dropped,
                data_sent: sum.data_sent,
                data_received: sum.data_received,
                generator_cpu: sum.generator_cpu,
                busiest_thread: sum.busiest_thread,
                resident_bytes: sum.resident_bytes,
                ..measured(plan, t, &histograms)
            })?;
        }
    }
    log.flush()
}

/// A segment that was killed early has not all files.
fn open<T: 'static, I: Iterator<Item = T> + 'static>(
    path: &Path,
    read: impl Fn(&Path) -> io::Result<I>,
) -> io::Result<Peekable<Box<dyn Iterator<Item = T>>>> {
    let items: Box<dyn Iterator<Item = T>> = if fs::exists(path)? {
        Box::new(read(path)?)
    } else {
        Box::new(std::iter::empty())
    };
    Ok(items.peekable())
}

/// The earliest second that any of them still has. The drain phase comes last and begins at 0 again.
fn next(intervals: &mut [Intervals], seconds: &mut [Seconds]) -> io::Result<Option<u64>> {
    let mut first: Option<u64> = None;
    let mut see = |t: u64| first = Some(first.map_or(t, |first| first.min(t)));
    for one in intervals {
        match one.peek() {
            Some(Ok(interval)) => see(interval.start.as_secs()),
            // What is damaged is told by who takes it.
            Some(Err(_)) => {
                if let Some(Err(error)) = one.next() {
                    return Err(error);
                }
            }
            None => {}
        }
    }
    for second in seconds.iter_mut().filter_map(Peekable::peek) {
        see(second.t);
    }
    Ok(first)
}

/// Takes what one segment has of this second.
fn add_all(
    intervals: &mut Intervals,
    t: u64,
    histograms: &mut BTreeMap<SeriesId, Histogram<u64>>,
) -> io::Result<()> {
    let is_of_it =
        |item: &io::Result<Interval>| item.as_ref().map_or(true, |one| one.start.as_secs() == t);
    while let Some(item) = intervals.next_if(is_of_it) {
        let Interval { id, histogram, .. } = item?;
        // What is read back has the size of what was written, and does not grow.
        let sum = histograms.entry(id).or_insert_with(|| {
            Histogram::new(id.trend.digits()).expect("2 and 3 digits are valid")
        });
        sum.add(&histogram)
            .expect("a histogram that grows takes every value");
    }
    Ok(())
}

/// What is no histogram: sums, and of the busiest thread the busiest.
fn sum(mut one: Second, other: Second) -> Second {
    one.length_s = one.length_s.max(other.length_s);
    one.vus += other.vus;
    for (phase, count) in other.dropped {
        *one.dropped.entry(phase).or_default() += count;
    }
    one.data_sent += other.data_sent;
    one.data_received += other.data_received;
    one.generator_cpu += other.generator_cpu;
    one.busiest_thread = one.busiest_thread.max(other.busiest_thread);
    one.resident_bytes += other.resident_bytes;
    one
}
