//! The load threads: each has its own runtime, VUs, histograms and buffers, and shares nothing per
//! request but the counter that gives out users.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use super::RunClock;
use super::batch::Batch;
use super::executor::{Alarm, Common, Gate, Share, Stop};
use super::files::{Files, Kept};
use super::hand_over::{Due, HandOver};
use super::http::{Endpoint, Pace};
use super::identity::Identities;
use super::recorder::Recorder;
use super::records::Records;
use super::request::CompiledStep;
use super::vu::{Shared, Vu};
use crate::history::OutcomeKind;
use crate::plan::Plan;

/// Users of the drain phase that ask at the same time, after the first.
const DRAIN_VUS: u64 = 8;

/// What every part of the engine needs; cheap to clone.
#[derive(Clone)]
pub struct Job {
    /// What is run.
    pub plan: Arc<Plan>,
    /// The run's time.
    pub clock: RunClock,
    /// The instances of the target.
    pub endpoints: Arc<[Endpoint]>,
    /// Takes what was measured; bounded.
    pub sink: SyncSender<Batch>,
    /// What every VU knows from the start, by slot: one for each of the plan.
    pub slots: Arc<[Option<String>]>,
    /// What is known of each user, where the plan has records.
    pub records: Option<Arc<Records>>,
    /// The next place in the sequence of users, of those that are the plan's segment's.
    pub next_place: Arc<AtomicU64>,
}

/// A load under way.
pub struct Engine {
    stop: watch::Sender<Stop>,
    ended: mpsc::Receiver<()>,
    threads: Vec<std::thread::JoinHandle<Ended>>,
}

/// What a thread says at its end, and its runtime: it is given up where it was made, since its files
/// are known by their numbers there too.
type Ended = (io::Result<()>, Waiter);

/// The runtime of a load thread. It is given up without waiting for anything, which would be a panic
/// where others wait for the thread that does.
struct Waiter(Option<Runtime>);

impl Waiter {
    fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn runtime(&self) -> io::Result<&Runtime> {
        let runtime = self.0.as_ref();
        runtime.ok_or_else(|| io::Error::other("the runtime is given up"))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Engine {
    /// Starts all loads of the plan on so many threads, whose connections are these files; time zero of
    /// the load is `start_ns`.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be started.
    pub fn start(job: &Job, threads: usize, files: Files, start_ns: u64) -> io::Result<Self> {
        let (stop, stop_seen) = watch::channel(Stop::No);
        let (ending, ended) = mpsc::channel(1);
        let commons: Vec<_> = job
            .plan
            .loads
            .iter()
            .map(|_| Common {
                taken: Arc::default(),
                gate: Arc::new(Gate::new(threads as u64)),
            })
            .collect();
        let mut kept = (files == Files::OfThread).then(Kept::default);
        let waiters = (0..threads).map(|_| match &mut kept {
            Some(kept) => kept.what_opens(Waiter::new),
            None => Waiter::new(),
        });
        // All of them before the first thread: each may wake each.
        let waiters = waiters.collect::<io::Result<Vec<_>>>()?;
        let spawn = |thread: usize, waiter: Waiter| {
            let load_thread = LoadThread {
                job: job.clone(),
                kept: kept.clone(),
                thread,
                threads,
                start_ns,
                commons: commons.clone(),
                stop: stop_seen.clone(),
                alarm: Alarm::new(stop.clone()),
            };
            let ending = ending.clone();
            std::thread::Builder::new()
                .name(format!("load-{thread}"))
                .spawn(move || {
                    // The channel closes when the last thread has ended, also when it panicked.
                    let _ending = ending;
                    let alarm = load_thread.alarm.clone();
                    let _rings = alarm.on_panic();
                    let ended = load_thread.run(&waiter);
                    // Without this thread the load is not the one that was asked for.
                    (ended.inspect_err(|_| alarm.ring()), waiter)
                })
        };
        let mut engine = Self {
            stop: stop.clone(),
            ended,
            threads: Vec::with_capacity(threads),
        };
        for (thread, waiter) in waiters.into_iter().enumerate() {
            engine.threads.push(spawn(thread, waiter)?);
        }
        Ok(engine)
    }

    /// Asks the load to end before its time; a later, stronger wish wins.
    pub fn stop(&self, stop: Stop) {
        self.stop.send_if_modified(|current| {
            let stronger = stop > *current;
            *current = stop.max(*current);
            stronger
        });
    }

    /// Waits until every thread has ended. May be cancelled and called again.
    pub async fn ended(&mut self) {
        while self.ended.recv().await.is_some() {}
    }

    /// What the threads said at their end.
    ///
    /// # Errors
    /// When a thread could not run, or panicked.
    pub fn join(mut self) -> io::Result<()> {
        let join = |thread: std::thread::JoinHandle<Ended>| match thread.join() {
            Ok((ended, _given_up)) => ended,
            Err(_) => Err(io::Error::other("a load thread panicked")),
        };
        // All of them, also when the first has failed.
        let ended: Vec<_> = self.threads.drain(..).map(join).collect();
        ended.into_iter().collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Who gives the engine up does not want its load to go on without anybody.
        self.stop(Stop::AtOnce);
    }
}

struct LoadThread {
    job: Job,
    /// With a table of open files of its own: what is kept in it.
    kept: Option<Kept>,
    thread: usize,
    threads: usize,
    start_ns: u64,
    commons: Vec<Common>,
    stop: watch::Receiver<Stop>,
    alarm: Alarm,
}

impl LoadThread {
    fn run(self, waiter: &Waiter) -> io::Result<()> {
        let runtime = waiter.runtime()?;
        if let Some(kept) = &self.kept {
            kept.leave()?;
        }
        let recorder = Recorder::new(&self.job.plan, self.thread, self.job.sink.clone());
        let recorder = Rc::new(RefCell::new(recorder));
        let (steps, pace) = (compile(&self.job)?, Pace::default());
        let local = LocalSet::new();
        local.block_on(runtime, async {
            let hand_over = HandOver::new(self.job.clock, self.start_ns);
            let reporter = tokio::task::spawn_local(report(Rc::clone(&recorder), hand_over));
            let loads = self
                .commons
                .iter()
                .enumerate()
                .filter_map(|(load, common)| {
                    let plan = &self.job.plan;
                    let share = Share {
                        // Without a VU there is nothing to do.
                        stripe: plan.segment.among(plan.loads[load].executor.max_vus())?,
                        shared: Rc::new(Shared {
                            pace: pace.clone(),
                            ..shared(&self.job, load, self.start_ns, &steps, &recorder, None)
                        }),
                        thread: self.thread as u64,
                        threads: self.threads as u64,
                        common: common.clone(),
                        stop: self.stop.clone(),
                        alarm: self.alarm.clone(),
                    };
                    Some(tokio::task::spawn_local(share.run()))
                });
            for load in loads.collect::<Vec<_>>() {
                load.await
                    .map_err(|error| io::Error::other(format!("a load failed: {error}")))?;
            }
            reporter.abort();
            match reporter.await {
                Err(error) if error.is_panic() => {
                    Err(io::Error::other(format!("the reporter failed: {error}")))
                }
                _ => Ok(()),
            }
        })?;
        let elapsed_ns = self.job.clock.now_ns().saturating_sub(self.start_ns);
        recorder.borrow_mut().finish(elapsed_ns, thread_cpu_ns());
        Ok(())
    }
}

fn compile(job: &Job) -> io::Result<Rc<[Vec<CompiledStep>]>> {
    let for_endpoint = |endpoint: &Endpoint| CompiledStep::all(&job.plan, endpoint);
    let steps = job
        .endpoints
        .iter()
        .map(for_endpoint)
        .collect::<Result<Vec<_>, _>>();
    steps.map(Rc::from).map_err(io::Error::other)
}

fn shared(
    job: &Job,
    load: usize,
    start_ns: u64,
    steps: &Rc<[Vec<CompiledStep>]>,
    recorder: &Rc<RefCell<Recorder>>,
    only_phase: Option<u16>,
) -> Shared {
    Shared {
        load,
        clock: job.clock,
        start_ns,
        endpoints: Arc::clone(&job.endpoints),
        pace: Pace::default(),
        steps: Rc::clone(steps),
        recorder: Rc::clone(recorder),
        slots: Arc::clone(&job.slots),
        users: Identities::new(&job.plan, job.records.clone()),
        next_place: Arc::clone(&job.next_place),
        only_phase,
        plan: Arc::clone(&job.plan),
    }
}

/// Hands over what is due, until it is aborted.
async fn report(recorder: Rc<RefCell<Recorder>>, mut hand_over: HandOver) {
    loop {
        let due = hand_over.next().await;
        let mut recorder = recorder.borrow_mut();
        match due {
            Due::Operations => recorder.hand_over_operations(),
            Due::Second { end_ns } => recorder.hand_over_second(end_ns, thread_cpu_ns()),
        }
    }
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec as u64) * 1_000_000_000 + time.tv_nsec as u64
}

/// What the drain phase came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Fresh users who asked.
    pub requests: u64,
    /// Of them issued.
    pub issued: u64,
    /// Whether a sold-out was answered.
    pub sold_out: bool,
}

