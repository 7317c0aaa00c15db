//! YAML text becomes a tree, within limits that a hostile file cannot exceed.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Options};

use super::node::{Node, Raw, position};
use super::position::{Origin, Position};

/// Levels of maps and lists. A scenario needs about ten.
const MAX_DEPTH: usize = 64;
/// Values in all, aliases counted as often as they are used.
const MAX_NODES: usize = 200_000;

/// Why a text is no YAML.
#[derive(Debug)]
pub(crate) struct YamlError {
    pub(crate) position: Position,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The tree as far as it can be used all the same: the first of two equal keys counts.
    pub(crate) rest: Option<Node>,
}

/// Reads one YAML document.
pub(crate) fn parse(text: &str, origin: Origin, offset: usize) -> Result<Node, Box<YamlError>> {
    match deserialize(text, DuplicateKeyPolicy::Error) {
        Ok(raw) => Ok(raw.over(text, origin, offset)),
        Err(error) => Err(Box::new(explain(&error, text, origin, offset))),
    }
}

fn deserialize(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Raw, Error> {
    let options: Options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: duplicate_keys,
        // `on`, `no` and `y` are words in a scenario; only `true` and `false` are truth values.
        strict_booleans: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn explain(error: &Error, text: &str, origin: Origin, offset: usize) -> YamlError {
    let error = error.without_snippet();
    let place = error.location().map(|at| position(&at, text, origin));
    let position = place.map_or(
        Position {
            origin,
            start: offset,
            len: 0,
        },
        |at| Position {
            start: at.start + offset,
            ..at
        },
    );
    if let Error::DuplicateMappingKey { key, .. } = error {
        let rest = deserialize(text, DuplicateKeyPolicy::FirstWins).ok();
        return YamlError {
            position,
            message: key.as_ref().map_or_else(
                || "a key is there twice".to_owned(),
                |key| format!("the key `{key}` is there twice"),
            ),
            hint: Some("keep one of them".to_owned()),
            rest: rest.map(|raw| raw.over(text, origin, offset)),
        };
    }
    let (message, hint) = if let Error::Budget { breach, .. } = error {
        beyond(breach)
    } else {
        let message = one_line(&error.to_string());
        let hint = hint(&message);
        (message, hint)
    };
    YamlError {
        position,
        message: format!("failed to read the YAML: {message}"),
        hint: hint.map(str::to_owned),
        rest: None,
    }
}

/// What a text has too much of.
fn beyond(breach: &BudgetBreach) -> (String, Option<&'static str>) {
    let (message, hint) = match breach {
        BudgetBreach::Documents { .. } => (
            "there is more than one document",
            "a scenario is one document: remove what begins with `---`",
        ),
        BudgetBreach::Depth { .. } => (
            "maps and lists stand in each other more than 64 levels deep",
            "a scenario needs about ten levels",
        ),
        _ => (
            "it is larger than a scenario can be",
            "a scenario is a short text; are aliases in it that repeat each other?",
        ),
    };
    (message.to_owned(), Some(hint))
}

/// What would be right, where the library only says what is wrong.
fn hint(message: &str) -> Option<&'static str> {
    let hints = [
        ("tabs disallowed", "indent with blanks"),
        ("quoted scalar", "is a quotation mark left open above?"),
        (
            "unknown anchor",
            "a text that begins with `*` stands in quotes; an alias `*name` needs `&name` above it",
        ),
        (
            "did not find expected key",
            "keys of one map begin in the same column",
        ),
    ];
    let known = hints.iter().find(|(part, _)| message.contains(part));
    known.map(|(_, hint)| *hint)
}

/// The library appends the place, which the diagnostic shows already.
fn one_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
