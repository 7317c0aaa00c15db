//! `before` and `after`: steps that make the system ready for a run, and tidy up behind it.

use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::super::setup::{Each, SetupCapture, SetupStep, Shell, Task};
use super::super::value::{Count, Name, Span, Status};
use super::flow::{self, METHODS};
use super::truth;

const KINDS: [&str; 9] = [
    "get", "post", "put", "patch", "delete", "head", "sql", "redis", "shell",
];

/// All steps that are right; the others were reported. `lost` gets the names that those would have
/// captured, so that whoever uses one is not wrong as well.
pub(super) fn read(
    report: &mut Report<'_>,
    entry: &Entry,
    lost: &mut Vec<String>,
) -> Vec<SetupStep> {
    let items = reader::items(report, &entry.node).unwrap_or_default();
    let mut steps = Vec::new();
    for item in items {
        match step(report, item) {
            Some(step) => steps.push(step),
            None => capture_names(item, lost),
        }
    }
    steps
}

fn capture_names(node: &Node, names: &mut Vec<String>) {
    let Value::Map(entries) = &node.value else {
        return;
    };
    for entry in entries {
        match (&entry.node.value, entry.key.as_str()) {
            (Value::Map(captures), "capture") => {
                names.extend(captures.iter().map(|capture| capture.key.clone()));
            }
            (Value::Scalar(scalar), "capture") => names.push(scalar.text.clone()),
            _ => capture_names(&entry.node, names),
        }
    }
}

fn step(report: &mut Report<'_>, node: &Node) -> Option<SetupStep> {
    let mut fields = Fields::of(report, node, node.position)?;
    let is = |key: &str| match &node.value {
        Value::Map(entries) => entries.iter().any(|entry| entry.key == key),
        _ => false,
    };
    if METHODS.iter().any(|method| is(method))
        && !["sql", "redis", "shell"].iter().any(|kind| is(kind))
    {
        return request(report, fields);
    }
    let name = fields.get("name");
    let name = name.map(|entry| reader::value::<Name>(report, &entry.node));
    let kind = fields.one_of(report, &KINDS, "what the step does");
    fields.finish(report);
    let kind = kind?;
    let mut step = match kind.key.as_str() {
        "sql" => sql(report, kind),
        "redis" => redis(report, kind),
        _ => shell(report, kind),
    }?;
    step.position = node.position;
    step.name = match name {
        Some(name) => Some(name?),
        None => None,
    };
    Some(step)
}

fn request(report: &mut Report<'_>, mut fields: Fields<'_>) -> Option<SetupStep> {
    let position = fields.position();
    let expect = fields.get("expect");
    let expect: Option<Vec<Status>> = expect.map_or(Some(Vec::new()), |entry| {
        if reader::one_or_many(&entry.node).is_empty() {
            let message = "the list is empty: no answer would be right";
            report.error_hint(entry.node.position, message, "write `expect: 2xx`");
            return None;
        }
        let read = reader::one_or_many(&entry.node).iter();
        let read: Vec<_> = read.map(|node| reader::value(report, node)).collect();
        read.into_iter().map(|at| at.map(|at| at.value)).collect()
    });
    if let Some(entry) = fields.get("outcomes") {
        report.error_hint(
            entry.position,
            "`outcomes` are for the flows: a step before or after the load is right or wrong",
            "say which answers are right: `expect: [2xx, 409]`",
        );
        return None;
    }
    let each = each(report, &mut fields);
    let request = flow::request(report, fields)?;
    if !request.whole {
        return None;
    }
    Some(SetupStep {
        position,
        name: request.name.clone(),
        timeout: request.timeout.clone(),
        task: Task::Request {
            request: Box::new(request),
            expect: expect?,
        },
        each: each?,
        captures: Vec::new(),
    })
}

fn sql(report: &mut Report<'_>, entry: &Entry) -> Option<SetupStep> {
    let mut fields = Fields::behind(report, entry)?;
    let url = url(
        report,
        &mut fields,
        "where the database is: `url: \"${DB}\"`",
    );
    let hint = "what is done: `run: DELETE FROM user_coupons`";
    let run = fields.need(report, "run", hint);
    let run = run.and_then(|entry| statements(report, entry));
    let captures = captures(report, &mut fields);
    let each = each(report, &mut fields);
    let timeout = timeout(report, &mut fields);
    fields.finish(report);
    Some(SetupStep {
        position: entry.position,
        name: None,
        task: Task::Sql {
            url: url?,
            run: run?,
        },
        timeout: timeout?,
        each: each?,
        captures: captures?,
    })
}

