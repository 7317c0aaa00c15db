//! One JSON object a line; the keys of the first are the columns.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use serde_json::{Map, Value};

use super::table::{Problem, Table};

/// Reads the file up to its end, or until the table is full.
pub(super) fn read(file: impl Read, table: &mut Table<'_>) -> Result<(), Problem> {
    let mut file = BufReader::new(file);
    let (mut bytes, mut line) = (Vec::new(), 0);
    let mut names: Vec<String> = Vec::new();
    loop {
        bytes.clear();
        let count = file.read_until(b'\n', &mut bytes);
        let count =
            count.map_err(|error| (Some(line + 1), format!("failed to read it: {error}")))?;
        if count == 0 {
            break;
        }
        line += 1;
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|_| (Some(line), "it is not UTF-8".to_owned()))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| (Some(line), format!("it is no JSON object: {error}")))?;
        if names.is_empty() {
            names = object.keys().cloned().collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            table.columns(line, &names)?;
        }
        if table.is_full() {
            return Ok(());
        }
        let values: Vec<_> = names
            .iter()
            .map(|name| object.get(name).and_then(text_of))
            .collect();
        let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        table.row(line, &values)?;
    }
    if names.is_empty() {
        return Err((None, "it is empty".to_owned()));
    }
    Ok(())
}

/// A value as templates write it; null is no value.
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}
