//! Values as YAML in one line, for scenarios that are written by the program.

use serde_json::Value as Json;

/// In double quotes, which YAML reads as JSON does.
pub(crate) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// Without quotes where YAML reads it as the same text.
pub(crate) fn key(text: &str) -> String {
    const WORDS: [&str; 10] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "~",
    ];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && text.chars().all(plain) && !WORDS.contains(&text.to_lowercase().as_str()) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Any JSON, in YAML's flow style.
pub(crate) fn flow(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) if members.is_empty() => "{}".to_owned(),
        Json::Object(members) => {
            let member =
                |(name, value): (&String, &Json)| format!("{}: {}", key(name), flow(value));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{ {} }}", members.join(", "))
        }
        scalar => scalar.to_string(),
    }
}
