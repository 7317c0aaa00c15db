//! The JSON Schema of scenarios says what the reader of scenarios does.

#[path = "support/schema.rs"]
mod schema;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::LazyLock;

use fcfs_bench::measure::Metric;
use fcfs_bench::plan::{self, Invariant, Overrides};
use fcfs_bench::scenario::value::{
    Count, HeaderName, HeaderValue, Name, Pointer, Rate, Share, Span, Status, Url,
};
use fcfs_bench::scenario::{self, Diagnostics};
use jsonschema::Validator;
use proptest::prelude::*;
use schema::{Place, Segment, by_path, places, shown};
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

/// Accepts what the type of the schema accepts.
fn type_validator(name: &str) -> Validator {
    let mut schema = scenario::schema();
    let node = json!({ "$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"].take() });
    jsonschema::draft202012::new(&node).expect("a valid schema")
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

/// What the decoder knows of a map: its keys, those that must be there, and those of which exactly
/// one must be there.
#[derive(Debug, Default, PartialEq)]
struct Keys {
    known: BTreeSet<String>,
    required: BTreeSet<String>,
    one_of: BTreeSet<String>,
}

fn keys_of_decoder(path: &[Segment]) -> Keys {
    let (text, line) = probe(path, &format!("{STRANGE}: 1"));
    let mut keys = Keys::default();
    for diagnostic in refused(&text).list {
        let here = match diagnostic.place {
            scenario::Place::Line { line: at, .. } => at + 1 == line || at == line,
            scenario::Place::File(_) => path.is_empty(),
            scenario::Place::Argument(_) => false,
        };
        let (message, hint) = (diagnostic.message, diagnostic.hint.unwrap_or_default());
        if message == format!("unknown key `{STRANGE}`") {
            keys.known = names(&hint);
        } else if here && message.starts_with("the key `") && message.ends_with("is missing") {
            keys.required.extend(names(&message));
        } else if here && message.ends_with(" is missing") && hint.starts_with("write one of") {
            keys.one_of.extend(names(&hint));
        }
    }
    keys
}

fn keys_of_schema(place: &Place) -> Keys {
    let mut keys = Keys::default();
    let required = |form: &Map<String, Value>| -> BTreeSet<String> {
        let list = form.get("required").and_then(Value::as_array);
        let list = list.into_iter().flatten().filter_map(Value::as_str);
        list.map(str::to_owned).collect()
    };
    let mut maps = 0;
    for form in place.maps() {
        maps += 1;
        keys.known.extend(
            form["properties"]
                .as_object()
                .expect("a map")
                .keys()
                .cloned(),
        );
        keys.required.extend(required(form));
        let list = |form: &Map<String, Value>, word: &str| {
            let list = form.get(word).and_then(Value::as_array);
            let maps = list.into_iter().flatten().filter_map(Value::as_object);
            maps.cloned().collect::<Vec<_>>()
        };
        // Of several lists of keys, each is within one part of `allOf`.
        for part in list(form, "allOf").iter().chain([form]) {
            for form in list(part, "oneOf") {
                keys.one_of.extend(required(&form));
            }
        }
    }
    // Where several maps may stand, none of their keys must be there in all.
    if maps > 1 {
        keys.required.clear();
    }
    keys
}

/// Keys of a step that are only known beside `when` or `each`.
const HELD: [&str; 3] = ["then", "else", "do"];

/// Whether it is a step within a step.
fn is_held(shown: &str) -> bool {
    let Some(inner) = shown.strip_prefix("flows.NAME[].") else {
        return false;
    };
    let parallel = ["parallel[]", "parallel.do"];
    HELD.iter()
        .chain(&parallel)
        .any(|held| inner.starts_with(held))
}

