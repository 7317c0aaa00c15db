//! Flows and steps as text: what is sent, and what the answers mean.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::plan::{
    Action, Body, Escape, Items, JsonMatch, Part, Plan, Rule, Slot, StatusMatch, Step, Template,
    TextMatch, Until, Variable, When,
};
use crate::scenario::value::{Span, Status};

pub(super) fn print(plan: &Plan, out: &mut String) -> std::fmt::Result {
    for flow in &plan.flows {
        writeln!(out, "\nflow {}", flow.name)?;
        actions(&flow.actions, plan, 1, out)?;
    }
    Ok(())
}

/// The actions, two blanks deeper than what they stand in.
fn actions(all: &[Action], plan: &Plan, depth: usize, out: &mut String) -> std::fmt::Result {
    let pad = "  ".repeat(depth);
    for action in all {
        match action {
            Action::Think(from, to) if from == to => {
                writeln!(out, "{pad}think     {}", Span(*from))?;
            }
            Action::Think(from, to) => {
                writeln!(out, "{pad}think     {} to {}", Span(*from), Span(*to))?;
            }
            Action::Request(number) => {
                if let Some(step) = plan.steps.get(usize::from(*number)) {
                    let mut text = String::new();
                    one_step(step, plan, &mut text)?;
                    for line in text.lines() {
                        writeln!(out, "{}{line}", "  ".repeat(depth - 1))?;
                    }
                }
            }
            Action::When(when) => {
                writeln!(out, "{pad}when      {}", condition(when, plan))?;
                actions(&when.then, plan, depth + 1, out)?;
                if !when.otherwise.is_empty() {
                    writeln!(out, "{pad}else")?;
                    actions(&when.otherwise, plan, depth + 1, out)?;
                }
            }
            Action::Each(each) => {
                let items = match &each.items {
                    Items::List(list) => list.join(", "),
                    Items::Range(from, to) => format!("{from} to {to}"),
                    Items::In(slot) => format!("the list {}", slot_name(*slot, plan)),
                };
                writeln!(
                    out,
                    "{pad}each      {} of {items}",
                    slot_name(each.slot, plan)
                )?;
                actions(&each.actions, plan, depth + 1, out)?;
            }
            Action::Parallel(parallel) => {
                let branches = parallel.branches.len() as u64 * parallel.times;
                writeln!(out, "{pad}parallel  {branches} at the same time")?;
                for branch in &parallel.branches {
                    actions(branch, plan, depth + 1, out)?;
                }
            }
        }
    }
    Ok(())
}

fn slot_name(slot: u8, plan: &Plan) -> &str {
    let slot = plan.slots.get(usize::from(slot));
    slot.map_or("?", |slot| slot.name.as_str())
}

fn label_names(labels: &[u8], plan: &Plan) -> String {
    let name = |label: &u8| plan.labels.get(usize::from(*label));
    let names = labels.iter().filter_map(name);
    let names: Vec<&str> = names.map(|label| label.name.as_str()).collect();
    names.join(" or ")
}

fn condition(when: &When, plan: &Plan) -> String {
    let outcomes = when.outcomes.iter().map(|(step, labels)| {
        let step = plan.steps.get(usize::from(*step));
        let step = step.map_or("?", |step| step.name.as_str());
        format!("{step} is {}", label_names(labels, plan))
    });
    let captures = when.captures.iter().map(|(slot, matched)| {
        let name = slot_name(*slot, plan);
        match matched {
            TextMatch::AnyOf(texts) => format!("{name} is {}", texts.join(" or ")),
            TextMatch::Exists(true) => format!("{name} is there"),
            TextMatch::Exists(false) => format!("{name} is not there"),
            TextMatch::Matches(pattern) => format!("{name} matches {pattern}"),
        }
    });
    outcomes.chain(captures).collect::<Vec<_>>().join(" and ")
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
    for capture in &step.captures {
        let name = slot_name(capture.slot, plan);
        writeln!(out, "    captures  {name} from {}", capture.from)?;
    }
    if let Some(poll) = &step.poll {
        let until = match &poll.until {
            Until::Labels(labels) => label_names(labels, plan),
            Until::Answer(rule) => conditions(rule),
        };
        let (every, within) = (Span(poll.every), Span(poll.within));
        writeln!(
            out,
            "    poll      every {every} until {until}, within {within}"
        )?;
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

/// What a rule asks of an answer, in words.
pub fn conditions(rule: &Rule) -> String {
    let mut all = Vec::new();
    if !rule.status.is_empty() {
        let statuses: Vec<String> = rule.status.iter().map(|status| text(*status)).collect();
        all.push(format!("status {}", statuses.join(" or ")));
    }
    if let Some(body) = &rule.body {
        all.push(format!("body contains \"{body}\""));
    }
    if let Some(pattern) = &rule.matches {
        all.push(format!("body matches {pattern}"));
    }
    if let Some(empty) = rule.empty {
        all.push(if empty { "empty body" } else { "a body" }.to_owned());
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
