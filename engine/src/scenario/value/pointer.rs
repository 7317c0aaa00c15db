//! A JSON pointer (RFC 6901): `/data/0/id`.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// A place in a JSON document; empty for the document itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub const ROOT: Self = Self(String::new());

    /// The text, escapes included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Pointer {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(ValueError::new(
                format!("`{text}` is not a JSON pointer"),
                format!(
                    "a JSON pointer starts with a slash: `/{}`",
                    text.replace('.', "/")
                ),
            ));
        }
        let escapes_are_right = text
            .split('~')
            .skip(1)
            .all(|behind| behind.starts_with(['0', '1']));
        if !escapes_are_right {
            return Err(ValueError::new(
                format!("`{text}` is not a JSON pointer"),
                "write `~0` for `~` and `~1` for a `/` within a name",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_grammar_of_rfc_6901() {
        for text in ["", "/", "/a/0", "/a~1b", "/m~0n", "/이름", "/a//b"] {
            assert_eq!(text.parse::<Pointer>().expect(text).as_str(), text);
        }
        for text in ["a", "a.b", "$.a", "/a~", "/a~2b"] {
            assert!(text.parse::<Pointer>().is_err(), "{text:?}");
        }
    }
}
