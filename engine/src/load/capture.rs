//! What is kept of an answer for the steps behind it.

use serde_json::Value;
use serde_json::value::RawValue;

use super::http::Answer;
use super::json::Pointers;
use crate::plan::{Capture, CaptureFrom, SlotValues};

/// A step's captures, made ready for many answers.
#[derive(Debug, Default)]
pub struct Captures {
    list: Vec<Compiled>,
    pointers: Pointers,
}

#[derive(Debug)]
struct Compiled {
    capture: Capture,
    /// Of its JSON pointer; 0 where it has none.
    pointer: usize,
}

impl Captures {
    /// The captures of one step.
    pub fn new(captures: &[Capture]) -> Self {
        let mut pointers = Pointers::default();
        let compile = |capture: &Capture| Compiled {
            pointer: match &capture.from {
                CaptureFrom::Json(pointer) => pointers.add(pointer),
                _ => 0,
            },
            capture: capture.clone(),
        };
        let list = captures.iter().map(compile).collect();
        Self { list, pointers }
    }

    /// Fills the slots; what the answer does not have becomes nothing, so that no value of an
    /// earlier answer stands for it. Calls `measure` with each custom metric and its text.
    pub fn fill(&self, answer: &Answer, slots: &mut SlotValues, mut measure: impl FnMut(u8, &str)) {
        if self.list.is_empty() {
            return;
        }
        let found = self.pointers.find(answer.body());
        for Compiled { capture, pointer } in &self.list {
            let value = match &capture.from {
                CaptureFrom::Json(_) => found[*pointer].and_then(text),
                CaptureFrom::Header(name) => answer.header(name).next().map(lossy),
                CaptureFrom::Cookie(name) => cookie(answer, name),
                CaptureFrom::Matches(pattern) => pattern.find(answer.body()).map(lossy),
            };
            if let Some(text) = &value {
                for metric in &capture.metrics {
                    measure(*metric, text);
                }
            }
            if let Some(slot) = slots.get_mut(usize::from(capture.slot)) {
                *slot = value;
            }
        }
    }

    /// Empties the slots: there was no answer.
    pub fn clear(&self, slots: &mut SlotValues) {
        for Compiled { capture, .. } in &self.list {
            if let Some(slot) = slots.get_mut(usize::from(capture.slot)) {
                *slot = None;
            }
        }
    }
}

/// A text as it is, another value as JSON; null is nothing.
fn text(found: &RawValue) -> Option<String> {
    match serde_json::from_str::<Value>(found.get()).ok()? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The value of the last cookie of this name that the answer sets (RFC 6265, section 5.2).
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let set = answer.header("set-cookie").filter_map(|line| {
        let pair = line.split(|&byte| byte == b';').next()?;
        let at = pair.iter().position(|&byte| byte == b'=')?;
        let (found, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        (found == name.as_bytes()).then(|| lossy(value))
    });
    set.last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(from: CaptureFrom, answer: &Answer) -> Option<String> {
        let mut slots = vec![None, Some("of an earlier answer".to_owned())];
        let metrics = vec![7];
        let capture = Capture {
            slot: 1,
            from,
            metrics,
        };
        let mut measured = None;
        let measure = |metric: u8, text: &str| measured = Some((metric, text.to_owned()));
        Captures::new(&[capture]).fill(answer, &mut slots, measure);
        let captured = slots.remove(1);
        // What is kept is measured, and nothing else.
        assert_eq!(measured, captured.clone().map(|text| (7, text)));
        captured
    }

    #[test]
    fn a_value_is_found_where_it_stands_or_is_nothing() {
        let json = |pointer: &str| CaptureFrom::Json(pointer.to_owned());
        let header = |name: &str| CaptureFrom::Header(name.to_owned());
        let cookie = |name: &str| CaptureFrom::Cookie(name.to_owned());
        let matches = |text: &str| CaptureFrom::Matches(text.parse().expect("a pattern"));
        let mut answer = Answer::default();
        answer.push_header(b"X-Token", b"t0");
        answer.push_header(b"set-cookie", b"SID=old; Path=/");
        answer.push_header(b"Set-Cookie", b"SID = a=b ; HttpOnly");
        answer.push_body(br#"{"id":17,"name":"kim","none":null,"list":["a",1]}"#);
        let table = [
            (json("/id"), Some("17")),
            (json("/name"), Some("kim")),
            (json("/list"), Some(r#"["a",1]"#)),
            (json("/none"), None),
            (json("/other"), None),
            (header("x-token"), Some("t0")),
            (header("x-other"), None),
            (cookie("SID"), Some("a=b")),
            (cookie("sid"), None),
            (matches(r#""id":(\d+)"#), Some("17")),
            (matches("sold"), None),
        ];
        for (from, expected) in table {
            assert_eq!(
                captured(from.clone(), &answer).as_deref(),
                expected,
                "{from:?}"
            );
        }
        assert_eq!(captured(json("/id"), &Answer::default()), None);
    }
}
