//! `engine: goose`: the load by the crate Goose, as a cross-check by a tool that people know. Goose
//! decides when users start and end, and its client sends; requests, users, outcomes and records are
//! those of every load.
//!
//! It must be in a process of its own: Goose has one stop flag and one signal handler a process, and
//! prints what it likes to stdout.

mod client;
mod seats;
mod settings;
mod user;

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario, Transaction, TransactionFunction, TransactionResult};
use goose::{GooseAttack, trigger_killswitch};
use rustls::ClientConfig;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use self::seats::{Seated, Seats};
use self::settings::Settings;
use super::engine::Job;
use super::executor::Stop;
use super::hand_over::{Due, HandOver};
use super::http::Endpoint;
use super::identity::Identities;
use super::recorder::Recorder;
use super::request::CompiledStep;

/// Goose runs one load.
const LOAD: usize = 0;

/// How often Goose is told that the load is over, until it has heard.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// How long a user waits for Goose to take it away, before it looks again.
const IDLE: Duration = Duration::from_millis(20);

/// Goose looks at its plan twice a second.
const LATE: Duration = Duration::from_secs(1);

/// Says how much CPU time a thread of the process has used, in nanoseconds.
pub type CpuTime = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What all users share.
struct Shared {
    job: Job,
    start_ns: u64,
    users: Identities,
    /// For each endpoint.
    steps: Vec<Vec<CompiledStep>>,
    /// What URLs begin with, for each endpoint.
    bases: Vec<String>,
    tls: ClientConfig,
    recorder: Mutex<Recorder>,
    seats: Mutex<Seats>,
    /// Nothing new begins.
    halted: AtomicBool,
    /// What is under way is to be cut.
    cut: watch::Sender<bool>,
    /// When the last iteration has ended, or was cut.
    last_ns: AtomicU64,
    /// Of iterations that were counted, how many have begun.
    begun: AtomicU64,
    /// A user has panicked, or has no client: without it the load is not the one that was asked for.
    failed: watch::Sender<bool>,
}

impl Shared {
    fn phase_at(&self, at_ns: u64) -> u16 {
        let elapsed = Duration::from_nanos(at_ns.saturating_sub(self.start_ns));
        self.job.plan.phase_of(LOAD, elapsed)
    }

    fn take_place(&self) -> u64 {
        self.job.next_place.fetch_add(1, Ordering::Relaxed)
    }

    /// Never held across a wait.
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// Whether nothing is under way, and nothing will begin.
    fn is_over(&self, vus: Option<u64>) -> bool {
        let halted = self.is_halted();
        let seats = self.seats();
        seats.are_idle() && (halted || vus.is_some_and(|vus| seats.left() >= vus))
    }

    /// A user begins: it gets the lowest number that is free, and a client of its own.
    async fn sit(&self, goose: &mut GooseUser) {
        let builder = client::builder(&self.job.endpoints, &self.tls);
        // Without it the user has Goose's own client, which every user shares: it follows
        // redirects, so that no request may go over it.
        let has_client = goose.set_client_builder(builder).await.is_ok();
        self.seats().take(goose.weighted_users_index);
        self.recorder().vu_started();
        if !has_client {
            self.failed.send_replace(true);
        }
    }

    fn leave(&self, goose: &GooseUser) {
        let had_one = self.seats().leave(goose.weighted_users_index);
        if had_one {
            self.recorder().vu_ended();
        }
    }

    /// One iteration of the user, unless nothing new is to begin.
    async fn turn(&self, goose: &mut GooseUser) {
        let _rings = Rings(self);
        let Some(mut seated) = Seated::of(self, goose) else {
            // Goose takes it away within half a second.
            sleep(IDLE).await;
            return;
        };
        let mut cut = self.cut.subscribe();
        let Some(user) = seated.user() else {
            return;
        };
        tokio::select! {
            biased;
            _ = cut.wait_for(|cut| *cut) => {}
            () = async {
                user.iterate(self, goose).await;
                user.rest().await;
            } => {}
        }
    }

