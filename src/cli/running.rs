//! `fcfs-bench run`: a scenario is run and judged.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::github::{Github, Outcome};
use super::judged::{Judged, Show, judge};
use super::planned::{Allowed, PlanArgs, load};
use super::{compare, internal};
use crate::exit::Exit;
use crate::feeder::FeederError;
use crate::output::say;
use crate::plan;
use crate::report;
use crate::run::{self, Request, RunError, StartAt};
use crate::scenario::Mask;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    plan: PlanArgs,

    /// Where the run directory is made [default: a new one under reports/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Load threads [default: one for each core; beside a bundled server one for two]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,

    /// Addresses of this machine that connections of the load come from, in turn: one has some 28,000
    /// ports to one target [default: as the system chooses, or several of 127.0.0.0/8 to a target there]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    local_ips: Vec<IpAddr>,

    /// Begin the load at this time, such as 2026-03-01T12:30:00Z; all segments need the same
    #[arg(long, value_name = "TIME")]
    start_at: Option<StartAt>,

    /// Compare with this run of the same load; exit code 115 if it has become worse
    #[arg(long, value_name = "DIR")]
    pub(super) baseline: Option<PathBuf>,

    #[command(flatten)]
    pub(super) limits: compare::LimitArgs,

    /// Print summary.json to stdout at the end, instead of tables
    #[arg(long)]
    json: bool,

    /// Show no progress and no tables
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    allowed: Allowed,
}

pub(super) fn run(args: &RunArgs) -> Exit {
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
        local_addresses: args.local_ips.clone(),
        start_at: args.start_at,
        quiet: args.quiet,
    };
    let mask = request.plan.mask.clone();
    let conducted = runtime()?.block_on(run::conduct(request));
    let directory = conducted.map_err(|error| refuse(&error, &mask))?;
    let shown = Show::of(args.json, args.quiet);
    judge(directory, &loaded.variables, baseline.as_ref(), &shown)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let built = builder.enable_all().build();
    built.map_err(|error| internal(&format!("failed to start: {error}")))
}

pub(super) fn refuse(error: &RunError, mask: &Mask) -> Exit {
    say!("error: {}", mask.hide(&error.to_string()));
    match error {
        RunError::NotReady(_)
        | RunError::Truth(_)
        | RunError::TruthValue(_)
        | RunError::Alerts(_)
        | RunError::Before { .. }
        | RunError::Late { .. }
        | RunError::Files { .. }
        | RunError::Link { .. }
        | RunError::Ports { .. }
        | RunError::NoLocalAddress { .. }
        | RunError::Listen { .. }
        | RunError::Users(FeederError::Sql(_)) => Exit::NotReady,
        RunError::Users(_) | RunError::NoGoose => Exit::InvalidScenario,
        RunError::Directory { .. } | RunError::LocalAddress { .. } => Exit::Usage,
        RunError::Interrupted => Exit::Interrupted,
        RunError::Io { .. } => Exit::Internal,
    }
}
