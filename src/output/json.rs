//! JSON lines: one object for each attempt or figure of a second, and for each moment beside them.

use std::io::{self, Write};

use serde::Serialize;

use super::Feed;
use super::attempt::{Attempt, Interval, Names, is_taken};
use super::file::Lines;
use super::sink::{Account, Cut, Sink};
use crate::history::{AlertChange, Moment};
use crate::measure::Second;
use crate::plan::OutputMode;

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    LoadStarted {
        unix_ns: u64,
    },
    Attempt(Attempt<'a>),
    Interval(Interval<'a>),
    Second {
        unix_ns: u64,
        #[serde(flatten)]
        line: &'a Second,
    },
    Fault {
        unix_ns: u64,
        fault: &'a str,
        occurrence: u32,
        #[serde(flatten)]
        moment: &'a Moment,
    },
    Alert {
        unix_ns: u64,
        #[serde(flatten)]
        change: &'a AlertChange,
    },
    Stock {
        unix_ns: u64,
        remaining: i64,
    },
    LoadEnded {
        unix_ns: u64,
    },
}

/// Writes them.
pub(super) struct JsonLines {
    pub(super) lines: Lines,
    pub(super) mode: OutputMode,
    pub(super) names: Names,
}

impl Sink for JsonLines {
    fn take(&mut self, feed: &Feed) {
        match feed {
            Feed::LoadStarted { at_ns } => self.names.load_ns = *at_ns,
            Feed::Fault(mark) => self.names.regimes.take(mark),
            _ => {}
        }
        let Self { lines, mode, names } = self;
        each_line(feed, *mode, names, |line| {
            lines.write(1, |out| {
                serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
                out.write_all(b"\n")
            });
        });
    }

    fn tick(&mut self) {
        self.lines.flush();
    }

    fn dropped(&self) -> u64 {
        self.lines.dropped()
    }

    fn finish(self: Box<Self>, _: &Cut) -> Account {
        self.lines.finish()
    }
}

/// How many lines the piece makes.
pub(super) fn weigh(feed: &Feed, mode: OutputMode, names: &Names) -> u64 {
    let mut lines = 0;
    each_line(feed, mode, names, |_| lines += 1);
    lines
}

fn each_line(feed: &Feed, mode: OutputMode, names: &Names, mut then: impl FnMut(Line<'_>)) {
    let unix_ns = |at_ns: u64| names.origin_ns + at_ns;
    match feed {
        Feed::LoadStarted { at_ns } => then(Line::LoadStarted {
            unix_ns: unix_ns(*at_ns),
        }),
        Feed::LoadEnded { at_ns } => then(Line::LoadEnded {
            unix_ns: unix_ns(*at_ns),
        }),
        Feed::Operations {
            operations, parts, ..
        } => {
            let all = std::iter::zip(operations, parts);
            for (operation, parts) in all.filter(|(operation, _)| is_taken(mode, operation)) {
                then(Line::Attempt(names.attempt(operation, parts)));
            }
        }
        Feed::Second { line, histograms } => {
            then(Line::Second {
                unix_ns: names.second_ns(line.t),
                line,
            });
            for (id, histogram) in histograms {
                if let Some(interval) = names.interval(line.t, *id, histogram) {
                    then(Line::Interval(interval));
                }
            }
        }
        Feed::Fault(mark) => {
            let fault = names.plan.faults.get(usize::from(mark.fault));
            then(Line::Fault {
                unix_ns: unix_ns(mark.at_ns),
                fault: fault.map_or("?", |fault| &fault.name),
                occurrence: mark.occurrence,
                moment: &mark.moment,
            });
        }
        Feed::Alert(mark) => then(Line::Alert {
            unix_ns: unix_ns(mark.at_ns),
            change: &mark.change,
        }),
        Feed::Remaining { at_ns, remaining } => then(Line::Stock {
            unix_ns: unix_ns(*at_ns),
            remaining: *remaining,
        }),
    }
}
