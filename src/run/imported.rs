//! Judges what another tool has recorded: its records become the history of a run directory, and the
//! truth is read now. Nothing is loaded and nothing is broken.
//!
//! The file is gone through twice: once to find every mistake and the earliest time before anything
//! is written, once to write. Memory does not grow with it.

mod refusal;
mod verdicts;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::collector::{Collector, WAITING_BATCHES};
use super::directory::Imported;
use super::error::{RunError, failed_to};
use super::event::{Event, EventLog};
use super::interrupt::Interrupts;
use super::truth::{Base, Truth};
use super::{RunDirectory, RunRecord, machine};
use crate::history::{Key, Operation, OutcomeKind};
use crate::load::{Batch, Parts, Recorder, RunClock};
use crate::output::{Feeder, Live};
use crate::plan::{Overrides, Plan, Target, mix, print};
use crate::probe::{TruthLog, When};
use crate::records::{LeftOut, Record, RecordError, Records, Settings, SettingsError};
use crate::scenario::Written;
use crate::scenario::value::Span;
use crate::stack::{TruthSources, roots};
use verdicts::Verdicts;

/// What is to be judged.
#[derive(Debug)]
pub struct ImportRequest<'a> {
    /// What the answers mean, what is claimed, and where the truth is.
    pub plan: Plan,
    /// The texts that it came from.
    pub written: &'a Written,
    /// What the command line changed of it.
    pub overrides: &'a Overrides,
    /// Where the run directory is made; `None`: a new one under `reports/`.
    pub out: Option<&'a Path>,
    /// The records.
    pub imported: Imported,
}

/// Why records are not judged.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// What was said about the records is wrong or not enough.
    #[error("{0}")]
    Settings(#[from] SettingsError),
    /// The scenario says what cannot apply, or not what is needed.
    #[error("{0}")]
    Scenario(String),
    /// A record is damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The file cannot be opened, or holds no attempt.
    #[error("{0}")]
    File(String),
    /// The truth cannot be read, or the evidence has no place.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Makes a run directory out of the records and of the truth as it is now. Judging it is the
/// caller's.
///
/// # Errors
/// When the records or the scenario cannot be used, the truth cannot be reached, or the evidence has
/// no place. Nothing is left then but, if it came so far, the directory.
pub async fn import(request: ImportRequest<'_>) -> Result<RunDirectory, ImportError> {
    let settings = Settings::of(&request.imported.asked)?;
    let verdicts = refusal::of_plan(&request.plan)
        .and_then(|()| Verdicts::of(&request.plan, &settings, request.imported.step.as_deref()));
    let verdicts = verdicts.map_err(ImportError::Scenario)?;
    let interrupts = Interrupts::listen().map_err(failed_to("listen to signals"))?;
    let seen = look(&request, &settings, &verdicts, &interrupts).await?;

    let directory = RunDirectory::create(request.out, &request.plan.name);
    let directory = directory.map_err(|source| {
        let out = request.out.map(Path::to_owned);
        RunError::Directory { out, source }
    })?;
    let clock = RunClock::since(seen.first_ns.saturating_sub(MARGIN_NS));
    write_down(&request, &directory, clock).map_err(failed_to("write to the run directory"))?;
    let events = EventLog::create(&directory.events_file(), request.plan.mask.clone());
    let mut events = events.map_err(failed_to("write to the run directory"))?;
    let run = Run {
        plan: Arc::new(request.plan.clone()),
        settings: &settings,
        verdicts: &verdicts,
        directory: directory.clone(),
        clock,
    };
    let mut truth = run.truth(&request).await?;
    let own = events.try_clone();
    let own = own.map_err(failed_to("write to the run directory"))?;
    let mut note = |event: &Event| {
        let noted = events.append(event);
        noted.map_err(failed_to("write to the run directory"))
    };
    for event in seen.events(&request, clock) {
        note(&event)?;
    }
    let interrupted = || Event::Interrupted {
        at_ns: clock.now_ns(),
    };
    if run.record(&request, &interrupts, own).await? {
        let at_ns = seen.last_ns.saturating_sub(clock.unix_ns());
        let users_taken = 0;
        note(&Event::LoadEnded { at_ns, users_taken })?;
        let mut waiting = interrupts.clone();
        let read = run.read(&mut truth, &request);
        if waiting.unless(1, read).await.is_none() {
            note(&interrupted())?;
        }
    } else {
        note(&interrupted())?;
    }
    note(&Event::Ended {
        at_ns: clock.now_ns(),
    })?;
    truth.close().await;
    Ok(directory)
}

/// The clock's origin lies so much before the first attempt, so that nothing happens at zero.
const MARGIN_NS: u64 = 1_000_000;

/// How many records lie between two looks for a signal.
const LOOK_EVERY: u64 = 1 << 14;

/// What the first pass has found.
struct Seen {
    first_ns: u64,
    last_ns: u64,
    count: u64,
    left_out: LeftOut,
}

/// Goes through all records once, so that a mistake on the last line leaves nothing behind.
async fn look(
    request: &ImportRequest<'_>,
    settings: &Settings,
    verdicts: &Verdicts,
    interrupts: &Interrupts,
) -> Result<Seen, ImportError> {
    let mut seen = Seen {
        first_ns: u64::MAX,
        last_ns: 0,
        count: 0,
        left_out: LeftOut::default(),
    };
    let mut records = open(&request.imported, settings)?;
    for record in &mut records {
        let record = record?;
        verdicts.of_record(&record).map_err(|problem| RecordError {
            file: request.imported.file.clone(),
            line: record.line,
            problem,
        })?;
        seen.first_ns = seen.first_ns.min(record.start_ns);
        seen.last_ns = seen.last_ns.max(record.end_ns);
        seen.count += 1;
        if seen.count.is_multiple_of(LOOK_EVERY) && is_interrupted(interrupts).await {
            return Err(RunError::Interrupted.into());
        }
    }
    seen.left_out = records.left_out();
    if seen.count == 0 {
        return Err(ImportError::File(format!(
            "{} holds no attempt: {} of its records are of something else\n  hint: see what \
             `--format`, `--only` and `--map metric=...` leave",
            request.imported.file, seen.left_out.others
        )));
    }
    Ok(seen)
}

/// Whether a signal has come. Who listens for it needs a turn on this thread.
async fn is_interrupted(interrupts: &Interrupts) -> bool {
    tokio::task::yield_now().await;
    interrupts.any()
}

fn open<'s>(
    imported: &Imported,
    settings: &'s Settings,
) -> Result<Records<'s, BufReader<File>>, ImportError> {
    let named = |words: String| ImportError::File(format!("{}: {words}", imported.file));
    // Asked before it is opened: to open a pipe that nobody writes to would never end.
    let metadata = std::fs::metadata(&imported.file);
    if !metadata
        .map_err(|error| named(error.to_string()))?
        .is_file()
    {
        let words = "records are read twice, so a file is needed";
        return Err(named(words.to_owned()));
    }
    let file = File::open(&imported.file).map_err(|error| named(error.to_string()))?;
    let reader = BufReader::with_capacity(1 << 18, file);
    Ok(Records::of(settings, &imported.file, reader)?)
}

