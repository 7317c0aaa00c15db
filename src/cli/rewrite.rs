//! `fcfs-bench report`: writes the reports of a run directory again, and its incident report.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{DirectoryArgs, Show, assembled, internal, reports, show, variable, variables};
use crate::exit::Exit;
use crate::incident;
use crate::messages::Lang;
use crate::output::{say, to_stderr};
use crate::playbook::{self, Playbook};
use crate::report::Summary;
use crate::run::{self, RunDirectory};
use crate::scenario::Diagnostics;

/// Larger files are no playbooks.
const MOST_BYTES: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    run: DirectoryArgs,

    /// Write the incident report too: what was noticeable since when, what may have caused it, and
    /// what is done about it
    #[arg(long)]
    incident: bool,

    /// The language of the incident report: en or ko [default: en]
    #[arg(long, value_name = "LANG", requires = "incident")]
    lang: Option<Lang>,

    /// Match the playbooks of this directory, too
    #[arg(long, value_name = "DIR", requires = "incident")]
    playbooks: Option<PathBuf>,
}

pub(super) fn run(args: &ReportArgs) -> Exit {
    // What is wrong with a playbook is said before anything is written.
    let playbooks = match all_playbooks(args) {
        Ok(playbooks) => playbooks,
        Err(exit) => return exit,
    };
    let (directory, assembled) = match assembled(&args.run) {
        Ok(done) => done,
        Err(exit) => return exit,
    };
    if let Err(exit) = reports::write(&directory, &assembled.summary) {
        return exit;
    }
    show(&assembled.summary, &Show::of(args.run.json, false));
    say!("report: {}", directory.report_file().display());
    if args.incident
        && let Err(exit) = write(args, assembled.summary, &directory, &playbooks)
    {
        return exit;
    }
    // A report that could be written is a success, whatever it says.
    Exit::Ok
}

fn write(
    args: &ReportArgs,
    summary: Summary,
    directory: &RunDirectory,
    playbooks: &[Playbook],
) -> Result<(), Exit> {
    let lang = args.lang.unwrap_or_default();
    let variables = variables(args.run.env_file.as_deref())?;
    let environment = |name: &str| variable(&variables, name);
    let left = run::left(summary, directory, &environment);
    let left = left.map_err(|error| internal(&error.to_string()))?;
    let evidence = left.evidence();
    let found = incident::find(&evidence, playbooks);
    let text = incident::markdown(&found, &evidence, lang);
    let file = directory.incident_file(lang);
    let written = fs::write(&file, left.hide(&text));
    written.map_err(|error| internal(&format!("failed to write {}: {error}", file.display())))?;
    say!("incident: {}", file.display());
    Ok(())
}

/// Those that the program brings along, then the user's own; one of the same id takes the place of
/// the program's.
fn all_playbooks(args: &ReportArgs) -> Result<Vec<Playbook>, Exit> {
    if !args.incident {
        return Ok(Vec::new());
    }
    let shipped = incident::shipped().map_err(|error| internal(&error.to_string()))?;
    let own = match &args.playbooks {
        None => Vec::new(),
        Some(folder) => of_folder(folder)?,
    };
    let replaced = |one: &Playbook| own.iter().any(|own| own.id == one.id);
    let mut all: Vec<Playbook> = shipped.into_iter().filter(|one| !replaced(one)).collect();
    all.extend(own);
    Ok(all)
}

/// Every `.yaml` and `.yml` file of a directory, in the order of their names.
fn of_folder(folder: &Path) -> Result<Vec<Playbook>, Exit> {
    let refuse = |error: &dyn std::fmt::Display| {
        say!("error: failed to read {}: {error}", folder.display());
        Exit::Usage
    };
    let entries = fs::read_dir(folder).map_err(|error| refuse(&error))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refuse(&error))?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|end| end == "yaml" || end == "yml")
    });
    paths.sort();
    if paths.is_empty() {
        return Err(refuse(&"it has no .yaml file"));
    }
    let mut all: Vec<Playbook> = Vec::new();
    let mut wrong = false;
    for path in paths {
        match of_file(&path) {
            Ok(playbook) => {
                if all.iter().any(|one| one.id == playbook.id) {
                    say!(
                        "error: {}: the id `{}` is there twice",
                        path.display(),
                        playbook.id
                    );
                    wrong = true;
                }
                all.push(playbook);
            }
            Err(diagnostics) => {
                to_stderr(format_args!("{diagnostics}"));
                wrong = true;
            }
        }
    }
    if wrong {
        return Err(Exit::InvalidScenario);
    }
    Ok(all)
}

fn of_file(path: &Path) -> Result<Playbook, Diagnostics> {
    playbook::read_file(path, MOST_BYTES)
}
