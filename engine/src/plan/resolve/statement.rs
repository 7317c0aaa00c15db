//! SQL text with templates becomes a statement with parameters.

use super::template::{self, Place, Problem, Words};
use crate::plan::{SqlPart, Statement, Template};

/// Splits the text; each template, and each quoted text that holds one, becomes a parameter.
pub(super) fn parse(text: &str, words: Words<'_>) -> Result<Statement, Problem> {
    let text = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let mut splitter = Splitter::new(text, words);
    while !splitter.rest.is_empty() {
        splitter.next()?;
    }
    splitter.finish()
}

struct Splitter<'t> {
    rest: &'t str,
    words: Words<'t>,
    parts: Vec<SqlPart>,
    text: String,
    depth: usize,
    inserts: bool,
    /// The last word was `VALUES`, and only blanks came since.
    after_values: bool,
    /// Indices into `parts`.
    row: (Option<usize>, Option<usize>),
    several_statements: bool,
}

impl<'t> Splitter<'t> {
    fn new(text: &'t str, words: Words<'t>) -> Self {
        let first = text.split_whitespace().next().unwrap_or_default();
        Self {
            rest: text,
            words,
            parts: Vec::new(),
            text: String::new(),
            depth: 0,
            inserts: ["INSERT", "REPLACE"].contains(&first.to_ascii_uppercase().as_str()),
            after_values: false,
            row: (None, None),
            several_statements: false,
        }
    }

    fn next(&mut self) -> Result<(), Problem> {
        let rest = self.rest;
        let first = rest.chars().next().unwrap_or_default();
        let len = match first {
            '{' if rest.starts_with("{{") => return self.parameter(),
            '\'' => return self.quoted_text(),
            '"' | '`' => self.without_template(quoted(rest, first)?, "a name in quotes")?,
            '-' if rest.starts_with("--") => {
                let end = rest.find('\n').unwrap_or(rest.len());
                self.without_template(end, "a comment")?
            }
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
                self.without_template(end, "a comment")?
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                end.unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        let piece = &rest[..len];
        self.rest = &rest[len..];
        self.structure(first, piece);
        Ok(())
    }

    /// Takes note of brackets, rows and the end of a statement.
    fn structure(&mut self, first: char, piece: &str) {
        let begins_row = first == '(' && self.after_values && self.depth == 0;
        if begins_row {
            self.flush();
            self.row.0 = Some(self.parts.len());
        }
        let directly_behind = self.row.1 == Some(self.parts.len()) && self.text.trim().is_empty();
        if first == ',' && self.depth == 0 && directly_behind {
            // Several rows are written already.
            (self.row, self.inserts) = ((None, None), false);
        }
        self.text.push_str(piece);
        match first {
            '(' => self.depth += 1,
            ')' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 && self.row.0.is_some() && self.row.1.is_none() {
                    self.flush();
                    self.row.1 = Some(self.parts.len());
                }
            }
            ';' => self.several_statements = true,
            _ => {}
        }
        if !first.is_whitespace() {
            self.after_values = self.inserts
                && self.depth == 0
                && self.row.0.is_none()
                && piece.eq_ignore_ascii_case("VALUES");
        }
    }

    fn parameter(&mut self) -> Result<(), Problem> {
        let end = self.rest.find("}}").map_or(self.rest.len(), |at| at + 2);
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.push(piece, false)
    }

    fn quoted_text(&mut self) -> Result<(), Problem> {
        let (piece, rest) = self.rest.split_at(quoted(self.rest, '\'')?);
        self.rest = rest;
        if !piece.contains("{{") {
            self.text.push_str(piece);
            return Ok(());
        }
        if piece.contains('\\') {
            return Err((
                "a backslash and a template stand in one quoted text".to_owned(),
                "databases read it differently: write the backslash elsewhere".to_owned(),
            ));
        }
        let inside = piece[1..piece.len() - 1].replace("''", "'");
        self.push(&inside, true)
    }

    fn push(&mut self, text: &str, quoted: bool) -> Result<(), Problem> {
        let mut template = Template::default();
        template::append(text, Place::Raw, self.words, &mut template)?;
        self.flush();
        self.parts.push(SqlPart::Parameter { template, quoted });
        self.after_values = false;
        Ok(())
    }