/// What the decoder does otherwise than the schema, and why.
fn agreed(path: &str, mut decoder: Keys) -> Keys {
    match path {
        // Planning asks for the target, since `--url` can stand in its place; load and flows may be
        // in an included file.
        "" => decoder.required.retain(|key| key == "name"),
        // Which of them a step may have depends on what else it has.
        "flows.NAME[]" => decoder.known.extend(HELD.map(str::to_owned)),
        // What is missing beside the key is said at the key; and of two forms of values each has
        // its own, of which the decoder names the likelier.
        "flows.NAME[].when" | "flows.NAME[].each" | "flows.NAME[].each.NAME" => {
            decoder.required.clear();
        }
        // By its method it is a request, which has no other kind's key.
        "before[]" | "after[]" => {
            decoder
                .known
                .extend(["redis", "shell", "sql"].map(str::to_owned));
            decoder.known.remove("outcomes");
            decoder.one_of = ["get", "post", "put", "patch", "delete", "head"]
                .map(str::to_owned)
                .into();
        }
        // What is missing beside the key is said at the fault.
        _ if path.starts_with("faults[].") => {
            decoder.required.remove("name");
            for key in ["at", "after", "when"] {
                // `close` has a key of this name itself.
                if !(key == "after" && path.rsplit('.').next() == Some("close")) {
                    decoder.one_of.remove(key);
                }
            }
        }
        // Known so that its message can say why it does not go with rows.
        "truth.issued" => decoder.known.retain(|key| key != "offset"),
        _ => {}
    }
    decoder
}

#[test]
fn the_decoder_and_the_schema_know_the_same_keys() {
    let places = by_path(places(&scenario::schema()));
    let mut maps = 0;
    for (path, place) in &places {
        if place.maps().next().is_none() {
            continue;
        }
        let shown = shown(path);
        // The same steps again, which the decoder reads only in their place; and what is read when
        // it is chosen.
        if is_held(&shown) || shown == A_PROFILE {
            continue;
        }
        maps += 1;
        let decoder = agreed(&shown, keys_of_decoder(path));
        assert_eq!(
            decoder,
            keys_of_schema(place),
            "{shown:?}: decoder left, schema right"
        );
    }
    assert!(maps > 25, "only {maps} maps were compared");
}

const A_PROFILE: &str = "profiles.NAME";

#[test]
fn a_profile_may_change_what_is_not_fixed() {
    let places = by_path(places(&scenario::schema()));
    let known = |wanted: &str| {
        let (_, place) = places
            .iter()
            .find(|(path, _)| shown(path) == wanted)
            .expect("a place");
        keys_of_schema(place).known
    };
    let fixed = ["name", "include", "profiles"].map(str::to_owned);
    let mut expected = known("");
    expected.retain(|key| !fixed.contains(key));
    assert_eq!(known(A_PROFILE), expected);
}

