//! `include`: other files are laid under the scenario.
//!
//! Reading the files and putting them together are two passes, so that a run directory, which
//! holds the texts of all of them, needs no other file to be judged.

use std::path::{Component, Path, PathBuf};

use super::diagnostic::Diagnostics;
use super::merge::lay;
use super::node::{Entry, Node, Value};
use super::position::{Included, Origin, Position, Source};
use super::profile::take;
use super::report::Report;
use super::{read, reader, without_mark, yaml};

/// Files that one scenario may include, counted as often as they are included.
const MAX_FILES: usize = 64;
/// Files that include each other in a chain.
const MAX_DEPTH: usize = 8;
/// Larger files are no part of a scenario.
const MAX_BYTES: u64 = 1 << 20;

/// A scenario as it was written: its text, and those of all files that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// As messages name it.
    pub file_name: String,
    /// The scenario file's text.
    pub text: String,
    /// In the order in which they were found.
    pub included: Vec<Included>,
}

/// Reads a scenario file and everything that it includes. An included file that cannot be read is
/// kept with the reason: only the parser can say where it is asked for.
///
/// # Errors
/// When the scenario file itself cannot be read.
pub fn gather(path: &Path) -> Result<Written, Diagnostics> {
    let mut written = Written {
        file_name: path.display().to_string(),
        text: read(path)?,
        included: Vec::new(),
    };
    let mut wanted = asked_for(&written.file_name, &written.text);
    let mut at = 0;
    while let Some(name) = wanted.get(at).cloned() {
        at += 1;
        let known = written.included.iter().any(|file| file.name == name);
        if known || written.included.len() >= MAX_FILES {
            continue;
        }
        let text = read::included(Path::new(&name), MAX_BYTES);
        if let Ok(text) = &text {
            let more = asked_for(&name, text);
            // Names that are there already would only make the list longer.
            wanted.extend(more.into_iter().take(MAX_FILES));
        }
        written.included.push(Included { name, text });
    }
    Ok(written)
}

/// The files that a text includes; none if it cannot be read, which the parser says.
fn asked_for(file: &str, text: &str) -> Vec<String> {
    let Ok(mut tree) = yaml::parse(without_mark(text), Origin::File, 0) else {
        return Vec::new();
    };
    let entry = take(&mut tree, "include");
    let items = entry.as_ref().map(|entry| reader::one_or_many(&entry.node));
    let names = items
        .unwrap_or_default()
        .iter()
        .filter_map(|item| match &item.value {
            Value::Scalar(scalar) => Some(beside(file, &scalar.text)),
            _ => None,
        });
    names.collect()
}

/// The path of a file that stands in an `include` of another. It is made from the two texts alone,
/// so that it is the same where the run is judged again.
fn beside(file: &str, written: &str) -> String {
    let parent = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for component in parent.join(written).components() {
        match component {
            Component::CurDir => {}
            // `a/../b` is taken for `b`, so that a cycle through a detour is seen as one.
            Component::ParentDir if path.file_name().is_some() => {
                path.pop();
            }
            component => path.push(component),
        }
    }
    path.display().to_string()
}

/// Lays the tree over all that it includes.
pub(super) fn expand(tree: &mut Node, source: &Source, report: &mut Report<'_>) {
    let mut inclusion = Inclusion {
        source,
        chain: vec![beside("", &source.file_name)],
        left: MAX_FILES,
    };
    inclusion.expand(tree, report);
}

/// A message, and what would be right.
type Problem = (String, Option<String>);

struct Inclusion<'s> {
    source: &'s Source,
    /// The files that are being read, each included by the one before it.
    chain: Vec<String>,
    /// How many more files may be included.
    left: usize,
}

impl<'s> Inclusion<'s> {
    fn expand(&mut self, tree: &mut Node, report: &mut Report<'_>) {
        let Some(entry) = take(tree, "include") else {
            return;
        };
        let mut below = Node {
            position: Position::START,
            value: Value::Map(Vec::new()),
        };
        for item in reader::one_or_many(&entry.node) {
            if let Some(part) = self.part(item, report) {
                flows_twice(&below, &part, report);
                lay(&mut below, part);
            }
        }
        flows_twice(&below, tree, report);
        std::mem::swap(tree, &mut below);
        // `below` is now what this file says itself.
        lay(tree, below);
    }

