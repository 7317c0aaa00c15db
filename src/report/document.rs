//! A report as sections of texts, lists and tables, before it is Markdown or HTML: what a report
//! says is decided once, whatever it is written in.

use crate::messages::Piece;
use crate::verdict::Verdict;

/// A part of the report with a heading of its own.
#[derive(Debug, Clone)]
pub(super) struct Section {
    /// What it is about, for links to it: letters and hyphens.
    pub(super) id: &'static str,
    pub(super) title: Line,
    pub(super) blocks: Vec<Block>,
}

impl Section {
    /// With a title of our own words.
    pub(super) fn new(id: &'static str, title: &str, blocks: Vec<Block>) -> Self {
        Self {
            id,
            title: vec![Inline::plain(title)],
            blocks,
        }
    }
}

/// What stands below one another in a section.
#[derive(Debug, Clone)]
pub(super) enum Block {
    /// A heading within the section, and its level: the section's own is 2.
    Heading(u8, Line),
    Paragraph(Line),
    List(Vec<Line>),
    /// What must be known before a number is trusted.
    Warnings(Vec<Line>),
    Table(Table),
    /// Lines that stand as they are.
    Code {
        language: &'static str,
        text: String,
    },
    /// The run over time.
    Chart {
        about: String,
    },
    /// A drawing that is also a file of the run directory.
    Picture {
        about: &'static str,
        file: String,
        svg: String,
    },
    /// What is there for who wants to know more.
    Details {
        title: &'static str,
        blocks: Vec<Block>,
    },
}

impl Block {
    /// A paragraph that may repeat what somebody else said.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Paragraph(vec![Inline::text(text)])
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::Paragraph(vec![Inline::plain(text)])
    }
}

/// Columns with their heads, and rows of as many cells.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Empty heads for a list of names and values.
    pub(super) head: Vec<&'static str>,
    /// A letter for each column: left, right or centre.
    pub(super) align: String,
    pub(super) rows: Vec<Vec<Line>>,
}

impl Table {
    pub(super) fn new(
        head: impl IntoIterator<Item = &'static str>,
        align: impl Into<String>,
        rows: impl IntoIterator<Item = Vec<Line>>,
    ) -> Self {
        Self {
            head: head.into_iter().collect(),
            align: align.into(),
            rows: rows.into_iter().collect(),
        }
    }

    /// One column of names, all others to the right.
    pub(super) fn of_figures(
        head: Vec<&'static str>,
        rows: impl IntoIterator<Item = (String, Vec<String>)>,
    ) -> Self {
        let align = format!("l{}", "r".repeat(head.len() - 1));
        let row = |(name, figures): (String, Vec<String>)| {
            let figures = figures.into_iter().map(plain);
            std::iter::once(code(name)).chain(figures).collect()
        };
        Self::new(head, align, rows.into_iter().map(row))
    }
}

/// Running text.
pub(super) type Line = Vec<Inline>;

/// A piece of running text.
#[derive(Debug, Clone)]
pub(super) enum Inline {
    /// Our own words, which are no markup in any language.
    Plain(String),
    /// What may repeat somebody else's words. What stands between backticks is code.
    Text(String),
    /// A name, as it is written in a scenario or a terminal.
    Code(String),
    /// As a word, with a symbol for the eye.
    Verdict(Verdict),
    /// The symbol alone, beside words that say the same.
    Symbol(Verdict),
    /// A file of the run directory.
    File(&'static str),
}

impl Inline {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn code(text: impl Into<String>) -> Self {
        Self::Code(text.into())
    }
}

impl From<Piece> for Inline {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Words(text) => Self::Plain(text),
            Piece::Code(name) => Self::Code(name),
            Piece::Foreign(text) => Self::Text(text),
        }
    }
}

/// A cell of our own words.
pub(super) fn plain(text: impl Into<String>) -> Line {
    vec![Inline::plain(text)]
}

/// A cell that may repeat what somebody else said.
pub(super) fn text(text: impl Into<String>) -> Line {
    vec![Inline::text(text)]
}

/// A cell with a name.
pub(super) fn code(text: impl Into<String>) -> Line {
    vec![Inline::code(text)]
}

/// A cell with a verdict.
pub(super) fn verdict(verdict: Verdict) -> Line {
    vec![Inline::Verdict(verdict)]
}

/// Pieces with a comma between them.
pub(super) fn listed(pieces: impl IntoIterator<Item = Line>) -> Line {
    let mut all = Line::new();
    for piece in pieces {
        if !all.is_empty() {
            all.push(Inline::plain(", "));
        }
        all.extend(piece);
    }
    all
}
