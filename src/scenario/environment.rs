//! `${NAME}` in a scalar becomes the value of an environment variable.

use super::node::{Kind, Node, Value};
use super::report::Report;

/// Where variables come from: the process's environment, or a stand-in.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What an environment may give for a variable that is not set, so that a scenario that ran can be
/// planned again without its secrets: it reads as a text, a url and an address of a database.
/// A number from the environment cannot be stood in for.
pub const PLACEHOLDER: &str = "http://unset.invalid";

/// Fills in every scalar of the tree. `$${` stands for a literal `${`.
pub(crate) fn substitute(node: &mut Node, environment: &Environment<'_>, report: &mut Report<'_>) {
    let position = node.position;
    match &mut node.value {
        Value::Null => {}
        Value::Seq(list) => {
            for item in list {
                substitute(item, environment, report);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                substitute(&mut entry.node, environment, report);
            }
        }
        Value::Scalar(scalar) => {
            if scalar.kind != Kind::Text || !scalar.text.contains("${") {
                return;
            }
            match fill(&scalar.text, environment) {
                Ok(text) => scalar.template = Some(std::mem::replace(&mut scalar.text, text)),
                Err((message, hint)) => {
                    report.error_hint(position, message, hint);
                    report.silence(position);
                }
            }
        }
    }
}

/// Collects what the environment has put into the texts of the tree, so that it can be kept out of
/// what is shown. Where two variables stand side by side, both are one piece.
pub(crate) fn filled_in(node: &Node, found: &mut Vec<String>) {
    match &node.value {
        Value::Null => {}
        Value::Seq(list) => list.iter().for_each(|item| filled_in(item, found)),
        Value::Map(entries) => entries
            .iter()
            .for_each(|entry| filled_in(&entry.node, found)),
        Value::Scalar(scalar) => {
            if let Some(template) = &scalar.template {
                pieces_between(template, &scalar.text, found);
            }
        }
    }
}

/// The pieces of the text that stand where its template has variables.
fn pieces_between(template: &str, text: &str, found: &mut Vec<String>) {
    let mut literals = template.split("${");
    let first = literals.next().unwrap_or_default();
    let mut rest = text.strip_prefix(first).unwrap_or(text);
    let literals = literals.map(|piece| piece.split_once('}').map_or("", |(_, text)| text));
    let literals: Vec<&str> = literals.collect();
    for (at, literal) in literals.iter().enumerate() {
        let is_last = at + 1 == literals.len();
        if literal.is_empty() && !is_last {
            continue;
        }
        let end = if is_last {
            rest.rfind(literal)
        } else {
            rest.find(literal)
        };
        let (value, behind) = rest.split_at(end.unwrap_or(rest.len()));
        if !value.is_empty() {
            found.push(value.to_owned());
        }
        rest = behind.strip_prefix(literal).unwrap_or(behind);
    }
}

fn fill(template: &str, environment: &Environment<'_>) -> Result<String, (String, String)> {
    let (mut out, mut rest) = (String::new(), template);
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let (name, behind) = rest[at + 2..].split_once('}').ok_or_else(|| {
            (
                "`${` has no closing brace".to_owned(),
                "write `${NAME}` for a variable, `$${` for the characters themselves".to_owned(),
            )
        })?;
        if !is_variable(name) {
            return Err((
                format!("`${{{name}}}` does not name an environment variable"),
                "a name has letters, digits and `_`".to_owned(),
            ));
        }
        let value = environment(name).ok_or_else(|| {
            (
                format!("the environment variable `{name}` is not set"),
                format!("set it before the run: `export {name}=...`"),
            )
        })?;
        out.push_str(&value);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_in_is_found_again() {
        // The template, what it became, the pieces that nobody may see.
        let table = [
            ("x${A}y", "xoney", vec!["one"]),
            (
                "mysql://u:${A}@${B}/s",
                "mysql://u:p@w@h/s",
                vec!["p", "w@h"],
            ),
            ("${A}${B}@h", "onetwo@h", vec!["onetwo"]),
            ("${A}", "one", vec!["one"]),
            ("a ${A}", "a ", vec![]), // an empty variable
        ];
        for (template, text, expected) in table {
            let mut found = Vec::new();
            pieces_between(template, text, &mut found);
            assert_eq!(found, expected, "{template}");
        }
    }

    #[test]
    fn fills_in_variables_and_keeps_the_rest() {
        let environment = |name: &str| (name == "A").then(|| "1".to_owned());
        let table = [
            ("x${A}y${A}", Ok("x1y1")),
            ("$A", Ok("$A")),               // only braces are filled in
            ("a$${A}b${A}", Ok("a${A}b1")), // escaped
            ("${B}", Err(())),
            ("${", Err(())),
            ("${}", Err(())),
            ("${A B}", Err(())),
        ];
        for (template, expected) in table {
            let filled = fill(template, &environment).map_err(|_| ());
            assert_eq!(filled, expected.map(str::to_owned), "{template}");
        }
    }
}
