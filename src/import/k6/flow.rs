//! What the script's functions do: requests, pauses, and what is asked of the answers.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value as Json;

use super::value::{Found, Piece, Val};

/// A request of the script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request<'t> {
    pub(super) line: usize,
    /// In lower case, as the scenario spells it.
    pub(super) method: &'static str,
    pub(super) url: Vec<Piece>,
    pub(super) body: Val<'t>,
    pub(super) params: Val<'t>,
    pub(super) answers: Vec<Told>,
    /// What later requests take from its answer.
    pub(super) captures: Vec<Capture>,
}

/// A value of an answer that is kept under a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Capture {
    pub(super) name: String,
    pub(super) found: Found,
    pub(super) secret: bool,
}

/// A piece of an iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Action {
    /// Index into the requests.
    Request(usize),
    /// Seconds, from and to.
    Think(f64, f64),
}

/// A function that VUs perform.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flow {
    pub(super) name: String,
    pub(super) actions: Vec<Action>,
    /// Its requests.
    pub(super) requests: Range<usize>,
}

/// Answers that the script tells apart from others, and the words in which it does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) line: usize,
    pub(super) case: Case,
    /// The check's name, or the text of the branch.
    pub(super) words: String,
}

/// Answers of one request; all conditions hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    /// Index into the requests.
    pub(super) request: usize,
    /// `None` for any.
    pub(super) status: Option<BTreeSet<u16>>,
    /// Pointers, and what stands there; `None`: anything.
    pub(super) json: Vec<(String, Option<Json>)>,
    /// A text that the body contains.
    pub(super) body: Option<String>,
}

impl Case {
    pub(super) const fn any(request: usize) -> Self {
        Self {
            request,
            status: None,
            json: Vec::new(),
            body: None,
        }
    }

    /// Answers that are both; `None` if they are of two requests.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let status = match (&self.status, &other.status) {
            (Some(one), Some(other)) => Some(one & other),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        let json = [self.json.as_slice(), &other.json].concat();
        let body = self.body.clone().or_else(|| other.body.clone());
        (self.request == other.request).then_some(Self {
            request: self.request,
            status,
            json,
            body,
        })
    }

    /// Whether only the status tells.
    pub(super) const fn is_plain(&self) -> bool {
        self.json.is_empty() && self.body.is_none()
    }
}
