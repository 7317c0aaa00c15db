//! An HTTP status or a hundred of them: `201`, `4xx`.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// What status an answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 100 to 599.
    Exactly(u16),
    /// 1 to 5, for 1xx to 5xx.
    Class(u16),
}

impl FromStr for Status {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let class = |text: &str| match text.as_bytes() {
            [digit @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => Some(u16::from(digit - b'0')),
            _ => None,
        };
        let exact = || {
            text.parse()
                .ok()
                .filter(|status| (100..600).contains(status))
        };
        class(text)
            .map(Self::Class)
            .or_else(|| exact().map(Self::Exactly))
            .ok_or_else(|| {
                ValueError::new(
                    format!("`{text}` is not an HTTP status"),
                    "write a number from 100 to 599, a class such as `4xx`, or a list of them",
                )
            })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_classes() {
        for text in ["100", "201", "599", "4xx", "5xx"] {
            assert_eq!(text.parse::<Status>().expect(text).to_string(), text);
        }
        for text in ["", "99", "600", "6xx", "0xx", "4x", "2000", "ok"] {
            assert!(text.parse::<Status>().is_err(), "{text:?}");
        }
    }
}
