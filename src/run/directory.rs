//! The run directory: where every piece of evidence of one run lies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::segment::{Merged, SegmentRecord};
use crate::messages::Lang;
use crate::plan::{Overrides, Scale};
use crate::records;
use crate::report::Comparison;
use crate::scenario::value::Span;
use crate::scenario::{Included, Written};

/// What was asked for, in `run.json`: enough to plan the same run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Of fcfs-bench.
    pub version: String,
    /// The scenario's path as it was given.
    pub scenario: String,
    /// The paths of the files that it includes; the n-th is saved as `included/<n>.yaml`.
    #[serde(default)]
    pub included: Vec<String>,
    /// What the command line changed.
    pub overrides: Overrides,
    /// How many records of users were read; absent where the scenario has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Whose records were judged; absent where the harness itself has loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// What merging needs of a segment; absent where a run is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentRecord>,
    /// What the run was merged from; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// Start of the run, RFC 3339 in UTC.
    pub started: String,
    /// The run's origin in nanoseconds of Unix time.
    pub origin_unix_ns: u64,
    /// Operating system and kernel.
    pub os: String,
    /// Processor and cores.
    pub cpu: String,
    /// Bytes.
    pub memory_bytes: u64,
}

/// The records of another tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// The file as it was given.
    pub file: String,
    /// What was typed about it.
    pub asked: records::Asked,
    /// The step whose attempts they are, where it was named.
    pub step: Option<String>,
    /// Whether it was said that nobody held anything before.
    pub empty_before: bool,
}

impl Imported {
    fn add_to(&self, words: &mut Vec<String>) {
        let mut add = |name: &str, value: &str| {
            words.push(name.to_owned());
            words.push(value.to_owned());
        };
        add("--import", &self.file);
        add("--format", &self.asked.format.to_string());
        self.asked.map.iter().for_each(|map| add("--map", map));
        self.asked.only.iter().for_each(|only| add("--only", only));
        if !self.asked.skew.is_zero() {
            add("--skew", &Span(self.asked.skew).to_string());
        }
        if let Some(step) = &self.step {
            add("--step", step);
        }
        if self.empty_before {
            words.push("--empty-before".to_owned());
        }
    }
}

impl RunRecord {
    /// What was typed, without its passwords.
    pub(super) fn remembered(overrides: &Overrides) -> Overrides {
        let mut remembered = overrides.clone();
        let texts = remembered.set.iter_mut().chain(&mut remembered.url);
        texts.for_each(|text| *text = without_password(text));
        remembered
    }

    /// The command line that repeats the run.
    pub fn command(&self) -> String {
        let overrides = &self.overrides;
        let mut words = vec![
            "fcfs-bench".to_owned(),
            if self.imported.is_some() {
                "check"
            } else {
                "run"
            }
            .to_owned(),
            self.scenario.clone(),
        ];
        if let Some(imported) = &self.imported {
            imported.add_to(&mut words);
        }
        let mut add = |name: &str, value: &str| {
            words.push(name.to_owned());
            words.push(value.to_owned());
        };
        if let Some(profile) = &overrides.profile {
            add("--profile", profile);
        }
        overrides.set.iter().for_each(|set| add("--set", set));
        if overrides.scale != Scale::default() {
            add("--scale", &overrides.scale.to_string());
        }
        let options = [
            ("--url", &overrides.url),
            ("--provider", &overrides.provider),
            ("--bug", &overrides.bug),
            ("--engine", &overrides.engine),
            ("--env-file", &overrides.env_file),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                add(name, value);
            }
        }
        if let Some(metrics) = overrides.metrics {
            add("--metrics", &metrics.to_string());
        }
        if let Some(seed) = overrides.seed {
            add("--seed", &seed.to_string());
        }
        if let Some(segment) = overrides.segment {
            add("--segment", &segment.to_string());
        }
        if let Some(segment) = &self.segment {
            add("--start-at", &segment.start_at.to_string());
        }
        words
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The same without the password of any URL in it: what was typed goes to files and reports, and
/// neither needs it.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    // A password may hold any character but the one that ends it: the last `@` counts.
    let Some((user, host)) = rest.rsplit_once('@') else {
        return text.to_owned();
    };
    let user = user.split_once(':').map_or(user, |(user, _)| user);
    format!("{scheme}://{user}:***@{host}")
}

