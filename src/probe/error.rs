//! Why a truth could not be read, in words that never hold a password.

use std::fmt;
use std::time::Duration;

/// What went wrong, as far as a caller may want to act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It can never be answered as it was asked: a URL, a command, a missing table.
    Asked,
    /// The source is not there, or went away; it may come back.
    Lost,
    /// The source kept silent for too long.
    Slow,
    /// There was an answer, but it does not hold what was asked for.
    Answer,
}

/// A truth that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeError {
    place: String,
    fault: Fault,
}

impl ProbeError {
    /// The kind of trouble.
    pub const fn reason(&self) -> Reason {
        self.fault.reason
    }

    /// The same of somebody who reads something else.
    pub(super) fn in_other_words(mut self, said: &str, meant: &str) -> Self {
        self.fault.words = self.fault.words.replace(said, meant);
        self
    }
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault.words)
    }
}

impl std::error::Error for ProbeError {}

/// An error that does not know yet where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) words: String,
}

impl Fault {
    pub(super) fn asked(words: impl Into<String>) -> Self {
        Self::new(Reason::Asked, words)
    }

    pub(super) fn lost(words: impl Into<String>) -> Self {
        Self::new(Reason::Lost, words)
    }

    pub(super) fn answer(words: impl Into<String>) -> Self {
        Self::new(Reason::Answer, words)
    }

    pub(super) fn slow(limit: Duration) -> Self {
        let words = format!("no answer within {} s", limit.as_secs());
        Self::new(Reason::Slow, words)
    }

    pub(super) fn new(reason: Reason, words: impl Into<String>) -> Self {
        Self {
            reason,
            words: words.into(),
        }
    }

    pub(super) fn at(self, place: &str) -> ProbeError {
        ProbeError {
            place: place.to_owned(),
            fault: self,
        }
    }
}

/// Where a URL points to, for people: without user, password, query and fragment.
///
/// The URL is parsed and put together again instead of being cut at special characters, because a
/// query may hold an `@` and a password a `?`. What cannot be parsed is not shown at all.
pub(super) fn place(url: &str) -> String {
    if url.starts_with("sqlite:") {
        let end = url.find('?').unwrap_or(url.len());
        return url[..end].to_owned();
    }
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return match url.split_once(':') {
            Some((scheme, _))
                if scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '+') =>
            {
                format!("{scheme}:***")
            }
            _ => "***".to_owned(),
        };
    };
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map(|port| format!(":{port}"));
    let port = port.unwrap_or_default();
    format!("{}://{host}{port}{}", parsed.scheme(), parsed.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_never_shows_a_secret() {
        let cases = [
            (
                "mysql://root:secret@db:3307/shop?x=y",
                "mysql://db:3307/shop",
            ),
            ("postgres://u:se%40cret@db/shop", "postgres://db/shop"),
            // An `@` in the query must not be taken for the end of the password.
            ("http://h/x?mail=a@b.c&token=secret", "http://h/x"),
            ("redis://:secret@[::1]:6380/2", "redis://[::1]:6380/2"),
            ("sqlite:data/shop.db?mode=ro", "sqlite:data/shop.db"),
            // A raw `?` makes it another URL, whose port is not a number.
            ("mysql://u:secret?@db/shop", "mysql:***"),
            ("secret", "***"),
        ];
        for (url, shown) in cases {
            assert_eq!(place(url), shown);
        }
    }
}
