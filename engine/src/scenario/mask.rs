//! Takes out of a text whatever came from the environment, so that no file or screen repeats it.

use std::fmt;

use super::environment::PLACEHOLDER;

/// Shorter values are settings, and common words of every text.
const SHORTEST: usize = 4;
/// Shorter numbers are settings.
const SHORTEST_NUMBER: usize = 8;

/// The texts that must not be repeated, with what stands in their place. Its `Debug` shows none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mask {
    /// Longest first, so that one that holds another goes first.
    texts: Vec<(String, String)>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} texts)", self.texts.len())
    }
}

impl Mask {
    /// Hides the value of a variable, and the password in it if it is an address. It is shown as
    /// `${NAME}`.
    pub fn add_variable(&mut self, name: &str, value: &str) {
        let shown = format!("${{{name}}}");
        self.add(value, &shown);
        if let Some(password) = password_in(value) {
            self.add(password, &shown);
            self.add(&percent_decoded(password), &shown);
        }
    }

    /// Hides a text in each way in which a request or a file may write it.
    pub fn add(&mut self, text: &str, shown: &str) {
        // A text whose ends were trimmed is the same secret.
        let text = text.trim();
        if !is_secret(text) {
            return;
        }
        let json = json_escaped(text);
        // A server may answer with JSON that holds the JSON it was sent as a text.
        let json_in_json = json_escaped(&json);
        for form in [text.to_owned(), percent_encoded(text), json, json_in_json] {
            if self.texts.iter().all(|(known, _)| *known != form) {
                self.texts.push((form, shown.to_owned()));
            }
        }
        self.texts
            .sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// The text without any of them.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for (secret, shown) in &self.texts {
            if hidden.contains(secret.as_str()) {
                hidden = hidden.replace(secret.as_str(), shown);
            }
        }
        hidden
    }
}

fn is_secret(text: &str) -> bool {
    let is_number = text.chars().all(|c| c.is_ascii_digit());
    let shortest = if is_number { SHORTEST_NUMBER } else { SHORTEST };
    text.len() >= shortest && text != PLACEHOLDER && !matches!(text, "true" | "false")
}

/// The password of `scheme://user:password@host`; it may hold any character but the last `@`.
fn password_in(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

/// As RFC 3986 writes it in a path or a query.
fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let code = behind.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As it stands within a JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let mut mask = Mask::default();
        mask.add_variable("TOKEN", "se cret/\"1\"");
        mask.add_variable("DB", "mysql://root:p%40ss@word@db/shop");
        mask.add_variable("LONGER", "se cret/\"1\" and more");
        let table = [
            ("a se cret/\"1\" b", "a ${TOKEN} b"),
            ("/x/se%20cret%2F%221%22?y", "/x/${TOKEN}?y"),
            (r#"{"token":"se cret/\"1\""}"#, r#"{"token":"${TOKEN}"}"#),
            (r#""{se cret/\\\"1\\\"}""#, r#""{${TOKEN}}""#),
            ("se cret/\"1\" and more", "${LONGER}"),
            ("failed: mysql://root:p%40ss@word@db/shop", "failed: ${DB}"),
            ("denied for p%40ss@word", "denied for ${DB}"),
            ("denied for p@ss@word", "denied for ${DB}"),
        ];
        for (text, expected) in table {
            assert_eq!(mask.hide(text), expected, "{text}");
        }
        assert!(!format!("{mask:?}").contains("cret"));
    }

    #[test]
    fn settings_are_no_secrets() {
        let mut mask = Mask::default();
        for value in ["", "5", "on", "5000", "1234567", "true", PLACEHOLDER] {
            mask.add_variable("SETTING", value);
        }
        let text = "5 VUs on 5000, true: http://unset.invalid 1234567";
        assert_eq!(mask.hide(text), text);
    }
}
