//! Text with `{{ name }}` becomes a template; what is known when planning becomes literal.

use crate::plan::slots::{NoSlot, SlotTable};
use crate::plan::{Escape, Part, Template, Values, Variable};
use crate::scenario::{At, Report, did_you_mean};

/// What can be filled in when planning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    /// `None` when the scenario has no subject.
    pub(super) coupon: Option<&'a str>,
    /// What a run brings; `None` where a text is needed before there is a user.
    pub(super) slots: Option<&'a SlotTable>,
}

/// Where a text stands: how its values and its own characters are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A header or a plain text: nothing is escaped.
    Raw,
    /// A path: values are escaped, its own characters were written by the author as they are sent.
    Path,
    /// A query or form value: everything is escaped.
    Pair,
    /// Within a JSON string.
    Json,
}

impl Place {
    const fn escape(self) -> Escape {
        match self {
            Self::Raw => Escape::Raw,
            Self::Path | Self::Pair => Escape::Percent,
            Self::Json => Escape::Json,
        }
    }

    const fn escape_of_literals(self) -> Escape {
        match self {
            Self::Raw | Self::Path => Escape::Raw,
            Self::Pair => Escape::Percent,
            Self::Json => Escape::Json,
        }
    }
}

/// A piece of the text as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    Name {
        name: &'t str,
        filter: Option<&'t str>,
    },
}

/// Splits at the braces.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("{{") {
        if at > 0 {
            found.push(Piece::Text(&rest[..at]));
        }
        let (inside, behind) = rest[at + 2..]
            .split_once("}}")
            .ok_or("`{{` has no closing `}}`")?;
        let (name, filter) = match inside.split_once('|') {
            Some((name, filter)) => (name.trim(), Some(filter.trim())),
            None => (inside.trim(), None),
        };
        found.push(Piece::Name { name, filter });
        rest = behind;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    Ok(found)
}

/// The text as a template for its place. What is wrong is reported.
pub(super) fn parse(
    text: &At<String>,
    place: Place,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Template> {
    let mut template = Template::default();
    match append(&text.value, place, words, &mut template) {
        Ok(()) => Some(template),
        Err((message, hint)) => {
            report_wrong(text, message, hint, report);
            None
        }
    }
}

/// A text from the environment is not repeated in a message.
pub(super) fn report_wrong(
    text: &At<String>,
    message: String,
    hint: String,
    report: &mut Report<'_>,
) {
    if text.hidden {
        report.error(text.position, "what the variable holds is not valid here");
    } else {
        report.error_hint(text.position, message, hint);
    }
}

/// What is wrong, and what would be right.
pub(super) type Problem = (String, String);

/// Appends the text's pieces.
pub(super) fn append(
    text: &str,
    place: Place,
    words: Words<'_>,
    template: &mut Template,
) -> Result<(), Problem> {
    let pieces =
        pieces(text).map_err(|message| (message, "write it like `{{ user }}`".to_owned()))?;
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                push_literal(template, &escaped(text, place.escape_of_literals()));
            }
            Piece::Name { name, filter } => {
                if let Some(filter) = filter {
                    return Err(filter_problem(filter));
                }
                push_name(name, place.escape(), words, template)?;
            }
        }
    }
    Ok(())
}

fn filter_problem(filter: &str) -> Problem {
    if filter == "number" {
        return (
            "the filter `number` does not stand alone in a JSON string".to_owned(),
            "write the whole value like `\"{{ user | number }}\"`".to_owned(),
        );
    }
    (
        format!("unknown filter `{filter}`"),
        "the only filter is `number`, for a whole JSON value".to_owned(),
    )
}

