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

pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

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
