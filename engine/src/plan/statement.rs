//! A SQL statement whose values are parameters: what a template brings is never part of its text.

use super::template::Template;

/// A statement in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// All of it, or what stands before the row.
    pub head: Vec<SqlPart>,
    /// The row of `INSERT ... VALUES (row)`, with its brackets: several rows can be written at
    /// once. Empty in any other statement.
    pub row: Vec<SqlPart>,
    /// What stands behind the row.
    pub tail: Vec<SqlPart>,
}

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlPart {
    /// Sent as it is.
    Text(String),
    /// Sent beside the statement.
    Parameter {
        /// Its value.
        template: Template,
        /// It stands in quotes, so it is a text also where it looks like a number.
        quoted: bool,
    },
}

/// How parameters are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// `?`
    Question,
    /// `$1`, `$2`, ...
    Numbered,
}

impl Statement {
    /// All pieces in order.
    pub fn parts(&self) -> impl Iterator<Item = &SqlPart> {
        self.head.iter().chain(&self.row).chain(&self.tail)
    }

    /// Values of the statement, or of each row.
    pub fn parameters(&self) -> impl Iterator<Item = (&Template, bool)> {
        self.parts().filter_map(|part| match part {
            SqlPart::Text(_) => None,
            SqlPart::Parameter { template, quoted } => Some((template, *quoted)),
        })
    }

    /// Whether one statement can write several rows.
    pub const fn takes_rows(&self) -> bool {
        !self.row.is_empty()
    }

    /// Its text with so many rows; `mark` writes the n-th parameter, counted from 1.
    pub fn text(&self, rows: usize, mark: &dyn Fn(usize) -> String) -> String {
        let (mut text, mut count) = (String::new(), 0);
        let rows = if self.takes_rows() { rows } else { 0 };
        write(&self.head, &mut text, &mut count, mark);
        for at in 0..rows {
            if at > 0 {
                text.push_str(", ");
            }
            write(&self.row, &mut text, &mut count, mark);
        }
        write(&self.tail, &mut text, &mut count, mark);
        text
    }
}

impl Marks {
    /// The mark of the n-th parameter, counted from 1.
    pub fn mark(self, number: usize) -> String {
        match self {
            Self::Question => "?".to_owned(),
            Self::Numbered => format!("${number}"),
        }
    }
}

fn write(parts: &[SqlPart], text: &mut String, count: &mut usize, mark: &dyn Fn(usize) -> String) {
    for part in parts {
        match part {
            SqlPart::Text(piece) => text.push_str(piece),
            SqlPart::Parameter { .. } => {
                *count += 1;
                text.push_str(&mark(*count));
            }
        }
    }
}
