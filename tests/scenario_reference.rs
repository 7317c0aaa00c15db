//! The reference in `docs/scenario.md` is made from the schema, and every example in the docs is
//! a scenario that can be planned.

#[path = "support/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use fcfs_bench::plan::{self, Overrides, Plan};
use fcfs_bench::scenario::{self, Diagnostics, Included, Written};
use schema::{Place, forms, is_anything, places, shown};
use serde_json::{Map, Value};

const BEGIN: &str = "<!-- reference: made from the schema by tests/scenario_reference.rs -->\n";
const END: &str = "<!-- end of the reference -->\n";

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).expect(name)
}

#[test]
fn the_reference_is_fresh() {
    let page = page("docs/scenario.md");
    let (before, rest) = page.split_once(BEGIN).expect("a beginning");
    let (_, behind) = rest.split_once(END).expect("an end");
    let fresh = format!(
        "{before}{BEGIN}{}{END}{behind}",
        reference(&scenario::schema())
    );
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.md");
        std::fs::write(path, fresh).expect("written");
        return;
    }
    assert!(
        page == fresh,
        "the reference in docs/scenario.md is old; renew it with\n    \
         UPDATE_REFERENCE=1 cargo test --test scenario_reference"
    );
}

/// Sections in the order in which a scenario is written.
const ORDER: [&str; 13] = [
    "",
    "target",
    "subject",
    "users",
    "load",
    "flows",
    "before",
    "after",
    "truth",
    "metrics",
    "resources",
    "thresholds",
    "profiles",
];

/// A section for each map, named after all the places where it may stand.
fn reference(schema: &Value) -> String {
    let mut sections: Vec<(Vec<String>, Map<String, Value>)> = Vec::new();
    let mut places: Vec<Place> = places(schema);
    places.sort_by_key(|place| {
        let path = shown(&place.path);
        let top = path.split(['.', '[']).next().unwrap_or_default();
        let known = ORDER.iter().position(|name| *name == top);
        (known.unwrap_or(ORDER.len()), place.path.len())
    });
    for place in places {
        let path = shown(&place.path);
        for form in place
            .forms
            .into_iter()
            .filter(|form| form.contains_key("properties"))
        {
            match sections.iter_mut().find(|(_, known)| *known == form) {
                Some((paths, _)) if paths.contains(&path) => {}
                Some((paths, _)) => paths.push(path.clone()),
                None => sections.push((vec![path.clone()], form)),
            }
        }
    }
    let mut text = String::new();
    for (paths, form) in sections {
        section(&mut text, schema, &paths, &form);
    }
    text
}

fn section(text: &mut String, schema: &Value, paths: &[String], form: &Map<String, Value>) {
    let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    let title = if paths == ["``"] {
        "The top level".to_owned()
    } else {
        paths.join(", ")
    };
    let about = form
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let _ = write!(text, "\n### {title}\n\n{about}\n\n");
    let groups = list(form, "allOf").iter().filter_map(Value::as_object);
    let groups = groups.filter(|group| group.contains_key("oneOf"));
    for group in groups.chain([form]) {
        let names = excluded(group, "oneOf");
        if !names.is_empty() {
            let _ = write!(text, "Exactly one of {names}.\n\n");
        }
    }
    let names = excluded(form, "allOf");
    if !names.is_empty() {
        let _ = write!(text, "Never together: {names}.\n\n");
    }
    text.push_str("| Key | Type | Default | Meaning | Example |\n|---|---|---|---|---|\n");
    let required: BTreeSet<&str> = list(form, "required")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let properties = form["properties"].as_object().expect("a map");
    let (first, rest): (Vec<_>, Vec<_>) = properties
        .iter()
        .partition(|(key, _)| required.contains(key.as_str()));
    for (key, node) in first.into_iter().chain(rest) {
        let default = match node.get("default") {
            Some(default) => code(default),
            None if required.contains(key.as_str()) => "required".to_owned(),
            None => String::new(),
        };
        let about = node["description"].as_str().unwrap_or_default();
        let example = example(schema, node).as_ref().map(code);
        let _ = writeln!(
            text,
            "| `{key}` | {} | {default} | {} | {} |",
            cell(&kind(schema, node)),
            cell(about),
            example.unwrap_or_default(),
        );
    }
}