    /// Hands over everything that is left. Iterations for which there was no time are dropped.
    fn finish(&self, settings: &Settings, cpu: &CpuTime) {
        let last_ns = self.last_ns.load(Ordering::Relaxed);
        let begun = self.begun.load(Ordering::Relaxed);
        let mut recorder = self.recorder();
        if let Some((vus, each)) = settings.counted {
            let dropped = (vus * each).saturating_sub(begun);
            recorder.dropped(self.phase_at(last_ns), dropped);
        }
        recorder.finish(last_ns.saturating_sub(self.start_ns), cpu());
    }
}

/// Rings when what holds it panics.
struct Rings<'s>(&'s Shared);

impl Drop for Rings<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed.send_replace(true);
        }
    }
}

/// A moment in the life of a user of Goose.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Begin,
    Turn,
    End,
}

fn transaction(shared: &Arc<Shared>, moment: Moment) -> Transaction {
    let shared = Arc::clone(shared);
    let transaction = Transaction::new(function(move |goose| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            match moment {
                Moment::Begin => shared.sit(goose).await,
                Moment::Turn => shared.turn(goose).await,
                Moment::End => shared.leave(goose),
            }
            // What failed is on record; for Goose a failed transaction would be a figure.
            Ok(())
        })
    }));
    match moment {
        Moment::Begin => transaction.set_on_start(),
        Moment::Turn => transaction,
        Moment::End => transaction.set_on_stop(),
    }
}

type Performing<'r> = Pin<Box<dyn Future<Output = TransactionResult> + Send + 'r>>;

fn function<F>(function: F) -> TransactionFunction
where
    F: for<'r> Fn(&'r mut GooseUser) -> Performing<'r> + Send + Sync + 'static,
{
    Arc::new(function)
}

/// Runs the load of the plan by Goose, in this process, which has no other load. Time zero of the load
/// is `start_ns`. What Goose prints goes to stdout.
///
/// # Errors
/// When the plan is none for Goose, Goose refuses it or ends before its time, or a user panics.
pub async fn attack(
    job: Job,
    start_ns: u64,
    mut stop: watch::Receiver<Stop>,
    cpu: CpuTime,
) -> io::Result<()> {
    let (clock, plan) = (job.clock, Arc::clone(&job.plan));
    let load = plan.loads.get(LOAD);
    let load = load.ok_or_else(|| io::Error::other("the plan has no load"))?;
    let shared = Arc::new(shared(job, start_ns)?);
    let host = shared.bases.first();
    let host = host.ok_or_else(|| io::Error::other("the target has no instance"))?;
    let settings = Settings::of(load, host);
    let settings = settings.ok_or_else(|| io::Error::other("Goose has no such load"))?;
    let vus = settings.counted.map(|(vus, _)| vus);
    let begin = clock.instant(start_ns);
    tokio::select! {
        () = sleep_until(begin + load.start_after) => {}
        _ = stop.wait_for(|stop| *stop != Stop::No) => {}
    }
    let goose = goose(&shared, &settings)?;
    let reporter = tokio::spawn(report(Arc::clone(&shared), vus, Arc::clone(&cpu)));
    let mut failed = shared.failed.subscribe();
    let end = begin + settings.end;
    let ended = tokio::select! {
        ended = goose.execute() => ended.map(|_| ()).map_err(io::Error::other),
        () = watch_over(&shared, end, load.graceful_stop, &mut stop) => Ok(()),
        _ = failed.wait_for(|failed| *failed) => Err(io::Error::other("a user of Goose failed")),
    };
    let in_time = shared.is_halted() || shared.is_over(vus) || Instant::now() + LATE >= end;
    shared.halt();
    reporter.abort();
    // It may be handing over at this moment.
    let reported = reporter.await;
    shared.finish(&settings, &cpu);
    if reported.is_err_and(|error| error.is_panic()) {
        return Err(io::Error::other("the reporter panicked"));
    }
    if ended.is_ok() && !in_time {
        return Err(io::Error::other("Goose has ended before its time"));
    }
    ended
}