/// Appends what stands for the name.
pub(super) fn push_name(
    name: &str,
    escape: Escape,
    words: Words<'_>,
    template: &mut Template,
) -> Result<(), Problem> {
    if name == "coupon.id" {
        let coupon = words.coupon.ok_or_else(|| {
            (
                "`coupon.id` stands for nothing: the scenario has no subject".to_owned(),
                "write `subject: { coupon: { id: 1, stock: 5000 } }`".to_owned(),
            )
        })?;
        if !coupon.contains("{{") {
            push_literal(template, &escaped(coupon, escape));
            return Ok(());
        }
        // An id that `before` captures; it cannot stand for itself.
        let words = Words {
            coupon: None,
            ..words
        };
        for piece in pieces(coupon).unwrap_or_default() {
            match piece {
                Piece::Text(text) => push_literal(template, &escaped(text, escape)),
                Piece::Name { name, .. } => push_name(name, escape, words, template)?,
            }
        }
        return Ok(());
    }
    let known = Variable::ALL.into_iter().find(|(known, _)| *known == name);
    let Some((_, variable)) = known else {
        let slot = slot(name, words)?;
        template
            .parts
            .push(Part::Value(Variable::Slot(slot), escape));
        return Ok(());
    };
    if variable == Variable::Uuid && escape == Escape::JsonNumber {
        return Err((
            "`uuid` is never a number".to_owned(),
            "write `\"{{ uuid }}\"`".to_owned(),
        ));
    }
    template.parts.push(Part::Value(variable, escape));
    Ok(())
}

fn slot(name: &str, words: Words<'_>) -> Result<u8, Problem> {
    let found = words
        .slots
        .map_or(Err(NoSlot::Unknown), |slots| slots.find(name));
    found.map_err(|problem| match problem {
        NoSlot::NotYet => (
            format!("`{name}` is not there yet: it is captured later, or in another flow"),
            "capture it in a step before this one".to_owned(),
        ),
        NoSlot::Unknown => {
            let mut names = Variable::ALL.map(|(known, _)| known).to_vec();
            names.push("coupon.id");
            names.extend(words.slots.into_iter().flat_map(SlotTable::names));
            (
                format!("unknown name `{name}` in a template"),
                did_you_mean(name, &names),
            )
        }
    })
}

/// Appends a literal; adjacent ones are joined.
pub(super) fn push_literal(template: &mut Template, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Part::Literal(last)) = template.parts.last_mut() {
        last.push_str(text);
    } else {
        template.parts.push(Part::Literal(text.to_owned()));
    }
}

/// A known text as a value is written in a request: one way of escaping for both.
pub(super) fn escaped(text: &str, escape: Escape) -> String {
    let template = Template {
        parts: vec![Part::Value(Variable::User, escape)],
    };
    template.to_text(&Values {
        user: text,
        number: 0,
        vu: 0,
        iteration: 0,
        random: 0,
        slots: &[],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'_> = Words {
        coupon: Some("a/b"),
        slots: None,
    };

    fn rendered(text: &str, place: Place) -> Result<String, String> {
        let mut template = Template::default();
        append(text, place, WORDS, &mut template).map_err(|(message, _)| message)?;
        let values = Values {
            user: "u \"1\"",
            number: 7,
            vu: 2,
            iteration: 3,
            random: 0,
            slots: &[],
        };
        Ok(template.to_text(&values))
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        let table = [
            ("/c/{{ coupon.id }}/u?x=1", Place::Path, "/c/a%2Fb/u?x=1"),
            ("{{user}} & {{n}}", Place::Pair, "u%20%221%22%20%26%207"),
            ("say \"{{ user }}\"", Place::Json, r#"say \"u \"1\"\""#),
            ("{{ vu }}-{{ iter }}", Place::Raw, "2-3"),
            ("{ not } a }} template", Place::Raw, "{ not } a }} template"),
        ];
        for (text, place, expected) in table {
            assert_eq!(rendered(text, place).expect(text), expected);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let table = [
            ("{{ usr }}", "unknown name `usr`"),
            ("{{ }}", "unknown name ``"),
            ("{{ user", "no closing"),
            ("{{ user | upper }}", "unknown filter `upper`"),
            ("x{{ user | number }}", "`number`"),
        ];
        for (text, reason) in table {
            let error = rendered(text, Place::Json).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
