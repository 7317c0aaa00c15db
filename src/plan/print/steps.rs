//! Flows and steps as text: what is sent, and what the answers mean.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::plan::{
    Action, Body, Escape, JsonMatch, Part, Plan, Rule, Slot, StatusMatch, Step, Template, Variable,
};
use crate::scenario::value::{Span, Status};

pub(super) fn print(plan: &Plan, out: &mut String) -> std::fmt::Result {
    for flow in &plan.flows {
        writeln!(out, "\nflow {}", flow.name)?;
        for action in &flow.actions {
            match action {
                Action::Think(from, to) if from == to => {
                    writeln!(out, "  think     {}", Span(*from))?;
                }
                Action::Think(from, to) => {
                    writeln!(out, "  think     {} to {}", Span(*from), Span(*to))?;
                }
                Action::Request(number) => {
                    if let Some(step) = plan.steps.get(usize::from(*number)) {
                        one_step(step, plan, out)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn one_step(step: &Step, plan: &Plan, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "  step {}: {} {}, timeout {}",
        step.name,
        step.method,
        shown(&step.path, &plan.slots),
        Span(step.timeout)
    )?;
    let names = |pairs: &[(String, Template)]| {
        let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    };
    if !step.query.is_empty() {
        writeln!(out, "    query     {}", names(&step.query))?;
    }
    if !step.headers.is_empty() {
        writeln!(out, "    headers   {}", names(&step.headers))?;
    }
    if let Body::Text(template) = &step.body {
        let names: Vec<String> = Variable::ALL
            .iter()
            .filter(|(_, variable)| template.uses(*variable))
            .map(|(name, _)| (*name).to_owned())
            .chain(slots_of(template, &plan.slots))
            .collect();
        let filled = if names.is_empty() {
            "the same each time".to_owned()
        } else {
            format!("with {} filled in", names.join(", "))
        };
        writeln!(out, "    body      {filled}")?;
    }
    let name = |rule: &Rule| plan.labels.get(usize::from(rule.label));
    let width = step.rules.iter().filter_map(name);
    let width = width.map(|label| label.name.chars().count()).max();
    let width = width.unwrap_or(0).max(9);
    for rule in &step.rules {
        let label = name(rule).map_or("?", |label| label.name.as_str());
        writeln!(out, "    {label:width$} {}", conditions(rule))?;
    }
    if step.rules.is_empty() {
        writeln!(out, "    ok        status 2xx or 3xx")?;
        writeln!(out, "    error     any other status")
    } else {
        writeln!(out, "    {:width$} any other answer", "unknown")
    }
}

fn conditions(rule: &Rule) -> String {
    let mut all = Vec::new();
    if !rule.status.is_empty() {
        let statuses: Vec<String> = rule.status.iter().map(|status| text(*status)).collect();
        all.push(format!("status {}", statuses.join(" or ")));
    }
    if let Some(body) = &rule.body {
        all.push(format!("body contains \"{body}\""));
    }
    for (pointer, matched) in &rule.json {
        all.push(match matched {
            JsonMatch::Equals(value) => format!("{pointer} is {value}"),
            JsonMatch::AnyOf(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                format!("{pointer} is {}", values.join(" or "))
            }
            JsonMatch::Exists(true) => format!("{pointer} is there"),
            JsonMatch::Exists(false) => format!("{pointer} is not there"),
        });
    }
    for (name, value) in &rule.headers {
        all.push(match value {
            Some(value) => format!("header {name} is \"{value}\""),
            None => format!("header {name} is there"),
        });
    }
    if all.is_empty() {
        all.push("any answer".to_owned());
    }
    if let Some(pointer) = &rule.coupon {
        all.push(format!("coupon id at {pointer}"));
    }
    all.join(", ")
}

fn text(status: StatusMatch) -> String {
    match status {
        StatusMatch::Exactly(status) => Status::Exactly(status).to_string(),
        StatusMatch::Class(class) => Status::Class(class).to_string(),
    }
}

/// The template as its author wrote it.
pub(super) fn shown(template: &Template, slots: &[Slot]) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Value(variable, escape) => {
            let known = Variable::ALL.iter().find(|(_, other)| other == variable);
            let slot = match variable {
                Variable::Slot(slot) => slots.get(usize::from(*slot)),
                _ => None,
            };
            let name = known.map(|(name, _)| *name);
            let name = name.or(slot.map(|slot| slot.name.as_str())).unwrap_or("?");
            match escape {
                Escape::JsonNumber => format!("{{{{ {name} | number }}}}"),
                _ => format!("{{{{ {name} }}}}"),
            }
        }
    };
    template.parts.iter().map(part).collect()
}

/// The names of the slots that the template needs, each once.
fn slots_of(template: &Template, slots: &[Slot]) -> impl Iterator<Item = String> {
    let numbers: BTreeSet<u8> = template.slots().collect();
    let name = |slot: u8| slots.get(usize::from(slot)).map(|slot| slot.name.clone());
    numbers.into_iter().filter_map(name)
}
