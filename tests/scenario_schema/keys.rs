//! Which keys each map has: the decoder and the schema know the same.

use std::collections::BTreeSet;

use fcfs_bench::scenario;
use serde_json::{Map, Value};

use super::schema::{Place, Segment, by_path, places, shown};
use super::{STRANGE, names, probe, refused};

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
