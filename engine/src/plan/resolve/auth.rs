//! `target.auth`: the authorization header of every request that has none of its own.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::prometheus;
use super::template::{self, Place, Words};
use crate::plan::{Secret, Setup, Step, Task, Template};
use crate::scenario::{At, Auth, Mask, Report, Scenario, Target};

const HEADER: &str = "authorization";

/// The value of the header, if the scenario has `auth`.
pub(super) fn header(
    scenario: &Scenario,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Template> {
    let Some(Target::Urls { auth, .. }) = scenario.target.value() else {
        return None;
    };
    let auth = auth.as_ref()?;
    value(auth, words, report)
}

/// Adds the header, if there is one, to all steps and to the requests around the load.
pub(super) fn add_everywhere(
    header: Option<&Template>,
    of_users: usize,
    steps: &mut [Step],
    setup: &mut Setup,
) {
    let Some(header) = header else { return };
    for step in steps {
        add(header, step);
    }
    add_around(header, of_users, setup);
}

/// Adds the header to a step, unless that has its own.
fn add(header: &Template, step: &mut Step) {
    if step.headers.iter().all(|(name, _)| name != HEADER) {
        step.headers.push((HEADER.to_owned(), header.clone()));
    }
}

/// Adds the header to the requests around the load, where its values are known: those of users,
/// in the first `of_users` slots, where a step is done for each; others after the load.
fn add_around(header: &Template, of_users: usize, setup: &mut Setup) {
    let before = setup.before.iter_mut().map(|step| (step, false));
    let after = setup.after.iter_mut().map(|step| (step, true));
    for (step, is_after) in before.chain(after) {
        let for_each = step.each.is_some();
        let is_known = |slot: u8| {
            if usize::from(slot) < of_users {
                for_each
            } else {
                is_after
            }
        };
        if let Task::Request { step, .. } = &mut step.task
            && header.slots().all(is_known)
        {
            add(header, step);
        }
    }
}

/// Credentials are not repeated in the form in which they are sent either.
pub(super) fn hide(scenario: &Scenario, mask: &mut Mask) {
    let of_target = match scenario.target.value() {
        Some(Target::Urls { auth, .. }) => auth.as_ref(),
        _ => None,
    };
    let of_alerts = scenario.alerts.value();
    let of_alerts = of_alerts.and_then(|alerts| alerts.auth.as_ref());
    let of_outputs = scenario.outputs.value();
    let of_outputs =
        of_outputs.and_then(|outputs| prometheus::credentials(outputs.prometheus.as_ref()));
    for auth in of_target.into_iter().chain(of_alerts).chain(of_outputs) {
        if let Auth::Basic { user, password } = auth {
            mask.add(&password.value, "***");
            let header = basic(&user.value, &password.value);
            mask.add(header.trim_start_matches("Basic "), "***");
        }
    }
}

/// The value of the header where it is the same for the whole run, and no user asks.
pub(super) fn fixed(auth: &Auth, report: &mut Report<'_>) -> Option<Secret> {
    let texts = match auth {
        Auth::Bearer(token) => vec![token],
        Auth::Basic { user, password } => vec![user, password],
    };
    if let Some(text) = texts.into_iter().find(|text| text.value.contains("{{")) {
        report.error_hint(
            text.position,
            "nothing is filled in here: no user asks",
            "write the same for all questions, as `bearer: \"${TOKEN}\"`",
        );
        return None;
    }
    Some(Secret::new(match auth {
        Auth::Bearer(token) => format!("Bearer {}", token.value),
        Auth::Basic { user, password } => basic(&user.value, &password.value),
    }))
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
