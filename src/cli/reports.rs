//! Writes what is made of a judged run: for machines, for people, and all cases one by one.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};

use serde::Serialize;

use crate::check::Case;
use crate::exit::Exit;
use crate::report::{self, Summary};
use crate::run::RunDirectory;

/// Writes all reports anew.
pub(super) fn write(directory: &RunDirectory, summary: &Summary) -> Result<(), Exit> {
    write_all(directory, summary)
        .map_err(|error| super::internal(&format!("failed to write the report: {error}")))
}

fn write_all(directory: &RunDirectory, summary: &Summary) -> io::Result<()> {
    fs::write(
        directory.summary_file(),
        serde_json::to_vec_pretty(summary)?,
    )?;
    fs::write(directory.chart_file(), report::chart(summary))?;
    scalability(directory, summary)?;
    cases(directory, summary)?;
    timelines(directory, summary)?;
    fs::write(directory.page_file(), report::html(summary))?;
    fs::write(directory.junit_file(), report::junit(summary))?;
    fs::write(directory.report_file(), report::markdown(summary))
}

/// An earlier judgement may have seen steps that this one does not.
fn scalability(directory: &RunDirectory, summary: &Summary) -> io::Result<()> {
    let path = directory.path().join(report::SCALABILITY_CHART);
    if let Some(picture) = report::scalability_chart(summary) {
        return fs::write(path, picture);
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// One line of the file of cases.
#[derive(Serialize)]
struct Line<'a> {
    checker: &'a str,
    part: &'a str,
    #[serde(flatten)]
    case: &'a Case,
}

/// All cases, of which the report shows the first, the worst and the last.
fn cases(directory: &RunDirectory, summary: &Summary) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(directory.cases_file())?);
    for finding in &summary.findings {
        for part in &finding.parts {
            for case in &part.all {
                let line = Line {
                    checker: &finding.checker,
                    part: &part.name,
                    case,
                };
                serde_json::to_writer(&mut file, &line)?;
                file.write_all(b"\n")?;
            }
        }
    }
    file.flush()
}

/// The pictures of an earlier judgement go: it may have found something else.
fn timelines(directory: &RunDirectory, summary: &Summary) -> io::Result<()> {
    let folder = directory.explained();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for finding in &summary.findings {
        for part in &finding.parts {
            let told = part.explanation.as_ref();
            if let Some(picture) = told.and_then(report::timeline) {
                fs::create_dir_all(&folder)?;
                let file = report::timeline_file(&finding.checker, &part.name);
                fs::write(directory.path().join(file), picture)?;
            }
        }
    }
    Ok(())
}
