//! The small values of a scenario: each is parsed once and cannot be wrong afterwards.

mod count;
mod header;
mod image;
mod listen;
mod name;
mod output_mode;
mod pattern;
mod pointer;
mod rate;
mod share;
mod size;
mod span;
mod status;
mod url;

pub use count::Count;
pub use header::{HeaderName, HeaderValue};
pub use image::Image;
pub use listen::Listen;
pub use name::Name;
pub use output_mode::OutputMode;
pub use pattern::Pattern;
pub use pointer::Pointer;
pub use rate::Rate;
pub use share::Share;
pub use size::Size;
pub use span::Span;
pub use status::Status;
pub use url::Url;

use std::fmt;

/// Why a text is not such a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// A lowercase fragment.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl ValueError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ValueError {}

/// Digits with `_` between them, as people write large numbers.
fn digits(text: &str) -> Option<String> {
    let inside = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '_');
    inside.then(|| text.replace('_', ""))
}

/// A plain decimal number, not negative: `10`, `1_000`, `0.5`.
fn decimal(text: &str) -> Option<f64> {
    let number: f64 = match text.split_once('.') {
        Some((whole, part)) => format!("{}.{}", digits(whole)?, digits(part)?).parse(),
        None => digits(text)?.parse(),
    }
    .ok()?;
    number.is_finite().then_some(number)
}