fn redis(report: &mut Report<'_>, entry: &Entry) -> Option<SetupStep> {
    let mut fields = Fields::behind(report, entry)?;
    let url = url(
        report,
        &mut fields,
        "where Redis is: `url: redis://127.0.0.1`",
    );
    let hint = "what is done: `run: DEL coupon:1:users`";
    let run = fields.need(report, "run", hint);
    let run = run.and_then(|entry| commands(report, entry));
    let captures = one_capture(report, &mut fields);
    let each = each(report, &mut fields);
    let timeout = timeout(report, &mut fields);
    fields.finish(report);
    Some(SetupStep {
        position: entry.position,
        name: None,
        task: Task::Redis {
            url: url?,
            run: run?,
        },
        timeout: timeout?,
        each: each?,
        captures: captures?,
    })
}

fn shell(report: &mut Report<'_>, entry: &Entry) -> Option<SetupStep> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "what is done: `run: docker compose restart api`";
    let run = fields.need(report, "run", hint);
    let run = run.and_then(|entry| match &entry.node.value {
        Value::Seq(_) => statements(report, entry).map(Shell::Words),
        _ => reader::text(report, &entry.node).map(Shell::Text),
    });
    let captures = one_capture(report, &mut fields);
    let timeout = timeout(report, &mut fields);
    fields.finish(report);
    Some(SetupStep {
        position: entry.position,
        name: None,
        task: Task::Shell(run?),
        timeout: timeout?,
        each: None,
        captures: captures?,
    })
}

fn url(report: &mut Report<'_>, fields: &mut Fields<'_>, hint: &str) -> Option<At<String>> {
    let url = fields.need(report, "url", hint)?;
    reader::text(report, &url.node)
}

/// One text or several; at least one.
fn statements(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<At<String>>> {
    let nodes = reader::one_or_many(&entry.node);
    if nodes.is_empty() {
        report.error(
            entry.node.position,
            "the list is empty: nothing would be done",
        );
        return None;
    }
    let read: Vec<_> = nodes
        .iter()
        .map(|node| reader::text(report, node))
        .collect();
    read.into_iter().collect()
}

/// One command or several, each one line or a list of words.
fn commands(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<Vec<At<String>>>> {
    let nodes = reader::one_or_many(&entry.node);
    let read: Vec<_> = nodes
        .iter()
        .map(|node| truth::words(report, node))
        .collect();
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    if read.is_empty() || read.iter().any(Vec::is_empty) {
        report.error_hint(
            entry.node.position,
            "a command is empty",
            "write it like `run: DEL coupon:1:users`",
        );
        return None;
    }
    Some(read)
}

#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn each(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Option<Each>> {
    let (each, users) = (fields.get("each"), fields.get("users"));
    let count = users.map(|entry| reader::value::<Count>(report, &entry.node));
    let Some(entry) = each else {
        if let Some(users) = users {
            report.error_hint(
                users.position,
                "`users` says for how many users, but not that it is done for each",
                "write `each: user` beside it",
            );
            return None;
        }
        return Some(None);
    };
    let text = reader::text(report, &entry.node)?;
    if text.value != "user" {
        report.error_hint(
            text.position,
            format!("`each: {}` is not known", text.shown()),
            "write `each: user`",
        );
        return None;
    }
    let users = match count {
        Some(count) => Some(count?),
        None => None,
    };
    Some(Some(Each {
        position: entry.position,
        users,
    }))
}

#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn timeout(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Option<At<Span>>> {
    match fields.get("timeout") {
        None => Some(None),
        Some(entry) => flow::timeout_of(report, &entry.node).map(Some),
    }
}

/// `capture: { coupon: id }`: names, and the columns of their values.
fn captures(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Vec<SetupCapture>> {
    let Some(entry) = fields.get("capture") else {
        return Some(Vec::new());
    };
    let read: Vec<_> = reader::entries(report, &entry.node)?
        .iter()
        .map(|entry| {
            let name = reader::key(report, entry);
            let from = reader::text(report, &entry.node);
            Some(SetupCapture {
                name: name?,
                from: from?,
            })
        })
        .collect();
    read.into_iter().collect()
}

/// `capture: { stock }`, or `capture: stock`: there is only one value.
fn one_capture(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Vec<SetupCapture>> {
    let Some(entry) = fields.get("capture") else {
        return Some(Vec::new());
    };
    let name: At<Name> = match &entry.node.value {
        Value::Map(entries) => match entries.as_slice() {
            [only] if only.node.value == Value::Null => reader::key(report, only)?,
            _ => {
                report.error_hint(
                    entry.node.position,
                    "there is one value to capture, which only needs a name",
                    "write `capture: { stock }`",
                );
                return None;
            }
        },
        _ => reader::value(report, &entry.node)?,
    };
    let from = At {
        value: String::new(),
        position: name.position,
        hidden: false,
    };
    Some(vec![SetupCapture { name, from }])
}
