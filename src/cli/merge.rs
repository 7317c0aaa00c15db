//! `fcfs-bench merge`: all segments of a run become one run directory, which is judged.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Show, judge, variable, variables};
use crate::exit::Exit;
use crate::output::say;
use crate::run::{self, AssembleError, MergeError, MergeRequest};
use crate::scenario::value::Span;

/// What clocks that are set by NTP keep to on one site.
const SKEW: Duration = Duration::from_millis(10);

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Run directories of all segments, in any order
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,

    /// Where the merged run directory is made [default: a new one under reports/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// How far the clocks of other machines may be from that of segment 1's [default: 10ms]
    #[arg(long, value_name = "TIME", value_parser = span)]
    skew: Option<Duration>,

    /// Take variables from a file, if numbers of the scenario came from some
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// Print summary.json to stdout, instead of tables
    #[arg(long)]
    json: bool,

    /// Show no tables
    #[arg(long, short)]
    quiet: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    let span: Result<Span, _> = text.parse();
    span.map(|span| span.0).map_err(|error| error.to_string())
}

/// Runs what was typed.
pub(super) fn run(args: &MergeArgs) -> Exit {
    let variables = match variables(args.env_file.as_deref()) {
        Ok(variables) => variables,
        Err(exit) => return exit,
    };
    let request = MergeRequest {
        directories: &args.directories,
        out: args.out.as_deref(),
        skew: args.skew.unwrap_or(SKEW),
    };
    let environment = |name: &str| variable(&variables, name);
    match run::merge(&request, &environment) {
        Ok(directory) => {
            let shown = Show::of(args.json, args.quiet);
            match judge(directory, &variables, None, &shown) {
                Ok(judged) => judged.exit,
                Err(exit) => exit,
            }
        }
        Err(error) => {
            say!("error: {error}");
            match error {
                MergeError::Refused(_) | MergeError::Directory(_) => Exit::Usage,
                MergeError::Unreadable {
                    source: AssembleError::Scenario(_),
                    ..
                } => Exit::InvalidScenario,
                // A file of a segment that is missing or damaged is evidence that was lost.
                MergeError::Unreadable { .. } | MergeError::Io(_) => Exit::Unknown,
            }
        }
    }
}
