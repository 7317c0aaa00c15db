//! Other tools' scripts become scenarios: as much as can be said for certain, the rest for a person.

pub mod k6;

use std::fmt;

/// A script that could not be read as its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// As it was named on the command line.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// A lowercase fragment.
    pub message: String,
    /// The line.
    pub text: String,
}

impl std::error::Error for SyntaxError {}

impl fmt::Display for SyntaxError {
    /// In the form of the scenario's own diagnostics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
            text,
        } = self;
        let (number, margin) = (line.to_string(), " ".repeat(line.to_string().len()));
        let under: String = text
            .chars()
            .take(column - 1)
            .map(|c| if c == '\t' { c } else { ' ' })
            .collect();
        writeln!(f, "error: {message}")?;
        writeln!(f, "{margin}--> {file}:{line}:{column}")?;
        writeln!(f, "{margin} |\n{number} | {text}\n{margin} | {under}^")
    }
}

/// Something of a script that the scenario does not hold, or holds in another way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Of the script, counted from 1.
    pub line: usize,
    /// A sentence without its full stop.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// What came out of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The scenario's YAML.
    pub scenario: String,
    /// In the order of the script.
    pub notes: Vec<Note>,
}