fn write_down(
    request: &ImportRequest<'_>,
    directory: &RunDirectory,
    clock: RunClock,
) -> io::Result<()> {
    let included = directory.write_scenario(request.written)?;
    std::fs::write(directory.plan_file(), print(&request.plan))?;
    directory.write_record(&RunRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: request.written.file_name.clone(),
        included,
        overrides: RunRecord::remembered(request.overrides),
        records: None,
        imported: Some(request.imported.clone()),
        segment: None,
        merged: None,
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        origin_unix_ns: clock.unix_ns(),
        os: machine::os(),
        cpu: machine::cpu(),
        memory_bytes: machine::memory_bytes(),
    })
}

impl Seen {
    /// What a reader of the report should know before anything else.
    fn events(&self, request: &ImportRequest<'_>, clock: RunClock) -> Vec<Event> {
        let imported = &request.imported;
        let format = imported.asked.format;
        let mut warnings = vec![format!(
            "judged from {} records of {format} in {}: the load was not sent from here, and how \
             the generator fared is not known",
            self.count, imported.file
        )];
        if self.left_out.others > 0 {
            warnings.push(format!(
                "{} further records are of something else and were left out",
                self.left_out.others
            ));
        }
        if self.left_out.cut_off {
            let words = "the last line of the records is cut off and was left out: attempts that \
                         were under way when the tool was ended are missing";
            warnings.push(words.to_owned());
        }
        let after = Duration::from_nanos(
            clock
                .now_ns()
                .saturating_sub(self.last_ns.saturating_sub(clock.unix_ns())),
        );
        let after = Span(Duration::from_secs(after.as_secs()));
        warnings.push(format!(
            "the truth was read {after} after the last record: what has changed since then is \
             taken for a result of the load"
        ));
        if imported.empty_before {
            let words = "that nobody held anything before the load was said with --empty-before, \
                         and not read";
            warnings.push(words.to_owned());
        } else {
            let words = "the rows before the load were not read, so what they would explain is \
                         left open; if there were none, say --empty-before";
            warnings.push(words.to_owned());
        }
        let started = Event::LoadStarted {
            at_ns: 0,
            threads: 1,
            provider: format!("none: records of {format}"),
            target: imported.file.clone(),
        };
        let warnings = warnings.into_iter().map(|text| Event::Warning { text });
        std::iter::once(started).chain(warnings).collect()
    }
}

/// What is needed to write the evidence.
struct Run<'a> {
    plan: Arc<Plan>,
    settings: &'a Settings,
    verdicts: &'a Verdicts,
    directory: RunDirectory,
    clock: RunClock,
}

