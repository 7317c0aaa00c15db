//! Names and values of HTTP headers (RFC 9110, section 5).

use std::str::FromStr;

use super::ValueError;

/// A token in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(String);

/// A value that cannot end its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValue(String);

impl HeaderName {
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderValue {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || !text.bytes().all(token) {
            return Err(ValueError::new(
                format!("`{text}` is not the name of a header"),
                "a name has letters, digits and `-`, such as `Idempotency-Key`",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl FromStr for HeaderValue {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text
            .bytes()
            .any(|byte| byte != b'\t' && (byte < 0x20 || byte == 0x7f))
        {
            return Err(ValueError {
                message: "a header's value holds a line break or another control character"
                    .to_owned(),
                hint: Some("write it on one line".to_owned()),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens() {
        let name: HeaderName = "X-Forwarded-For".parse().expect("a token");
        assert_eq!(name.as_str(), "x-forwarded-for");
        for text in ["", "a b", "a:", "이름", "a\r\nb"] {
            assert!(text.parse::<HeaderName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_value_cannot_smuggle_a_header() {
        assert!("Bearer abc".parse::<HeaderValue>().is_ok());
        for text in ["a\r\nX-Evil: 1", "a\nb", "\0"] {
            assert!(text.parse::<HeaderValue>().is_err(), "{text:?}");
        }
    }
}