fn shared(job: Job, start_ns: u64) -> io::Result<Shared> {
    crate::tls::install_provider();
    let steps = job.endpoints.iter();
    let steps = steps.map(|endpoint| CompiledStep::all_as_messages(&job.plan, endpoint));
    let steps = steps.collect::<Result<Vec<_>, _>>();
    let mut tls = job.endpoints.iter().filter_map(Endpoint::tls_settings);
    // Without TLS the client wants settings all the same, and would read the system's roots for each.
    let tls = match tls.next() {
        Some(tls) => tls,
        None => crate::tls::client(&[]).map_err(io::Error::other)?,
    };
    Ok(Shared {
        users: Identities::new(&job.plan, job.records.clone()),
        steps: steps.map_err(io::Error::other)?,
        bases: job.endpoints.iter().map(client::base).collect(),
        tls,
        recorder: Mutex::new(Recorder::new(&job.plan, 0, job.sink.clone())),
        seats: Mutex::default(),
        halted: AtomicBool::new(false),
        cut: watch::Sender::new(false),
        last_ns: AtomicU64::new(start_ns),
        begun: AtomicU64::new(0),
        failed: watch::Sender::new(false),
        start_ns,
        job,
    })
}

fn goose(shared: &Arc<Shared>, settings: &Settings) -> io::Result<GooseAttack> {
    let configuration = GooseConfiguration::parse_args_default(&settings.arguments);
    let configuration = configuration.map_err(io::Error::other)?;
    let scenario = Scenario::new("load")
        .register_transaction(transaction(shared, Moment::Begin))
        .register_transaction(transaction(shared, Moment::Turn))
        .register_transaction(transaction(shared, Moment::End));
    let goose = GooseAttack::initialize_with_config(configuration).map_err(io::Error::other)?;
    // One for all until each has its own: to make Goose's own for each user takes longer.
    let client = GooseClientBuilder::new().without_cookies();
    let goose = goose.set_client_builder_without_cookies(client);
    Ok(goose.map_err(io::Error::other)?.register_scenario(scenario))
}

/// Ends the load at its time, or when it is told to; returns only when Goose has had its time to end.
async fn watch_over(
    shared: &Shared,
    end: Instant,
    graceful_stop: Duration,
    stop: &mut watch::Receiver<Stop>,
) {
    tokio::select! {
        () = sleep_until(end) => {}
        _ = stop.wait_for(|stop| *stop != Stop::No) => {}
    }
    shared.halt();
    let deadline = Instant::now() + graceful_stop;
    let cutting = async {
        tokio::select! {
            () = sleep_until(deadline) => {}
            _ = stop.wait_for(|stop| *stop == Stop::AtOnce) => {}
        }
        shared.cut.send_replace(true);
    };
    let telling = async {
        loop {
            // Goose forgets what it was told before it has begun.
            trigger_killswitch("the load is over");
            sleep(TELL_EVERY).await;
        }
    };
    let cut_and_wait = async {
        cutting.await;
        // Nothing is under way any more; Goose has to notice that.
        sleep(LATE * 10).await;
    };
    tokio::select! {
        () = cut_and_wait => {}
        () = telling => {}
    }
}

/// Hands over what is due, until all is over.
async fn report(shared: Arc<Shared>, vus: Option<u64>, cpu: CpuTime) {
    let mut hand_over = HandOver::new(shared.job.clock, shared.start_ns);
    loop {
        let due = hand_over.next().await;
        if shared.is_over(vus) {
            // What comes is Goose's end, and no load.
            return;
        }
        match due {
            Due::Operations => shared.recorder().hand_over_operations(),
            Due::Second { end_ns } => shared.recorder().hand_over_second(end_ns, cpu()),
        }
    }
}
