//! `validate --probe`: what the system answers, and what the scenario takes it for.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value as Json;

use crate::exit::Exit;
use crate::load::Explained;
use crate::output::say;
use crate::plan::{Plan, Rule, Step, Target, conditions};
use crate::run::{self, Asked, Replied};
use crate::yaml::quoted;

/// Characters of a body that are shown.
const SHOWN: usize = 300;

/// Asks once for each step and shows what came of it.
pub(super) fn probe(plan: &Plan, directory: &Path) -> Exit {
    if matches!(plan.target, Target::Urls { .. }) {
        say!("warning: a probe really asks: what the system gives to it is taken");
    }
    if !plan.setup.before.is_empty() || !plan.setup.after.is_empty() {
        say!("warning: what stands under `before` and `after` is done as in a run");
    }
    let runtime = match super::runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let say = |text: &str| say!("{}", plan.mask.hide(text));
    match runtime.block_on(run::ask(plan, directory, &say)) {
        Ok(asked) => {
            let mut out = String::new();
            for one in &asked {
                show(one, plan, &mut out);
            }
            super::print(&plan.mask.hide(&out));
            if asked.iter().all(is_understood) {
                Exit::Ok
            } else {
                Exit::Unknown
            }
        }
        Err(error) => super::refuse(&error, &plan.mask),
    }
}

fn is_understood(asked: &Asked) -> bool {
    let explained = asked.replied.as_ref().map(|replied| &replied.explained);
    matches!(explained, Ok(Explained::Matched(_) | Explained::NoRules))
}

/// Writing to a text cannot fail.
macro_rules! line {
    ($out:expr, $($words:tt)*) => {{
        let _ = writeln!($out, $($words)*);
    }};
}

fn show(asked: &Asked, plan: &Plan, out: &mut String) {
    let step = &plan.steps[asked.step];
    line!(out, "step {}: {} {}", step.name, step.method, asked.path);
    match &asked.replied {
        Err(cause) => line!(out, "  ✘ no answer: {}", cause.words()),
        Ok(replied) => {
            verdict(replied, step, plan, out);
            let body = beginning(&replied.body);
            line!(
                out,
                "  body: {}",
                if body.is_empty() { "empty" } else { &body }
            );
            if matches!(replied.explained, Explained::Unmatched(_)) {
                line!(out, "  to match it, say what it is:");
                line!(out, "    outcomes:");
                line!(out, "      NAME: {}", rule_for(replied));
            }
        }
    }
}

fn verdict(replied: &Replied, step: &Step, plan: &Plan, out: &mut String) {
    let status = replied.status;
    match &replied.explained {
        Explained::Matched(at) => {
            let rule = &step.rules[*at];
            line!(
                out,
                "  ✔ {status} is {}: {}",
                name(rule, plan),
                conditions(rule)
            );
        }
        Explained::NoRules => {
            let taken = if (200..400).contains(&status) {
                "ok"
            } else {
                "error"
            };
            line!(out, "  ✔ {status} is {taken}: the step has no outcomes");
        }
        Explained::Unmatched(failed) => {
            line!(out, "  ✘ {status} matches no outcome, so it is unknown");
            for (rule, failed) in std::iter::zip(&step.rules, failed) {
                line!(out, "    not {}: {}", name(rule, plan), failed.join("; "));
            }
        }
    }
}

fn name<'a>(rule: &Rule, plan: &'a Plan) -> &'a str {
    plan.labels
        .get(usize::from(rule.label))
        .map_or("?", |label| &label.name)
}

/// On one line.
fn beginning(body: &str) -> String {
    let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    line.chars().take(SHOWN).chain("...".chars()).collect()
}

/// What tells this answer from others: a code in its JSON, else its text, else the status alone.
fn rule_for(replied: &Replied) -> String {
    let status = replied.status;
    let json = serde_json::from_str::<Json>(&replied.body).ok();
    if let Some((at, value)) = json.as_ref().and_then(|json| telling("", json)) {
        return format!(
            "{{ status: {status}, json: {{ {}: {value} }} }}",
            quoted(&at)
        );
    }
    let body = replied.body.trim();
    let line = body.lines().next().unwrap_or_default().trim();
    if json.is_some() || line.is_empty() || line.chars().count() > 60 {
        return format!("{{ status: {status} }}");
    }
    format!("{{ status: {status}, body: {} }}", quoted(line))
}

/// The member that says what happened, by the names that systems give it.
fn telling<'a>(at: &str, json: &'a Json) -> Option<(String, &'a Json)> {
    const NAMES: [&str; 8] = [
        "code",
        "errorCode",
        "error_code",
        "result",
        "status",
        "error",
        "message",
        "success",
    ];
    let members = json.as_object()?;
    let own = NAMES.iter().find_map(|name| {
        let value = members.get(*name)?;
        let scalar = value.is_string() || value.is_number() || value.is_boolean();
        scalar.then(|| (format!("{at}/{name}"), value))
    });
    own.or_else(|| {
        members
            .iter()
            .find_map(|(name, inner)| telling(&format!("{at}/{name}"), inner))
    })
}
