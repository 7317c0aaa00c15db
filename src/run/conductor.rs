//! One run from the scenario to the evidence on disk: stack, baseline, load, drain, truth, end.
//!
//! ```text
//! stack ready -> before -> baseline -> load ----------------> settle -> drain -> settle -> last read -> second read -> after
//!                                       | faults, readings, progress, abort, Ctrl-C
//! ```
//! Everything that is learnt goes to the run directory at once; the verdict is made from there.

mod after;

pub(super) use after::patiently;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use tokio::sync::{mpsc, watch};

use super::RunDirectory;
use super::alerts::AlertWatch;
use super::collector::{Collector, OtherProcess, WAITING_BATCHES};
use super::error::{RunError, failed_to};
use super::event::{Event, EventLog};
use super::faults;
use super::generator::{self, Generator};
use super::interrupt::Interrupts;
use super::prepare::Prepared;
use super::resources;
use super::sampler::Sampler;
use super::segment::users_taken;
use super::setup::Errands;
use super::start::StartAt;
use super::truth::{Base, Truth, Watch};
use crate::check::Reading;
use crate::fault::{self, Arsenal, Faults, Guard, Leases};
use crate::history::FaultMark;
use crate::load::{Files, Identities, Job, Records, RunClock, Stop};
use crate::output::{Feed, Feeder, Live, Outputs, Progress};
use crate::plan::{Overrides, Plan};
use crate::probe::TruthLog;
use crate::scenario::Written;
use crate::stack::Ready;

/// What faults say that may wait to be shown; what is beyond is in the report only.
const MARKS_WAITING: usize = 256;

/// What to run, and where to.
#[derive(Debug)]
pub struct Request<'a> {
    /// What to run.
    pub plan: Plan,
    /// The scenario as it was written.
    pub written: &'a Written,
    /// What the command line changed.
    pub overrides: &'a Overrides,
    /// Where the evidence goes; `None`: a new directory under `reports/`.
    pub out: Option<&'a Path>,
    /// Load threads; `None`: one for each core, or for every second core beside a bundled server.
    pub threads: Option<usize>,
    /// Addresses of this machine that connections of the load come from, in turn; none: as many of
    /// loopback as they need, or as the system chooses.
    pub local_addresses: Vec<IpAddr>,
    /// When the load begins; `None`: as soon as all is ready. A segment needs it.
    pub start_at: Option<StartAt>,
    /// Whether progress is shown.
    pub quiet: bool,
}

impl Request<'_> {
    /// Where the scenario's own files are.
    pub(super) fn directory(&self) -> &Path {
        Path::new(&self.written.file_name)
            .parent()
            .unwrap_or(Path::new(""))
    }
}

/// Runs the plan. The run directory that is returned holds all evidence; judging it is the
/// caller's.
///
/// # Errors
/// When the load could not begin, or the evidence has no place.
pub async fn conduct(mut request: Request<'_>) -> Result<RunDirectory, RunError> {
    request.start_at.map_or(Ok(()), StartAt::is_to_come)?;
    let interrupts = Interrupts::listen().map_err(failed_to("listen to signals"))?;
    let mut waiting = interrupts.clone();
    let Prepared {
        records,
        files,
        sources,
        directory,
        clock,
        mut events,
        guard,
        progress,
        outputs,
    } = Prepared::new(&mut request, &mut waiting).await?;
    events.tell(outputs.handle());
    let stack = directory
        .stack()
        .map_err(failed_to("write to the run directory"))?;
    let mask = request.plan.mask.clone();
    let say = |text: &str| progress.note(&mask.hide(text));
    let start = async {
        fault::loss::is_possible(&request.plan).await?;
        Ready::start(&request.plan, &stack, request.directory(), &say).await
    };
    let ready = waiting.unless(1, start).await;
    let mut ready = ready.ok_or(RunError::Interrupted)??;
    ready.reached_from(&sources);
    let scenario = request.directory().to_owned();
    let plan = Arc::new(request.plan);
    let threads = request.threads;
    let threads = threads.unwrap_or_else(|| resources::threads(&plan));
    let (start_at, written, overrides) = (request.start_at, request.written, request.overrides);
    let ended = match events.try_clone() {
        Ok(own) => {
            let mut errands = Errands {
                plan: &plan,
                endpoints: &ready.endpoints,
                users: Identities::new(&plan, records.clone()),
                clock,
                interrupts: interrupts.clone(),
                progress: Rc::clone(&progress),
                events: own,
            };
            let mut slots = vec![None; plan.slots.len()];
            let prepared = errands.before(&mut slots).await;
            let common = Common {
                plan: Arc::clone(&plan),
                records,
                directory: directory.clone(),
                clock,
                events,
                interrupts,
                progress: Rc::clone(&progress),
                slots: slots.as_slice().into(),
                scenario,
                outputs,
                start_at,
                leases: guard.as_ref().map(Guard::leases),
            };
            let known = generator::Known {
                written,
                overrides,
                plan: &plan,
                clock,
                endpoints: &ready.endpoints,
                roots: &ready.roots,
                slots: &slots,
                threads,
                files,
            };
            let ended = match prepared {
                Ok(()) => common.run(&known, &ready).await,
                Err(error) => Err(error),
            };
            errands.after(&mut slots).await;
            ended
        }
        Err(error) => Err(failed_to("write to the run directory")(error)),
    };
    // A server that is not waited for is killed.
    waiting.unless(2, ready.stop()).await;
    if let Some(guard) = guard {
        guard.dismiss().await;
    }
    ended.map(|()| directory)
}

