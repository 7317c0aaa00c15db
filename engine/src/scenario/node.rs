//! The YAML tree with the position of every key and value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::position::{Origin, Position};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    Scalar(Scalar),
    Seq(Vec<Node>),
    /// In the order of the file.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) position: Position,
    pub(crate) node: Node,
}

/// A text, number or truth value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    /// As written, so that ids such as `007` and `1.10` stay what they are.
    pub(crate) text: String,
    pub(crate) kind: Kind,
    /// The text with its `${NAME}`, where the environment filled it in.
    pub(crate) template: Option<String>,
}

/// What YAML takes the scalar for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Text,
    Bool(bool),
    Number(serde_json::Number),
}

impl Node {
    /// What it is, for messages.
    pub(crate) const fn describe(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
            Value::Scalar(scalar) => match scalar.kind {
                Kind::Text => "text",
                Kind::Bool(_) => "a truth value",
                Kind::Number(_) => "a number",
            },
        }
    }
}

impl Scalar {
    /// The text for messages: a value from the environment is never shown.
    pub(crate) fn shown(&self) -> &str {
        self.template.as_deref().unwrap_or(&self.text)
    }
}

/// The tree as serde hands it over; it does not know its source text yet.
#[derive(Debug)]
pub(super) struct Raw(Spanned<RawValue>);

#[derive(Debug)]
enum RawValue {
    Null,
    Bool(bool),
    Number(Option<serde_json::Number>),
    Text(String),
    Seq(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Number(Some(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Number(Some(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Number(serde_json::Number::from_f64(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(RawValue::Seq(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Map(entries))
    }
}

impl Raw {
    /// The tree over its text. `offset` is added to every position: a `--set` value begins behind
    /// its path.
    pub(super) fn over(self, text: &str, origin: Origin, offset: usize) -> Node {
        let local = position(&self.0.defined, text, origin);
        let value = match self.0.value {
            RawValue::Null => Value::Null,
            RawValue::Bool(value) => scalar(text, local, value.to_string(), Kind::Bool(value)),
            RawValue::Number(Some(number)) => {
                scalar(text, local, number.to_string(), Kind::Number(number))
            }
            // Not finite: JSON has no such number, so it stays a text.
            RawValue::Number(None) => scalar(text, local, ".nan".to_owned(), Kind::Text),
            RawValue::Text(text) => Value::Scalar(Scalar {
                text,
                kind: Kind::Text,
                template: None,
            }),
            RawValue::Seq(list) => Value::Seq(
                list.into_iter()
                    .map(|item| item.over(text, origin, offset))
                    .collect(),
            ),
            RawValue::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, node)| Entry {
                        position: moved(position(&key.defined, text, origin), offset),
                        key: key.value,
                        node: node.over(text, origin, offset),
                    })
                    .collect(),
            ),
        };
        Node {
            position: moved(local, offset),
            value,
        }
    }
}

const fn moved(position: Position, offset: usize) -> Position {
    Position {
        start: position.start + offset,
        ..position
    }
}

/// Keeps a number or truth value as it was written, if the source shows it.
fn scalar(source: &str, at: Position, plain: String, kind: Kind) -> Value {
    let written = source
        .get(at.start..at.start + at.len)
        .map(str::trim)
        .filter(|text| !text.is_empty() && !text.contains([' ', '"', '\'', '!', '&', '\n']));
    Value::Scalar(Scalar {
        text: written.map_or(plain, str::to_owned),
        kind,
        template: None,
    })
}

/// Positions of the library are in bytes where it knows them.
pub(super) fn position(location: &Location, text: &str, origin: Origin) -> Position {
    let span = location.span();
    let (start, len) = match (span.byte_offset(), span.byte_len()) {
        (Some(start), Some(len)) => (start as usize, len as usize),
        _ => (offset_of(text, location), 0),
    };
    Position { origin, start, len }
}

/// The byte at a line and column.
fn offset_of(text: &str, location: &Location) -> usize {
    let line = (location.line() as usize).saturating_sub(1);
    let column = (location.column() as usize).saturating_sub(1);
    let begin: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(begin..).unwrap_or_default();
    begin
        + rest
            .char_indices()
            .nth(column)
            .map_or(rest.len(), |(at, _)| at)
}
