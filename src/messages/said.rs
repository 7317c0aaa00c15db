//! What a report says, before it is said in some language: a key of the messages, the values for its
//! places, and the figures that it rests on.

use std::fmt;

/// A place in a report's table of figures, counted from 0 and shown from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fig(pub usize);

impl fmt::Display for Fig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "F{}", self.0 + 1)
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Of the messages.
    pub key: &'static str,
    /// By the name of its place.
    pub values: Vec<(&'static str, Value)>,
    /// What it rests on; empty in reports that have no table of figures.
    pub figures: Vec<Fig>,
}

/// What stands in a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number with its unit, which is the same in every language.
    Plain(String),
    /// A name or a text of somebody else, shown as code.
    Code(String),
    /// A text of somebody else within a sentence.
    Foreign(String),
    /// Another message.
    Key(&'static str),
    /// Another statement, whose figures are this one's, too.
    Said(Box<Said>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<Said> for Value {
    fn from(said: Said) -> Self {
        Self::Said(Box::new(said))
    }
}

/// A name as code.
pub(crate) fn code(text: impl Into<String>) -> Value {
    Value::Code(text.into())
}

/// A statement: its key, `name = value` for each place, and behind a semicolon its figures.
macro_rules! said {
    ($key:literal $(, $name:ident = $value:expr)* $(; $($figure:expr),* )?) => {
        $crate::messages::Said {
            key: $key,
            values: vec![$((stringify!($name), $crate::messages::Value::from($value))),*],
            figures: vec![$($($figure),*)?],
        }
    };
}

pub(crate) use said;
