//! What faults may break of a system that already runs, in the plan as text.

use std::fmt::{Result, Write as _};

use super::resource;
use crate::plan::fault::Party;
use crate::plan::{Found, OwnPart, Plan, ResourceOf, Target};

pub(super) fn print(plan: &Plan, out: &mut String) -> Result {
    let Target::Urls { parts, .. } = &plan.target else {
        return Ok(());
    };
    if parts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nparts")?;
    let names: Vec<String> = parts.iter().map(OwnPart::name).collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    for (part, name) in parts.iter().zip(names) {
        writeln!(out, "  {name:width$}  {}", shown(part))?;
    }
    Ok(())
}

fn shown(part: &OwnPart) -> String {
    let mut facts = Vec::new();
    facts.extend(part.found.as_ref().map(|found| match found {
        Found::Process(process) => resource::shown(&ResourceOf::Process(process.clone())),
        Found::Container(name) => format!("container {name}"),
        Found::Service { project, service } => {
            format!("the container of service {service} of project {project}")
        }
    }));
    // What it is may hold a password.
    facts.extend(
        part.start
            .as_ref()
            .map(|_| "can be started again".to_owned()),
    );
    facts.extend(part.url.as_ref().map(|url| match part.party {
        Party::Kafka => format!("kafka {}", url.reveal()),
        _ => url.redacted(),
    }));
    facts.extend(part.topic.as_ref().map(|topic| format!("topic {topic}")));
    facts.extend(part.via.map(|port| format!("a link at 127.0.0.1:{port}")));
    facts.join(", ")
}
