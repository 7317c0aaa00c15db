//! A request, and what its answers mean.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::flow::{Capture, Poll};
use super::template::Template;
use crate::history::OutcomeKind;
use crate::scenario::value::Pattern;

/// A request and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// As in the scenario; unique in it.
    pub name: String,
    /// In upper case.
    pub method: String,
    /// Starts with a slash; may hold a query.
    pub path: Template,
    /// Appended to the path.
    pub query: Vec<(String, Template)>,
    /// Names in lower case.
    pub headers: Vec<(String, Template)>,
    /// What is sent.
    pub body: Body,
    /// From the start of the attempt (connecting included) to the last byte of the body.
    pub timeout: Duration,
    /// In order, the first match wins. Empty: 2xx and 3xx are `ok`, others `error`.
    pub rules: Vec<Rule>,
    /// What is kept of an answer.
    pub captures: Vec<Capture>,
    /// Whether and how it is repeated until the answer is what is waited for.
    pub poll: Option<Poll>,
    /// Whether it is an attempt to get the subject: some rule says issued, pending or replay.
    pub attempts_subject: bool,
}

/// A request's body. The content type is among the headers already.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// No body.
    None,
    /// Rendered as it is (JSON, form or text: the template escapes its values).
    Text(Template),
}

/// When an answer is what; all conditions must hold, one without conditions matches anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Index into [`super::Plan::labels`].
    pub label: u8,
    /// Any of them; empty for any status.
    pub status: Vec<StatusMatch>,
    /// Text that the body contains.
    pub body: Option<String>,
    /// What is found in the body.
    pub matches: Option<Pattern>,
    /// Whether the body has no byte.
    pub empty: Option<bool>,
    /// JSON pointers and what must stand there.
    pub json: Vec<(String, JsonMatch)>,
    /// Header names in lower case and their exact values (`None`: it is there at all).
    pub headers: Vec<(String, Option<String>)>,
    /// Where the answer holds the coupon's id.
    pub coupon: Option<String>,
}

/// A status, or a hundred of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusMatch {
    /// 100 to 599.
    Exactly(u16),
    /// 1 to 5, for 1xx to 5xx.
    Class(u16),
}

impl StatusMatch {
    /// Whether the status is meant.
    pub const fn matches(self, status: u16) -> bool {
        match self {
            Self::Exactly(exact) => exact == status,
            Self::Class(class) => status / 100 == class,
        }
    }
}

impl fmt::Display for StatusMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

/// What must stand at a JSON pointer.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonMatch {
    /// This value; numbers are equal by value (1 equals 1.0).
    Equals(serde_json::Value),
    /// Any of these.
    AnyOf(Vec<serde_json::Value>),
    /// Anything but absence; `false`: absence or null.
    Exists(bool),
}

/// An outcome's name and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// `issued`, `sold_out`, ... or a name of the scenario's own.
    pub name: String,
    /// What the checkers make of it.
    pub kind: OutcomeKind,
}

impl Label {
    /// The outcome by which a coupon comes back.
    pub const RELEASED: &str = "released";

    /// Whether the answer says that a coupon came back.
    pub fn releases(&self) -> bool {
        self.name == Self::RELEASED
    }

    /// The labels that every plan has, at the same numbers as their kinds.
    pub fn built_in() -> Vec<Self> {
        let names = [
            "issued",
            "pending",
            "sold_out",
            "duplicate",
            "replay",
            "refused",
            "error",
            "ok",
            "not_sent",
            "unknown",
        ];
        std::iter::zip(names, OutcomeKind::ALL)
            .map(|(name, kind)| Self {
                name: name.to_owned(),
                kind,
            })
            .collect()
    }
}

impl Step {
    /// The slots that its request needs, each once.
    pub fn slots(&self) -> impl Iterator<Item = u8> {
        let templates = self.templates().into_iter();
        let slots: BTreeSet<u8> = templates.flat_map(Template::slots).collect();
        slots.into_iter()
    }

    /// Every text of its request that is filled in.
    pub fn templates(&self) -> Vec<&Template> {
        let body = match &self.body {
            Body::None => None,
            Body::Text(template) => Some(template),
        };
        let pairs = self.query.iter().chain(&self.headers);
        let templates = pairs.map(|(_, template)| template);
        templates.chain([&self.path]).chain(body).collect()
    }
}