#[test]
fn where_the_schema_has_a_value_the_decoder_reads_no_map() {
    let places = by_path(places(&scenario::schema()));
    for (path, place) in &places {
        if is_held(&shown(path)) || place.is_open() || place.maps().next().is_some() {
            continue;
        }
        let (text, _) = probe(path, &format!("{STRANGE}: 1"));
        let all = refused(&text).to_string();
        assert!(!all.contains("unknown key"), "{}: {all}", shown(path));
    }
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

/// Texts near to the values of a scenario.
fn nearly_a_value() -> impl Strategy<Value = String> {
    prop_oneof![
        r" ?[0-9_]{1,5}(\.[0-9_]{1,3})? ?(ns|us|ms|s|m|h|d|%|/s|/ m|/h|k|)[0-9]{0,2}(s|m|) ?",
        r"([0-9]{1,3}(h|m|s|ms)){1,4}",
        r" ?\+?[0-9]{3,4} ?",
        r"[0-6][xX]{1,3}",
        r"[/a-zA-Z0-9~01._-]{0,12}",
        r"(/([a-z]|~0|~1|~2|이){0,3}){0,4}",
        r"https?://[a-z0-9.\[\]:_-]{1,12}(:[0-9]{1,6})?(/[!-~]{0,6})?",
        r"[\pL\pN._ -]{0,70}",
        r"[!-~]{0,12}",
        r"\PC{0,12}",
        "(true|false|on|no)",
    ]
}

/// One type of the schema, the reader of the same values, and texts that neither takes.
type Pair = (&'static str, fn(&str) -> bool, &'static [&'static str]);

fn reads<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

const PAIRS: [Pair; 10] = [
    (
        "Count",
        reads::<Count>,
        &["", "-1", "1.5", "5k", "1e3", "_1", "1_"],
    ),
    (
        "Positive",
        |text| text.parse::<Count>().is_ok_and(|count| count.0 > 0),
        &["0", "0_0", ""],
    ),
    (
        "Span",
        reads::<Span>,
        &[
            "",
            "5",
            "1.5",
            "-1s",
            "1e3s",
            "5 s",
            "5x",
            "s5",
            "1.s",
            "5 minutes",
        ],
    ),
    (
        "Rate",
        reads::<Rate>,
        &["", "/s", "5/ms", "5/2s", "-1/s", "x/s"],
    ),
    ("Share", reads::<Share>, &["", "%", "-1%", "x", "nan"]),
    (
        "Status",
        reads::<Status>,
        &["", "99", "600", "6xx", "4x", "2000", "ok"],
    ),
    (
        "Name",
        reads::<Name>,
        &["", ".", "-rf", "a/b", "a b", "a:b"],
    ),
    (
        "Pointer",
        reads::<Pointer>,
        &["a", "a.b", "$.a", "/a~", "/a~2b"],
    ),
    ("HeaderValue", reads::<HeaderValue>, &["a\r\nb", "\0"]),
    (
        "Url",
        reads::<Url>,
        &[
            "",
            "localhost:3000",
            "ftp://a",
            "http://",
            "http://u:p@a",
            "http://a/?q",
        ],
    ),
];

#[test]
fn what_no_value_is_the_schema_rejects_too() {
    for (name, reads, wrong) in PAIRS {
        let validator = type_validator(name);
        for text in wrong {
            assert!(!reads(text), "{name} reads {text:?}");
            assert!(
                !validator.is_valid(&json!(text)),
                "the schema takes {text:?} as {name}"
            );
        }
        assert!(
            validator.is_valid(&json!("${NAME}")),
            "{name} from the environment"
        );
    }
}

/// In the order of [`PAIRS`].
static VALIDATORS: LazyLock<Vec<Validator>> = LazyLock::new(|| {
    PAIRS
        .iter()
        .map(|(name, ..)| type_validator(name))
        .collect()
});

static REQUEST: LazyLock<Validator> = LazyLock::new(|| type_validator("Request"));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_read_as_a_value_the_schema_accepts(texts in prop::collection::vec(nearly_a_value(), 40)) {
        for ((name, reads, _), validator) in PAIRS.iter().zip(&*VALIDATORS) {
            for text in texts.iter().filter(|text| reads(text)) {
                prop_assert!(validator.is_valid(&json!(text)), "{} as {}", text, name);
            }
        }
    }

    #[test]
    fn a_key_that_is_read_is_accepted(key in nearly_a_value()) {
        if reads::<HeaderName>(&key) {
            prop_assert!(REQUEST.is_valid(&json!({ "get": "/", "headers": { key.clone(): "x" } })), "{}", key);
        }
        if reads::<Pointer>(&key) {
            let outcomes = json!({ "ok": { "json": { key.clone(): 1 } } });
            prop_assert!(REQUEST.is_valid(&json!({ "get": "/", "outcomes": outcomes })), "{}", key);
        }
        if reads::<Name>(&key) {
            let outcomes = json!({ key.clone(): 200 });
            prop_assert!(REQUEST.is_valid(&json!({ "get": "/", "outcomes": outcomes })), "{}", key);
        }
    }
}