impl Run<'_> {
    async fn truth(&self, request: &ImportRequest<'_>) -> Result<Truth, ImportError> {
        let log = TruthLog::create(self.directory.path());
        let log = log.map_err(failed_to("write to the run directory"))?;
        let Target::Urls { urls, ca, .. } = &self.plan.target else {
            // The refusals have seen to it.
            let words = "the bundled server ends with its run".to_owned();
            return Err(ImportError::Scenario(words));
        };
        let scenario = Path::new(&request.written.file_name).parent();
        let roots = roots(ca.as_deref(), scenario.unwrap_or(Path::new("")));
        let base = Base {
            url: urls.first().map(ToString::to_string),
            roots: roots.map_err(RunError::from)?,
        };
        let sources = TruthSources::named_by(&self.plan);
        let mask = self.plan.mask.clone();
        let truth = Truth::open(&sources, base, log, self.clock, mask).await;
        Ok(truth.map_err(RunError::from)?)
    }

    /// Writes all records as a run writes its attempts; whether no signal came.
    async fn record(
        &self,
        request: &ImportRequest<'_>,
        interrupts: &Interrupts,
        events: EventLog,
    ) -> Result<bool, ImportError> {
        let (sink, batches) = sync_channel(WAITING_BATCHES);
        let (live, _) = watch::channel(Live::default());
        let plan = Arc::clone(&self.plan);
        let collector = Collector::create(
            plan,
            (1, Arc::default()),
            &self.directory,
            events,
            Feeder::to_nobody(),
            live,
        );
        let collector = collector.map_err(failed_to("write to the run directory"))?;
        let collector = std::thread::Builder::new()
            .name("collector".to_owned())
            .spawn(move || collector.run(&batches))
            .map_err(failed_to("start the collector"))?;
        let written = self.write(request, interrupts, sink).await;
        if collector.join().is_err() {
            let source = io::Error::other("the collector panicked");
            let doing = "record the run";
            return Err(RunError::Io { doing, source }.into());
        }
        written
    }

    /// The collector ends when the sink is gone.
    async fn write(
        &self,
        request: &ImportRequest<'_>,
        interrupts: &Interrupts,
        sink: SyncSender<Batch>,
    ) -> Result<bool, ImportError> {
        let mut recorder = Recorder::new(&self.plan, 0, sink);
        let mut named = Named::default();
        let (mut second, mut last_ns, mut count) = (0, 0_u64, 0_u64);
        for record in open(&request.imported, self.settings)? {
            let record = record?;
            let operation = self.operation(&record).map_err(|problem| RecordError {
                file: request.imported.file.clone(),
                line: record.line,
                problem,
            })?;
            last_ns = last_ns.max(operation.ret_ns);
            // What is on disk by the second in which it was answered; records that are out of order
            // belong to the second in which they are read.
            if last_ns / SECOND_NS > second {
                second = last_ns / SECOND_NS;
                recorder.finish(second * SECOND_NS, 0);
            }
            if operation.user.number().is_none() && named.is_new(operation.user) {
                recorder.name(operation.user, &record.user);
            }
            if operation.kind == OutcomeKind::Unknown {
                let body = record.body.as_deref().unwrap_or_default().as_bytes();
                let hide = |text: &str| self.plan.mask.hide(text);
                recorder.unknown(Verdicts::shape(&operation), body, hide);
            }
            recorder.attempt(operation, Parts::default());
            count += 1;
            if count.is_multiple_of(LOOK_EVERY) && is_interrupted(interrupts).await {
                recorder.finish(last_ns, 0);
                return Ok(false);
            }
        }
        recorder.finish(last_ns.max(second * SECOND_NS + 1), 0);
        Ok(true)
    }

    fn operation(&self, record: &Record) -> Result<Operation, String> {
        let mut operation = self.verdicts.of_record(record)?;
        operation.inv_ns = record.start_ns.saturating_sub(self.clock.unix_ns());
        operation.ret_ns = record.end_ns.saturating_sub(self.clock.unix_ns());
        Ok(operation)
    }

    /// The truth as it is now, once it rests.
    async fn read(&self, truth: &mut Truth, request: &ImportRequest<'_>) {
        if request.imported.empty_before {
            truth.nothing_before();
        }
        truth.read_stock().await;
        if !truth.reads_rows() {
            return;
        }
        let settle = self.plan.truth.as_ref().map(|truth| truth.settle);
        if let Some(settle) = settle
            && let Some(settled) = truth.settle(settle).await
        {
            truth.settled(&settled);
        }
        truth.read(When::Last).await;
        truth.read_tables().await;
        truth.delivered().await;
        truth.remaining_at_rest().await;
    }
}

const SECOND_NS: u64 = 1_000_000_000;

/// Remembers whose text was written already, of some users: a text too often does no harm.
struct Named(Vec<Key>);

impl Default for Named {
    fn default() -> Self {
        Self(vec![Key::NONE; 1 << 16])
    }
}

impl Named {
    fn is_new(&mut self, user: Key) -> bool {
        let place = mix(user.0) as usize % self.0.len();
        std::mem::replace(&mut self.0[place], user) != user
    }
}
