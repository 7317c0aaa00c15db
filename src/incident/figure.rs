//! The figures behind what a report says: each value with the file and the field that it is read
//! from, so that a reader can look it up.

use crate::messages::Fig;

/// A value and where it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// With its unit; the same in every language.
    pub value: String,
    /// Where it stands.
    pub source: Source,
}

/// Where a value stands in the run directory.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A JSON pointer into `summary.json`.
    Summary(String),
    /// Lines of `seconds.jsonl`.
    Seconds {
        /// `t` of the first line.
        from: u64,
        /// `t` behind the last one.
        to: u64,
        /// How the lines become one value.
        how: How,
        /// Names with dots, as `outcomes.issued`.
        field: String,
    },
    /// Lines of `resources.jsonl`.
    Resources {
        /// The source's name; `*` for several together.
        source: String,
        /// As the file spells the kind.
        kind: String,
        /// As the file spells the quantity.
        field: String,
        /// Seconds since the start of the load.
        from: f64,
        /// As above.
        to: f64,
        /// How the lines become one value.
        how: How,
    },
    /// A line of `events.jsonl`, by the event and its moment or change.
    Event(String),
    /// Something that was asked for: a line of `plan.txt`.
    Plan(String),
    /// Worked out by a test that is described in the project's documentation.
    Test {
        /// The file of its input.
        file: &'static str,
        /// What was worked out of which fields.
        what: String,
    },
    /// A limit of a playbook, by its id.
    Playbook(String),
    /// No file of the run has it.
    NotMeasured(String),
}

/// How several lines become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// There is one line.
    Value,
    /// Added up.
    Sum,
    /// The largest.
    Max,
    /// The middle one.
    Median,
    /// The arithmetic mean.
    Mean,
    /// By how much it grew each second, on average.
    Rate,
    /// The largest value that was reached in each of some seconds on end.
    Sustained(u64),
}

impl How {
    fn of(self, field: &str) -> String {
        match self {
            Self::Value => field.to_owned(),
            Self::Sum => format!("sum({field})"),
            Self::Max => format!("max({field})"),
            Self::Median => format!("median({field})"),
            Self::Mean => format!("mean({field})"),
            Self::Rate => format!("rate({field})"),
            Self::Sustained(seconds) => format!("max(min({field} over {seconds} s))"),
        }
    }
}

impl Source {
    /// The file, relative to the run directory.
    pub fn file(&self) -> &str {
        match self {
            Self::Summary(_) => "summary.json",
            Self::Seconds { .. } => "seconds.jsonl",
            Self::Resources { .. } => "resources.jsonl",
            Self::Event(_) => "events.jsonl",
            Self::Plan(_) => "plan.txt",
            Self::Test { file, .. } => file,
            Self::Playbook(_) => "playbook",
            Self::NotMeasured(_) => "–",
        }
    }

    /// Where in the file.
    pub fn field(&self) -> String {
        match self {
            Self::Summary(pointer) => pointer.clone(),
            Self::Seconds {
                from,
                to,
                how,
                field,
            } if to.saturating_sub(*from) <= 1 => format!("t={from}: {}", how.of(field)),
            Self::Seconds {
                from,
                to,
                how,
                field,
            } => format!("t={from}..{}: {}", to - 1, how.of(field)),
            Self::Resources {
                source,
                kind,
                field,
                from,
                to,
                how,
            } => format!("{source} ({kind}), {from:.0}..{to:.0} s: {}", how.of(field)),
            Self::Event(text) | Self::Plan(text) | Self::Playbook(text) => text.clone(),
            Self::Test { what, .. } | Self::NotMeasured(what) => what.clone(),
        }
    }
}

/// All figures of a report, in the order in which they were first needed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    list: Vec<Figure>,
}

impl Figures {
    /// The place of this figure; the same figure has one place.
    pub(super) fn cite(&mut self, value: impl Into<String>, source: Source) -> Fig {
        let figure = Figure {
            value: value.into(),
            source,
        };
        let known = self.list.iter().position(|one| *one == figure);
        Fig(known.unwrap_or_else(|| {
            self.list.push(figure);
            self.list.len() - 1
        }))
    }

    /// In order.
    pub fn list(&self) -> &[Figure] {
        &self.list
    }
}