    /// One included file, over what it includes itself.
    fn part(&mut self, item: &Node, report: &mut Report<'_>) -> Option<Node> {
        let written = reader::text(report, item)?;
        let file = self.chain.last().cloned().unwrap_or_default();
        let name = beside(&file, &written.value);
        let (n, text) = match self.find(&name, &written.value) {
            Ok(found) => found,
            Err((message, hint)) => {
                report.error_maybe(item.position, message, hint);
                return None;
            }
        };
        self.left -= 1;
        let mut tree = match yaml::parse(text, Origin::Included(n), 0) {
            Ok(tree) => tree,
            Err(error) => {
                report.error_maybe(error.position, error.message, error.hint);
                error.rest?
            }
        };
        if !matches!(tree.value, Value::Map(_)) {
            let found = tree.describe();
            report.error_hint(
                item.position,
                format!("`{name}` is no part of a scenario: it holds {found}"),
                "it has keys of a scenario: `flows`, `users`, `thresholds`, ...",
            );
            return None;
        }
        self.chain.push(name);
        self.expand(&mut tree, report);
        self.chain.pop();
        Some(tree)
    }

    /// The number and the text of a file, or why it cannot be included.
    fn find(&self, name: &str, written: &str) -> Result<(usize, &'s str), Problem> {
        if written.trim().is_empty() || written.contains("${") {
            return Err((
                format!("`{written}` does not name a file"),
                Some("write a path, beginning at the directory of this file".to_owned()),
            ));
        }
        if self.chain.iter().any(|above| above == name) {
            let chain = self.chain.join("` includes `");
            return Err((
                format!("`{name}` includes itself"),
                Some(format!("`{chain}` includes `{name}`")),
            ));
        }
        if self.chain.len() > MAX_DEPTH || self.left == 0 {
            return Err((
                format!(
                    "too many files: at most {MAX_FILES} can be included, and {MAX_DEPTH} by each other"
                ),
                Some("put the parts into fewer files".to_owned()),
            ));
        }
        let mut files = self.source.included.iter().enumerate();
        match files.find(|(_, file)| file.name == name) {
            Some((n, Included { text: Ok(text), .. })) => Ok((n, without_mark(text))),
            Some((_, Included { text: Err(why), .. })) => {
                Err((format!("failed to read `{name}`: {why}"), None))
            }
            None => Err((
                format!("the text of `{name}` is not there"),
                Some("a run directory holds all that its scenario includes".to_owned()),
            )),
        }
    }
}

/// Two flows of one name are two scripts of which one would silently not run.
fn flows_twice(below: &Node, above: &Node, report: &mut Report<'_>) {
    for entry in flows(above) {
        let mut others = flows(below).iter().filter(|other| other.key == entry.key);
        // A file that is included on two ways brings the same flow twice.
        let Some(other) = others.find(|other| other.position != entry.position) else {
            continue;
        };
        let spot = report.spot(other.position);
        report.error_hint(
            entry.position,
            format!("the flow `{}` is there twice: also at {spot}", entry.key),
            "give one of them another name",
        );
    }
}

fn flows(tree: &Node) -> &[Entry] {
    let Value::Map(entries) = &tree.value else {
        return &[];
    };
    let flows = entries.iter().find(|entry| entry.key == "flows");
    match flows.map(|entry| &entry.node.value) {
        Some(Value::Map(flows)) => flows,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_at_the_file_that_it_stands_in() {
        let table = [
            ("a.yaml", "b.yaml", "b.yaml"),
            ("x/a.yaml", "b.yaml", "x/b.yaml"),
            ("x/a.yaml", "./y/../b.yaml", "x/b.yaml"),
            ("x/a.yaml", "../b.yaml", "b.yaml"),
            ("a.yaml", "../b.yaml", "../b.yaml"),
            ("x/a.yaml", "/b.yaml", "/b.yaml"),
        ];
        for (file, written, expected) in table {
            assert_eq!(beside(file, written), expected, "{written} in {file}");
        }
    }
}
