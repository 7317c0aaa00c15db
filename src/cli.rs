//! The command line: what can be typed, and what each command does with it.

mod check;
mod compare;
mod file;
mod github;
mod heal;
mod import;
mod keep;
mod keep_containers;
mod merge;
mod mock_kafka;
mod new;
mod probe;
mod reports;
mod rewrite;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::feeder::{self, FeederError, Looked};
use crate::output::{say, to_stderr, to_stdout};
use crate::plan::{self, Listen, Overrides, Plan, Scale, Segment};
use crate::report::{self, Summary};
use crate::run::{self, AssembleError, Assembled, Request, RunDirectory, RunError, StartAt};
use crate::scenario::{self, Mask, Variables, Written};
use crate::verdict::Verdict;
use github::{Github, Outcome};

/// Proves or refutes that a first-come-first-served system did not oversell, under load
#[derive(Debug, Parser)]
#[command(name = "fcfs-bench", version, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
    0  every threshold and invariant holds
    2  the command line is wrong, or names a directory that cannot be used
   70  a bug of fcfs-bench
   99  a threshold failed
  104  the scenario is invalid
  105  interrupted; everything was given back
  111  an invariant is violated
  112  inconclusive, vacuous, or evidence was lost
  113  the target or its stack is not ready
  114  a fault could not be healed
  115  a regression against the baseline";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario and judge it
    Run(RunArgs),
    /// Say everything that is wrong with a scenario
    Validate(ValidateArgs),
    /// Show what would run, without running it
    Plan(PlanArgs),
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Judge the evidence of a run directory again, or what another load tool has recorded
    Check(Box<check::CheckArgs>),
    /// Write the reports of a run directory again, and its incident report
    Report(rewrite::ReportArgs),
    /// Make one run of all segments of a run, and judge it
    Merge(merge::MergeArgs),
    /// Compare a run with an earlier one of the same load; exit code 115 if it has become worse
    Compare(compare::CompareArgs),
    /// Write a first scenario for a system of your own
    New(Box<new::NewArgs>),
    /// Turn another tool's script into a scenario
    #[command(subcommand)]
    Import(import::Import),
    /// Run the bundled first-come-first-served server
    Serve(Box<reference_server::Options>),
    /// Run a program that ends with stdin
    #[command(hide = true)]
    Keep(keep::KeepArgs),
    /// Heal what killed runs have left broken
    Heal,
    /// Heal what a run has left broken when stdin ends
    #[command(hide = true)]
    Janitor {
        /// Its leases
        leases: PathBuf,
    },
    /// Remove the containers of a run when stdin ends
    #[command(hide = true)]
    KeepContainers(keep_containers::KeepContainersArgs),
    /// Be the Kafka of a run until stdin ends
    #[command(hide = true)]
    MockKafka(mock_kafka::MockKafkaArgs),
    /// Be the Goose of a run until stdin ends
    #[cfg(feature = "goose")]
    #[command(hide = true)]
    GooseLoad,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// Scenario file
    scenario: PathBuf,

    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Args)]
struct ValidateArgs {
    #[command(flatten)]
    plan: PlanArgs,

    /// Send one request of each step, and show what each answer is taken for; exit code 112 if
    /// some answer matches no outcome. It really asks: it may take a coupon
    #[arg(long)]
    probe: bool,

    #[command(flatten)]
    allowed: Allowed,
}

/// What the command line changes about a scenario.
#[derive(Debug, Args)]
struct Changes {
    /// Change one value: `load.opening.constant_vus.vus=50` (may be given more than once)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Scale the load: time=0.1,vus=0.5,rate=2,iterations=0.1
    #[arg(long, value_name = "FACTORS", default_value_t)]
    scale: Scale,

    /// Use a profile of the scenario: its values go over the file's, and --set over both
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Take variables for `${NAME}` from a file of NAME=value lines; those of the environment win
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// Load a system that already runs, instead of the scenario's target
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Who brings the bundled system up: auto, embedded, local or docker
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    /// Plant a bug in the bundled server: oversell, double-issue, lost-ack or another one of the
    /// list in docs/reference-server.md
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,

    /// Who generates the load: native, or goose, a tool that people know, as a cross-check
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,

    /// Every choice by chance follows from this number
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Have a page for Prometheus while it runs: `127.0.0.1:9464` is at `http://127.0.0.1:9464/metrics`
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<Listen>,

