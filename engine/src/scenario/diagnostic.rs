//! What is wrong with a scenario, with the place and what would be right, as plain text.

use std::fmt;

use super::position::{Included, Origin, Position, Source};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing can be planned.
    Error,
    /// Allowed but suspicious.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// A lowercase fragment.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A piece of a line of the file.
    Line {
        /// As it was named on the command line, or in an `include`.
        file: String,
        /// Whether it is a file that the scenario includes.
        included: bool,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// The line, or the part of a long line around the piece.
        text: String,
        /// Blanks before the underline and its length, in terminal cells.
        underline: (usize, usize),
    },
    /// The file as a whole.
    File(String),
    /// An argument of the command line.
    Argument(String),
}

/// Everything that is wrong with a scenario; the error of all readers of scenarios.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics {
    /// In the order of the file, then of the command line.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// One error about a file as a whole.
    pub(crate) fn of_file(file: &str, message: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            list: vec![Diagnostic {
                severity: Severity::Error,
                place: Place::File(file.to_owned()),
                message: message.into(),
                hint: hint.map(str::to_owned),
            }],
        }
    }

    /// How many are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let same = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        self.list.iter().filter(same).count()
    }

    /// Adds what is wrong with one profile and is no news of the scenario itself.
    pub(crate) fn add_of_profile(&mut self, name: &str, other: Self) {
        for mut diagnostic in other.list {
            if diagnostic.severity == Severity::Error && !self.list.contains(&diagnostic) {
                diagnostic.message = format!("in the profile `{name}`: {}", diagnostic.message);
                self.list.push(diagnostic);
            }
        }
    }

    /// Whether something is wrong, and not only suspicious.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}

impl Diagnostic {
    /// `line 12: message (hint)`, for lists of warnings.
    pub fn in_one_line(&self) -> String {
        let place = match &self.place {
            Place::Line {
                included: true,
                file,
                line,
                ..
            } => format!("{file}:{line}: "),
            Place::Line { line, .. } => format!("line {line}: "),
            Place::File(_) => String::new(),
            Place::Argument(text) => format!("{text}: "),
        };
        let hint = self.hint.as_ref().map(|hint| format!(" ({hint})"));
        printable(&format!(
            "{place}{}{}",
            self.message,
            hint.unwrap_or_default()
        ))
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.list {
            writeln!(f, "{diagnostic}")?;
        }
        let counted = [
            (self.count(Severity::Error), "error"),
            (self.count(Severity::Warning), "warning"),
        ];
        let words: Vec<String> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        writeln!(f, "{}", words.join(", "))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}", printable(&self.message))?;
        let margin = match &self.place {
            Place::Line { line, .. } => line.to_string().len(),
            Place::File(_) | Place::Argument(_) => 1,
        };
        match &self.place {
            Place::File(file) => writeln!(f, "  --> {}", printable(file))?,
            Place::Argument(text) => writeln!(f, "  --> {}", printable(text))?,
            Place::Line {
                file,
                line,
                column,
                text,
                underline: (blanks, length),
                ..
            } => {
                writeln!(f, "  --> {}:{line}:{column}", printable(file))?;
                writeln!(f, "{:margin$} |", "")?;
                writeln!(f, "{line} | {text}")?;
                writeln!(
                    f,
                    "{:margin$} | {:blanks$}{:^<length$}",
                    "",
                    "",
                    "",
                    blanks = *blanks,
                    length = *length
                )?;
            }
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "{:margin$} = hint: {}", "", printable(hint))?;
        }
        Ok(())
    }
}

/// Text that cannot move a terminal's cursor, whatever somebody wrote into the scenario.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

impl Source {
    /// The place of a position, with its line.
    pub(crate) fn place(&self, position: Position) -> Place {
        match position.origin {
            Origin::Set(n) => Place::Argument(format!("--set {}", self.set[n])),
            Origin::File => line(&self.file_name, &self.text, position),
            Origin::Included(n) => match self.included.get(n) {
                Some(Included {
                    name,
                    text: Ok(text),
                }) => line(name, text, position),
                _ => Place::File(self.file_name.clone()),
            },
        }
    }
}

impl Place {
    /// `file:line:column`
    pub(crate) fn in_short(&self) -> String {
        match self {
            Self::Line {
                file, line, column, ..
            } => format!("{file}:{line}:{column}"),
            Self::File(text) | Self::Argument(text) => text.clone(),
        }
    }
}

fn line(file: &str, whole: &str, position: Position) -> Place {
    // What is wrong with a file as a whole has no line.
    if (position.start, position.len) == (0, 0) {
        return Place::File(file.to_owned());
    }
    let start = floor_boundary(whole, position.start);
    let begin = whole[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = whole[start..]
        .find('\n')
        .map_or(whole.len(), |at| start + at);
    let stop = floor_boundary(whole, start + position.len).clamp(start, end);
    let (before, piece) = (&whole[begin..start], &whole[start..stop]);
    let (dots, before_shown) = crop_front(before);
    let rest: String = whole[start..end].chars().take(MAX_SHOWN).collect();
    Place::Line {
        file: file.to_owned(),
        included: matches!(position.origin, Origin::Included(_)),
        line: whole[..start].matches('\n').count() + 1,
        column: before.chars().count() + 1,
        text: format!("{dots}{}", shown_line(before_shown) + &shown_line(&rest))
            .trim_end()
            .to_owned(),
        underline: (
            dots.len() + cells(before_shown),
            cells(piece.trim_end()).clamp(1, MAX_SHOWN),
        ),
    }
}

/// Characters of a line that are shown before and behind the start of the piece.
const MAX_SHOWN: usize = 100;

fn crop_front(before: &str) -> (&'static str, &str) {
    let count = before.chars().count();
    if count <= MAX_SHOWN {
        return ("", before);
    }
    let skip = before.char_indices().nth(count - MAX_SHOWN);
    ("...", &before[skip.map_or(0, |(at, _)| at)..])
}

fn shown_line(text: &str) -> String {
    printable(&text.replace('\t', " "))
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Terminal cells: Korean, Chinese and Japanese characters take two.
fn cells(text: &str) -> usize {
    let wide = |c: char| {
        matches!(u32::from(c),
            0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1f300..=0x1faff)
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
