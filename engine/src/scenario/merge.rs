//! Lays one tree over another: a profile over its scenario, a scenario over what it includes.

use super::decode::EXECUTORS;
use super::node::{Entry, Node, Value};

/// Truth sources, targets and others are one of several kinds; another kind takes the place of the
/// first.
const TARGETS: [&str; 3] = ["stack", "url", "urls"];
const SOURCES: [&str; 3] = ["sql", "redis", "http"];
const RECORDS: [&str; 3] = ["csv", "jsonl", "sql"];
const PROOFS: [&str; 2] = ["basic", "bearer"];

/// Lays `upper` over `lower`: maps are merged by key, everything else replaces what was there, and
/// `~` takes a key away. An executor replaces the executor that was there, whatever its kind: half
/// of one shape and half of another would be a third that nobody wrote.
pub(super) fn lay(lower: &mut Node, upper: Node) {
    lay_at(lower, upper, &mut Vec::new());
}

fn lay_at(lower: &mut Node, upper: Node, path: &mut Vec<String>) {
    match (&mut lower.value, upper.value) {
        (Value::Map(below), Value::Map(above)) if !is_whole(path) => {
            give_way(below, &above, path);
            for entry in above {
                lay_entry(below, entry, path);
            }
        }
        (_, value) => {
            *lower = Node {
                position: upper.position,
                value,
            };
        }
    }
}

fn lay_entry(below: &mut Vec<Entry>, above: Entry, path: &mut Vec<String>) {
    let Some(at) = below.iter().position(|entry| entry.key == above.key) else {
        below.push(above);
        return;
    };
    if above.node.value == Value::Null {
        below.remove(at);
        return;
    }
    let entry = &mut below[at];
    path.push(above.key);
    let are_maps = [&entry.node, &above.node].map(|node| matches!(node.value, Value::Map(_)));
    if are_maps.contains(&false) || is_whole(path) {
        // What replaces another is what a message must show.
        entry.position = above.position;
    }
    lay_at(&mut entry.node, above.node, path);
    path.pop();
}

/// Whether the map at this path is one thing, that is never mixed with another.
fn is_whole(path: &[String]) -> bool {
    let mut names = path.iter().map(String::as_str);
    let (first, _, third) = (names.next(), names.next(), names.next());
    path.len() == 3 && first == Some("load") && third.is_some_and(|key| EXECUTORS.contains(&key))
}

/// Removes the kind that another kind takes the place of.
fn give_way(below: &mut Vec<Entry>, above: &[Entry], path: &[String]) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let kinds: &[&str] = match names.as_slice() {
        ["load", _] => &EXECUTORS,
        ["target"] => &TARGETS,
        ["target" | "alerts", "auth"] => &PROOFS,
        ["users", "from"] => &RECORDS,
        [
            "truth",
            "issued" | "stock" | "remaining" | "outbox" | "effects",
        ] => &SOURCES,
        _ => return,
    };
    let Some(new) = above
        .iter()
        .find(|entry| kinds.contains(&entry.key.as_str()))
    else {
        return;
    };
    let is_rival = |entry: &Entry| kinds.contains(&entry.key.as_str()) && entry.key != new.key;
    if !below.iter().any(is_rival) {
        return;
    }
    let changes_side = |entry: &Entry| entry.key == "stack";
    if names == ["target"] && (new.key == "stack" || below.iter().any(changes_side)) {
        // `ready`, `auth` and others belong to the addresses that they stand beside.
        below.clear();
    } else {
        below.retain(|entry| !is_rival(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::super::position::Origin;
    use super::super::{reader, yaml};
    use super::*;

    fn laid(lower: &str, upper: &str) -> String {
        let parse = |text: &str| yaml::parse(text, Origin::File, 0).expect("YAML");
        let mut tree = parse(lower);
        lay(&mut tree, parse(upper));
        reader::json(&tree).to_string()
    }

    #[test]
    #[rustfmt::skip] // A row a line.
    fn what_is_laid_over_what() {
        for (lower, upper, expected) in [
            // Maps are merged, and keep what the upper one does not say.
            ("a: {b: 1, c: 2}", "a: {b: 3}", r#"{"a":{"b":3,"c":2}}"#),
            ("a: 1", "b: {c: 2}", r#"{"a":1,"b":{"c":2}}"#),
            // Lists and values replace.
            ("a: [1, 2]", "a: [3]", r#"{"a":[3]}"#),
            ("a: {b: 1}", "a: 2", r#"{"a":2}"#),
            ("a: 2", "a: {b: 1}", r#"{"a":{"b":1}}"#),
            // Nothing takes away.
            ("a: {b: 1, c: 2}", "a: {b: ~}", r#"{"a":{"c":2}}"#),
            // Another address keeps what stands beside it; the bundled system has none of that.
            ("target: {url: a, auth: {bearer: x}}", "target: {urls: [b, c]}",
             r#"{"target":{"auth":{"bearer":"x"},"urls":["b","c"]}}"#),
            ("target: {url: a, ready: /x}", "target: {stack: {}}", r#"{"target":{"stack":{}}}"#),
            ("users: {from: {csv: a}}", "users: {from: {jsonl: b}}",
             r#"{"users":{"from":{"jsonl":"b"}}}"#),
            // One executor, never two, and never parts of two.
            ("load: {x: {flow: f, constant_vus: {vus: 1, for: 9s}}}",
             "load: {x: {stampede: {users: 5}}}",
             r#"{"load":{"x":{"flow":"f","stampede":{"users":5}}}}"#),
            ("load: {x: {ramping_vus: {start: 5, stages: [1]}}}",
             "load: {x: {ramping_vus: {stages: [2]}}}",
             r#"{"load":{"x":{"ramping_vus":{"stages":[2]}}}}"#),
            // Another kind of target or source takes the place of the first, the same kind is merged.
            ("target: {url: a, ready: /up}", "target: {stack: {}}", r#"{"target":{"stack":{}}}"#),
            ("target: {url: a, ready: /up}", "target: {url: b}", r#"{"target":{"ready":"/up","url":"b"}}"#),
            ("truth: {issued: {sql: {url: a, query: q}}}", "truth: {issued: {sql: {url: b}}}",
             r#"{"truth":{"issued":{"sql":{"query":"q","url":"b"}}}}"#),
            ("truth: {issued: {sql: {url: a}}}", "truth: {issued: {http: {get: b}}}",
             r#"{"truth":{"issued":{"http":{"get":"b"}}}}"#),
        ] {
            assert_eq!(laid(lower, upper), expected, "{upper} over {lower}");
        }
    }
}
