//! Where a value stands in a record, and which records are wanted.

use std::fmt;
use std::str::FromStr;

use regex::Regex;

use super::Fields;

/// A field by its name, or a part of it: `NAME` or `NAME~EXPRESSION`. What the expression matches
/// counts, or its first group if it has one.
#[derive(Debug, Clone)]
pub struct Field {
    name: String,
    part: Option<Regex>,
}

impl Field {
    /// The field's name, without the expression.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value; `None` where the field is not there, is empty, or does not match.
    pub(super) fn of(&self, row: &dyn Fields) -> Option<String> {
        let text = row.text(&self.name)?;
        let Some(part) = &self.part else {
            return Some(text);
        };
        let found = part.captures(&text)?;
        let found = found.get(1).or_else(|| found.get(0))?;
        Some(found.as_str().to_owned()).filter(|found| !found.is_empty())
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, part) = match text.split_once('~') {
            Some((name, part)) => (name, Some(expression(part)?)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("the name of a field is missing".to_owned());
        }
        let name = name.to_owned();
        Ok(Self { name, part })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{}~{part}", self.name),
            None => f.pad(&self.name),
        }
    }
}

/// Which records are wanted: `NAME=TEXT`, or `NAME~EXPRESSION` for those in which it matches.
#[derive(Debug, Clone)]
pub struct Filter {
    name: String,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
enum Wanted {
    Text(String),
    Match(Regex),
}

impl Filter {
    /// The name of the field that it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn wants(&self, row: &dyn Fields) -> bool {
        let text = row.text(&self.name).unwrap_or_default();
        match &self.wanted {
            Wanted::Text(wanted) => text == *wanted,
            Wanted::Match(wanted) => wanted.is_match(&text),
        }
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '~']).filter(|at| *at > 0);
        let at = at.ok_or_else(|| format!("`{text}` is neither NAME=TEXT nor NAME~EXPRESSION"))?;
        let (name, wanted) = text.split_at(at);
        let wanted = match wanted.split_at(1) {
            ("=", text) => Wanted::Text(text.to_owned()),
            (_, part) => Wanted::Match(expression(part)?),
        };
        let name = name.to_owned();
        Ok(Self { name, wanted })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Wanted::Text(text) => write!(f, "{}={text}", self.name),
            Wanted::Match(part) => write!(f, "{}~{part}", self.name),
        }
    }
}

fn expression(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("`{text}` is no regular expression: {error}"))
}
