//! A run directory that is judged, and what is shown of it at the end.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;

use super::planned::{variable, variables};
use super::{compare, internal, print, reports};
use crate::exit::Exit;
use crate::output::say;
use crate::report::{self, Summary};
use crate::run::{self, AssembleError, Assembled, RunDirectory};
use crate::scenario::Variables;
use crate::verdict::Verdict;

#[derive(Debug, Args)]
pub(super) struct DirectoryArgs {
    /// Run directory
    pub(super) directory: PathBuf,

    /// Take variables from a file, if numbers of the scenario came from some
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Option<PathBuf>,

    /// Print summary.json to stdout, instead of tables
    #[arg(long)]
    pub(super) json: bool,
}

/// A run with its reports written.
pub(super) struct Judged {
    pub(super) directory: RunDirectory,
    pub(super) summary: Summary,
    pub(super) exit: Exit,
}

pub(super) fn judge(
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

pub(super) fn assembled(args: &DirectoryArgs) -> Result<(RunDirectory, Assembled), Exit> {
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
pub(super) enum Show {
    Json,
    Tables,
    Nothing,
}

impl Show {
    pub(super) const fn of(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (false, true) => Self::Nothing,
            (false, false) => Self::Tables,
        }
    }
}

pub(super) fn show(summary: &Summary, shown: &Show) {
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
