//! What one iteration does: requests and pauses, and what depends on their answers.

use std::fmt;
use std::time::Duration;

use super::step::Rule;
use crate::scenario::value::Pattern;

/// What one iteration does.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// As in the scenario.
    pub name: String,
    /// At least one.
    pub actions: Vec<Action>,
    /// The slots that its answers fill, each once; they are emptied for each new user.
    pub captured: Vec<u8>,
}

/// A piece of a flow.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Index into [`super::Plan::steps`]; with [`super::Step::poll`] it is repeated.
    Request(u8),
    /// A pause; with two different times, evenly distributed between them.
    Think(Duration, Duration),
    /// One of two lists.
    When(When),
    /// A list for each of several values.
    Each(Each),
    /// Lists at the same time.
    Parallel(Parallel),
}

/// What is done depends on what came before.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// Steps and the labels of which the last answer of each must have one.
    pub outcomes: Vec<(u8, Vec<u8>)>,
    /// Slots and what they must hold.
    pub captures: Vec<(u8, TextMatch)>,
    /// If all of that holds.
    pub then: Vec<Action>,
    /// If not; may be empty.
    pub otherwise: Vec<Action>,
}

/// What a slot must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum TextMatch {
    /// One of these texts.
    AnyOf(Vec<String>),
    /// Anything; `false`: nothing.
    Exists(bool),
    /// A text in which this is found.
    Matches(Pattern),
}

/// Actions for each of several values.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// Holds the value.
    pub slot: u8,
    /// The values.
    pub items: Items,
    /// What is done with each.
    pub actions: Vec<Action>,
}

/// Values to go over.
#[derive(Debug, Clone, PartialEq)]
pub enum Items {
    /// These, in order.
    List(Vec<String>),
    /// The numbers from the first to the last, both included.
    Range(u64, u64),
    /// The values of a JSON list that this slot holds; none if it holds something else.
    In(u8),
}

/// Branches that one user goes at the same time, each with connections of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Parallel {
    /// How often each branch is gone; at least 1.
    pub times: u64,
    /// At least one.
    pub branches: Vec<Vec<Action>>,
}

/// A request is repeated until its answer is what is waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll {
    /// From one request to the next.
    pub every: Duration,
    /// No request starts after this time; the iteration ends then.
    pub within: Duration,
    /// What ends it.
    pub until: Until,
}

/// What ends a poll.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    /// An answer with one of these labels.
    Labels(Vec<u8>),
    /// An answer like this, whatever its label.
    Answer(Box<Rule>),
}

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Where it is kept.
    pub slot: u8,
    /// Where it stands.
    pub from: CaptureFrom,
    /// The metrics that measure it: indices into [`super::Plan::metrics`].
    pub metrics: Vec<u8>,
}

/// Where a value stands in an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum CaptureFrom {
    /// At this JSON pointer: a text as it is, another value as JSON; null is nothing.
    Json(String),
    /// In the first header of this name, in lower case.
    Header(String),
    /// In a `set-cookie` header, under this name.
    Cookie(String),
    /// In the body: the first group, or the whole match.
    Matches(Pattern),
}

impl fmt::Display for CaptureFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(pointer) if pointer.is_empty() => f.write_str("the whole body"),
            Self::Json(pointer) => f.write_str(pointer),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
            Self::Matches(pattern) => write!(f, "what {pattern} finds"),
        }
    }
}

impl Action {
    /// Calls `each` with the numbers of all requests, also of those within other actions.
    pub fn requests(actions: &[Self], each: &mut impl FnMut(u8)) {
        for action in actions {
            match action {
                Self::Request(step) => each(*step),
                Self::Think(..) => {}
                Self::When(when) => {
                    Self::requests(&when.then, each);
                    Self::requests(&when.otherwise, each);
                }
                Self::Each(all) => Self::requests(&all.actions, each),
                Self::Parallel(parallel) => {
                    for branch in &parallel.branches {
                        Self::requests(branch, each);
                    }
                }
            }
        }
    }
}