    /// Do only this part of the load: `2/3` is the second of three; `job/3` takes the number from
    /// `JOB_COMPLETION_INDEX`, which counts from 0
    #[arg(long, value_name = "I/N", value_parser = segment)]
    segment: Option<Segment>,
}

/// A Kubernetes job tells each of its pods which one it is.
fn segment(text: &str) -> Result<Segment, String> {
    const INDEX: &str = "JOB_COMPLETION_INDEX";
    let Some(of) = text.strip_prefix("job/") else {
        return text.parse();
    };
    let index = std::env::var(INDEX).map_err(|_| format!("{INDEX} is not set"))?;
    let number = index
        .parse::<u64>()
        .ok()
        .and_then(|index| index.checked_add(1));
    let number = number.ok_or_else(|| format!("{INDEX} is `{index}`, which is no number"))?;
    format!("{number}/{of}").parse()
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    plan: PlanArgs,

    /// Where the run directory is made [default: a new one under reports/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Load threads [default: one for each core; beside a bundled server one for two]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,

    /// Begin the load at this time, such as 2026-03-01T12:30:00Z; all segments need the same
    #[arg(long, value_name = "TIME")]
    start_at: Option<StartAt>,

    /// Compare with this run of the same load; exit code 115 if it has become worse
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,

    #[command(flatten)]
    limits: compare::LimitArgs,

    /// Print summary.json to stdout at the end, instead of tables
    #[arg(long)]
    json: bool,

    /// Show no progress and no tables
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    allowed: Allowed,
}

/// Where load may go.
#[derive(Debug, Args)]
struct Allowed {
    /// Let this host be loaded, and broken, that is not this machine (may be given more than once)
    #[arg(long = "allow-target", value_name = "HOST")]
    hosts: Vec<String>,
}

impl Allowed {
    /// Refuses, before anything is sent, what was not allowed.
    fn check(&self, plan: &Plan) -> Result<(), Exit> {
        let refused = plan.not_allowed(&self.hosts);
        let Some(host) = refused.first() else {
            return Ok(());
        };
        let host = plan.mask.hide(host);
        say!(
            "error: the target {host} is not on this machine, and load goes nowhere else by itself\n  \
             hint: if it may be loaded, and broken by the scenario's faults: --allow-target {host}"
        );
        Err(Exit::InvalidScenario)
    }
}

#[derive(Debug, Args)]
struct DirectoryArgs {
    /// Run directory
    directory: PathBuf,

    /// Take variables from a file, if numbers of the scenario came from some
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// Print summary.json to stdout, instead of tables
    #[arg(long)]
    json: bool,
}

/// Runs what was typed. Only this function's caller ends the process.
pub fn main() -> Exit {
    match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Validate(args) => validate(&args),
        Command::Plan(args) => show_plan(&args),
        Command::Schema => show_schema(),
        Command::Check(args) => check::run(&args),
        Command::Report(args) => rewrite::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::New(args) => new::run(*args),
        Command::Import(import) => import::run(&import),
        Command::Serve(options) => serve(*options),
        Command::Heal => heal::run(),
        Command::Janitor { leases } => heal::janitor(&leases),
        Command::Keep(args) => keep::run(&args),
        Command::KeepContainers(args) => keep_containers::run(&args),
        Command::MockKafka(args) => mock_kafka::run(&args),
        #[cfg(feature = "goose")]
        Command::GooseLoad => goose_load(),
        Command::Completions { shell } => completions(shell),
    }
}

impl From<&Changes> for Overrides {
    fn from(changes: &Changes) -> Self {
        Self {
            set: changes.set.clone(),
            scale: changes.scale,
            url: changes.url.clone(),
            provider: changes.provider.clone(),
            bug: changes.bug.clone(),
            engine: changes.engine.clone(),
            seed: changes.seed,
            profile: changes.profile.clone(),
            env_file: (changes.env_file.as_ref()).map(|path| path.display().to_string()),
            metrics: changes.metrics,
            segment: changes.segment.filter(|segment| !segment.is_whole()),
        }
    }
}

/// A plan with the texts that it came from.
struct Loaded {
    plan: Plan,
    written: Written,
    overrides: Overrides,
    variables: Variables,
}

