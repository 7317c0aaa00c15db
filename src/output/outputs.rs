//! All outputs of a run: started with it, fed by it, and waited for at its end.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::attempt::Names;
use super::csv::{self, Rows};
use super::file::Lines;
use super::json::{self, JsonLines};
use super::prometheus::{self, Page, RemoteWriter};
use super::sink::{self, Account, Cut, Lane, Losses, Sink, Weigh};
use super::{Feed, influxdb};
use crate::load::RunClock;
use crate::plan::Plan;

/// Notes that may wait to be shown; what is beyond is in the report only.
const WAITING_NOTES: usize = 64;

/// Gives pieces of the run to all outputs. Copies give to the same.
#[derive(Clone)]
pub struct Feeder {
    /// `None`: there is no output.
    lanes: Option<Arc<[Lane]>>,
}

impl Feeder {
    /// Where there is no output.
    pub const fn to_nobody() -> Self {
        Self { lanes: None }
    }

    /// Whether anybody takes anything; without it, no piece needs to be made.
    pub const fn is_wanted(&self) -> bool {
        self.lanes.is_some()
    }

    /// Gives a piece to every output that has a place for it. Never waits.
    pub fn feed(&self, feed: impl FnOnce() -> Feed) {
        if let Some(lanes) = &self.lanes {
            let feed = Arc::new(feed());
            lanes.iter().for_each(|lane| lane.give(&feed));
        }
    }
}

/// The outputs of one run. Dropped without [`Self::finish`], they end at once.
pub struct Outputs {
    feeder: Feeder,
    threads: Vec<(String, JoinHandle<Account>)>,
    notes: Option<mpsc::Receiver<String>>,
    cut: Cut,
}

impl Outputs {
    /// Starts one thread for each output of the plan.
    ///
    /// `listener` has the port of the page for Prometheus, if there is to be one.
    ///
    /// # Errors
    /// When a file cannot be created or a thread not be started.
    pub fn start(
        plan: &Arc<Plan>,
        clock: RunClock,
        directory: &Path,
        listener: Option<TcpListener>,
    ) -> io::Result<Self> {
        let (notes, told) = mpsc::channel(WAITING_NOTES);
        let mut starting = Starting {
            lanes: Vec::new(),
            losses: Losses::default(),
            outputs: Self {
                feeder: Feeder { lanes: None },
                threads: Vec::new(),
                notes: Some(told),
                cut: Cut::default(),
            },
        };
        let names = Names::new(Arc::clone(plan), clock.unix_ns());
        if let Some(json) = &plan.outputs.json {
            let sink = JsonLines {
                lines: Lines::create("json", directory, &json.file)?,
                mode: json.mode,
                names: names.clone(),
            };
            let (mode, names) = (json.mode, names.clone());
            let weigh = Box::new(move |feed: &Feed| json::weigh(feed, mode, &names));
            starting.add("json", Box::new(sink), weigh)?;
        }
        if let Some(csv) = &plan.outputs.csv {
            let lines = Lines::create("csv", directory, &csv.file)?;
            let sink = Rows::new(lines, csv.mode, names.clone());
            let mode = csv.mode;
            let weigh = Box::new(move |feed: &Feed| csv::weigh(feed, mode));
            starting.add("csv", Box::new(sink), weigh)?;
        }
        let cut = starting.outputs.cut.clone();
        let run = influxdb::Run {
            directory,
            notes: &notes,
            cut: &cut,
        };
        for (number, of) in (1..).zip(&plan.outputs.influxdb) {
            let (sink, weigh) = influxdb::open(number, of, names.clone(), &run)?;
            starting.add("influxdb", sink, weigh)?;
        }
        let testid = directory.file_name().unwrap_or_default();
        let testid = testid.to_string_lossy();
        starting.prometheus(plan, clock, &testid, listener, &notes)?;
        Ok(starting.done())
    }

    /// What gives to them.
    pub fn handle(&self) -> Feeder {
        self.feeder.clone()
    }

    /// What outputs say while the run goes on, once: it ends when no output says anything any more.
    pub fn notes(&mut self) -> Option<mpsc::Receiver<String>> {
        self.notes.take()
    }

    /// What ends [`Self::finish`] early.
    pub fn cut(&self) -> Cut {
        self.cut.clone()
    }

    /// Waits until everything is written, given up, or cut; what each came to.
    pub fn finish(mut self) -> Vec<Account> {
        self.end()
    }

    fn end(&mut self) -> Vec<Account> {
        let lanes = self.feeder.lanes.take();
        for lane in lanes.iter().flat_map(|lanes| lanes.iter()) {
            lane.end();
        }
        let threads = self.threads.drain(..);
        let joined = threads.map(|(name, thread)| {
            thread.join().unwrap_or_else(|_| Account {
                name,
                last_error: Some("it panicked: what it has written is not known".to_owned()),
                ..Account::default()
            })
        });
        joined.collect()
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.cut.ask();
        self.end();
    }
}

/// A start under way: what was started is ended if something after it fails.
struct Starting {
    lanes: Vec<Lane>,
    losses: Losses,
    outputs: Outputs,
}

impl Starting {
    fn add(&mut self, name: &str, sink: Box<dyn Sink>, weigh: Weigh) -> io::Result<()> {
        let cut = self.outputs.cut.clone();
        let (lane, thread) = sink::start(name, sink, weigh, cut, &self.losses)?;
        self.lanes.push(lane);
        self.outputs.threads.push((name.to_owned(), thread));
        Ok(())
    }

    fn prometheus(
        &mut self,
        plan: &Arc<Plan>,
        clock: RunClock,
        testid: &str,
        listener: Option<TcpListener>,
        notes: &mpsc::Sender<String>,
    ) -> io::Result<()> {
        let losses = self.losses.clone();
        let shared = || prometheus::Shared::new(plan, testid, losses.clone());
        if let Some(listener) = listener {
            let page = Page::start(listener, shared())?;
            self.add("prometheus", Box::new(page), Box::new(prometheus::weigh))?;
        }
        if let Some(to) = &plan.outputs.prometheus.remote_write {
            let writer = RemoteWriter::start(to, &plan.mask, testid, clock, shared(), notes)?;
            let weigh = Box::new(prometheus::weigh);
            self.add("remote-write", Box::new(writer), weigh)?;
        }
        Ok(())
    }

    fn done(self) -> Outputs {
        let Self {
            lanes, mut outputs, ..
        } = self;
        outputs.feeder.lanes = (!lanes.is_empty()).then(|| lanes.into());
        outputs
    }
}