/// What a run is made of once its system is prepared.
struct Common {
    plan: Arc<Plan>,
    records: Option<Arc<Records>>,
    directory: RunDirectory,
    clock: RunClock,
    events: EventLog,
    interrupts: Interrupts,
    progress: Rc<Progress>,
    slots: Arc<[Option<String>]>,
    /// Where the scenario's own files are.
    scenario: PathBuf,
    /// What leaves the run while it goes on.
    outputs: Outputs,
    /// When the load begins, if not at once.
    start_at: Option<StartAt>,
    /// Where what is broken is written down, if anything is.
    leases: Option<Leases>,
}

impl Common {
    /// From the baseline to the last read of the truth.
    async fn run(self, known: &generator::Known<'_>, ready: &Ready) -> Result<(), RunError> {
        let mut waiting = self.interrupts.clone();
        let opening = Box::pin(Run::open(self, known, ready));
        let run = waiting.unless(1, opening).await;
        run.unwrap_or(Err(RunError::Interrupted))?
            .until_its_end(ready)
            .await
    }
}

/// Whether a threshold has ended the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aborted {
    No,
    Yes,
}

/// A run whose target is ready.
struct Run {
    plan: Arc<Plan>,
    records: Option<Arc<Records>>,
    directory: RunDirectory,
    clock: RunClock,
    threads: usize,
    files: Files,
    /// Until the load begins.
    generator: Option<generator::Ready>,
    events: EventLog,
    /// Until everything is fed.
    outputs: Option<Outputs>,
    truth: Truth,
    /// Until the load begins.
    alerts: Option<AlertWatch>,
    slots: Arc<[Option<String>]>,
    /// Where the scenario's own files are.
    scenario: PathBuf,
    /// When the load begins, if not at once.
    start_at: Option<StartAt>,
    /// Where what is broken is written down, if anything is.
    leases: Option<Leases>,
    interrupts: Interrupts,
    interrupt_noted: bool,
    progress: Rc<Progress>,
}

impl Run {
    async fn open(
        common: Common,
        known: &generator::Known<'_>,
        ready: &Ready,
    ) -> Result<Self, RunError> {
        let (plan, clock) = (common.plan, common.clock);
        let log = TruthLog::create(common.directory.path());
        let log = log.map_err(failed_to("write to the run directory"))?;
        let first = ready.endpoints.first();
        let base = Base {
            url: first.map(|endpoint| endpoint.url.to_string()),
            roots: ready.roots.clone(),
        };
        let sources = ready.truth.filled_in(&plan.slots, &common.slots);
        let sources = sources.map_err(RunError::TruthValue)?;
        let truth = Truth::open(&sources, base, log, clock, plan.mask.clone()).await?;
        let alerts = AlertWatch::open(&plan, &ready.roots, clock, &common.events).await?;
        let mut run = Self {
            scenario: common.scenario,
            start_at: common.start_at,
            leases: common.leases,
            threads: known.threads,
            files: known.files,
            generator: None,
            progress: common.progress,
            records: common.records,
            plan,
            directory: common.directory,
            clock,
            events: common.events,
            outputs: Some(common.outputs),
            truth,
            alerts,
            slots: common.slots,
            interrupts: common.interrupts,
            interrupt_noted: false,
        };
        let rows = run.truth.baseline().await?;
        if rows > 0 {
            let text = format!(
                "the truth held {rows} issued rows before the load, which count against the stock: reset the system before each run"
            );
            run.note(&Event::Warning { text });
        }
        let generator = generator::Ready::of(known).await;
        run.generator = Some(generator.map_err(failed_to("start the load"))?);
        Ok(run)
    }

