//! What a scenario may set about the bundled server is what `serve` takes.

use std::collections::BTreeMap;

use clap::{Args as _, Command};
use fcfs_bench::scenario;
use serde_json::Value;

/// The keys of `target.stack.server` that are no flag of the same name.
const OTHERWISE: [&str; 3] = ["bug", "replicas", "strategy"];

/// Flags that the harness gives by itself, or that are for people who start `serve` by hand.
const BY_THE_RUN: [&str; 18] = [
    "bug",
    "closes-at",
    "coupon",
    "coupon-url",
    "database",
    "kafka",
    "kafka-group",
    "kafka-topic",
    "listen",
    "mysql",
    "opens-at",
    "queue-url",
    "redis",
    "role",
    "seed",
    "stock",
    "stop-with-stdin",
    "strategy",
];

/// Each flag of `serve` with its default.
fn flags() -> BTreeMap<String, String> {
    let serve = reference_server::Options::augment_args(Command::new("serve"));
    let flags = serve.get_arguments().filter_map(|argument| {
        let values: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        Some((argument.get_long()?.to_owned(), values.join(" ")))
    });
    flags.collect()
}

fn properties() -> BTreeMap<String, Value> {
    let schema = scenario::schema();
    let properties = schema["$defs"]["Server"]["properties"]
        .as_object()
        .expect("properties");
    let settings = properties
        .iter()
        .filter(|(key, _)| !OTHERWISE.contains(&key.as_str()));
    settings
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// A default as the flag has it: without `_`, and a time in its unit.
fn as_argument(default: &str, flag: &str) -> String {
    if flag.ends_with("-ms") {
        let span: scenario::value::Span = default.parse().expect("a time");
        return span.0.as_millis().to_string();
    }
    if flag.ends_with("-s") {
        let span: scenario::value::Span = default.parse().expect("a time");
        return span.0.as_secs().to_string();
    }
    if default.ends_with('%') {
        let share: scenario::value::Share = default.parse().expect("a share");
        return share.0.to_string();
    }
    if default.starts_with(|first: char| first.is_ascii_digit()) {
        return default.replace('_', "");
    }
    default.to_owned()
}

#[test]
fn every_setting_is_a_flag_with_the_same_default() {
    let flags = flags();
    for (key, property) in properties() {
        let name = key.replace('_', "-");
        let flag = [name.clone(), format!("{name}-ms"), format!("{name}-s")]
            .into_iter()
            .find(|flag| flags.contains_key(flag))
            .unwrap_or_else(|| panic!("`serve` has no flag for `{key}`"));
        let default = match &property["default"] {
            Value::Null => String::new(),
            Value::String(text) => as_argument(text, &flag),
            other => other.to_string(),
        };
        assert_eq!(default, flags[&flag], "{key}");
    }
}

#[test]
fn every_flag_can_be_set_or_is_given_by_the_run() {
    let settings = properties();
    for flag in flags().into_keys() {
        let name = flag.strip_suffix("-ms").or(flag.strip_suffix("-s"));
        let key = name.unwrap_or(&flag).replace('-', "_");
        assert!(
            settings.contains_key(&key) != BY_THE_RUN.contains(&flag.as_str()),
            "--{flag}"
        );
    }
}