/// Lets fresh users ask, on the calling task's thread, until the first sold-out, `most` requests
/// or `within`. One asks first; if that is not the end, several ask at once.
///
/// # Errors
/// When the steps cannot be sent as HTTP.
pub async fn drain(job: &Job, load: usize, most: u64, within: Duration) -> io::Result<Drained> {
    let steps = compile(job)?;
    let recorder = Recorder::new(&job.plan, 0, job.sink.clone());
    let recorder = Rc::new(RefCell::new(recorder));
    let phase = Some(job.plan.drain_phase());
    let shared = shared(job, load, job.clock.now_ns(), &steps, &recorder, phase);
    let shared = Rc::new(shared);
    let drained = Rc::new(RefCell::new(Drained::default()));
    let ask = |index: u64, most: u64| {
        let (drained, mut vu) = (Rc::clone(&drained), Vu::new(Rc::clone(&shared), index));
        async move {
            loop {
                {
                    let mut sum = drained.borrow_mut();
                    if sum.sold_out || sum.requests >= most {
                        return;
                    }
                    sum.requests += 1;
                }
                let kind = vu.iterate(None).await;
                vu.rest().await;
                let mut sum = drained.borrow_mut();
                if vu.is_nobody() {
                    // Nobody is left who could ask.
                    sum.requests -= 1;
                    return;
                }
                sum.issued += u64::from(kind == OutcomeKind::Issued);
                sum.sold_out |= kind == OutcomeKind::SoldOut;
            }
        }
    };
    // Behind all VUs of the load: an id that is made of the VU's number is new, too.
    let first: u64 = job
        .plan
        .loads
        .iter()
        .map(|load| load.executor.max_vus())
        .sum();
    let several = first + 1..=first + DRAIN_VUS;
    let all = async {
        ask(first, 1).await;
        futures_util::future::join_all(several.map(|index| ask(index, most))).await;
    };
    // Running into the limit is an answer too: nobody was told that it is sold out.
    let _ = LocalSet::new()
        .run_until(tokio::time::timeout(within, all))
        .await;
    recorder.borrow_mut().finish(0, 0);
    let drained = *drained.borrow();
    Ok(drained)
}
