//! What is done before the load and after it, as plain data.

use std::time::Duration;

use super::statement::Statement;
use super::step::{StatusMatch, Step};
use super::template::Template;
use super::truth::Secret;

/// What makes the system ready for a run, and what tidies up behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Setup {
    /// In order; the first that fails ends the run before its load.
    pub before: Vec<SetupStep>,
    /// In order; each is tried, whatever happened.
    pub after: Vec<SetupStep>,
}

/// One step of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SetupStep {
    /// As in the scenario, or its kind.
    pub name: String,
    /// Where it stands: `coupon.yaml:12`.
    pub place: String,
    /// What it does, for people: without secrets.
    pub shown: String,
    /// What it does.
    pub task: Task,
    /// Of one request, one statement, one batch or one program.
    pub timeout: Duration,
    /// It is done for each of these users; `None`: once.
    pub each: Option<EachUser>,
    /// What it brings for later steps and the flows; those of a request are with the request.
    pub captures: Vec<SetupCapture>,
}

impl SetupStep {
    /// The slots that it fills, in the order of its captures.
    pub fn captured(&self) -> Vec<u8> {
        match &self.task {
            Task::Request { step, .. } => step.captures.iter().map(|one| one.slot).collect(),
            _ => self.captures.iter().map(|one| one.slot).collect(),
        }
    }
}

/// The users of the pool for whom a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EachUser {
    /// All of them.
    All,
    /// So many, those who ask first.
    First(u64),
}

impl EachUser {
    /// How many of a pool of this size. A pool that is read may be too small.
    pub const fn of(self, pool: u64) -> u64 {
        match self {
            Self::All => pool,
            Self::First(count) => count,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Asks the target.
    Request {
        /// The request; it has no rules.
        step: Box<Step>,
        /// Any of them is right.
        expect: Vec<StatusMatch>,
    },
    /// Statements on one connection, in order.
    Sql {
        /// `mysql:`, `postgres:` or `sqlite:`.
        url: Secret,
        /// At least one.
        statements: Vec<Statement>,
    },
    /// Commands on one connection, in order.
    Redis {
        /// `redis:`.
        url: Secret,
        /// The words of each.
        commands: Vec<Vec<Template>>,
    },
    /// A program and its arguments.
    Shell(Vec<Template>),
}

/// A value that a statement, a command or a program brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupCapture {
    /// Index into [`super::Plan::slots`].
    pub slot: u8,
    /// A column; empty where there is only one value.
    pub from: String,
}

impl Task {
    /// What is counted when it is done.
    pub const fn unit(&self) -> &'static str {
        match self {
            Self::Request { .. } => "requests",
            Self::Sql { .. } => "rows",
            Self::Redis { .. } => "commands",
            Self::Shell(_) => "programs",
        }
    }

    /// Every text that is filled in.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Request { step, .. } => step.templates(),
            Self::Sql { statements, .. } => {
                let parameters = statements.iter().flat_map(Statement::parameters);
                parameters.map(|(template, _)| template).collect()
            }
            Self::Redis { commands, .. } => commands.iter().flatten().collect(),
            Self::Shell(words) => words.iter().collect(),
        }
    }
}
