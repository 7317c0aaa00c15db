//! The steps before and after the load as text.

use std::fmt::Write as _;

use crate::plan::{Plan, SetupStep, Task};
use crate::scenario::value::{Count, Span};

pub(super) fn print(plan: &Plan, out: &mut String) -> std::fmt::Result {
    let lists = [("before", &plan.setup.before), ("after", &plan.setup.after)];
    for (name, steps) in lists {
        if !steps.is_empty() {
            writeln!(out, "\n{name} the load")?;
        }
        for step in steps {
            one_step(plan, step, out)?;
        }
    }
    Ok(())
}

fn one_step(plan: &Plan, step: &SetupStep, out: &mut String) -> std::fmt::Result {
    writeln!(out, "  {}", step.shown)?;
    if step.name != step.shown && !step.shown.starts_with(&format!("{} ", step.name)) {
        writeln!(out, "    name      {}", step.name)?;
    }
    match step.each.map(|each| each.of(plan.users.pool)) {
        None => {}
        Some(0) => writeln!(out, "    each      of the users that are read")?,
        Some(users) => writeln!(out, "    each      of {} users", Count(users))?,
    }
    if let Task::Request { expect, .. } = &step.task {
        let statuses: Vec<String> = expect.iter().map(ToString::to_string).collect();
        writeln!(out, "    expect    status {}", statuses.join(" or "))?;
    }
    let captured = step.captured();
    if !captured.is_empty() {
        let slots = captured
            .iter()
            .filter_map(|slot| plan.slots.get(usize::from(*slot)));
        let names: Vec<&str> = slots.map(|slot| slot.name.as_str()).collect();
        writeln!(out, "    capture   {}", names.join(", "))?;
    }
    writeln!(out, "    timeout   {}", Span(step.timeout))
}
