//! The texts of reports in a language: messages by key, with named places to fill in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::said::{Said, Value};
use crate::playbook::{Bilingual, read_texts};

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
    pub(crate) fn of(self, text: &Bilingual) -> &str {
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

/// A part of a sentence, as long as it is not known what it is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Our own words and numbers.
    Words(String),
    /// A name, to be shown as code.
    Code(String),
    /// A text of somebody else, which must not become markup.
    Foreign(String),
}

/// The messages of one language.
#[derive(Debug)]
pub struct Catalog {
    /// Of these messages.
    pub(crate) lang: Lang,
    texts: BTreeMap<String, String>,
}

static EN: LazyLock<Catalog> = LazyLock::new(|| Catalog::read(Lang::En));
static KO: LazyLock<Catalog> = LazyLock::new(|| Catalog::read(Lang::Ko));

impl Catalog {
    /// The messages that are compiled in.
    pub fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::Ko => &KO,
        }
    }

    fn read(lang: Lang) -> Self {
        let (name, text) = lang.messages();
        let texts = read_texts(name, text);
        let texts = texts.unwrap_or_else(|wrong| panic!("messages that a test reads: {wrong}"));
        Self { lang, texts }
    }

    /// The message of a key, as it stands; the key itself where there is none, which a test rules
    /// out.
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// A statement in this language, without its figures.
    pub fn pieces(&self, said: &Said) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = self.text(said.key);
        while let Some((before, behind)) = rest.split_once('{') {
            pieces.push(Piece::Words(before.to_owned()));
            let Some((name, after)) = behind.split_once('}') else {
                pieces.push(Piece::Words("{".to_owned()));
                rest = behind;
                continue;
            };
            match said.values.iter().find(|(key, _)| *key == name) {
                Some((_, value)) => self.fill(value, &mut pieces),
                // A place that nothing fills stays as it is; a test rules it out.
                None => pieces.push(Piece::Words(format!("{{{name}}}"))),
            }
            rest = after;
        }
        pieces.push(Piece::Words(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Words(String::new()));
        pieces
    }

    fn fill(&self, value: &Value, pieces: &mut Vec<Piece>) {
        match value {
            Value::Plain(text) => pieces.push(Piece::Words(text.clone())),
            Value::Code(text) => pieces.push(Piece::Code(text.clone())),
            Value::Foreign(text) => pieces.push(Piece::Foreign(text.clone())),
            Value::Key(key) => pieces.push(Piece::Words(self.text(key).to_owned())),
            Value::Said(said) => pieces.extend(self.pieces(said)),
        }
    }

    /// A statement as a text for programs and terminals.
    pub fn plain(&self, said: &Said) -> String {
        joined(&self.pieces(said))
    }

    #[cfg(test)]
    pub(super) const fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }
}

/// The pieces as a text for programs and terminals: names stand between backticks.
pub fn joined(pieces: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Words(text) | Piece::Foreign(text) => text.clone(),
        Piece::Code(name) => format!("`{name}`"),
    };
    pieces.iter().map(piece).collect()
}
