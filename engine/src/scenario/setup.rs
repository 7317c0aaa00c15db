//! What is done before and after the load, as it was written.

use super::model::Request;
use super::position::{At, Position};
use super::value::Span;
use super::value::{Count, Name, Status};

/// A step of `before` or `after`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SetupStep {
    pub(crate) position: Position,
    pub(crate) name: Option<At<Name>>,
    pub(crate) task: Task,
    pub(crate) timeout: Option<At<Span>>,
    pub(crate) each: Option<Each>,
    /// Those of a request are with the request.
    pub(crate) captures: Vec<SetupCapture>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Task {
    Request {
        request: Box<Request>,
        /// Empty: 2xx.
        expect: Vec<Status>,
    },
    Sql {
        url: At<String>,
        run: Vec<At<String>>,
    },
    Redis {
        url: At<String>,
        run: Vec<Vec<At<String>>>,
    },
    Shell(Shell),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shell {
    /// For `sh -c`.
    Text(At<String>),
    /// A program and its arguments.
    Words(Vec<At<String>>),
}

/// `each: user`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Each {
    pub(crate) position: Position,
    pub(crate) users: Option<At<Count>>,
}

/// A value that later steps and the flows know by its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SetupCapture {
    pub(crate) name: At<Name>,
    /// A column; empty where there is only one value.
    pub(crate) from: At<String>,
}
