//! The schema of scenarios as places: which maps and values there are, and the path to each.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// One step of a path into a scenario.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// A key of the vocabulary.
    Key(String),
    /// A key that the author chooses, with one that would do.
    Own(String),
    /// An item of a list.
    Item,
}

/// A place in a scenario and all that may stand there, `$ref`s followed.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// From the top of the scenario.
    pub(crate) path: Vec<Segment>,
    /// The alternatives, none of which is an `anyOf`.
    pub(crate) forms: Vec<Map<String, Value>>,
}

impl Place {
    /// The maps that may stand here and whose keys are all known.
    pub(crate) fn maps(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.forms.iter().filter(|form| {
            form.contains_key("properties") && !form.contains_key("patternProperties")
        })
    }

    /// Whether a map may stand here whose keys the author chooses.
    pub(crate) fn is_open(&self) -> bool {
        let free =
            |form: &Map<String, Value>| form.contains_key("patternProperties") || is_anything(form);
        self.forms.iter().any(free)
    }
}

/// Whether it allows any YAML.
pub(crate) fn is_anything(form: &Map<String, Value>) -> bool {
    let words = ["type", "const", "properties", "pattern", "anyOf", "$ref"];
    !words.iter().any(|word| form.contains_key(*word))
}

/// Every place of the schema, the whole scenario first. A type within itself is not gone into a
/// second time.
pub(crate) fn places(schema: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    walk(schema, schema, &mut Vec::new(), &mut Vec::new(), &mut found);
    found
}

fn walk(
    schema: &Value,
    node: &Value,
    path: &mut Vec<Segment>,
    within: &mut Vec<String>,
    found: &mut Vec<Place>,
) {
    let forms = forms(schema, node);
    found.push(Place {
        path: path.clone(),
        forms: forms.clone(),
    });
    let name = definition(node);
    if name.as_ref().is_some_and(|name| within.contains(name)) {
        return;
    }
    within.extend(name.clone());
    for form in &forms {
        for (segment, child) in children(form) {
            path.push(segment);
            walk(schema, child, path, within, found);
            path.pop();
        }
    }
    if name.is_some() {
        within.pop();
    }
}

fn definition(node: &Value) -> Option<String> {
    let reference = node.get("$ref")?.as_str()?;
    reference.strip_prefix("#/$defs/").map(str::to_owned)
}

/// What may stand there: `$ref` and `anyOf` followed, the words beside them kept.
pub(crate) fn forms(schema: &Value, node: &Value) -> Vec<Map<String, Value>> {
    let Some(node) = node.as_object() else {
        return vec![Map::new()];
    };
    if let Some(name) = definition(&Value::Object(node.clone())) {
        return forms(schema, &schema["$defs"][&name]);
    }
    match node.get("anyOf").and_then(Value::as_array) {
        Some(list) => list.iter().flat_map(|form| forms(schema, form)).collect(),
        None => vec![node.clone()],
    }
}

fn children(form: &Map<String, Value>) -> Vec<(Segment, &Value)> {
    let maps = |word: &str| form.get(word).and_then(Value::as_object);
    let mut children = Vec::new();
    for (pattern, child) in maps("patternProperties").into_iter().flatten() {
        children.push((Segment::Own(key_for(pattern)), child));
    }
    // The known names of an open map stand for what any name stands for.
    if children.is_empty() {
        let known = maps("properties").into_iter().flatten();
        children.extend(known.map(|(key, child)| (Segment::Key(key.clone()), child)));
    }
    children.extend(form.get("items").map(|items| (Segment::Item, items)));
    children
}

/// A key that the pattern accepts.
fn key_for(pattern: &str) -> String {
    let pattern = json!({ "type": "string", "pattern": pattern });
    let fits = |key: &&str| jsonschema::is_valid(&pattern, &json!(key));
    // Only metrics have tags.
    let candidates = if fits(&"http_reqs{phase:x}") {
        ["http_reqs", "", ""]
    } else {
        ["x", "/x", "http_reqs"]
    };
    let key = candidates.into_iter().find(fits);
    key.unwrap_or_else(|| panic!("no key is known for {pattern}"))
        .to_owned()
}

/// Places by path: what stands at one path in several alternatives is one place.
pub(crate) fn by_path(places: Vec<Place>) -> BTreeMap<Vec<Segment>, Place> {
    let mut merged: BTreeMap<Vec<Segment>, Place> = BTreeMap::new();
    for place in places {
        match merged.get_mut(&place.path) {
            Some(known) => known.forms.extend(place.forms),
            None => {
                merged.insert(place.path.clone(), place);
            }
        }
    }
    merged
}

/// The path for people: `load.NAME.ramping_vus.stages[].for`.
pub(crate) fn shown(path: &[Segment]) -> String {
    let mut text = String::new();
    for (at, segment) in path.iter().enumerate() {
        let parent = at.checked_sub(1).and_then(|at| path.get(at));
        let (dot, name) = match segment {
            Segment::Key(key) => (".", key.as_str()),
            Segment::Own(key) if key == "/x" => (".", "POINTER"),
            Segment::Own(_) if matches!(parent, Some(Segment::Key(key)) if key == "thresholds") => {
                (".", "METRIC")
            }
            Segment::Own(_) => (".", "NAME"),
            Segment::Item => ("", "[]"),
        };
        text.push_str(if text.is_empty() { "" } else { dot });
        text.push_str(name);
    }
    text
}
