//! `--env-file`: variables for `${NAME}` from a file of `NAME=value` lines.
//!
//! The values are secrets as often as not: no message repeats one, nor a line that holds one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use super::environment::is_variable;

/// Larger files hold no variables.
const MAX_BYTES: u64 = 1 << 20;

/// Variables by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, and every line that is no variable, by its number.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let file = path.display().to_string();
        let wrong = |message: String| {
            let hint = Some("it has lines like `NAME=value`");
            Diagnostics::of_file(
                &file,
                format!("failed to read the variables: {message}"),
                hint,
            )
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(wrong("the file is larger than 1 MiB".to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            wrong(format!("byte {at} is not UTF-8"))
        })?;
        Self::parse(&file, &text)
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn parse(file: &str, text: &str) -> Result<Self, Diagnostics> {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        let (mut variables, mut wrong) = (Self::default(), Diagnostics::default());
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            let problem = match variable(line) {
                Ok(None) => continue,
                Ok(Some((name, value))) => match lines.get(&name) {
                    None => {
                        lines.insert(name.clone(), number);
                        variables.0.insert(name, value);
                        continue;
                    }
                    Some(first) => (
                        format!("the variable `{name}` is there twice"),
                        format!("line {first} has it too: keep one of them"),
                    ),
                },
                Err(problem) => problem,
            };
            wrong.list.push(Diagnostic {
                severity: Severity::Error,
                place: Place::File(format!("{file}:{number}")),
                message: problem.0,
                hint: Some(problem.1),
            });
        }
        if wrong.has_errors() {
            return Err(wrong);
        }
        Ok(variables)
    }
}

/// Names only: the values may be secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

type Problem = (String, String);

/// The variable of a line; none for a comment or an empty line.
fn variable(line: &str) -> Result<Option<(String, String)>, Problem> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=').ok_or_else(|| {
        (
            "the line is no variable".to_owned(),
            "write it like `NAME=value`; a comment begins with `#`".to_owned(),
        )
    })?;
    let name = name.trim_end();
    if !is_variable(name) {
        return Err((
            "what stands before `=` does not name a variable".to_owned(),
            "a name has letters, digits and `_`, and no digit first".to_owned(),
        ));
    }
    Ok(Some((name.to_owned(), value_of(value.trim())?)))
}

/// A comment begins at the start or behind a blank: `p#w` is a password.
fn without_comment(text: &str) -> &str {
    let is_comment = |(at, _): &(usize, &str)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(char::is_whitespace)
    };
    let end = text.match_indices('#').find(is_comment);
    text[..end.map_or(text.len(), |(at, _)| at)].trim_end()
}

/// Without its quotes, or up to a comment behind it.
fn value_of(text: &str) -> Result<String, Problem> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        return Ok(without_comment(text).to_owned());
    };
    let (mut value, mut chars) = (String::new(), text[1..].chars());
    loop {
        match chars.next() {
            None => {
                return Err((
                    format!("the quote {quote} is not closed"),
                    "a value ends on its line; `\\n` within \" is a new line".to_owned(),
                ));
            }
            Some(end) if end == quote => break,
            Some('\\') if quote == '"' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(escaped) => value.push(escaped),
                None => value.push('\\'),
            },
            Some(c) => value.push(c),
        }
    }
    let rest = chars.as_str().trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(value);
    }
    Err((
        "something stands behind the closing quote".to_owned(),
        "put the whole value between the quotes".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // A row a line.
    fn what_a_line_gives() {
        for (line, name, value) in [
            ("A=1", "A", "1"),
            ("  A = a b  ", "A", "a b"),
            ("export A=1", "A", "1"),
            ("A=", "A", ""),
            ("A=x=y", "A", "x=y"), // only the first `=` divides
            ("A=p#w", "A", "p#w"), // a comment needs a blank before it
            ("A=p #w", "A", "p"),
            ("A=# none", "A", ""),
            ("A='p #w\\n$B'", "A", "p #w\\n$B"), // single quotes keep everything
            ("A=\"p #w\\n\\\"\" # why", "A", "p #w\n\""),
            ("A=\"비밀\"", "A", "비밀"),
            ("A=a\"b\"", "A", "a\"b\""), // quotes only count at the start
        ] {
            assert_eq!(variable(line), Ok(Some((name.to_owned(), value.to_owned()))), "{line}");
        }
    }

    #[test]
    fn every_wrong_line_is_named_and_no_value_is() {
        let text = "# fine\nA=1\n\nhunter2\n1B=hunter2\nC=\"hunter2\nD='x' hunter2\nA=hunter2\n";
        let error = Variables::parse("vars.env", text).expect_err("five mistakes");
        let shown = error.to_string();
        for (line, message) in [
            (4, "the line is no variable"),
            (5, "does not name a variable"),
            (6, "the quote \" is not closed"),
            (7, "behind the closing quote"),
            (8, "the variable `A` is there twice"),
        ] {
            assert!(shown.contains(message), "{message}: {shown}");
            assert!(shown.contains(&format!("--> vars.env:{line}\n")), "{shown}");
        }
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_values_are_not_shown() {
        let variables = Variables::parse("vars.env", "A=hunter2").expect("a variable");
        assert_eq!(variables.get("A").as_deref(), Some("hunter2"));
        assert_eq!(variables.get("B"), None);
        assert_eq!(format!("{variables:?}"), "{\"A\"}");
    }
}
