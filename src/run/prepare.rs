//! What is done before anything is started: users are read, the run directory is begun, what killed
//! runs have left broken is healed, and somebody is there to heal what this one will break.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use super::conductor::Request;
use super::error::{RunError, failed_to};
use super::event::EventLog;
use super::generator;
use super::interrupt::Interrupts;
use super::resources::{self, enough_files};
use super::segment::SegmentRecord;
use super::{RunDirectory, RunRecord, machine};
use crate::fault::{self, Guard};
use crate::feeder;
use crate::history::HistoryWriter;
use crate::load::http::Sources;
use crate::load::{Files, Records, RunClock};
use crate::output::{Outputs, Progress, listen};
use crate::plan::{Plan, print};

/// What a run has before its system is started.
pub(super) struct Prepared {
    /// What is known of the users.
    pub(super) records: Option<Arc<Records>>,
    /// Whose limit of open files those of the load count against.
    pub(super) files: Files,
    /// Where connections of the load come from.
    pub(super) sources: Sources,
    pub(super) directory: RunDirectory,
    pub(super) clock: RunClock,
    pub(super) events: EventLog,
    /// Nothing guards a run that breaks nothing.
    pub(super) guard: Option<Guard>,
    pub(super) progress: Rc<Progress>,
    /// What leaves the run while it goes on.
    pub(super) outputs: Outputs,
}

impl Prepared {
    /// The plan of the request learns how many users there are.
    ///
    /// # Errors
    /// When this build has not the engine, the machine allows too few open files or has too few local
    /// ports, somebody else has the port of the metrics, the
    /// users cannot be read, the evidence has no place, or a signal came.
    pub(super) async fn new(
        request: &mut Request<'_>,
        interrupts: &mut Interrupts,
    ) -> Result<Self, RunError> {
        generator::is_there(&request.plan)?;
        let threads = request.threads;
        let threads = threads.unwrap_or_else(|| resources::threads(&request.plan));
        let files = enough_files(&request.plan, threads)?;
        let sources = resources::sources(&request.plan, &request.local_addresses);
        let sources = interrupts.unless(1, sources).await;
        let sources = sources.ok_or(RunError::Interrupted)??;
        let listener = listener(&request.plan)?;
        let reading = read_records(request);
        let records = interrupts.unless(1, reading).await;
        let records = records.ok_or(RunError::Interrupted)??;
        let directory = RunDirectory::create(request.out, &request.plan.name);
        let directory = directory.map_err(|source| {
            let out = request.out.map(Path::to_owned);
            RunError::Directory { out, source }
        })?;
        let clock = RunClock::start();
        write_down(request, &directory, clock).map_err(failed_to("write to the run directory"))?;
        let progress = Rc::new(Progress::new(&request.plan, request.quiet));
        let place = directory.path().display();
        progress.note(&format!("{}: evidence goes to {place}", request.plan.name));
        heal_orphans(&progress).await;
        let events = EventLog::create(&directory.events_file(), request.plan.mask.clone());
        let events = events.map_err(failed_to("write to the run directory"))?;
        // From here on the plan does not change.
        let plan = Arc::new(request.plan.clone());
        let outputs = Outputs::start(&plan, clock, directory.path(), listener);
        let outputs = outputs.map_err(failed_to("start the outputs"))?;
        let guard = guard(&request.plan, &directory);
        let guard = guard.map_err(failed_to("guard what will be broken"))?;
        Ok(Self {
            records,
            files,
            sources,
            directory,
            clock,
            events,
            guard,
            progress,
            outputs,
        })
    }
}

/// Before anything else: nobody is to wait for a run that cannot be watched.
fn listener(plan: &Plan) -> Result<Option<TcpListener>, RunError> {
    let at = plan.outputs.prometheus.listen;
    let listener = at.map(|at| listen(at).map_err(|source| RunError::Listen { at, source }));
    listener.transpose()
}

/// What is known of the users; the plan learns how many there are.
async fn read_records(request: &mut Request<'_>) -> Result<Option<Arc<Records>>, RunError> {
    let records = feeder::read(&request.plan, request.directory()).await?;
    if let Some(records) = &records {
        request.plan.users.found(records.count());
    }
    Ok(records.map(Arc::new))
}

fn write_down(request: &Request<'_>, directory: &RunDirectory, clock: RunClock) -> io::Result<()> {
    let included = directory.write_scenario(request.written)?;
    std::fs::write(directory.plan_file(), print(&request.plan))?;
    // A run that ends before its load has an empty history, not none.
    HistoryWriter::create(directory.path())?;
    directory.write_record(&RunRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: request.written.file_name.clone(),
        included,
        overrides: RunRecord::remembered(request.overrides),
        records: request
            .plan
            .users
            .records
            .as_ref()
            .map(|_| request.plan.users.pool),
        imported: None,
        segment: SegmentRecord::of(&request.plan, request.start_at),
        merged: None,
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        origin_unix_ns: clock.unix_ns(),
        os: machine::os(),
        cpu: machine::cpu(),
        memory_bytes: machine::memory_bytes(),
    })
}

/// Before anything is started: whatever the moment in which the harness dies, somebody is there. Who
/// breaks nothing needs nobody to heal it.
fn guard(plan: &Plan, directory: &RunDirectory) -> io::Result<Option<Guard>> {
    let breaks = !plan.faults.is_empty();
    breaks.then(|| Guard::start(directory.path())).transpose()
}

/// What runs have left broken that do not live any more. This run does without it where it cannot be
/// looked for.
async fn heal_orphans(progress: &Progress) {
    match fault::heal_orphans().await {
        Ok(healed) => {
            for undone in healed {
                progress.note(&format!("a run that was killed: {undone}"));
            }
        }
        Err(error) => progress.note(&format!(
            "what killed runs have left was not found: {error}"
        )),
    }
}
