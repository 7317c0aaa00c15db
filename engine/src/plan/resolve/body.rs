//! A request's body: YAML becomes JSON text with places, maps become forms.

use super::template::{self, Piece, Place, Problem, Words};
use crate::plan::{Body, Escape, Template};
use crate::scenario::{At, Body as Written, Kind, Node, Report, Value};

/// The body, and the content type that it has unless the scenario says another.
pub(super) fn resolve(
    body: &Written,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<(Body, Option<&'static str>)> {
    let (template, content_type) = match body {
        Written::None => return Some((Body::None, None)),
        Written::Json(node) => (json(node, words, report), "application/json"),
        Written::Form(pairs) => (
            form(pairs, words, report),
            "application/x-www-form-urlencoded",
        ),
        Written::Text(text) => (
            template::parse(text, Place::Raw, words, report),
            "text/plain; charset=utf-8",
        ),
    };
    Some((Body::Text(template?), Some(content_type)))
}

fn form(
    pairs: &[(String, At<String>)],
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Template> {
    let mut out = Template::default();
    let mut right = true;
    for (at, (key, value)) in pairs.iter().enumerate() {
        let separator = if at == 0 { "" } else { "&" };
        let key = template::escaped(key, Escape::Percent);
        template::push_literal(&mut out, &format!("{separator}{key}="));
        if let Err((message, hint)) = template::append(&value.value, Place::Pair, words, &mut out) {
            template::report_wrong(value, message, hint, report);
            right = false;
        }
    }
    right.then_some(out)
}

fn json(node: &Node, words: Words<'_>, report: &mut Report<'_>) -> Option<Template> {
    let mut out = Template::default();
    write(node, words, &mut out, report).then_some(out)
}

/// Writes the node as JSON; false when something in it is wrong.
fn write(node: &Node, words: Words<'_>, out: &mut Template, report: &mut Report<'_>) -> bool {
    match &node.value {
        Value::Null => template::push_literal(out, "null"),
        Value::Seq(list) => {
            let mut right = true;
            template::push_literal(out, "[");
            for (at, item) in list.iter().enumerate() {
                template::push_literal(out, if at == 0 { "" } else { "," });
                right &= write(item, words, out, report);
            }
            template::push_literal(out, "]");
            return right;
        }
        Value::Map(entries) => {
            let mut right = true;
            template::push_literal(out, "{");
            for (at, entry) in entries.iter().enumerate() {
                template::push_literal(out, if at == 0 { "\"" } else { ",\"" });
                let key = At {
                    value: entry.key.clone(),
                    position: entry.position,
                    hidden: false,
                };
                right &= told(
                    template::append(&key.value, Place::Json, words, out),
                    &key,
                    report,
                );
                template::push_literal(out, "\":");
                right &= write(&entry.node, words, out, report);
            }
            template::push_literal(out, "}");
            return right;
        }
        Value::Scalar(scalar) => match &scalar.kind {
            Kind::Bool(value) => template::push_literal(out, &value.to_string()),
            Kind::Number(number) => template::push_literal(out, &number.to_string()),
            Kind::Text => {
                let text = At {
                    value: scalar.text.clone(),
                    position: node.position,
                    hidden: scalar.template.is_some(),
                };
                return told(string(&text.value, words, out), &text, report);
            }
        },
    }
    true
}

/// A JSON string, or a number where the whole string is one template with that filter.
fn string(text: &str, words: Words<'_>, out: &mut Template) -> Result<(), Problem> {
    if let Ok(pieces) = template::pieces(text)
        && let [
            Piece::Name {
                name,
                filter: Some("number"),
            },
        ] = pieces.as_slice()
    {
        return template::push_name(name, Escape::JsonNumber, words, out);
    }
    template::push_literal(out, "\"");
    template::append(text, Place::Json, words, out)?;
    template::push_literal(out, "\"");
    Ok(())
}

fn told(result: Result<(), Problem>, text: &At<String>, report: &mut Report<'_>) -> bool {
    match result {
        Ok(()) => true,
        Err((message, hint)) => {
            template::report_wrong(text, message, hint, report);
            false
        }
    }
}
