//! Reads maps, lists and values out of the tree and reports everything that does not fit.

use std::str::FromStr;

use super::node::{Entry, Kind, Node, Scalar, Value};
use super::position::{At, Position};
use super::report::Report;
use super::value::ValueError;

/// A part of a scenario that may be absent, or there but wrong (which was reported).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given<T> {
    /// Not written.
    Absent,
    /// Written and reported as wrong.
    Broken,
    /// Written and right.
    Value(T),
}

impl<T> Given<T> {
    /// Reads the entry, if it is there.
    pub(crate) fn read(entry: Option<&Entry>, read: impl FnOnce(&Entry) -> Option<T>) -> Self {
        match entry {
            None => Self::Absent,
            Some(entry) => read(entry).map_or(Self::Broken, Self::Value),
        }
    }

    /// The value, if it is right.
    pub(crate) const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// The value, if it is right.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// Whether it was written and is wrong.
    pub(crate) const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }

    /// Whether it was not written.
    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The keys of a map, ticked off one by one.
pub(crate) struct Fields<'n> {
    entries: &'n [Entry],
    position: Position,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The map at this node. `position` is where a missing key is reported.
    pub(crate) fn of(report: &mut Report<'_>, node: &'n Node, position: Position) -> Option<Self> {
        let entries = entries(report, node)?;
        Some(Self {
            entries,
            position,
            known: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// The map behind a key.
    pub(crate) fn behind(report: &mut Report<'_>, entry: &'n Entry) -> Option<Self> {
        if entry.node.value == Value::Null {
            report.error(
                entry.position,
                format!("`{}` is empty, expected a map", entry.key),
            );
            return None;
        }
        Self::of(report, &entry.node, entry.position)
    }

    /// An optional key.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// A key that must be there.
    pub(crate) fn need(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        hint: &str,
    ) -> Option<&'n Entry> {
        let entry = self.get(key);
        if entry.is_none() {
            report.error_hint(self.position, format!("the key `{key}` is missing"), hint);
        }
        entry
    }

    /// Exactly one of these keys.
    pub(crate) fn one_of(
        &mut self,
        report: &mut Report<'_>,
        keys: &[&'static str],
        what: &str,
    ) -> Option<&'n Entry> {
        self.known.extend(keys);
        let is_one = |entry: &&Entry| keys.contains(&entry.key.as_str());
        let mut found = self.entries.iter().filter(is_one);
        let Some(first) = found.next() else {
            // A misspelt key is reported as such by `finish`; twice would be noise.
            let (known, refused) = (&self.known, &self.refused);
            let strange = |entry: &Entry| {
                !known.contains(&entry.key.as_str())
                    && (refused.contains(&entry.key.as_str())
                        || nearest(&entry.key, keys.iter().copied()).is_some())
            };
            if !self.entries.iter().any(strange) {
                report.error_hint(
                    self.position,
                    format!("{what} is missing"),
                    format!("write one of {}", list(keys)),
                );
            }
            return None;
        };
        let mut only = true;
        for other in found {
            only = false;
            report.error_hint(
                other.position,
                format!("`{}` cannot stand beside `{}`", other.key, first.key),
                "keep one of them",
            );
        }
        only.then_some(first)
    }

    /// Keys of the vocabulary that this version does not have: refused, never ignored.
    pub(crate) fn refuse(&mut self, keys: &[&'static str]) {
        self.refused.extend(keys);
    }

    /// Where the map is reported.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// Reports what was not asked for.
    pub(crate) fn finish(self, report: &mut Report<'_>) {
        for entry in self.entries {
            let key = entry.key.as_str();
            if self.known.contains(&key) {
                continue;
            }
            if self.refused.contains(&key) {
                unsupported(report, entry.position, key);
                continue;
            }
            let hint = match nearest(key, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", list(&self.known)),
            };
            report.error_hint(entry.position, format!("unknown key `{key}`"), hint);
        }
    }
}

/// Something of the vocabulary that this version does not have.
pub(crate) fn unsupported(report: &mut Report<'_>, position: Position, name: &str) {
    report.error_hint(
        position,
        format!("`{name}` is not supported by this version yet"),
        "remove it: what is written and not done would make the verdict a lie",
    );
}

/// The entries of a map.
pub(crate) fn entries<'n>(report: &mut Report<'_>, node: &'n Node) -> Option<&'n [Entry]> {
    if let Value::Map(entries) = &node.value {
        return Some(entries);
    }
    report.error(
        node.position,
        format!("expected a map, found {}", node.describe()),
    );
    None
}

/// The items of a list.
pub(crate) fn items<'n>(report: &mut Report<'_>, node: &'n Node) -> Option<&'n [Node]> {
    if let Value::Seq(list) = &node.value {
        return Some(list);
    }
    report.error(
        node.position,
        format!("expected a list, found {}", node.describe()),
    );
    None
}

/// The items of a list, or the one thing that stands in its place.
pub(crate) fn one_or_many(node: &Node) -> &[Node] {
    match &node.value {
        Value::Seq(list) => list,
        _ => std::slice::from_ref(node),
    }
}

fn scalar<'n>(report: &mut Report<'_>, node: &'n Node) -> Option<&'n Scalar> {
    if let Value::Scalar(scalar) = &node.value {
        return Some(scalar);
    }
    report.error(
        node.position,
        format!("expected a value, found {}", node.describe()),
    );
    None
}

/// Text, or a number or truth value as it was written.
pub(crate) fn text(report: &mut Report<'_>, node: &Node) -> Option<At<String>> {
    let scalar = scalar(report, node)?;
    Some(At {
        value: scalar.text.clone(),
        position: node.position,
        hidden: scalar.template.is_some(),
    })
}

/// A value of its own type.
pub(crate) fn value<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    node: &Node,
) -> Option<At<T>> {
    let scalar = scalar(report, node)?;
    match scalar.text.parse() {
        Ok(value) => Some(At {
            value,
            position: node.position,
            hidden: scalar.template.is_some(),
        }),
        Err(_) if scalar.template.is_some() => {
            let message = format!("what `{}` holds is not valid here", scalar.shown());
            report.error(node.position, message);
            None
        }
        Err(error) => {
            report.error_maybe(node.position, error.message, error.hint);
            None
        }
    }
}

/// A key as a value of its own type.
pub(crate) fn key<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    entry: &Entry,
) -> Option<At<T>> {
    match entry.key.parse() {
        Ok(value) => Some(At {
            value,
            position: entry.position,
            hidden: false,
        }),
        Err(error) => {
            report.error_maybe(entry.position, error.message, error.hint);
            None
        }
    }
}

/// `true` or `false`.
pub(crate) fn flag(report: &mut Report<'_>, node: &Node) -> Option<bool> {
    if let Value::Scalar(scalar) = &node.value {
        match (&scalar.kind, scalar.text.as_str()) {
            (Kind::Bool(value), _) => return Some(*value),
            (Kind::Text, "true") => return Some(true),
            (Kind::Text, "false") => return Some(false),
            _ => {}
        }
    }
    report.error(
        node.position,
        format!("expected `true` or `false`, found {}", node.describe()),
    );
    None
}

/// The node as JSON.
pub(crate) fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Seq(list) => list.iter().map(json).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json(&entry.node)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Scalar(scalar) => match &scalar.kind {
            Kind::Text => scalar.text.clone().into(),
            Kind::Bool(value) => (*value).into(),
            Kind::Number(number) => number.clone().into(),
        },
    }
}

/// The candidate that was probably meant.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let most = (word.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean" or, where nothing is near, what there is.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.is_empty() => "there is none".to_owned(),
        None => format!("known here: {}", list(candidates)),
    }
}

/// Names in backticks.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
