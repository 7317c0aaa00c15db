//! `before` and `after`: addresses are checked, values are found, captures get their slots.

use std::time::Duration;

use super::flow::Planner;
use super::template::{self, Place, Words};
use super::{statement, step, truth};
use crate::plan::slots::SlotTable;
use crate::plan::{
    EachUser as Each, Escape, Part, SetupCapture, SetupStep, StatusMatch, Task, Template, Users,
    Variable,
};
use crate::scenario::value::{Count, Status};
use crate::scenario::{
    At, Position, Report, Request, SetupStep as Written, Shell, Task as WrittenTask,
};

/// Of a statement, a batch or a program.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Who is there around a load.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) coupon: Option<&'a str>,
    /// `None` if they are wrong, which was reported.
    pub(super) users: Option<&'a Users>,
    /// So many slots, the first ones, hold what is known of a user.
    pub(super) of_users: usize,
}

/// Resolves one list; what its steps capture is visible from then on.
pub(super) fn resolve(
    written: &[Written],
    who: Who<'_>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Vec<SetupStep> {
    let mut steps = Vec::new();
    for step in written {
        let task = task(step, who.coupon, slots, report);
        let each = each(step, who.users, report);
        let captures = captures(step, slots, report);
        let (Some((task, kind, shown)), Some(each)) = (task, each) else {
            continue;
        };
        known_before_users(&task, each.is_some(), who, step.position, report);
        if each.is_none() {
            known_once(&task, who, step.position, slots, report);
        }
        let (name, place) = (step.name.as_ref(), report.line(step.position));
        steps.push(SetupStep {
            name: name.map_or(kind, |name| name.value.as_str().to_owned()),
            place,
            shown,
            timeout: timeout(step, &task),
            task,
            each,
            captures,
        });
    }
    steps
}

fn timeout(step: &Written, task: &Task) -> Duration {
    match (task, &step.timeout) {
        (Task::Request { step, .. }, _) => step.timeout,
        (_, Some(timeout)) => timeout.value.0,
        (_, None) => TIMEOUT,
    }
}

/// What is done, the step's name if it has none, and one line for people.
type Resolved = (Task, String, String);

