//! The JSON Schema of scenarios says what the reader of scenarios does.

#[path = "scenario_schema/keys.rs"]
mod keys;
#[path = "support/schema.rs"]
mod schema;
#[path = "scenario_schema/values.rs"]
mod values;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fcfs_bench::measure::Metric;
use fcfs_bench::plan::{self, Invariant, Overrides};
use fcfs_bench::scenario::{self, Diagnostics};
use jsonschema::Validator;
use schema::{Segment, by_path, places, shown};
use serde_json::{Map, Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

/// As a YAML language server reads it: YAML 1.2, where `no` is a word.
fn yaml(text: &str) -> Option<Value> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).ok()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&scenario::schema()).expect("a valid schema")
}

#[test]
fn the_committed_copy_is_fresh() {
    let committed = std::fs::read_to_string(root().join("docs/scenario.schema.json"));
    let fresh = format!("{:#}\n", scenario::schema());
    assert!(
        committed.is_ok_and(|committed| committed == fresh),
        "docs/scenario.schema.json is old; renew it with\n    \
         cargo run -- schema > docs/scenario.schema.json"
    );
}

#[test]
fn the_command_prints_the_schema_and_nothing_else() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fcfs-bench"));
    let ended = command.arg("schema").output().expect("the binary starts");
    assert!(
        ended.status.success() && ended.stderr.is_empty(),
        "{ended:?}"
    );
    let printed: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!(printed, scenario::schema());
    let draft = "https://json-schema.org/draft/2020-12/schema";
    assert_eq!(printed["$schema"], draft);
}

#[test]
fn every_shipped_scenario_is_accepted() {
    let validator = validator();
    let folders = [
        "scenarios",
        "scenarios/documents",
        "scenarios/chaos",
        "scenarios/zoo",
    ];
    for path in folders.map(files).concat() {
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let document = yaml(&text).expect("YAML");
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0], "{}", path.display());
    }
}

/// Invalid scenarios that a schema cannot reject, and why.
const BEYOND_A_SCHEMA: [(&str, &str); 10] = [
    ("engine-goose", "what an engine can do is known to the plan"),
    (
        "environment",
        "whether a variable is set is known when it runs",
    ),
    ("includes", "the files are looked at when it is read"),
    (
        "queue-alone",
        "which key needs which is said by what is judged",
    ),
    (
        "queue-answers",
        "names refer to other parts of the scenario",
    ),
    (
        "queue-overlap",
        "what is said twice is known to those who compare names",
    ),
    (
        "queue-numbers",
        "names refer to other parts of the scenario",
    ),
    ("references", "names refer to other parts of the scenario"),
    ("services", "each is possible, and not with this strategy"),
    (
        "truth-writes",
        "what a query does is known to those who read SQL",
    ),
];

#[test]
fn every_invalid_scenario_is_rejected_as_far_as_a_schema_can() {
    let validator = validator();
    for path in files("scenarios/invalid") {
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let name = path.file_stem().expect("a name").to_string_lossy();
        let excuse = BEYOND_A_SCHEMA.iter().find(|(known, _)| *known == name);
        let rejected = yaml(&text).is_none_or(|document| !validator.is_valid(&document));
        match excuse {
            None => assert!(rejected, "the schema accepts {name}"),
            Some((_, reason)) => assert!(!rejected, "{name} is rejected, although: {reason}"),
        }
    }
}

/// Far from every key, so that the message lists what is known instead of guessing.
const STRANGE: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// A scenario with nothing but this path, each segment on a line of its own, and the strange key at
/// its end; with the line of the strange key.
fn probe(path: &[Segment], end: &str) -> (String, usize) {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (depth, segment) in path.iter().enumerate() {
        let line = match segment {
            Segment::Key(key) | Segment::Own(key) => format!("\"{key}\":"),
            Segment::Item => "-".to_owned(),
        };
        lines.push((depth, line));
    }
    lines.push((path.len(), end.to_owned()));
    if let Some((depth, line)) = beside(path) {
        lines.insert(depth, (depth, line.to_owned()));
    }
    let indented = lines.iter();
    let text = indented.map(|(depth, line)| format!("{}{line}\n", "  ".repeat(*depth)));
    (text.collect(), lines.len())
}

