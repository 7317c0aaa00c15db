//! `--set path=value`: changes the tree before it is decoded.

use super::node::{Entry, Node, Value};
use super::position::{Origin, Position};
use super::report::Report;
use super::yaml;

/// Applies the n-th `--set`.
pub(crate) fn apply(tree: &mut Node, n: usize, argument: &str, report: &mut Report<'_>) {
    let whole = Position {
        origin: Origin::Set(n),
        start: 0,
        len: argument.len(),
    };
    if let Err((message, hint)) = try_apply(tree, whole, argument) {
        report.error_hint(whole, message, hint);
    }
}

type Problem = (String, String);

fn try_apply(tree: &mut Node, whole: Position, argument: &str) -> Result<(), Problem> {
    let form = || {
        (
            "an override has no path and value".to_owned(),
            "write it like `--set load.opening.constant_vus.vus=50`".to_owned(),
        )
    };
    let (path, value) = argument.split_once('=').ok_or_else(form)?;
    if path.split('.').any(str::is_empty) {
        return Err(form());
    }
    let node = yaml::parse(value, whole.origin, path.len() + 1)
        .map_err(|error| (error.message, "the value is read as YAML".to_owned()))?;
    let mut place = tree;
    let mut walked = String::new();
    for segment in path.split('.') {
        place = step(place, segment, &walked, whole)?;
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(segment);
    }
    *place = node;
    Ok(())
}

/// One segment further; a missing key of a map is made.
fn step<'t>(
    node: &'t mut Node,
    segment: &str,
    walked: &str,
    whole: Position,
) -> Result<&'t mut Node, Problem> {
    let what = node.describe();
    if node.value == Value::Null {
        node.value = Value::Map(Vec::new());
    }
    match &mut node.value {
        Value::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == segment);
            let at = at.unwrap_or_else(|| {
                entries.push(Entry {
                    key: segment.to_owned(),
                    position: whole,
                    node: Node {
                        position: whole,
                        value: Value::Null,
                    },
                });
                entries.len() - 1
            });
            Ok(&mut entries[at].node)
        }
        Value::Seq(list) => {
            let count = list.len();
            let item = segment.parse::<usize>().ok().and_then(|n| list.get_mut(n));
            item.ok_or_else(|| {
                (
                    format!("the list `{walked}` has no item `{segment}`"),
                    match count {
                        0 => "the list is empty".to_owned(),
                        _ => format!("its items have the numbers 0 to {}", count - 1),
                    },
                )
            })
        }
        _ => Err((
            format!("`{walked}` is {what} and holds no `{segment}`"),
            format!("to replace it, write `--set {walked}=...`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::position::Source;
    use super::*;

    fn applied(text: &str, argument: &str) -> Result<String, String> {
        let source = Source {
            file_name: "x.yaml".to_owned(),
            text: text.to_owned(),
            set: vec![argument.to_owned()],
            ..Source::default()
        };
        let mut tree = yaml::parse(text, Origin::File, 0).expect("YAML");
        let mut report = Report::new(&source);
        apply(&mut tree, 0, argument, &mut report);
        let diagnostics = report.finish();
        if diagnostics.has_errors() {
            return Err(diagnostics.to_string());
        }
        Ok(super::super::reader::json(&tree).to_string())
    }

    #[test]
    fn changes_and_creates() {
        let table = [
            ("a: {b: 1}", "a.b=2", r#"{"a":{"b":2}}"#),
            (
                "a: [{x: 1}, {x: 2}]",
                "a.1.x=9",
                r#"{"a":[{"x":1},{"x":9}]}"#,
            ),
            ("a: 1", "c.d=x", r#"{"a":1,"c":{"d":"x"}}"#), // made on the way
            ("a:", "a.b=1", r#"{"a":{"b":1}}"#),           // an empty key is an empty map
            ("a: 1", "a=[1, {b: c}]", r#"{"a":[1,{"b":"c"}]}"#),
            ("a: 1", "a=x=y", r#"{"a":"x=y"}"#),
            ("a: 1", "a=", r#"{"a":null}"#),
        ];
        for (text, argument, expected) in table {
            assert_eq!(applied(text, argument).expect(argument), expected);
        }
    }

    #[test]
    fn an_error_names_the_argument() {
        for argument in [
            "a",
            "=1",
            "a..b=1",
            "a.b=1",
            "l.2=1",
            "l.x=1",
            "a=[",
            "a={b: 1, b: 2}",
        ] {
            let error = applied("{a: 1, l: [1, 2]}", argument).expect_err(argument);
            assert!(
                error.contains(&format!("--> --set {argument}\n")),
                "{error}"
            );
        }
    }
}
