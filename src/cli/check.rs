//! `fcfs-bench check`: judges a run directory again, or the records of another load tool.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::{
    Changes, DirectoryArgs, Loaded, PlanArgs, Show, assembled, judge, load, refuse, runtime, show,
};
use crate::exit::Exit;
use crate::output::say;
use crate::plan::{self, Scale};
use crate::records::{Asked, Format};
use crate::run::{self, ImportError, ImportRequest, Imported};
use crate::scenario::value::Span;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct CheckArgs {
    /// Run directory; with --import the scenario that says what the answers mean
    #[arg(value_name = "DIR|SCENARIO")]
    what: PathBuf,

    /// Judge the attempts that another tool has recorded in this file, and the truth as it is now
    #[arg(long, value_name = "FILE", requires = "format")]
    import: Option<PathBuf>,

    #[command(flatten)]
    records: RecordArgs,

    /// Take variables for `${NAME}` from a file of NAME=value lines; those of the environment win
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// Print summary.json to stdout, instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RecordArgs {
    /// Who has written the file: k6 (--out json), jmeter (CSV), locust (a CSV of requests), jsonl
    #[arg(long, value_name = "NAME", requires = "import", value_parser = format)]
    format: Option<Format>,

    /// Which field is what: KEY=FIELD or KEY=FIELD~REGEX, with KEY one of user, start, end, unit,
    /// duration, `duration_unit`, status, error, body, outcome, coupon, metric (more than once)
    #[arg(long, value_name = "KEY=FIELD", requires = "import")]
    map: Vec<String>,

    /// Judge only these records: FIELD=TEXT or FIELD~REGEX (may be given more than once)
    #[arg(long, value_name = "FIELD=TEXT", requires = "import")]
    only: Vec<String>,

    /// How far the clocks of the machines that recorded may be apart [default: 0s]
    #[arg(long, value_name = "TIME", requires = "import", value_parser = span)]
    skew: Option<Duration>,

    /// The step of the scenario that the records are of [default: the only one that attempts]
    #[arg(long, value_name = "NAME", requires = "import")]
    step: Option<String>,

    /// Nobody held anything before the load: your word for it stands in the report
    #[arg(long, requires = "import")]
    empty_before: bool,

    /// Change one value of the scenario (may be given more than once)
    #[arg(long, value_name = "PATH=VALUE", requires = "import")]
    set: Vec<String>,

    /// Use a profile of the scenario
    #[arg(long, value_name = "NAME", requires = "import")]
    profile: Option<String>,

    /// Where the run directory is made [default: a new one under reports/]
    #[arg(long, value_name = "DIR", requires = "import")]
    out: Option<PathBuf>,
}

const EXAMPLE: &str = "\
Another tool's records, see docs/import-results.md:
  fcfs-bench check sale.yaml --import k6.json --format k6 --map user=user --map outcome=outcome
  fcfs-bench check sale.yaml --import run.jtl --format jmeter --map user=user --map body=answer";

fn format(text: &str) -> Result<Format, String> {
    text.parse()
}

fn span(text: &str) -> Result<Duration, String> {
    let span: Result<Span, _> = text.parse();
    span.map(|span| span.0).map_err(|error| error.to_string())
}

/// Runs what was typed.
pub(super) fn run(args: &CheckArgs) -> Exit {
    match (&args.import, args.records.format) {
        (Some(file), Some(format)) => match records(args, file, format) {
            Ok(exit) | Err(exit) => exit,
        },
        _ => directory(args),
    }
}

fn directory(args: &CheckArgs) -> Exit {
    let of_directory = DirectoryArgs {
        directory: args.what.clone(),
        env_file: args.env_file.clone(),
        json: args.json,
    };
    match assembled(&of_directory) {
        Ok((_, assembled)) => {
            show(&assembled.summary, &Show::of(args.json, false));
            assembled.exit
        }
        Err(exit) => exit,
    }
}

fn records(args: &CheckArgs, file: &Path, format: Format) -> Result<Exit, Exit> {
    let of_records = &args.records;
    let of_plan = PlanArgs {
        scenario: args.what.clone(),
        changes: Changes {
            set: of_records.set.clone(),
            scale: Scale::default(),
            profile: of_records.profile.clone(),
            env_file: args.env_file.clone(),
            url: None,
            provider: None,
            bug: None,
            engine: None,
            seed: None,
            metrics: None,
            segment: None,
        },
    };
    let Loaded {
        plan,
        written,
        overrides,
        variables,
    } = load(&of_plan, plan::load_written)?;
    let mask = plan.mask.clone();
    let asked = Asked {
        format,
        map: of_records.map.clone(),
        only: of_records.only.clone(),
        skew: of_records.skew.unwrap_or_default(),
    };
    let request = ImportRequest {
        plan,
        written: &written,
        overrides: &overrides,
        out: of_records.out.as_deref(),
        imported: Imported {
            file: file.display().to_string(),
            asked,
            step: of_records.step.clone(),
            empty_before: of_records.empty_before,
        },
    };
    let directory = runtime()?.block_on(run::import(request));
    let directory = directory.map_err(|error| match error {
        ImportError::Run(error) => refuse(&error, &mask),
        ImportError::Scenario(_) => complain(&mask.hide(&error.to_string()), Exit::InvalidScenario),
        ImportError::Settings(_) | ImportError::Record(_) | ImportError::File(_) => {
            complain(&mask.hide(&error.to_string()), Exit::Usage)
        }
    })?;
    let judged = judge(directory, &variables, None, &Show::of(args.json, false))?;
    Ok(judged.exit)
}

fn complain(words: &str, exit: Exit) -> Exit {
    for line in words.lines() {
        let is_continued = line.starts_with(' ');
        say!("{}{line}", if is_continued { "" } else { "error: " });
    }
    exit
}