/// Its own example, or one of its type.
fn example(schema: &Value, node: &Value) -> Option<Value> {
    let own = node["examples"].as_array().and_then(|list| list.first());
    if own.is_some() {
        return own.cloned();
    }
    let target = node["$ref"]
        .as_str()
        .and_then(|at| at.strip_prefix("#/$defs/"));
    let forms = node["anyOf"].as_array().into_iter().flatten();
    match target {
        Some(name) => example(schema, &schema["$defs"][name]),
        None => forms.into_iter().find_map(|form| example(schema, form)),
    }
}

fn list<'v>(form: &'v Map<String, Value>, word: &str) -> &'v [Value] {
    form.get(word)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The keys that exclude each other.
fn excluded(form: &Map<String, Value>, word: &str) -> String {
    let of = |rule: &Value| {
        let required = rule.get("not").unwrap_or(rule)["required"].as_array();
        let names = required.into_iter().flatten().filter_map(Value::as_str);
        names
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(" and ")
    };
    let names = list(form, word).iter().map(of);
    let names: Vec<String> = names.filter(|names| !names.is_empty()).collect();
    names.join(", ")
}

/// What may stand there, in words.
fn kind(schema: &Value, node: &Value) -> String {
    let mut words: Vec<String> = Vec::new();
    for form in forms_with_titles(schema, node) {
        let word = word(schema, &form);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    // `${NAME}` may stand for any value, which is said once, in the guide.
    words.retain(|word| word != VARIABLE || node["title"].is_string());
    let all = |words: &[String]| words.join(" or ");
    match words.split_last() {
        Some((last, rest)) if *last == format!("list of {}", all(rest)) => {
            format!("{}, or a list of these", all(rest))
        }
        _ => all(&words),
    }
}

const VARIABLE: &str = "variable";

/// As [`forms`], but a value with a title is one form.
fn forms_with_titles(schema: &Value, node: &Value) -> Vec<Map<String, Value>> {
    let target = node["$ref"]
        .as_str()
        .and_then(|at| at.strip_prefix("#/$defs/"));
    if let Some(name) = target {
        return forms_with_titles(schema, &schema["$defs"][name]);
    }
    match node["anyOf"]
        .as_array()
        .filter(|_| !node["title"].is_string())
    {
        Some(list) => list
            .iter()
            .flat_map(|form| forms_with_titles(schema, form))
            .collect(),
        None => forms(schema, node)
            .into_iter()
            .take(1)
            .map(|form| match node.as_object() {
                Some(node) if node.contains_key("title") => node.clone(),
                _ => form,
            })
            .collect(),
    }
}

fn word(schema: &Value, form: &Map<String, Value>) -> String {
    if let Some(title) = form.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    if let Some(word) = form.get("const") {
        return code(word);
    }
    if let Some(items) = form.get("items") {
        return format!("list of {}", kind(schema, items));
    }
    if is_anything(form) {
        return "any YAML".to_owned();
    }
    match form.get("type").and_then(Value::as_str) {
        Some("object") => "map".to_owned(),
        Some("string") => VARIABLE.to_owned(),
        other => panic!("no word for {other:?}: {form:?}"),
    }
}

fn code(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => flow(other),
    };
    format!("`{}`", cell(&text))
}