    async fn until_its_end(mut self, ready: &Ready) -> Result<(), RunError> {
        let sampler = self.sampler(ready);
        let mut sampler = sampler.map_err(failed_to("write to the run directory"))?;
        let start_ns = self.begin(&mut sampler).await?;
        let (sink, batches) = sync_channel(WAITING_BATCHES);
        let (live, seen) = watch::channel(Live::default());
        let other = Arc::<OtherProcess>::default();
        let collector = self
            .collector(live, Arc::clone(&other))
            .map_err(failed_to("write to the run directory"))?;
        let collector = std::thread::Builder::new()
            .name("collector".to_owned())
            .spawn(move || collector.run(&batches))
            .map_err(failed_to("start the collector"))?;
        let job = Job {
            plan: Arc::clone(&self.plan),
            clock: self.clock,
            endpoints: ready.endpoints.clone().into(),
            sink,
            slots: Arc::clone(&self.slots),
            records: self.records.clone(),
            next_place: Arc::new(AtomicU64::new(0)),
        };
        let begun = self.generator.take().unwrap_or(generator::Ready::Native);
        let begun = begun.begin(&job, self.threads, self.files, start_ns, other);
        let loaded = match begun {
            Ok(engine) => {
                self.load(engine, (&job, start_ns), ready, seen, &mut sampler)
                    .await
            }
            Err(error) => Err(error),
        };
        let rest = self.after_the_load(job, loaded, collector, start_ns);
        sampler.beside(Box::pin(rest)).await
    }

    /// Reads the sources for the first time and waits until the load may begin; when it does.
    async fn begin(&self, sampler: &mut Sampler) -> Result<u64, RunError> {
        let mut interrupts = self.interrupts.clone();
        interrupts.unless(1, sampler.connect()).await;
        for gap in sampler.read().await {
            self.progress.note(&format!("not measured: {gap}"));
        }
        let Some(start_at) = self.start_at else {
            return Ok(self.clock.now_ns());
        };
        let say = |text: &str| self.progress.note(text);
        let waited = interrupts.unless(1, start_at.wait(self.clock, &say)).await;
        waited.unwrap_or(Err(RunError::Interrupted))
    }

    fn collector(
        &self,
        live: watch::Sender<Live>,
        other: Arc<OtherProcess>,
    ) -> io::Result<Collector> {
        let events = self.events.try_clone()?;
        let threads = generator::recorders(&self.plan, self.threads);
        Collector::create(
            Arc::clone(&self.plan),
            (threads, other),
            &self.directory,
            events,
            self.feeder(),
            live,
        )
    }

    /// What gives to the outputs.
    fn feeder(&self) -> Feeder {
        let outputs = self.outputs.as_ref();
        outputs.map_or_else(Feeder::to_nobody, Outputs::handle)
    }

    /// What the run brings up is measured, and what the scenario names.
    fn sampler(&self, ready: &Ready) -> io::Result<Sampler> {
        let mut resources = ready.outside();
        resources.extend(self.plan.resources.iter().cloned());
        let file = self.directory.resources_file();
        let mask = self.plan.mask.clone();
        Sampler::create(&file, &resources, &self.scenario, self.clock, mask)
    }

