//! A regular expression, checked when it is read.

use std::fmt;
use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

use super::ValueError;

/// Bytes of a compiled expression: far more than anybody writes, far less than hurts.
const SIZE_LIMIT: usize = 1 << 20;

/// An expression in the syntax of the crate `regex`: no look-around, linear time on every text.
/// Compiled once; copies share it.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is found in the bytes.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    /// The first group of the first match, or all of the match where there is no group.
    pub fn find<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        if self.0.captures_len() == 1 {
            return self.0.find(bytes).map(|found| found.as_bytes());
        }
        let found = self.0.captures(bytes)?.get(1)?;
        Some(found.as_bytes())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl FromStr for Pattern {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match RegexBuilder::new(text).size_limit(SIZE_LIMIT).build() {
            Ok(regex) => Ok(Self(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(ValueError::new(
                "a regular expression is too large",
                "repeat less: `{1,1000}` within `{1,1000}` is a million states",
            )),
            Err(error) => {
                // The crate draws the place on several lines; its last one says the reason.
                let text_of_error = error.to_string();
                let reason = text_of_error.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                Err(ValueError::new(
                    format!("`{text}` is not a regular expression: {reason}"),
                    "put it in single quotes, so that YAML leaves the backslashes alone",
                ))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_an_expression_is_none() {
        let table = [
            ("a(b", "unclosed group"),
            ("(?=a)b", "look-around"),
            ("(a{1,1000}){1,1000}", "too large"),
        ];
        for (text, reason) in table {
            let error = text.parse::<Pattern>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        let pattern: Pattern = r#""code":\s*(\d+)"#.parse().expect("a pattern");
        assert_eq!(pattern.find(b"{\"code\": 17}"), Some(b"17".as_slice()));
        let whole: Pattern = "s[a-z]+".parse().expect("a pattern");
        assert_eq!(whole.find(b"is sold"), Some(b"sold".as_slice()));
        assert!(!whole.is_match("매진".as_bytes()));
    }
}