/// The value as YAML in one line.
fn flow(value: &Value) -> String {
    let plain = |text: &str| {
        !text.is_empty()
            && !text.contains([
                ':', '{', '}', '[', ']', ',', '"', '#', '&', '*', '%', '|', '>', '<',
            ])
    };
    match value {
        Value::String(text) if plain(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", flow(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// Text within a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn every_example_of_the_reference_is_yaml_that_means_the_same() {
    for place in places(&scenario::schema()) {
        for form in place.forms {
            for node in form
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                for example in list(node.1.as_object().expect("a map"), "examples") {
                    let read: Value = serde_saphyr::from_str(&flow(example)).expect("YAML");
                    let meant = without_underscores(example);
                    assert_eq!(read, meant, "{} {}", shown(&place.path), node.0);
                }
            }
        }
    }
}

/// `2_000` is a number to this reader of YAML, and a text to others.
fn without_underscores(example: &Value) -> Value {
    let text = example.as_str().unwrap_or_default().replace('_', "");
    let number = text.parse::<u64>().ok().filter(|_| example.is_string());
    number.map_or_else(|| example.clone(), Value::from)
}

/// A scenario whose parts a fragment can take the place of: every part by its key.
const FRAME: [(&str, &str); 7] = [
    ("name", "name: frame\n"),
    ("target", "target: { url: http://127.0.0.1:3000 }\n"),
    ("subject", "subject: { coupon: { id: 1, stock: 500 } }\n"),
    (
        "load",
        "load: { opening: { ramping_vus: { stages: [ { name: hold, for: 10s, to: 5 } ] } } }\n",
    ),
    (
        "flows",
        "flows:\n  issue:\n    - post: /issue\n      outcomes:\n        issued: 201\n        sold_out: 410\n        duplicate: 409\n        lock_failed: { status: 423, is: refused }\n",
    ),
    (
        "truth",
        "truth: { issued: { sql: { url: \"sqlite:x.db\", query: SELECT user FROM rows } } }\n",
    ),
    ("invariants", "invariants: [one_per_user]\n"),
];

fn planned(text: &str) -> Result<Plan, Diagnostics> {
    let environment = |name: &str| {
        let value = match name {
            "DB" => "sqlite:coupons.db",
            _ => "secret",
        };
        Some(value.to_owned())
    };
    let part = |name: &str, text: &str| Included {
        name: format!("parts/{name}.yaml"),
        text: Ok(text.to_owned()),
    };
    let written = Written {
        file_name: "example.yaml".to_owned(),
        text: text.to_owned(),
        included: vec![
            part("flows", "about: Flows that are shared."),
            part("thresholds", "thresholds: { http_req_failed: rate<1% }"),
        ],
    };
    plan::load_written(&written, &Overrides::default(), &environment)
}

/// The fragment within the frame, in the place of the parts that it has.
fn framed(fragment: &str) -> String {
    let fragment = match fragment.strip_prefix("outcomes:") {
        // Outcomes belong to a step.
        Some(outcomes) => {
            let outcomes = outcomes.replace('\n', "\n      ");
            format!("flows:\n  issue:\n    - post: /issue\n      outcomes:{outcomes}\n")
        }
        None => fragment.to_owned(),
    };
    let mut parts: BTreeMap<&str, &str> = FRAME.into_iter().collect();
    for line in fragment.lines() {
        let key = line.split(':').next().unwrap_or_default();
        parts.remove(key);
    }
    parts.into_values().collect::<String>() + &fragment
}

#[test]
fn every_example_in_the_docs_can_be_planned() {
    let mut count = 0;
    for name in ["README.md", "docs/scenario.md"] {
        let page = page(name);
        for block in page.split("```yaml\n").skip(1) {
            let (example, _) = block.split_once("```").expect("the end of a block");
            let whole = example.lines().any(|line| line.starts_with("name:"));
            let text = if whole {
                example.to_owned()
            } else {
                framed(example)
            };
            count += 1;
            if let Err(error) = planned(&text) {
                panic!("{name}:\n{example}\n{error}");
            }
        }
    }
    assert!(count >= 9, "only {count} examples");
}

#[test]
fn the_example_of_a_system_of_ones_own_with_faults_can_be_planned() {
    let page = page("docs/faults.md");
    let (_, section) = page.split_once("## Your own system").expect("the section");
    let (_, block) = section.split_once("```yaml\n").expect("its example");
    let (example, _) = block.split_once("```").expect("the end of a block");
    let plan = planned(&framed(example)).unwrap_or_else(|error| panic!("{example}\n{error}"));
    assert!(plan::print(&plan).contains("\nparts\n"), "{example}");
}
