//! Text with places for values: split once when planning, only filled in for each request.

use std::io::Write as _;

/// A text in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// In order; adjacent literals are joined.
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Sent as it is.
    Literal(String),
    /// Filled in, and escaped for the place where it stands.
    Value(Variable, Escape),
}

/// What can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// The user's id as the scenario's `users.id` makes it.
    User,
    /// The user's number in the pool.
    Number,
    /// The VU, counted from 1.
    Vu,
    /// The VU's iteration, counted from 0.
    Iteration,
    /// A UUID (version 4) that follows from the seed and the iteration.
    Uuid,
    /// What the slot with this number holds (index into [`crate::plan::Plan::slots`]).
    Slot(u8),
}

impl Variable {
    /// Every variable without a slot, with the name it has between the braces.
    pub const ALL: [(&'static str, Self); 5] = [
        ("user", Self::User),
        ("n", Self::Number),
        ("vu", Self::Vu),
        ("iter", Self::Iteration),
        ("uuid", Self::Uuid),
    ];
}

/// How a value is made safe for the place where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Written as it is.
    Raw,
    /// Inside a JSON string.
    Json,
    /// A JSON value of its own: a number where the text is one, else a string with its quotes.
    JsonNumber,
    /// In a path, a query or a form: everything but unreserved characters as %XX (RFC 3986).
    Percent,
}

/// The values of one iteration.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The user's id.
    pub user: &'a str,
    /// The user's number.
    pub number: u64,
    /// Counted from 1.
    pub vu: u64,
    /// Counted from 0.
    pub iteration: u64,
    /// 128 bits that follow from the seed and the iteration.
    pub random: u128,
    /// By number; what is not there is written as nothing, see [`Template::slots`].
    pub slots: &'a [Option<String>],
}

impl Template {
    /// A text without places.
    pub fn literal(text: impl Into<String>) -> Self {
        Self {
            parts: vec![Part::Literal(text.into())],
        }
    }

    /// The whole text, when nothing is filled in.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends the text to `out`.
    pub fn render(&self, values: &Values<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Value(variable, escape) => write_value(*variable, *escape, values, out),
            }
        }
    }

    /// The text as a string.
    pub fn to_text(&self, values: &Values<'_>) -> String {
        let mut out = Vec::new();
        self.render(values, &mut out);
        // Literals and ids are text, and every escape keeps text text.
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The slots that it names.
    pub fn slots(&self) -> impl Iterator<Item = u8> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(Variable::Slot(slot), _) => Some(*slot),
            _ => None,
        })
    }

    /// Whether the variable occurs.
    pub fn uses(&self, variable: Variable) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Value(used, ..) if *used == variable))
    }
}

fn write_value(variable: Variable, escape: Escape, values: &Values<'_>, out: &mut Vec<u8>) {
    match variable {
        Variable::User => write_escaped(values.user, escape, out),
        Variable::Number => write_number(values.number, out),
        Variable::Vu => write_number(values.vu, out),
        Variable::Iteration => write_number(values.iteration, out),
        Variable::Uuid => write_uuid(values.random, out),
        Variable::Slot(slot) => {
            let text = values.slots.get(usize::from(slot));
            let text = text.and_then(Option::as_deref).unwrap_or_default();
            write_escaped(text, escape, out);
        }
    }
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Sets the version and variant bits of RFC 9562, section 5.4.
fn write_uuid(random: u128, out: &mut Vec<u8>) {
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let group = |above: u32, digits: u32| (bits >> above) & ((1 << (4 * digits)) - 1);
    let (time, middle, version) = (group(96, 8), group(80, 4), group(64, 4));
    let (variant, node) = (group(48, 4), group(0, 12));
    write!(
        out,
        "{time:08x}-{middle:04x}-{version:04x}-{variant:04x}-{node:012x}"
    )
    .expect("writing to memory cannot fail");
}

fn write_escaped(text: &str, escape: Escape, out: &mut Vec<u8>) {
    match escape {
        Escape::Raw => out.extend_from_slice(text.as_bytes()),
        Escape::Json => write_json(text, out),
        Escape::JsonNumber if is_json_number(text) => out.extend_from_slice(text.as_bytes()),
        Escape::JsonNumber => {
            out.push(b'"');
            write_json(text, out);
            out.push(b'"');
        }
        Escape::Percent => write_percent(text, out),
    }
}

fn is_json_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}

fn write_json(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1f => write!(out, "\\u{byte:04x}").expect("writing to memory cannot fail"),
            _ => out.push(byte),
        }
    }
}

fn write_percent(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            write!(out, "%{byte:02X}").expect("writing to memory cannot fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(variable: Variable, escape: Escape) -> Template {
        Template {
            parts: vec![Part::Value(variable, escape)],
        }
    }

    fn values(user: &str) -> Values<'_> {
        Values {
            user,
            number: 7,
            vu: 1,
            iteration: 0,
            random: u128::MAX,
            slots: &[],
        }
    }

    #[test]
    fn a_uuid_carries_version_and_variant() {
        let text = one(Variable::Uuid, Escape::Raw).to_text(&values(""));
        assert_eq!(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    proptest! {
        #[test]
        fn a_json_value_reads_back(user: String) {
            let text = format!("\"{}\"", one(Variable::User, Escape::Json).to_text(&values(&user)));
            prop_assert_eq!(serde_json::from_str::<String>(&text).expect("valid JSON"), user);
        }

        #[test]
        fn a_path_segment_holds_only_unreserved_characters(user: String) {
            let text = one(Variable::User, Escape::Percent).to_text(&values(&user));
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
        }
    }
}