/// For a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A run directory.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes a new directory: `out`, or `reports/<name>-<time>` with a number behind it if that is
    /// there already.
    ///
    /// # Errors
    /// When it cannot be made, or `out` holds a run already.
    pub fn create(out: Option<&Path>, name: &str) -> io::Result<Self> {
        let run = match out {
            Some(out) => {
                fs::create_dir_all(out)?;
                Self {
                    path: out.to_owned(),
                }
            }
            None => Self {
                path: new_directory(Path::new("reports"), name)?,
            },
        };
        if run.record_file().exists() {
            let message = "it holds a run already";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        Ok(run)
    }

    /// A directory that a run has made.
    ///
    /// # Errors
    /// When it holds no run.
    pub fn open(path: &Path) -> io::Result<Self> {
        let run = Self {
            path: path.to_owned(),
        };
        if run.record_file().exists() {
            return Ok(run);
        }
        let message = format!(
            "{} is not a run directory: it has no run.json",
            path.display()
        );
        Err(io::Error::new(io::ErrorKind::NotFound, message))
    }

    /// The directory itself; the history and the truth know their own names in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `run.json`
    pub fn record_file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// The scenario as it was written.
    pub fn scenario_file(&self) -> PathBuf {
        self.path.join("scenario.yaml")
    }

    /// The plan as text.
    pub fn plan_file(&self) -> PathBuf {
        self.path.join("plan.txt")
    }

    /// What happened to the run itself.
    pub fn events_file(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// One-second histograms.
    pub fn intervals_file(&self) -> PathBuf {
        self.path.join("intervals.hlog")
    }

    /// One-second figures.
    pub fn seconds_file(&self) -> PathBuf {
        self.path.join("seconds.jsonl")
    }

    /// What was read from outside of the load.
    pub fn resources_file(&self) -> PathBuf {
        self.path.join("resources.jsonl")
    }

    /// The summary as JSON.
    pub fn summary_file(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// How the run compares with its baseline; only there when it was given one.
    pub fn comparison_file(&self) -> PathBuf {
        self.path.join("comparison.json")
    }

    /// Reads [`Self::comparison_file`]; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_comparison(&self) -> io::Result<Option<Comparison>> {
        match fs::read(self.comparison_file()) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The report as one page.
    pub fn page_file(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The report for people.
    pub fn report_file(&self) -> PathBuf {
        self.path.join("report.md")
    }

    /// The incident report in a language; only there when it was asked for.
    pub fn incident_file(&self, lang: Lang) -> PathBuf {
        self.path.join(match lang {
            Lang::En => "incident.md",
            Lang::Ko => "incident.ko.md",
        })
    }

    /// The report for the tests' page of a CI system.
    pub fn junit_file(&self) -> PathBuf {
        self.path.join("junit.xml")
    }

    /// The run over time.
    pub fn chart_file(&self) -> PathBuf {
        self.path.join("chart.svg")
    }

    /// Every case of a violation, one by one.
    pub fn cases_file(&self) -> PathBuf {
        self.path.join(crate::report::CASES_FILE)
    }

    /// Pictures of how the gravest cases came about.
    pub fn explained(&self) -> PathBuf {
        self.path.join("explained")
    }

    /// Logs and data of the system that the run brought up.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn stack(&self) -> io::Result<PathBuf> {
        let path = self.path.join("stack");
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Writes the scenario and all that it includes, and gives the names of the latter.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write_scenario(&self, written: &Written) -> io::Result<Vec<String>> {
        fs::write(self.scenario_file(), &written.text)?;
        let mut names = Vec::new();
        for Included { name, text } in &written.included {
            // The plan of a run has used every file that was asked for.
            let Ok(text) = text else { continue };
            let file = self.included_file(names.len() + 1);
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(file, text)?;
            names.push(name.clone());
        }
        Ok(names)
    }

    /// Reads the scenario of a run, with all that it includes.
    ///
    /// # Errors
    /// When one of the files is missing.
    pub fn read_scenario(&self, record: &RunRecord) -> io::Result<Written> {
        let read = |path: PathBuf| {
            let text = fs::read_to_string(&path);
            text.map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })
        };
        let included = record.included.iter().enumerate().map(|(at, name)| {
            let text = read(self.included_file(at + 1))?;
            Ok(Included {
                name: name.clone(),
                text: Ok(text),
            })
        });
        Ok(Written {
            file_name: record.scenario.clone(),
            text: read(self.scenario_file())?,
            included: included.collect::<io::Result<_>>()?,
        })
    }

    fn included_file(&self, number: usize) -> PathBuf {
        self.path.join("included").join(format!("{number}.yaml"))
    }

    /// Writes what was asked for.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write_record(&self, record: &RunRecord) -> io::Result<()> {
        fs::write(self.record_file(), serde_json::to_vec_pretty(record)?)
    }

    /// Reads what was asked for.
    ///
    /// # Errors
    /// When `run.json` is not of this version's form.
    pub fn read_record(&self) -> io::Result<RunRecord> {
        let path = self.record_file();
        let read = fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        read.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }
}

fn new_directory(parent: &Path, name: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(parent)?;
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    for number in 1..1_000 {
        let suffix = if number == 1 {
            String::new()
        } else {
            format!("-{number}")
        };
        let path = parent.join(format!("{name}-{time}{suffix}"));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path),
        }
    }
    Err(io::Error::other(format!(
        "{} has a thousand runs of this second",
        parent.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_remembered_without_passwords() {
        // What was typed, what is kept.
        let table = [
            ("a.b=1", "a.b=1"),
            ("t=mysql://u:p@h/db", "t=mysql://u:***@h/db"),
            ("t=mysql://u:p@:/w@h/db", "t=mysql://u:***@h/db"),
            ("http://h:80/a", "http://h:80/a"),
            ("id=user@host", "id=user@host"),
        ];
        for (typed, kept) in table {
            assert_eq!(without_password(typed), kept);
        }
    }
}