/// What must stand in a map on the way, at this depth, for the rest to be looked at.
fn beside(path: &[Segment]) -> Option<(usize, &'static str)> {
    let is = |at: usize, keys: &[&str]| match path.get(at) {
        Some(Segment::Key(key)) => keys.contains(&key.as_str()),
        _ => false,
    };
    // Around the load, a request is one by its method.
    let kinds = [
        "sql", "redis", "shell", "get", "post", "put", "patch", "delete", "head",
    ];
    let is_request = is(0, &["before", "after"]) && path.len() >= 2 && !is(2, &kinds);
    if is_request {
        return Some((2, "post: /x"));
    }
    let is_of_url = is(0, &["target"]) && is(1, &["by"]);
    is_of_url.then_some((1, "url: http://127.0.0.1:1"))
}

fn refused(text: &str) -> Diagnostics {
    let plan = plan::load("x.yaml", text, &Overrides::default(), &|_| None);
    plan.expect_err("no scenario has the strange key")
}

/// The names in backticks.
fn names(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn words_of_the_schema_are_those_that_planning_knows() {
    let places = by_path(places(&scenario::schema()));
    let mut lists = 0;
    for (path, place) in &places {
        let words = place
            .forms
            .iter()
            .filter_map(|form| form.get("const")?.as_str());
        let words: BTreeSet<String> = words.map(str::to_owned).collect();
        // What an outcome is depends on its name, and is asked for below.
        if words.is_empty() || path.last() == Some(&Segment::Key("is".to_owned())) {
            continue;
        }
        lists += 1;
        let (text, line) = probe(path, STRANGE);
        let list = refused(&text).list;
        let hint = list.iter().find_map(|diagnostic| match &diagnostic.place {
            scenario::Place::Line { line: at, .. } if *at == line => diagnostic.hint.clone(),
            _ => None,
        });
        assert_eq!(names(&hint.unwrap_or_default()), words, "{}", shown(path));
    }
    assert!(lists >= 5, "only {lists} lists of words were compared");
    let metrics = &scenario::schema()["$defs"]["Thresholds"]["properties"];
    let metrics: BTreeSet<&str> = metrics
        .as_object()
        .expect("a map")
        .keys()
        .map(String::as_str)
        .collect();
    let built_in = Metric::ALL;
    assert_eq!(metrics, built_in.iter().map(Metric::name).collect());
    assert_eq!(Invariant::ALL.len(), 9, "the schema lists them all");
}

#[test]
fn outcomes_that_the_schema_names_need_no_is_and_what_it_allows_as_is_is_known() {
    let schema = scenario::schema();
    let plan = |outcome: &str| {
        let text = format!(
            "name: x\ntarget: {{ url: http://x }}\n\
             load: {{ a: {{ constant_vus: {{ vus: 1, for: 1s }} }} }}\n\
             flows: {{ a: [ {{ get: /, outcomes: {{ {outcome} }} }} ] }}\n"
        );
        plan::load("x.yaml", &text, &Overrides::default(), &|_| None)
    };
    let named = schema["$defs"]["Outcomes"]["properties"]
        .as_object()
        .expect("a map");
    for name in named.keys() {
        let planned = plan(&format!("{name}: 200"));
        assert!(planned.is_ok(), "{name}: {planned:?}");
    }
    let kinds = schema["$defs"]["Is"]["anyOf"].as_array().expect("a list");
    let kinds: BTreeSet<&str> = kinds
        .iter()
        .filter_map(|kind| kind["const"].as_str())
        .collect();
    for kind in &kinds {
        let planned = plan(&format!("mine: {{ is: {kind} }}"));
        assert!(planned.is_ok(), "{kind}: {planned:?}");
    }
    let error = plan("mine: 200")
        .expect_err("nobody knows what it is")
        .to_string();
    for kind in kinds {
        assert!(
            error.contains(&format!("`{kind}`")),
            "{kind} is not in: {error}"
        );
    }
}

#[test]
fn every_key_has_a_description_and_an_example_that_is_right() {
    let schema = scenario::schema();
    let validator = |node: &Value| {
        let mut node = node.clone();
        node["$defs"] = schema["$defs"].clone();
        jsonschema::draft202012::new(&node).expect("a valid schema")
    };
    let mut keys = 0;
    for place in places(&schema) {
        for (key, node) in place
            .forms
            .iter()
            .filter_map(|form| form.get("properties")?.as_object())
            .flatten()
        {
            keys += 1;
            let path = format!("{}.{key}", shown(&place.path));
            assert!(node["description"].is_string(), "{path} has no description");
            let examples = examples(&schema, node);
            assert!(
                !examples.is_empty() || has_parts(&schema, node),
                "{path} has no example"
            );
            let validator = validator(node);
            for value in examples.iter().chain(node.get("default")) {
                assert!(
                    validator.is_valid(value),
                    "{path}: {value} is no example of it"
                );
            }
        }
    }
    assert!(keys > 100, "only {keys} keys");
}

#[test]
fn the_examples_of_outcomes_and_metrics_can_be_planned_together() {
    let schema = scenario::schema();
    let examples = |name: &str| -> Value {
        let known = schema["$defs"][name]["properties"].as_object();
        let known = known.expect("a map").iter();
        known
            .map(|(key, node)| (key.clone(), node["examples"][0].clone()))
            .collect::<Map<_, _>>()
            .into()
    };
    let mut outcomes = examples("Outcomes");
    outcomes["lock_failed"] = json!({ "status": 423, "is": "refused" });
    let known = outcomes.as_object_mut().expect("a map");
    // What gives back asks for nothing.
    let released = known.remove("released").expect("an example");
    let scenario = json!({
        "name": "examples",
        "target": { "url": "http://127.0.0.1:3000" },
        "load": { "a": { "constant_vus": { "vus": 1, "for": "1s" } } },
        "flows": { "a": [
            { "name": "ask", "post": "/", "outcomes": outcomes },
            { "name": "cancel", "post": "/cancel", "outcomes": { "released": released } },
        ] },
        "truth": { "issued": { "http": { "get": "/issued" } } },
        "resources": {
            "database": { "sql": { "url": "mysql://127.0.0.1/shop" } },
            "cache": { "redis": { "url": "redis://127.0.0.1" } },
            "events": { "kafka": { "brokers": "127.0.0.1:9092", "group": "g", "topic": "t" } },
            "app": { "process": { "port": 8080 } },
        },
        "faults": [{ "name": "slow", "client": { "delay": "50ms" }, "after": "100ms", "for": "200ms" }],
        "thresholds": examples("Thresholds"),
    });
    let plan = plan::load(
        "x.yaml",
        &scenario.to_string(),
        &Overrides::default(),
        &|_| None,
    );
    assert_eq!(plan.expect("examples").thresholds.len(), Metric::ALL.len());
}

/// Its own examples, or those of its type.
fn examples(schema: &Value, node: &Value) -> Vec<Value> {
    let list = |node: &Value| node["examples"].as_array().cloned().unwrap_or_default();
    let own = list(node);
    if !own.is_empty() {
        return own;
    }
    match node["$ref"]
        .as_str()
        .and_then(|at| at.strip_prefix("#/$defs/"))
    {
        Some(name) => list(&schema["$defs"][name]),
        None => node["anyOf"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|form| examples(schema, form))
            .collect(),
    }
}

/// Whether it is a map or list, whose parts have examples of their own.
fn has_parts(schema: &Value, node: &Value) -> bool {
    let parts = ["properties", "patternProperties", "items"];
    let forms = schema::forms(schema, node);
    forms
        .iter()
        .any(|form| parts.iter().any(|part| form.contains_key(*part)))
}