fn task(
    step: &Written,
    coupon: Option<&str>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Option<Resolved> {
    if let WrittenTask::Request { request, expect } = &step.task {
        let mut planner = Planner::new(coupon, slots);
        return request_task(request, expect, step.position, &mut planner, report);
    }
    let words = Words {
        coupon,
        slots: Some(slots),
    };
    match &step.task {
        WrittenTask::Request { .. } => None,
        WrittenTask::Sql { url, run } => sql(url, run, words, report),
        WrittenTask::Redis { url, run } => redis(url, run, words, report),
        WrittenTask::Shell(shell) => shell_task(shell, words, report),
    }
}

fn request_task(
    request: &Request,
    expect: &[Status],
    at: Position,
    planner: &mut Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Resolved> {
    let name = At {
        value: "request".parse().ok()?,
        position: at,
        hidden: false,
    };
    let step = step::resolve(request, &name, planner, report)?;
    let expect = match expect {
        [] => vec![StatusMatch::Class(2)],
        expect => expect.iter().map(|status| status_of(*status)).collect(),
    };
    let shown = format!("{} {}", step.method, request.path.shown());
    let step = Box::new(step);
    Some((Task::Request { step, expect }, shown.clone(), shown))
}

fn sql(
    url: &At<String>,
    run: &[At<String>],
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Resolved> {
    let schemes = ["mysql", "mariadb", "postgres", "postgresql", "sqlite"];
    let url = truth::address(url, &schemes, report);
    let mut statements = Vec::new();
    for text in run {
        match statement::parse(&text.value, words) {
            Ok(statement) => statements.push(statement),
            Err((message, hint)) => template::report_wrong(text, message, hint, report),
        }
    }
    let url = url.filter(|_| statements.len() == run.len())?;
    let shown = format!("sql {}: {}", url.redacted(), shown(run, "; "));
    Some((Task::Sql { url, statements }, "sql".to_owned(), shown))
}

fn redis(
    url: &At<String>,
    run: &[Vec<At<String>>],
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Resolved> {
    let url = truth::address(url, &["redis"], report);
    let read = |command: &Vec<At<String>>| templates(command, words, report);
    let commands: Vec<_> = run.iter().map(read).collect();
    let (url, commands) = (url?, commands.into_iter().collect::<Option<_>>()?);
    let lines: Vec<_> = run.iter().map(|words| shown(words, " ")).collect();
    let shown = format!("redis {}: {}", url.redacted(), lines.join("; "));
    Some((Task::Redis { url, commands }, "redis".to_owned(), shown))
}

fn shell_task(shell: &Shell, words: Words<'_>, report: &mut Report<'_>) -> Option<Resolved> {
    let (words, shown) = match shell {
        Shell::Text(text) => (shell_text(text, report)?, shown([text], "")),
        Shell::Words(list) => (templates(list, words, report)?, shown(list, " ")),
    };
    let shown = format!("shell {shown}");
    Some((Task::Shell(words), "shell".to_owned(), shown))
}

const fn status_of(status: Status) -> StatusMatch {
    match status {
        Status::Exactly(status) => StatusMatch::Exactly(status),
        Status::Class(class) => StatusMatch::Class(class),
    }
}

/// Texts in one line; what the environment has filled in is not shown.
fn shown<'a>(texts: impl IntoIterator<Item = &'a At<String>>, between: &str) -> String {
    let line = |text: &At<String>| {
        let words: Vec<&str> = text.shown().split_whitespace().collect();
        words.join(" ")
    };
    let lines: Vec<_> = texts.into_iter().map(line).collect();
    lines.join(between)
}

fn templates(
    texts: &[At<String>],
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<Template>> {
    let read = |text| template::parse(text, Place::Raw, words, report);
    let read: Vec<_> = texts.iter().map(read).collect();
    read.into_iter().collect()
}

/// A shell would take a value apart, or run it.
fn shell_text(text: &At<String>, report: &mut Report<'_>) -> Option<Vec<Template>> {
    if text.value.contains("{{") {
        report.error_hint(
            text.position,
            "a value would become part of what the shell runs",
            "write the program and its arguments as a list: `run: [./reset, \"{{ coupon }}\"]`",
        );
        return None;
    }
    let words = ["sh", "-c", text.value.as_str()];
    Some(words.map(Template::literal).to_vec())
}

#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn each(step: &Written, users: Option<&Users>, report: &mut Report<'_>) -> Option<Option<Each>> {
    let Some(each) = &step.each else {
        return Some(None);
    };
    // Users that are wrong were reported. How many there are is not known where they are read.
    let pool = match users?.pool {
        0 => u64::MAX,
        pool => pool,
    };
    if let Some(count) = &each.users
        && !(1..=pool).contains(&count.value.0)
    {
        report.error_hint(
            count.position,
            format!(
                "{} users are not part of a pool of {}",
                count.value,
                Count(pool)
            ),
            "write a number from 1 to `users.pool`, or leave it out for all",
        );
        return None;
    }
    let of_request = match &step.task {
        WrittenTask::Request { request, .. } => request.captures.first(),
        _ => None,
    };
    let of_others = step.captures.first().map(|capture| &capture.name);
    if let Some(name) = of_request.map(|capture| &capture.name).or(of_others) {
        report.error_hint(
            name.position,
            "a value cannot be captured for each user: there is one for all",
            "capture it in a step of its own, without `each`",
        );
        return None;
    }
    let users = each.users.as_ref();
    Some(Some(
        users.map_or(Each::All, |count| Each::First(count.value.0)),
    ))
}

fn captures(step: &Written, slots: &mut SlotTable, report: &mut Report<'_>) -> Vec<SetupCapture> {
    let mut captures = Vec::new();
    for capture in &step.captures {
        let name = capture.name.value.as_str();
        if name == "coupon.id" || Variable::ALL.iter().any(|(known, _)| *known == name) {
            report.error_hint(
                capture.name.position,
                format!("`{name}` has a meaning of its own in templates"),
                "capture it under another name",
            );
            continue;
        }
        if slots.find(name).is_ok() {
            report.error_hint(
                capture.name.position,
                format!("`{name}` is there already"),
                "capture it under another name",
            );
            continue;
        }
        match slots.declare(name, false) {
            Some(slot) => captures.push(SetupCapture {
                slot,
                from: capture.from.value.clone(),
            }),
            None => report.error(capture.name.position, "there are too many captured values"),
        }
    }
    captures
}

/// Before and after the load there is no VU, and a user only where it is done for each.
fn known_before_users(
    task: &Task,
    each: bool,
    who: Who<'_>,
    at: Position,
    report: &mut Report<'_>,
) {
    let templates = task.templates();
    let uses = |variable| templates.iter().any(|template| template.uses(variable));
    for (name, variable) in Variable::ALL {
        let (message, hint) = match variable {
            Variable::Vu | Variable::Iteration if uses(variable) => (
                format!("`{name}` stands for nothing here: VUs are part of the load"),
                "use `{{ user }}` or `{{ n }}` with `each: user`",
            ),
            Variable::User | Variable::Number | Variable::Uuid if uses(variable) && !each => (
                format!("`{name}` stands for nothing here: the step is done once"),
                "write `each: user` to do it for each user",
            ),
            _ => continue,
        };
        report.error_hint(at, message, hint);
    }
    let changes = |users: &Users| users.id.uses(Variable::Vu) || users.id.uses(Variable::Iteration);
    if each && uses(Variable::User) && who.users.is_some_and(changes) {
        report.error_hint(
            at,
            "the users' ids hold the VU or the iteration, so they are not known before the load",
            "make `users.id` of `n` or `uuid`",
        );
    }
}

/// A step that is done once knows nothing of a user.
fn known_once(task: &Task, who: Who<'_>, at: Position, slots: &SlotTable, report: &mut Report<'_>) {
    let templates = task.templates().into_iter();
    let mut used = templates.flat_map(Template::slots);
    if let Some(slot) = used.find(|slot| usize::from(*slot) < who.of_users) {
        report.error_hint(
            at,
            format!(
                "`{}` stands for nothing here: the step is done once",
                slots.name(slot)
            ),
            "write `each: user` to do it for each user",
        );
    }
}

/// The subject's id where it is captured: `id: "{{ coupon }}"`.
pub(super) fn check_subject(
    coupon: &str,
    at: Position,
    slots: &SlotTable,
    report: &mut Report<'_>,
) {
    let words = Words {
        coupon: None,
        slots: Some(slots),
    };
    let mut template = Template::default();
    if let Err((message, hint)) = template::append(coupon, Place::Raw, words, &mut template) {
        report.error_hint(at, format!("the subject's id: {message}"), hint);
        return;
    }
    let is_known = |part: &Part| {
        matches!(
            part,
            Part::Literal(_) | Part::Value(Variable::Slot(_), Escape::Raw)
        )
    };
    if !template.parts.iter().all(is_known) {
        report.error_hint(
            at,
            "the subject's id is one for all users",
            "write it, or capture it under `before`: `id: \"{{ coupon }}\"`",
        );
    }
}