    fn without_template(&self, len: usize, what: &str) -> Result<usize, Problem> {
        if self.rest[..len].contains("{{") {
            return Err((
                format!("a template stands in {what}"),
                "values are parameters of the statement: write `{{ user }}` where a value stands, \
                 texts in '...'"
                    .to_owned(),
            ));
        }
        Ok(len)
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts
                .push(SqlPart::Text(std::mem::take(&mut self.text)));
        }
    }

    fn finish(mut self) -> Result<Statement, Problem> {
        self.flush();
        let is_parameter = |part: &SqlPart| matches!(part, SqlPart::Parameter { .. });
        if self.parts.is_empty() {
            return Err((
                "the statement is empty".to_owned(),
                "write it like `DELETE FROM user_coupons`".to_owned(),
            ));
        }
        if self.several_statements && self.parts.iter().any(is_parameter) {
            return Err((
                "several statements with values stand in one text".to_owned(),
                "write them as a list: `run: [DELETE ..., INSERT ...]`".to_owned(),
            ));
        }
        let mut head = self.parts;
        if let (Some(from), Some(to)) = self.row {
            let tail = head.split_off(to);
            let row = head.split_off(from);
            // A value outside the row would have to be the same for all rows.
            if !head.iter().chain(&tail).any(is_parameter) {
                return Ok(Statement { head, row, tail });
            }
            head.extend(row.into_iter().chain(tail));
        }
        Ok(Statement {
            head,
            ..Statement::default()
        })
    }
}

/// The length of a quoted piece; two quotes stand for one.
fn quoted(text: &str, quote: char) -> Result<usize, Problem> {
    let mut end = 1;
    while let Some(at) = text[end..].find(quote) {
        end += at + 1;
        if !text[end..].starts_with(quote) {
            return Ok(end);
        }
        end += 1;
    }
    Err((
        "a quote in the statement is not closed".to_owned(),
        format!("close it with `{quote}`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Marks, Values};

    const WORDS: Words<'_> = Words {
        coupon: Some("7"),
        slots: None,
    };

    /// The statement with two rows, and the values of one.
    fn shown(text: &str) -> (String, Vec<String>) {
        let statement = parse(text, WORDS).expect(text);
        let values = Values {
            user: "o'Neil",
            number: 3,
            vu: 0,
            iteration: 0,
            random: 0,
            slots: &[],
        };
        let texts = statement.parameters().map(|(template, quoted)| {
            let text = template.to_text(&values);
            if quoted { format!("'{text}'") } else { text }
        });
        let texts = texts.collect();
        (statement.text(2, &|n| Marks::Numbered.mark(n)), texts)
    }

    #[test]
    fn values_stand_beside_the_statement() {
        // What is written, what is sent, the values.
        let table = [
            ("DELETE FROM t;", "DELETE FROM t", vec![]),
            (
                "INSERT INTO u(id, name) VALUES ({{ user }}, 'u{{ n }}')",
                "INSERT INTO u(id, name) VALUES ($1, $2), ($3, $4)",
                vec!["o'Neil", "'u3'"],
            ),
            (
                "insert into u values ({{ n }}, lower('A')) ON DUPLICATE KEY UPDATE a = VALUES(a), b = 1",
                "insert into u values ($1, lower('A')), ($2, lower('A')) ON DUPLICATE KEY UPDATE a = VALUES(a), b = 1",
                vec!["3"],
            ),
            // Two rows are written already.
            (
                "INSERT INTO u VALUES ({{ n }}), (0)",
                "INSERT INTO u VALUES ($1), (0)",
                vec!["3"],
            ),
            // A value behind the row.
            (
                "INSERT INTO u VALUES (1) ON CONFLICT DO UPDATE SET a = {{ n }}",
                "INSERT INTO u VALUES (1) ON CONFLICT DO UPDATE SET a = $1",
                vec!["3"],
            ),
            (
                "UPDATE t SET a = 'it''s {{ user }}' WHERE c = {{ coupon.id }} -- why",
                "UPDATE t SET a = $1 WHERE c = $2 -- why",
                vec!["'it's o'Neil'", "7"],
            ),
            (
                "DELETE FROM a; DELETE FROM b",
                "DELETE FROM a; DELETE FROM b",
                vec![],
            ),
        ];
        for (text, sent, values) in table {
            let expected: Vec<String> = values.into_iter().map(str::to_owned).collect();
            assert_eq!(shown(text), (sent.to_owned(), expected));
        }
    }

    #[test]
    fn a_value_that_could_become_text_of_the_statement_is_refused() {
        let table = [
            ("", "empty"),
            ("SELECT \"{{ user }}\"", "name in quotes"),
            ("SELECT `{{ user }}`", "name in quotes"),
            ("SELECT 1 -- {{ user }}", "comment"),
            ("SELECT 1 /* {{ user }} */", "comment"),
            (r"SELECT '\{{ user }}'", "backslash"),
            ("SELECT 'open {{ user }}", "not closed"),
            (
                "DELETE FROM a; DELETE FROM b WHERE u = {{ user }}",
                "several statements",
            ),
            ("SELECT {{ nobody }}", "unknown name"),
        ];
        for (text, reason) in table {
            let (message, _) = parse(text, WORDS).expect_err(text);
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
