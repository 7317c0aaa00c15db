//! Collects diagnostics while a scenario is read and planned.

use super::Mask;
use super::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use super::position::{Origin, Position, Source};

/// Collects diagnostics while a scenario is read.
#[derive(Debug)]
pub(crate) struct Report<'s> {
    source: &'s Source,
    list: Vec<(Position, Diagnostic)>,
    silenced: Vec<Position>,
    mask: Mask,
}

impl<'s> Report<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self {
            source,
            list: Vec::new(),
            silenced: Vec::new(),
            mask: Mask::default(),
        }
    }

    /// Something is wrong.
    pub(crate) fn error(&mut self, position: Position, message: impl Into<String>) {
        self.push(Severity::Error, position, message.into(), None);
    }

    /// Something is wrong, and this would be right.
    pub(crate) fn error_hint(
        &mut self,
        position: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Error, position, message.into(), Some(hint.into()));
    }

    /// Something is wrong, and perhaps it is known what would be right.
    pub(crate) fn error_maybe(
        &mut self,
        position: Position,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(Severity::Error, position, message.into(), hint);
    }

    /// Messages do not repeat these texts, whoever made them.
    pub(crate) fn hide(&mut self, mask: Mask) {
        self.mask = mask;
    }

    /// What messages do not repeat.
    pub(crate) const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// `file:line:column`, for a message about another place.
    pub(crate) fn spot(&self, position: Position) -> String {
        self.source.place(position).in_short()
    }

    /// Says no more about this place: what follows from the error there is no news.
    pub(crate) fn silence(&mut self, position: Position) {
        self.silenced.push(position);
    }

    /// Something is suspicious.
    pub(crate) fn warning(
        &mut self,
        position: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(
            Severity::Warning,
            position,
            message.into(),
            Some(hint.into()),
        );
    }

    /// An argument other than `--set` is wrong.
    pub(crate) fn argument(&mut self, argument: String, message: String, hint: Option<String>) {
        let last = Position {
            origin: Origin::Set(usize::MAX),
            start: 0,
            len: 0,
        };
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            place: Place::Argument(argument),
            message,
            hint,
        };
        self.list.push((last, diagnostic));
    }

    fn push(
        &mut self,
        severity: Severity,
        position: Position,
        message: String,
        hint: Option<String>,
    ) {
        if self.silenced.contains(&position) {
            return;
        }
        let diagnostic = Diagnostic {
            severity,
            place: self.source.place(position),
            message,
            hint,
        };
        self.list.push((position, diagnostic));
    }

    /// Where a piece stands, in one word: `coupon.yaml:12`.
    pub(crate) fn line(&self, position: Position) -> String {
        match self.source.place(position) {
            Place::Line { file, line, .. } => format!("{file}:{line}"),
            Place::File(file) => file,
            Place::Argument(_) => "--set".to_owned(),
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        let is_error = |(_, d): &(Position, Diagnostic)| d.severity == Severity::Error;
        self.list.iter().any(is_error)
    }

    /// Sorted by place, so that people can walk through the file. The same fault is said once
    /// although several passes saw it.
    pub(crate) fn finish(mut self) -> Diagnostics {
        self.list
            .sort_by_key(|(position, _)| match position.origin {
                Origin::File => (0, 0, position.start),
                Origin::Included(n) => (1, n, position.start),
                Origin::Set(n) => (2, n, position.start),
            });
        let mut list: Vec<Diagnostic> = self.list.into_iter().map(|(_, d)| d).collect();
        list.dedup();
        for diagnostic in &mut list {
            diagnostic.message = self.mask.hide(&diagnostic.message);
            diagnostic.hint = diagnostic.hint.as_ref().map(|hint| self.mask.hide(hint));
        }
        Diagnostics { list }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            file_name: "x.yaml".to_owned(),
            text: text.to_owned(),
            set: vec!["a=\u{1b}[2J".to_owned()],
            ..Source::default()
        }
    }

    fn render(text: &str, start: usize, len: usize) -> String {
        let source = source(text);
        let mut report = Report::new(&source);
        let position = Position {
            origin: Origin::File,
            start,
            len,
        };
        report.error_hint(position, "unknown key `b`", "did you mean `a`?");
        report.finish().to_string()
    }

    #[test]
    fn underlines_the_piece_in_its_line() {
        let expected = "error: unknown key `b`\n  --> x.yaml:2:3\n  |\n2 |   bcd: 1\n  |   ^^^\n  \
                        = hint: did you mean `a`?\n\n1 error\n";
        assert_eq!(render("a:\n  bcd: 1\n", 5, 3), expected);
    }

    #[test]
    fn counts_two_cells_for_korean() {
        let text = render("이미: 발급", 8, 6);
        assert!(text.contains("1 | 이미: 발급\n  |       ^^^^\n"), "{text}");
    }

    #[test]
    fn a_line_of_a_megabyte_is_cropped() {
        let text = render(&"x".repeat(1 << 20), 1 << 19, 4);
        assert!(text.len() < 600, "{}", text.len());
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let source = source("a: 1");
        let mut report = Report::new(&source);
        let position = Position {
            origin: Origin::Set(0),
            ..Position::START
        };
        report.error(position, "bad \u{1b}[31m");
        assert!(!report.finish().to_string().contains('\u{1b}'));
    }
}
