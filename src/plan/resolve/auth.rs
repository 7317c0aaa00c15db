//! `target.auth`: the authorization header of every request that has none of its own.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::template::{self, Place, Words};
use crate::plan::{Step, Template};
use crate::scenario::{At, Auth, Mask, Report, Scenario, Target};

const HEADER: &str = "authorization";

/// Adds the header to the steps.
pub(super) fn apply(
    scenario: &Scenario,
    words: Words<'_>,
    steps: &mut [Step],
    report: &mut Report<'_>,
) {
    let Some(Target::Urls { auth, .. }) = scenario.target.value() else {
        return;
    };
    let Some(value) = auth.as_ref().and_then(|auth| value(auth, words, report)) else {
        return;
    };
    for step in steps {
        if step.headers.iter().all(|(name, _)| name != HEADER) {
            step.headers.push((HEADER.to_owned(), value.clone()));
        }
    }
}

/// Credentials are not repeated in the form in which they are sent either.
pub(super) fn hide(scenario: &Scenario, mask: &mut Mask) {
    if let Some(Target::Urls {
        auth: Some(Auth::Basic { user, password }),
        ..
    }) = scenario.target.value()
    {
        mask.add(&password.value, "***");
        let header = basic(&user.value, &password.value);
        mask.add(header.trim_start_matches("Basic "), "***");
    }
}

fn value(auth: &Auth, words: Words<'_>, report: &mut Report<'_>) -> Option<Template> {
    match auth {
        Auth::Bearer(token) => {
            let token = template::parse(token, Place::Raw, words, report)?;
            let mut value = Template::literal("Bearer ");
            for part in token.parts {
                match part {
                    crate::plan::Part::Literal(text) => template::push_literal(&mut value, &text),
                    part @ crate::plan::Part::Value(..) => value.parts.push(part),
                }
            }
            Some(value)
        }
        Auth::Basic { user, password } => {
            let (user, password) = (plain(user, report), plain(password, report));
            Some(Template::literal(basic(user?, password?)))
        }
    }
}

/// The value of the header for these credentials (RFC 7617).
fn basic(user: &str, password: &str) -> String {
    let pair = format!("{user}:{password}");
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

fn plain<'t>(text: &'t At<String>, report: &mut Report<'_>) -> Option<&'t str> {
    if text.value.contains("{{") {
        report.error_hint(
            text.position,
            "`basic` is the same for all users, so nothing is filled in",
            "for a token of each user, write `auth: { bearer: \"{{ token }}\" }`",
        );
        return None;
    }
    Some(&text.value)
}
