//! What happened to the run itself, one line of JSON each, so that a killed run can be understood.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::history::{AlertChange, AlertMark, Cause, FaultMark, Moment};
use crate::output::{Feed, Feeder};
use crate::plan::Mask;
use crate::report::{OutputSummary, SetupSummary};

/// A moment of the run. Times are nanoseconds since the run's origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A step before or after the load has ended.
    Setup {
        /// When it ended.
        at_ns: u64,
        /// What it came to.
        #[serde(flatten)]
        line: SetupSummary,
    },
    /// The target answered; the load begins.
    LoadStarted {
        /// Time zero of all phases.
        at_ns: u64,
        /// Load threads.
        threads: u64,
        /// Which provider brought the system up, and why.
        provider: String,
        /// What is loaded, without secrets.
        target: String,
    },
    /// A kind of attempt without a certain answer was seen for the first time.
    UnknownShape {
        /// Index of the step.
        step: u8,
        /// Why there is no certain answer.
        cause: Cause,
        /// The HTTP status, 0 without an answer.
        status: u16,
        /// The beginning of the answer's body.
        example: String,
    },
    /// A signal asked for the end.
    Interrupted {
        /// When.
        at_ns: u64,
    },
    /// A threshold asked for the end.
    Aborted {
        /// When.
        at_ns: u64,
        /// The threshold as written.
        threshold: String,
        /// What was observed.
        detail: String,
    },
    /// All iterations have ended.
    LoadEnded {
        /// When.
        at_ns: u64,
        /// Users that were taken from the sequence; in a segment, how far into the sequence of all.
        users_taken: u64,
    },
    /// The first of several segments has waited until the others must have ended, too.
    SegmentsOver {
        /// When.
        at_ns: u64,
    },
    /// Everything that was measured is on disk.
    Recorded {
        /// Operations that could not be kept.
        lost: u64,
        /// Why the files are incomplete, if they are.
        failure: Option<String>,
        /// How often each kind of attempt without a certain answer was seen.
        unknown: Vec<UnknownCount>,
    },
    /// The drain phase has ended.
    Drained {
        /// Fresh users who asked.
        requests: u64,
        /// Of them issued.
        issued: u64,
        /// Whether a sold-out was answered.
        sold_out: bool,
    },
    /// Something happened to a fault.
    Fault(FaultMark),
    /// What is told about alerts has changed.
    Alert(AlertMark),
    /// What an output has come to.
    Output(OutputSummary),
    /// Something that a reader of the report should know.
    Warning {
        /// In words.
        text: String,
    },
    /// The run has come to its end in good order.
    Ended {
        /// When.
        at_ns: u64,
    },
}

impl Event {
    /// The texts that others have written. A threshold is known by its name, which stays.
    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::LoadStarted {
                provider, target, ..
            } => vec![provider, target],
            Self::UnknownShape { example, .. } => vec![example],
            Self::Aborted { detail, .. } => vec![detail],
            Self::Recorded { failure, .. } => failure.iter_mut().collect(),
            Self::Warning { text } => vec![text],
            Self::Fault(mark) => match &mut mark.moment {
                Moment::NotApplied { why } | Moment::NotHealed { why } => vec![why],
                Moment::EffectSeen { what } | Moment::EffectNotSeen { what } => vec![what],
                _ => Vec::new(),
            },
            Self::Alert(mark) => match &mut mark.change {
                AlertChange::Firing { name, labels, .. } => {
                    labels.values_mut().chain([name]).collect()
                }
                AlertChange::Silent { why } => vec![why],
                _ => Vec::new(),
            },
            Self::Setup { line, .. } => line.failure.iter_mut().collect(),
            Self::Output(output) => output.texts().collect(),
            Self::Interrupted { .. }
            | Self::LoadEnded { .. }
            | Self::SegmentsOver { .. }
            | Self::Drained { .. }
            | Self::Ended { .. } => Vec::new(),
        }
    }
}

/// How often attempts ended in one way without a certain answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownCount {
    /// Index of the step.
    pub step: u8,
    /// Why there is no certain answer.
    pub cause: Cause,
    /// The HTTP status, 0 without an answer.
    pub status: u16,
    /// How often.
    pub count: u64,
}

/// Appends events to a file, and tells outputs those that they take.
pub(super) struct EventLog {
    file: File,
    mask: Mask,
    feeder: Feeder,
}

impl EventLog {
    /// Creates the file, into which nothing of `mask` is written.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn create(path: &Path, mask: Mask) -> io::Result<Self> {
        let file = File::create(path)?;
        let feeder = Feeder::to_nobody();
        Ok(Self { file, mask, feeder })
    }

    /// Tells outputs from now on; handles that were made before do not.
    pub(super) fn tell(&mut self, feeder: Feeder) {
        self.feeder = feeder;
    }

    /// Another handle that appends to the same file.
    ///
    /// # Errors
    /// When the handle cannot be made.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
            mask: self.mask.clone(),
            feeder: self.feeder.clone(),
        })
    }

    /// Appends one event in one write.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(super) fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut event = event.clone();
        for text in event.texts() {
            *text = self.mask.hide(text);
        }
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        let done = self.file.write_all(&line);
        if let Some(feed) = feed(event) {
            self.feeder.feed(|| feed);
        }
        done
    }
}

/// What outputs take of it.
fn feed(event: Event) -> Option<Feed> {
    match event {
        Event::LoadStarted { at_ns, .. } => Some(Feed::LoadStarted { at_ns }),
        Event::LoadEnded { at_ns, .. } => Some(Feed::LoadEnded { at_ns }),
        Event::Fault(mark) => Some(Feed::Fault(mark)),
        Event::Alert(mark) => Some(Feed::Alert(mark)),
        _ => None,
    }
}

/// Reads the events back; a torn or unknown line is left out.
///
/// # Errors
/// When the file cannot be opened.
pub(super) fn read_events(path: &Path) -> io::Result<Vec<Event>> {
    let lines = BufReader::new(File::open(path)?).lines();
    Ok(lines
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok())
        .collect())
}
