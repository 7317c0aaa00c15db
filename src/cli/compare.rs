//! `compare`, and the baseline of `run`: two run directories side by side.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::github::{Github, Outcome};
use super::{Loaded, RunArgs, print, variable, variables};
use crate::compare::{CompareError, Faults, Limits, Run, compare, differences};
use crate::exit::Exit;
use crate::messages::Lang;
use crate::output::say;
use crate::report::{self, Comparison};
use crate::run::{AssembleError, Assembled, RunDirectory, plan_of};
use crate::scenario::Environment;
use crate::verdict::Verdict;

/// How much worse a run may become.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// How much worse a figure may become: `p99=+10%`, `p95=+10%,+2ms` (both must be exceeded),
    /// `rps=-10%`, `failed=+1%` (in percent points), `p50`, `p90`; may be given more than once
    /// [default: rps=-10% failed=+1% p50=+10%,+1ms p95=+10%,+1ms p99=+10%,+1ms]
    #[arg(long = "max", value_name = "FIGURE=LIMIT")]
    limits: Vec<String>,
}

impl LimitArgs {
    fn parse(&self) -> Result<Limits, Exit> {
        Limits::parse(&self.limits).map_err(|error| usage(&error.to_string()))
    }
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Run directory of the earlier run
    base: PathBuf,

    /// Run directory of the new one
    new: PathBuf,

    #[command(flatten)]
    limits: LimitArgs,

    /// Compare although the faults differ: what differs is said. The load must be the same
    #[arg(long)]
    across: bool,

    /// Take variables from a file, if numbers of the scenario came from some
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// The language of the table, of the Markdown and of a CI job's page: en or ko. JSON is the same
    /// in both
    #[arg(long, value_name = "LANG", default_value_t)]
    lang: Lang,

    /// Print Markdown for a pull request, instead of a table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,

    /// Print the comparison as JSON, instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CompareArgs) -> Exit {
    let github = Github::of_environment();
    match compared(args) {
        Ok(comparison) => {
            print(&shown(args, &comparison));
            let (verdict, exit) = if !comparison.regressions.is_empty() {
                (Verdict::Fail, Exit::Regression)
            } else if comparison.undecided.is_empty() {
                (Verdict::Pass, Exit::Ok)
            } else {
                (Verdict::Unknown, Exit::Unknown)
            };
            github.summary(&report::compared_markdown(&comparison, args.lang));
            github.outputs(&Outcome {
                verdict: &verdict.to_string(),
                exit,
                directory: Some(&args.new),
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

fn compared(args: &CompareArgs) -> Result<Comparison, Exit> {
    let limits = args.limits.parse()?;
    let variables = variables(args.env_file.as_deref())?;
    let environment = |name: &str| variable(&variables, name);
    let open = |path: &PathBuf| RunDirectory::open(path).map_err(|error| usage(&error.to_string()));
    let (base, new) = (open(&args.base)?, open(&args.new)?);
    let read = |directory| Run::read(directory, &environment).map_err(|error| refused(&error));
    let (base, new) = (read(&base)?, read(&new)?);
    let faults = if args.across {
        Faults::Any
    } else {
        Faults::Same
    };
    compare(&base, &new, &limits, faults).map_err(|error| refused(&error))
}

fn shown(args: &CompareArgs, comparison: &Comparison) -> String {
    if args.json {
        let text = serde_json::to_string_pretty(comparison).unwrap_or_default();
        format!("{text}\n")
    } else if args.markdown {
        report::compared_markdown(comparison, args.lang)
    } else {
        report::compared(comparison, args.lang)
    }
}

/// The run that another one is to be compared with.
pub(super) struct Baseline {
    directory: RunDirectory,
    limits: Limits,
}

/// Looks at the baseline before anything is loaded: whether it is there, and did the same.
pub(super) fn baseline(args: &RunArgs, loaded: &Loaded) -> Result<Option<Baseline>, Exit> {
    let limits = args.limits.parse()?;
    let Some(path) = &args.baseline else {
        if args.limits.limits.is_empty() {
            return Ok(None);
        }
        return Err(usage(
            "`--max` says how far a run may be from its `--baseline`, which is missing",
        ));
    };
    let directory = RunDirectory::open(path).map_err(|error| usage(&error.to_string()))?;
    let environment = |name: &str| variable(&loaded.variables, name);
    let failed = |source: AssembleError| {
        refused(&CompareError::Run {
            directory: path.display().to_string(),
            source,
        })
    };
    let plan = plan_of(&directory, &environment).map_err(failed)?;
    let different = differences(&plan, &loaded.plan, Faults::Same);
    if !different.is_empty() {
        return Err(refused(&CompareError::Different(different)));
    }
    Ok(Some(Baseline { directory, limits }))
}

impl Baseline {
    /// Adds how a run that was judged compares with it, and keeps that in the run's directory.
    pub(super) fn compare(
        &self,
        directory: &RunDirectory,
        assembled: &mut Assembled,
        environment: &Environment<'_>,
    ) -> Result<(), Exit> {
        let failed = |error: CompareError| refused(&error);
        let base = Run::read(&self.directory, environment).map_err(failed)?;
        let new = Run::judged(directory, assembled.summary.clone(), environment);
        let comparison = compare(&base, &new.map_err(failed)?, &self.limits, Faults::Same);
        let comparison = comparison.map_err(failed)?;
        let written = serde_json::to_vec_pretty(&comparison)
            .map_err(std::io::Error::from)
            .and_then(|bytes| fs::write(directory.comparison_file(), bytes));
        written.map_err(|error| {
            super::internal(&format!("failed to write the comparison: {error}"))
        })?;
        assembled.compared(comparison);
        Ok(())
    }
}

fn usage(problem: &str) -> Exit {
    say!("error: {problem}");
    Exit::Usage
}

fn refused(error: &CompareError) -> Exit {
    say!("error: {error}");
    match error {
        CompareError::Different(_) => Exit::Usage,
        CompareError::Run { source, .. } => match source {
            AssembleError::Scenario(_) => Exit::InvalidScenario,
            // A file of a run that is missing or damaged is evidence that was lost.
            AssembleError::Io(_) => Exit::Unknown,
        },
    }
}
