//! The texts of a report in a language: messages by key, with named places to fill in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::said::{Said, Value};
use crate::playbook::{Bilingual, read_texts};
use crate::report::escape;
use crate::scenario::Diagnostics;

/// A language of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Of a text in each language.
    pub(super) fn of(self, text: &Bilingual) -> &str {
        match self {
            Self::En => &text.en,
            Self::Ko => &text.ko,
        }
    }

    const fn messages(self) -> (&'static str, &'static str) {
        match self {
            Self::En => ("messages/en.yaml", include_str!("../../messages/en.yaml")),
            Self::Ko => ("messages/ko.yaml", include_str!("../../messages/ko.yaml")),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::En => "en",
            Self::Ko => "ko",
        })
    }
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "en" => Ok(Self::En),
            "ko" => Ok(Self::Ko),
            other => Err(format!("`{other}` is no language of reports: en or ko")),
        }
    }
}

/// The messages of one language.
pub(super) struct Catalog {
    pub(super) lang: Lang,
    texts: BTreeMap<String, String>,
}

impl Catalog {
    pub(super) fn of(lang: Lang) -> Result<Self, Diagnostics> {
        let (name, text) = lang.messages();
        let texts = read_texts(name, text)?;
        Ok(Self { lang, texts })
    }

    /// The message of a key, as it stands; the key itself where there is none, which a test rules
    /// out.
    pub(super) fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// A statement in this language, as Markdown, without its figures.
    pub(super) fn sentence(&self, said: &Said) -> String {
        let mut out = String::new();
        let mut rest = self.text(said.key);
        while let Some((before, behind)) = rest.split_once('{') {
            out += before;
            let Some((name, after)) = behind.split_once('}') else {
                out.push('{');
                rest = behind;
                continue;
            };
            let value = said.values.iter().find(|(key, _)| *key == name);
            // A place that nothing fills stays as it is; a test rules it out.
            out += &value.map_or_else(|| format!("{{{name}}}"), |(_, value)| self.value(value));
            rest = after;
        }
        out + rest
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Plain(text) => text.clone(),
            Value::Code(text) => escape::code(text),
            Value::Foreign(text) => escape::text(text),
            Value::Key(key) => self.text(key).to_owned(),
            Value::Said(said) => self.sentence(said),
        }
    }

    #[cfg(test)]
    pub(super) const fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }
}
