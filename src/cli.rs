//! The command line: the commands, and who does what each of them says.

mod check;
mod compare;
mod file;
mod github;
mod heal;
mod import;
mod judged;
mod keep;
mod keep_containers;
mod merge;
mod mock_kafka;
mod new;
mod planned;
mod probe;
mod reports;
mod rewrite;
mod running;

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::output::{say, to_stdout};
use judged::{DirectoryArgs, Show, assembled, judge, show};
use planned::{Changes, Loaded, PlanArgs, ValidateArgs, load, variable, variables};
use running::{RunArgs, refuse, runtime};

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

/// Runs what was typed. Only this function's caller ends the process.
pub fn main() -> Exit {
    match Cli::parse().command {
        Command::Run(args) => running::run(&args),
        Command::Validate(args) => planned::validate(&args),
        Command::Plan(args) => planned::show_plan(&args),
        Command::Schema => planned::show_schema(),
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
    crate::run::be_goose().map_or(Exit::NotReady, |()| Exit::Ok)
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
