//! A name of a scenario, load, flow, step, phase or outcome.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// Letters of any script, digits, `-`, `_` and `.`: safe as a directory name, as a tag in a
/// threshold and without quotes in a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

/// File systems allow 255 bytes, and a Korean letter has three.
const LONGEST: usize = 64;

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const HINT: &str = "use letters, digits, `-`, `_` and `.`, at most 64, \
                            beginning with a letter or a digit";
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let reason = if text.is_empty() {
            "a name is empty".to_owned()
        } else if text.chars().count() > LONGEST {
            "a name is too long".to_owned()
        } else if !text.starts_with(char::is_alphanumeric) {
            format!("the name `{text}` begins with neither a letter nor a digit")
        } else if let Some(wrong) = text.chars().find(|c| !allowed(*c)) {
            format!("the name `{text}` holds `{wrong}`")
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(ValueError::new(reason, HINT))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_safe_as_a_directory() {
        for text in ["a", "coupon-ramp-1000", "v1.2", "쿠폰_발급", "7"] {
            assert_eq!(text.parse::<Name>().expect(text).as_str(), text);
        }
        let long = "x".repeat(65);
        for text in [
            "", ".", "..", "-rf", "a/b", "a b", "a\\b", "a:b", "a\0", &long,
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }
}
