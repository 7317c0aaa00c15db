//! Users of a file: `SharedArray`, `open`, and how an iteration takes its record.

use std::path::Path;

use tree_sitter::Node;

use super::script::Script;
use super::syntax::{children, line};
use super::users::{is_id, is_user};
use super::value::{Opaque, Place, Val, Written};
use crate::scenario::value::Name;

/// A file that the script reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) line: usize,
    pub(super) file: String,
    pub(super) kind: Kind,
}

/// How its records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One JSON array.
    Json,
    /// Lines of values, the first of which names the columns.
    Csv,
    /// Lines of values.
    CsvWithoutHeader,
}

/// Which record an iteration takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    InTurn,
    PerVu,
    AtRandom,
}

/// The records that the script's users are.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) source: Source,
    pub(super) take: Take,
}

impl<'t> Script<'t> {
    /// `JSON.parse(open('users.json'))`, `papaparse.parse(open('users.csv'), { header: true })`.
    pub(super) fn parsed(&self, file: String, given: Option<&Val<'t>>, node: Node<'t>) -> Val<'t> {
        let says = |key: &str| given.and_then(|given| given.get(key)) == Some(&Val::Bool(true));
        let kind = match self.source(node) {
            text if text.starts_with("JSON.") => Kind::Json,
            _ if says("header") || says("asObjects") => Kind::Csv,
            _ => Kind::CsvWithoutHeader,
        };
        let line = line(node);
        Val::Records(Source { line, file, kind })
    }

    /// `new SharedArray('users', () => ...)`.
    pub(super) fn shared_array(&mut self, given: &[Node<'t>], node: Node<'t>) -> Val<'t> {
        match given.get(1).map(|inner| self.eval(*inner)) {
            Some(Val::Function(inner)) => self.invoke(inner, &[]),
            _ => self.opaque(node),
        }
    }

    /// `users[index]`.
    pub(super) fn record(&mut self, source: &Source, index: Node<'t>) -> Val<'t> {
        let words = match self.eval(index) {
            Val::Unknown(Opaque { source, .. }) => source,
            Val::Place(Place::Vu, _) => "__VU".to_owned(),
            Val::Place(Place::Random(range), _) if !range.cycles => "random".to_owned(),
            _ => self.source(index).to_owned(),
        };
        self.take(source, take(&words), index)
    }

    pub(super) fn take(&mut self, source: &Source, take: Take, node: Node<'t>) -> Val<'t> {
        let wanted = Taken {
            source: source.clone(),
            take,
        };
        let taken = self.records.get_or_insert(wanted);
        if taken.source != *source {
            let text = format!(
                "`{}` is a second file: users come from one, which is `{}`",
                source.file, taken.source.file
            );
            self.note(line(node), text);
            return self.opaque(node);
        }
        let shape = self.shapes.iter().find(|(shaped, _)| shaped == source);
        shape.map_or(Val::Record(source.kind), |(_, shape)| shape.clone())
    }

    /// What can be done with a file's text, with its records and with one of them.
    pub(super) fn method_of_file(
        &mut self,
        object: &Val<'t>,
        name: &str,
        given: &[Node<'t>],
        node: Node<'t>,
    ) -> Val<'t> {
        match (object, name) {
            (Val::File(_), "trim" | "replace")
            | (Val::Record(_), "split" | "trim" | "toString")
            | (Val::Records(_), "slice" | "filter" | "sort" | "concat") => object.clone(),
            (Val::File(file), "split") => self.parsed(file.clone(), None, node),
            (Val::Records(source), "map") => {
                let Some(Val::Function(inner)) = given.first().map(|inner| self.eval(*inner))
                else {
                    return self.opaque(node);
                };
                let shape = self.invoke(inner, &[Val::Record(source.kind)]);
                self.shapes.push((source.clone(), shape));
                object.clone()
            }
            (Val::Records(source), "at") if !given.is_empty() => self.record(source, given[0]),
            _ => self.opaque(node),
        }
    }
}

fn take(words: &str) -> Take {
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if has(&["andom"]) {
        Take::AtRandom
    } else if has(&["__VU", "vu.id"]) && !has(&["__ITER", "iteration"]) {
        Take::PerVu
    } else {
        Take::InTurn
    }
}

/// `user.name` and `user[0]`.
pub(super) fn column<'t>(kind: Kind, name: &str) -> Option<Val<'t>> {
    let name = match kind {
        Kind::CsvWithoutHeader => format!("column{}", name.parse::<u8>().ok()?),
        Kind::Json | Kind::Csv => name.to_owned(),
    };
    let name = name.parse::<Name>().ok()?;
    let place = Place::Column(name.as_str().to_owned());
    Some(Val::Place(place, Written::AsText))
}

/// A record that is no map, but one value.
pub(super) fn only_column(kind: Kind) -> Place {
    Place::Column(match kind {
        Kind::CsvWithoutHeader => "column0".to_owned(),
        Kind::Json | Kind::Csv => "value".to_owned(),
    })
}

impl Taken {
    /// The value of `users.from`.
    pub(super) fn from(&self) -> String {
        let file = self.source.file.trim_start_matches("./");
        match self.source.kind {
            Kind::Json => {
                let lines = Path::new(file).with_extension("jsonl");
                let lines = super::yaml::quoted(&lines.to_string_lossy());
                format!("{{ jsonl: {lines} }}")
            }
            _ => format!("{{ csv: {} }}", super::yaml::quoted(file)),
        }
    }

    /// What a person has to know and to do.
    pub(super) fn comments(&self, columns: &[String]) -> Vec<String> {
        let Source { line, file, kind } = &self.source;
        let mut comments = vec![format!("Line {line} of the script reads {file}.")];
        let name = file.trim_start_matches("./");
        match kind {
            Kind::Json => {
                let each = match columns {
                    [only] if only == "value" => ".[] | {value: .}",
                    _ => ".[]",
                };
                let lines = Path::new(name).with_extension("jsonl");
                comments.push(format!(
                    "TODO: write it as JSON lines, one object a line: jq -c '{each}' {name} > {}",
                    lines.display()
                ));
            }
            Kind::Csv => {}
            Kind::CsvWithoutHeader => comments.push(format!(
                "TODO: its first line has to name all columns: {}",
                columns.join(",")
            )),
        }
        comments.push(match self.take {
            Take::InTurn => "Each iteration takes another record, and none twice: k6 begins again when all were taken.".to_owned(),
            Take::PerVu => "Each VU keeps its record.".to_owned(),
            Take::AtRandom => "Each iteration draws one, by the seed, so that some ask again.".to_owned(),
        });
        comments
    }
}

/// The column that says who asks, if one is called so.
pub(super) fn id_column(columns: &[String]) -> Option<&String> {
    let ids = columns.iter().find(|name| is_id(name));
    let users = || columns.iter().find(|name| is_user(name));
    let names = || columns.iter().find(|name| *name == "name");
    ids.or_else(users).or_else(names)
}

/// The values of a call's arguments that are no functions.
pub(super) fn plain<'t>(script: &mut Script<'t>, given: &[Node<'t>]) -> Vec<Val<'t>> {
    given.iter().map(|node| script.eval(*node)).collect()
}

/// The arguments of `new`.
pub(super) fn arguments(node: Node<'_>) -> Vec<Node<'_>> {
    super::syntax::field(node, "arguments").map_or_else(Vec::new, children)
}