    /// The load part, until the last iteration has ended.
    async fn load(
        &mut self,
        mut engine: Generator,
        (job, start_ns): (&Job, u64),
        ready: &Ready,
        mut live: watch::Receiver<Live>,
        sampler: &mut Sampler,
    ) -> io::Result<Aborted> {
        let mut interrupts = self.interrupts.clone();
        self.note(&Event::LoadStarted {
            at_ns: start_ns,
            threads: self.threads as u64,
            provider: ready.provider.clone(),
            target: ready.target(&self.plan),
        });
        let (shown, mut marks) = mpsc::channel(MARKS_WAITING);
        let alerts = self.alerts.take();
        let alerts = alerts.map(|alerts| alerts.begin(start_ns, shown.clone()));
        let faults = self.faults(ready, start_ns, &live, shown)?;
        let mut watch = self.truth.watch();
        let notes = self.outputs.as_mut().and_then(Outputs::notes);
        let mut notes = notes.unwrap_or_else(|| mpsc::channel(1).1);
        let mut sampling = Box::pin(sampler.every_second(start_ns));
        let (mut asked, mut aborted) = (0, Aborted::No);
        loop {
            tokio::select! {
                () = engine.ended() => break,
                () = interrupts.at_least(asked + 1) => {
                    asked += 1;
                    // Iterations are to finish on a system that is whole.
                    faults.iter().for_each(Faults::finish);
                    self.interrupted(&engine, asked);
                }
                Some(mark) = marks.recv() => self.progress.note(&mark),
                Some(note) = notes.recv() => self.progress.note(&note),
                Ok(()) = live.changed() => {
                    let live = live.borrow_and_update().clone();
                    self.progress.second(&live);
                    if let Some(failed) = live.abort.filter(|_| aborted == Aborted::No) {
                        aborted = Aborted::Yes;
                        engine.stop(Stop::Gracefully);
                        faults.iter().for_each(Faults::finish);
                        self.note(&Event::Aborted {
                            at_ns: self.clock.now_ns(),
                            threshold: failed.name,
                            detail: failed.detail,
                        });
                    }
                }
                Some(reading) = watch.readings.recv() => self.reading(reading),
                never = &mut sampling => match never {},
            }
        }
        drop(sampling);
        self.last_readings(watch);
        let taken = job.next_place.load(Ordering::Relaxed);
        let users_taken = users_taken(self.plan.segment, taken);
        self.note(&Event::LoadEnded {
            at_ns: self.clock.now_ns(),
            users_taken,
        });
        sampler.read().await;
        if let Some(faults) = faults {
            self.heal(faults, &mut marks).await;
        }
        if let Some(alerts) = alerts {
            alerts.end().await;
        }
        engine.join().map(|()| aborted)
    }

    /// Begins the timeline of faults, if there is one.
    fn faults(
        &self,
        ready: &Ready,
        load_start_ns: u64,
        live: &watch::Receiver<Live>,
        shown: mpsc::Sender<String>,
    ) -> io::Result<Option<Faults>> {
        let Some(leases) = self.leases.clone() else {
            return Ok(None);
        };
        let (plan, mut events) = (Arc::clone(&self.plan), self.events.try_clone()?);
        let note = move |mark: FaultMark| {
            // What is not shown in time is in the report.
            let _ = shown.try_send(plan.mask.hide(&faults::in_words(&mark, &plan)));
            let _ = events.append(&Event::Fault(mark));
        };
        let started = Faults::start(fault::Start {
            plan: &self.plan,
            arsenal: Arsenal {
                sentinels: ready.sentinels(),
                parts: ready.parts(),
                ways: ready.ways(),
                topic: ready.topic(&self.plan),
            },
            clock: self.clock,
            load_start_ns,
            live: live.clone(),
            leases,
            note: Box::new(note),
        });
        Ok(Some(started))
    }

    /// Whatever has happened, nothing stays broken; each part of it has its own limit.
    async fn heal(&self, faults: Faults, marks: &mut mpsc::Receiver<String>) {
        let mut healed = std::pin::pin!(faults.healed());
        loop {
            tokio::select! {
                () = &mut healed => break,
                Some(mark) = marks.recv() => self.progress.note(&mark),
            }
        }
        while let Ok(mark) = marks.try_recv() {
            self.progress.note(&mark);
        }
    }

    fn interrupted(&mut self, engine: &Generator, times: u32) {
        if times == 1 {
            engine.stop(Stop::Gracefully);
            self.progress
                .note("interrupted: iterations may finish; once more cuts them");
            self.note_interrupt();
        } else {
            engine.stop(Stop::AtOnce);
        }
    }

    fn last_readings(&mut self, mut watch: Watch) {
        while let Ok(reading) = watch.readings.try_recv() {
            self.reading(reading);
        }
    }

    /// Writes it down, and tells outputs.
    fn reading(&mut self, reading: Result<Reading, String>) {
        if let (Ok(reading), Some(outputs)) = (&reading, &self.outputs) {
            outputs.handle().feed(|| Feed::Remaining {
                at_ns: reading.ret_ns,
                remaining: reading.value,
            });
        }
        self.truth.reading(reading);
    }

    /// Notes once that a signal asked for the end, whenever it came.
    fn note_interrupt(&mut self) {
        if self.interrupts.any() && !self.interrupt_noted {
            self.interrupt_noted = true;
            self.note(&Event::Interrupted {
                at_ns: self.clock.now_ns(),
            });
        }
    }

    /// An event that the disk does not take is missing from the report, which then says that the
    /// run was cut off.
    fn note(&mut self, event: &Event) {
        let _ = self.events.append(event);
    }
}