/// From texts to a plan: of what was chosen, or of every profile.
type Planner =
    fn(&Written, &Overrides, &scenario::Environment<'_>) -> Result<Plan, scenario::Diagnostics>;

fn load(args: &PlanArgs, planner: Planner) -> Result<Loaded, Exit> {
    let invalid = |diagnostics: scenario::Diagnostics| {
        to_stderr(format_args!("{diagnostics}"));
        Exit::InvalidScenario
    };
    let written = scenario::gather(&args.scenario).map_err(invalid)?;
    let overrides = Overrides::from(&args.changes);
    let variables = variables(args.changes.env_file.as_deref())?;
    let environment = |name: &str| variable(&variables, name);
    let plan = planner(&written, &overrides, &environment).map_err(invalid)?;
    Ok(Loaded {
        plan,
        written,
        overrides,
        variables,
    })
}

fn variables(file: Option<&Path>) -> Result<Variables, Exit> {
    let read = file.map_or_else(|| Ok(Variables::default()), Variables::read);
    read.map_err(|diagnostics| {
        to_stderr(format_args!("{diagnostics}"));
        Exit::InvalidScenario
    })
}

/// What is set where the command is typed wins over what lies in a file.
fn variable(variables: &Variables, name: &str) -> Option<String> {
    std::env::var(name).ok().or_else(|| variables.get(name))
}

fn validate(args: &ValidateArgs) -> Exit {
    let loaded = match load(&args.plan, plan::validate) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    for warning in &loaded.plan.warnings {
        say!("warning: {warning}");
    }
    if let Err(exit) = look(&loaded) {
        return exit;
    }
    print(&format!("{}: valid\n", loaded.written.file_name));
    if args.probe {
        if let Err(exit) = args.allowed.check(&loaded.plan) {
            return exit;
        }
        return probe::probe(&loaded.plan, directory_of(&loaded.written.file_name));
    }
    Exit::Ok
}

fn show_plan(args: &PlanArgs) -> Exit {
    match load(args, plan::load_written) {
        Ok(loaded) => {
            if let Err(exit) = look(&loaded) {
                return exit;
            }
            print(&plan::print(&loaded.plan));
            Exit::Ok
        }
        Err(exit) => exit,
    }
}

fn show_schema() -> Exit {
    print(&format!("{:#}\n", scenario::schema()));
    Exit::Ok
}

/// Where the scenario's own files are.
fn directory_of(file: &str) -> &Path {
    Path::new(file).parent().unwrap_or(Path::new(""))
}

/// The columns of the users' file, where it is there.
fn look(loaded: &Loaded) -> Result<(), Exit> {
    let directory = directory_of(&loaded.written.file_name);
    match feeder::look(&loaded.plan, directory) {
        Ok(Looked::Fine) => Ok(()),
        Ok(Looked::NotThere(file)) => {
            let file = loaded.plan.mask.hide(&file.display().to_string());
            say!(
                "warning: {file} is not there: whether it has the columns that are used is not known"
            );
            Ok(())
        }
        Err(error) => {
            let error = loaded.plan.mask.hide(&error.to_string());
            say!("error: {error}");
            Err(Exit::InvalidScenario)
        }
    }
}

fn run(args: &RunArgs) -> Exit {
    let github = Github::of_environment();
    match judged_run(args) {
        Ok(Judged {
            summary,
            directory,
            exit,
        }) => {
            let shown = directory.path().display().to_string();
            github.summary(&report::step_summary(&summary, &shown));
            github.outputs(&Outcome {
                verdict: &summary.verdict.to_string(),
                exit,
                directory: Some(directory.path()),
            });
            exit
        }
        Err(exit) => {
            github.outputs(&Outcome {
                verdict: "none",
                exit,
                directory: None,
            });
            exit
        }
    }
}

fn judged_run(args: &RunArgs) -> Result<Judged, Exit> {
    let loaded = load(&args.plan, plan::load_written)?;
    args.allowed.check(&loaded.plan)?;
    if !loaded.plan.segment.is_whole() && args.start_at.is_none() {
        say!(
            "error: segments must begin together, and this one is not told when\n  \
             hint: give all of them the same time: --start-at $(date -u -d '+1 min' +%FT%TZ)"
        );
        return Err(Exit::Usage);
    }
    let baseline = compare::baseline(args, &loaded)?;
    if !args.quiet {
        loaded
            .plan
            .warnings
            .iter()
            .for_each(|warning| say!("warning: {warning}"));
    }
    let request = Request {
        plan: loaded.plan,
        written: &loaded.written,
        overrides: &loaded.overrides,
        out: args.out.as_deref(),
        threads: args.threads.map(usize::from),
        start_at: args.start_at,
        quiet: args.quiet,
    };
    let mask = request.plan.mask.clone();
    let conducted = runtime()?.block_on(run::conduct(request));
    let directory = conducted.map_err(|error| refuse(&error, &mask))?;
    let shown = Show::of(args.json, args.quiet);
    judge(directory, &loaded.variables, baseline.as_ref(), &shown)
}

fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let built = builder.enable_all().build();
    built.map_err(|error| internal(&format!("failed to start: {error}")))
}

