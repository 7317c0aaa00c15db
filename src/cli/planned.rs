//! From what was typed to a plan, and the commands that stop there: `validate`, `plan`, `schema`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{print, probe};
use crate::exit::Exit;
use crate::feeder::{self, Looked};
use crate::output::{say, to_stderr};
use crate::plan::{self, Listen, Overrides, Plan, Scale, Segment};
use crate::scenario::{self, Variables, Written};

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Scenario file
    pub(super) scenario: PathBuf,

    #[command(flatten)]
    pub(super) changes: Changes,
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
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
pub(super) struct Changes {
    /// Change one value: `load.opening.constant_vus.vus=50` (may be given more than once)
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,

    /// Scale the load: time=0.1,vus=0.5,rate=2,iterations=0.1
    #[arg(long, value_name = "FACTORS", default_value_t)]
    pub(super) scale: Scale,

    /// Use a profile of the scenario: its values go over the file's, and --set over both
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,

    /// Take variables for `${NAME}` from a file of NAME=value lines; those of the environment win
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Option<PathBuf>,

    /// Load a system that already runs, instead of the scenario's target
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,

    /// Who brings the bundled system up: auto, embedded, local or docker
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,

    /// Plant a bug in the bundled server: oversell, double-issue, lost-ack or another one of the
    /// list in docs/reference-server.md
    #[arg(long, value_name = "NAME")]
    pub(super) bug: Option<String>,

    /// Who generates the load: native, or goose, a tool that people know, as a cross-check
    #[arg(long, value_name = "NAME")]
    pub(super) engine: Option<String>,

    /// Every choice by chance follows from this number
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// Have a page for Prometheus while it runs: `127.0.0.1:9464` is at `http://127.0.0.1:9464/metrics`
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) metrics: Option<Listen>,

    /// Do only this part of the load: `2/3` is the second of three; `job/3` takes the number from
    /// `JOB_COMPLETION_INDEX`, which counts from 0
    #[arg(long, value_name = "I/N", value_parser = segment)]
    pub(super) segment: Option<Segment>,
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

/// Where load may go.
#[derive(Debug, Args)]
pub(super) struct Allowed {
    /// Let this host be loaded, and broken, that is not this machine (may be given more than once)
    #[arg(long = "allow-target", value_name = "HOST")]
    hosts: Vec<String>,
}

impl Allowed {
    /// Refuses, before anything is sent, what was not allowed.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), Exit> {
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
pub(super) struct Loaded {
    pub(super) plan: Plan,
    pub(super) written: Written,
    pub(super) overrides: Overrides,
    pub(super) variables: Variables,
}

/// From texts to a plan: of what was chosen, or of every profile.
type Planner =
    fn(&Written, &Overrides, &scenario::Environment<'_>) -> Result<Plan, scenario::Diagnostics>;

pub(super) fn load(args: &PlanArgs, planner: Planner) -> Result<Loaded, Exit> {
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

pub(super) fn variables(file: Option<&Path>) -> Result<Variables, Exit> {
    let read = file.map_or_else(|| Ok(Variables::default()), Variables::read);
    read.map_err(|diagnostics| {
        to_stderr(format_args!("{diagnostics}"));
        Exit::InvalidScenario
    })
}

/// What is set where the command is typed wins over what lies in a file.
pub(super) fn variable(variables: &Variables, name: &str) -> Option<String> {
    std::env::var(name).ok().or_else(|| variables.get(name))
}

pub(super) fn validate(args: &ValidateArgs) -> Exit {
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

pub(super) fn show_plan(args: &PlanArgs) -> Exit {
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

pub(super) fn show_schema() -> Exit {
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
