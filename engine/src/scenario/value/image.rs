//! The name of a container's image.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// As an engine takes it: `redis:7`, `registry.example:5000/db/mysql:8.0`, `redis@sha256:...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    repository: String,
    /// What stands behind the last colon: a tag, or the end of a digest.
    tag: String,
}

/// What an engine takes when no tag is written.
const LATEST: &str = "latest";

impl Image {
    /// The name without its tag.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// What joins the repository with a colon.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl FromStr for Image {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        // The colon of a registry's port stands before a slash.
        let at = text.rfind(':').filter(|at| !text[*at..].contains('/'));
        let (repository, tag) = match at {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, LATEST),
        };
        let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !text.chars().all(allowed) || !begins(repository) || tag.is_empty() {
            return Err(ValueError::new(
                format!("`{text}` is not the name of an image"),
                "write it like `redis:7` or `registry.example/mysql:8.0`",
            ));
        }
        Ok(Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_image_is_refused() {
        for text in [
            "",
            ":7",
            "redis:",
            "my sql",
            "-v",
            "redis:7;",
            "레디스:7",
            "a\n",
        ] {
            assert!(text.parse::<Image>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_tag_is_behind_the_last_colon() {
        let table = [
            ("redis:7", "redis", "7"),
            ("redis", "redis", "latest"),
            ("host:5000/redis", "host:5000/redis", "latest"),
            ("host:5000/a/redis:7.2", "host:5000/a/redis", "7.2"),
            ("redis@sha256:00ff", "redis@sha256", "00ff"),
        ];
        for (text, repository, tag) in table {
            let image: Image = text.parse().expect(text);
            assert_eq!(
                (image.repository(), image.tag()),
                (repository, tag),
                "{text}"
            );
        }
    }
}