fn refuse(error: &RunError, mask: &Mask) -> Exit {
    say!("error: {}", mask.hide(&error.to_string()));
    match error {
        RunError::NotReady(_)
        | RunError::Truth(_)
        | RunError::TruthValue(_)
        | RunError::Alerts(_)
        | RunError::Before { .. }
        | RunError::Late { .. }
        | RunError::Files { .. }
        | RunError::Listen { .. }
        | RunError::Users(FeederError::Sql(_)) => Exit::NotReady,
        RunError::Users(_) | RunError::NoGoose => Exit::InvalidScenario,
        RunError::Directory { .. } => Exit::Usage,
        RunError::Interrupted => Exit::Interrupted,
        RunError::Io { .. } => Exit::Internal,
    }
}

/// A run with its reports written.
struct Judged {
    directory: RunDirectory,
    summary: Summary,
    exit: Exit,
}

fn judge(
    directory: RunDirectory,
    variables: &Variables,
    baseline: Option<&compare::Baseline>,
    shown: &Show,
) -> Result<Judged, Exit> {
    let environment = |name: &str| variable(variables, name);
    let mut assembled =
        run::assemble(&directory, &environment).map_err(|error| internal(&error.to_string()))?;
    let compared = baseline.map_or(Ok(()), |baseline| {
        baseline.compare(&directory, &mut assembled, &environment)
    });
    let Assembled { summary, exit } = assembled;
    reports::write(&directory, &summary)?;
    show(&summary, shown);
    say!("report: {}", directory.report_file().display());
    let exit = match compared {
        // A comparison that was asked for and could not be made is no good end.
        Err(failed) if exit == Exit::Ok => failed,
        _ => exit,
    };
    Ok(Judged {
        directory,
        summary,
        exit,
    })
}

fn assembled(args: &DirectoryArgs) -> Result<(RunDirectory, Assembled), Exit> {
    let variables = variables(args.env_file.as_deref())?;
    let environment = |name: &str| variable(&variables, name);
    let directory = RunDirectory::open(&args.directory).map_err(|error| {
        say!("error: {error}");
        Exit::Usage
    })?;
    let assembled = run::assemble(&directory, &environment).map_err(|error| {
        say!("error: {error}");
        match error {
            AssembleError::Scenario(_) => Exit::InvalidScenario,
            // A file of a run that is missing or damaged is evidence that was lost.
            AssembleError::Io(_) => Exit::Unknown,
        }
    })?;
    Ok((directory, assembled))
}

/// What goes to stdout at the end.
enum Show {
    Json,
    Tables,
    Nothing,
}

impl Show {
    const fn of(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (false, true) => Self::Nothing,
            (false, false) => Self::Tables,
        }
    }
}

fn show(summary: &Summary, shown: &Show) {
    match shown {
        Show::Nothing => {}
        Show::Tables => print(&report::terminal(summary, colour())),
        Show::Json => {
            let text = serde_json::to_string_pretty(summary).unwrap_or_default();
            print(&format!("{text}\n"));
        }
    }
    if !matches!(shown, Show::Tables) && summary.verdict != Verdict::Pass {
        let verdict = summary.verdict;
        summary
            .reasons
            .iter()
            .for_each(|reason| say!("{verdict}: {reason}"));
    }
}

/// The convention of no-color.org: any value but the empty one switches colour off.
fn colour() -> bool {
    let switched_off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !switched_off
}

/// A reader that goes away (`| head`) is no error.
fn print(text: &str) {
    to_stdout(format_args!("{text}"));
}

fn serve(options: reference_server::Options) -> Exit {
    match reference_server::run(options) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            say!("error: {error}");
            Exit::NotReady
        }
    }
}

/// Not for people: what it says is for the harness, which knows how it ended.
#[cfg(feature = "goose")]
fn goose_load() -> Exit {
    run::be_goose().map_or(Exit::NotReady, |()| Exit::Ok)
}

fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fcfs-bench", &mut script);
    print(&String::from_utf8_lossy(&script));
    Exit::Ok
}

fn internal(problem: &str) -> Exit {
    say!("error: {problem}");
    Exit::Internal
}
