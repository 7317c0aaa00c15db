//! `import`: another tool's script becomes a scenario, and what it did not say is said.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::file;
use crate::exit::Exit;
use crate::import::{self, Imported};
use crate::output::{say, to_stderr};
use crate::plan::{self, Overrides};

/// The languages of scripts.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Turn a k6 script into a scenario; what a person must decide is marked with TODO
    K6(ScriptArgs),
}

#[derive(Debug, Args)]
pub(super) struct ScriptArgs {
    /// Script file
    script: PathBuf,

    /// Where the scenario goes [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the file of --out
    #[arg(long, requires = "out")]
    force: bool,
}

pub(super) fn run(import: &Import) -> Exit {
    let Import::K6(args) = import;
    match k6(args) {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

fn k6(args: &ScriptArgs) -> Result<(), Exit> {
    let shown = args.script.display().to_string();
    let text = read(&args.script)?;
    let imported = import::k6::import(&shown, &text).map_err(|error| {
        to_stderr(format_args!("{error}"));
        Exit::InvalidScenario
    })?;
    match &args.out {
        Some(path) => file::write(path, &imported.scenario, args.force)?,
        None => super::print(&imported.scenario),
    }
    tell(&shown, &imported);
    check(args, &imported)
}

fn read(path: &Path) -> Result<String, Exit> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string());
    let text =
        bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()));
    text.map_err(|problem| {
        say!("error: failed to read {}: {problem}", path.display());
        Exit::InvalidScenario
    })
}

fn tell(script: &str, imported: &Imported) {
    let todos = imported.scenario.matches("TODO:").count();
    say!("{script}: imported, with {todos} places marked TODO that a person has to look at");
    if imported.notes.is_empty() {
        return;
    }
    say!("what the script says and the scenario does not:");
    imported
        .notes
        .iter()
        .for_each(|note| say!("  {script}:{}: {}", note.line, note.text));
}

/// A script may say what no scenario can; then what came out is a draft, and says so.
fn check(args: &ScriptArgs, imported: &Imported) -> Result<(), Exit> {
    let name = args
        .out
        .as_deref()
        .unwrap_or_else(|| Path::new("the scenario"));
    let name = name.display().to_string();
    // Whether the variables are set is a matter of each run.
    let environment = |_: &str| Some("1".to_owned());
    let planned = plan::load(
        &name,
        &imported.scenario,
        &Overrides::default(),
        &environment,
    );
    planned.map(drop).map_err(|diagnostics| {
        to_stderr(format_args!("{diagnostics}"));
        say!("error: what was imported is not a valid scenario yet: correct the above");
        Exit::InvalidScenario
    })
}
