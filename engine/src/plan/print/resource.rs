//! What is measured from outside, in the plan as text.

use std::fmt::{Result, Write as _};

use crate::plan::{ConsumerGroup, Plan, Process, ResourceOf};

pub(super) fn print(plan: &Plan, out: &mut String) -> Result {
    if plan.resources.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nresources")?;
    let names = plan.resources.iter();
    let width = names.map(|resource| resource.name.chars().count()).max();
    let width = width.unwrap_or(0);
    for resource in &plan.resources {
        writeln!(out, "  {:width$}  {}", resource.name, shown(&resource.of))?;
    }
    Ok(())
}

pub(super) fn shown(of: &ResourceOf) -> String {
    match of {
        ResourceOf::Sql(url) => format!("sql {}", url.redacted()),
        ResourceOf::Redis(url) => format!("redis {}", url.redacted()),
        ResourceOf::Kafka(of) => group(of),
        ResourceOf::Process(Process::Port(port)) => {
            format!("the process that listens on port {port}")
        }
        ResourceOf::Process(Process::PidFile(file)) => format!("the process in {file}"),
        ResourceOf::Process(Process::Pid(pid)) => format!("process {pid}"),
        ResourceOf::Process(Process::ChildOf(pid)) => format!("what process {pid} has started"),
        ResourceOf::Process(Process::Harness) => "the harness".to_owned(),
    }
}

pub(super) fn group(of: &ConsumerGroup) -> String {
    let ConsumerGroup {
        brokers,
        group,
        topic,
    } = of;
    format!("kafka {brokers}, group {group}, topic {topic}")
}
