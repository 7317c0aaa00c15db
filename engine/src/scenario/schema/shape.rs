//! What derived schemas cannot say by themselves: which keys exclude each other, and that nothing
//! may be left empty.

use schemars::Schema;
use schemars::transform::transform_subschemas;
use serde_json::{Map, Value, json};

/// Of these keys, exactly one is there.
pub(super) fn exactly_one(schema: &mut Schema, keys: &[&str]) {
    let required: Vec<Value> = keys
        .iter()
        .map(|key| json!({ "required": [key] }))
        .collect();
    schema.insert("oneOf".to_owned(), required.into());
}

/// Of these keys, no two are there.
pub(super) fn at_most_one(schema: &mut Schema, keys: &[&str]) {
    let mut pairs = Vec::new();
    for (at, one) in keys.iter().enumerate() {
        for other in &keys[at + 1..] {
            pairs.push(json!({ "not": { "required": [one, other] } }));
        }
    }
    let all = schema
        .ensure_object()
        .entry("allOf")
        .or_insert_with(|| json!([]));
    if let Value::Array(all) = all {
        all.extend(pairs);
    }
}

/// A map that has at least one key.
pub(super) fn not_empty(schema: &mut Schema) {
    schema.insert("minProperties".to_owned(), 1.into());
}

/// An optional key may be left out, but not left empty: takes the `null` out that stands for
/// `Option`. It is always the last alternative; a `null` that is meant stands first.
pub(super) fn without_null(schema: &mut Schema) {
    transform_subschemas(&mut without_null, schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type")
        && types.last().is_some_and(|last| last == "null")
    {
        types.pop();
        if let [only] = types.as_slice() {
            object["type"] = only.clone();
        }
    }
    without_null_alternative(object);
}

fn without_null_alternative(object: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = object.get_mut("anyOf") else {
        return;
    };
    if alternatives.last() != Some(&json!({ "type": "null" })) {
        return;
    }
    alternatives.pop();
    if let [Value::Object(only)] = alternatives.as_mut_slice() {
        let only = std::mem::take(only);
        object.remove("anyOf");
        for (word, value) in only {
            // What is said at the key goes before what is said at its type.
            object.entry(word).or_insert(value);
        }
    }
}

/// Joins the lines of doc comments.
pub(super) fn in_one_line(schema: &mut Schema) {
    transform_subschemas(&mut in_one_line, schema);
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}
