//! The scenario's text: what was found, with a comment wherever a person has to decide.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value as Json;

use super::flow::{Action, Flow};
use super::options::{Load, Options};
use super::outcomes::Outcome;
use super::steps::Step;
use super::users::Described;
use super::yaml::{key, quoted};
use crate::import::Note;
use crate::scenario::value::Span;

/// Everything that the scenario says.
pub(super) struct Parts<'a> {
    pub(super) file: &'a str,
    pub(super) name: String,
    pub(super) base: Option<String>,
    pub(super) coupon: Option<&'a str>,
    pub(super) users: Described,
    pub(super) options: Options,
    /// Of the steps, those of `setup`.
    pub(super) before: Range<usize>,
    pub(super) flows: Vec<Flow>,
    /// Those of `teardown`.
    pub(super) after: Range<usize>,
    pub(super) steps: Vec<Step>,
    pub(super) notes: &'a BTreeSet<Note>,
}

/// Writing to a text cannot fail.
macro_rules! line {
    ($out:expr, $($words:tt)*) => {{
        let _ = writeln!($out, $($words)*);
    }};
}

pub(super) fn write(parts: &Parts<'_>) -> String {
    let mut out = String::new();
    line!(
        out,
        "# Imported from the k6 script {}. What a person has to decide is marked with TODO;",
        parts.file
    );
    line!(
        out,
        "# what the script says and this file does not stands at its end."
    );
    line!(out, "name: {}", quoted(&parts.name));
    out.push('\n');
    target(parts, &mut out);
    users(&parts.users, &mut out);
    around("before", &parts.steps[parts.before.clone()], &mut out);
    loads(parts, &mut out);
    flows(parts, &mut out);
    around("after", &parts.steps[parts.after.clone()], &mut out);
    truth(&mut out);
    thresholds(&parts.options, &mut out);
    notes(parts.notes, &mut out);
    out
}

fn target(parts: &Parts<'_>, out: &mut String) {
    let url = parts.base.as_deref().unwrap_or("http://127.0.0.1:8080");
    let doubt = if parts.base.is_none() {
        "   # TODO: where is it? Or --url"
    } else {
        ""
    };
    line!(out, "target: {{ url: {} }}{doubt}", quoted(url));
    line!(
        out,
        "\n# TODO: how many there are, and what the system calls it. Set the system to the same stock."
    );
    let coupon = parts.coupon.unwrap_or("1");
    line!(
        out,
        "subject: {{ coupon: {{ id: {}, stock: 100 }} }}",
        quoted(coupon)
    );
}

fn users(users: &Described, out: &mut String) {
    out.push('\n');
    users
        .comments
        .iter()
        .for_each(|comment| line!(out, "# {comment}"));
    line!(out, "users:");
    users
        .from
        .iter()
        .for_each(|from| line!(out, "  from: {from}"));
    users
        .pool
        .into_iter()
        .for_each(|pool| line!(out, "  pool: {pool}"));
    if users.per_vu {
        line!(out, "  per: vu");
    }
    if users.random {
        line!(out, "  random: true");
    }
    if users.cookies {
        line!(out, "  cookies: true   # k6 keeps cookies by itself");
    }
    users
        .id
        .iter()
        .for_each(|id| line!(out, "  id: {}", quoted(id)));
}

/// `before` and `after`: each step is right or wrong, and nobody in particular asks.
fn around(name: &str, steps: &[Step], out: &mut String) {
    if steps.is_empty() {
        return;
    }
    line!(out, "\n{name}:");
    for step in steps {
        request(step, "  ", out);
        if !step.expect.is_empty() {
            line!(out, "    expect: {}", statuses(&step.expect));
        }
    }
}

fn loads(parts: &Parts<'_>, out: &mut String) {
    line!(out, "\nload:");
    for load in &parts.options.loads {
        line!(out, "  {}:", key(&load.name));
        if parts.flows.len() > 1 {
            line!(out, "    flow: {}", key(&load.exec));
        }
        load.start_after
            .iter()
            .for_each(|time| line!(out, "    start_after: {time}"));
        load.graceful_stop
            .iter()
            .for_each(|time| line!(out, "    graceful_stop: {time}"));
        executor(load, out);
    }
}

fn executor(load: &Load, out: &mut String) {
    line!(out, "    {}:", load.executor);
    load.keys
        .iter()
        .for_each(|(key, value)| line!(out, "      {key}: {value}"));
    if !load.stages.is_empty() {
        line!(out, "      stages:");
        load.stages
            .iter()
            .for_each(|(time, to)| line!(out, "        - {{ for: {time}, to: {to} }}"));
    }
}

fn flows(parts: &Parts<'_>, out: &mut String) {
    line!(out, "\nflows:");
    for flow in &parts.flows {
        line!(out, "  {}:", key(&flow.name));
        if flow.actions.is_empty() {
            line!(
                out,
                "    - get: /   # TODO: no request was found in the script"
            );
        }
        for action in &flow.actions {
            match action {
                Action::Request(at) => step(&parts.steps[*at], out),
                Action::Think(from, to) => think(*from, *to, out),
            }
        }
    }
}

fn think(from: f64, to: f64, out: &mut String) {
    let span = |seconds: f64| {
        let time = std::time::Duration::try_from_secs_f64(seconds);
        Span(time.unwrap_or_default()).to_string()
    };
    if (to - from).abs() < f64::EPSILON {
        line!(out, "    - think: {}", span(from));
    } else {
        line!(
            out,
            "    - think: {{ from: {}, to: {} }}",
            span(from),
            span(to)
        );
    }
}

/// What is sent, at this depth.
fn request(step: &Step, indent: &str, out: &mut String) {
    let name = key(&step.name);
    line!(out, "{indent}- name: {name}   # line {}", step.line);
    line!(out, "{indent}  {}: {}", step.method, step.path);
    step.keys
        .iter()
        .for_each(|key| line!(out, "{indent}  {key}"));
}

fn step(step: &Step, out: &mut String) {
    request(step, "    ", out);
    if !step.asks {
        return;
    }
    line!(
        out,
        "      # TODO: what each answer means. The first that matches wins; what matches none is `unknown`,"
    );
    line!(
        out,
        "      # which counts as failed and as something that may have happened."
    );
    line!(out, "      outcomes:");
    if step.outcomes.iter().all(|outcome| outcome.name != "issued") {
        line!(
            out,
            "        issued: {{ status: [200, 201] }}   # TODO: the script does not say it"
        );
    }
    for outcome in &step.outcomes {
        line!(out, "        {}", written(outcome));
    }
    for (name, example) in [
        ("sold_out", "json: { /code: SOLD_OUT }"),
        ("duplicate", "body: already"),
    ] {
        if step.outcomes.iter().all(|outcome| outcome.name != name) {
            line!(out, "        # {name}: {{ status: 409, {example} }}");
        }
    }
}

fn written(outcome: &Outcome) -> String {
    let mut keys = Vec::new();
    if let Some(status) = &outcome.case.status {
        keys.push(format!("status: {}", statuses(status)));
    }
    if !outcome.case.json.is_empty() {
        let conditions = outcome
            .case
            .json
            .iter()
            .map(|(at, value)| condition(at, value.as_ref(), &outcome.others));
        keys.push(format!(
            "json: {{ {} }}",
            conditions.collect::<Vec<_>>().join(", ")
        ));
    }
    keys.extend(
        outcome
            .case
            .body
            .as_ref()
            .map(|text| format!("body: {}", quoted(text))),
    );
    keys.extend(outcome.is.map(|is| format!("is: {is}")));
    let doubt = outcome
        .doubt
        .map(|doubt| format!("   # line {}, TODO: {doubt}", outcome.line));
    format!(
        "{}: {{ {} }}{}",
        key(&outcome.name),
        keys.join(", "),
        doubt.unwrap_or_default()
    )
}

fn condition(at: &str, value: Option<&Json>, others: &[Json]) -> String {
    let at = quoted(at);
    match value {
        None => format!("{at}: {{ exists: true }}"),
        Some(value) if others.is_empty() => format!("{at}: {value}"),
        Some(value) => {
            let all: Vec<_> = std::iter::once(value)
                .chain(others)
                .map(Json::to_string)
                .collect();
            format!("{at}: [{}]", all.join(", "))
        }
    }
}

fn statuses(status: &BTreeSet<u16>) -> String {
    let mut shown = Vec::new();
    for class in 1..6 {
        let of_class: Vec<_> = status
            .iter()
            .filter(|status| **status / 100 == class)
            .collect();
        if of_class.len() == 100 {
            shown.push(format!("{class}xx"));
        } else {
            shown.extend(of_class.into_iter().map(u16::to_string));
        }
    }
    match shown.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// What no script says; without it a run is a load test and proves nothing.
const TRUTH: &str = "
# TODO: where the issued rows are, and what must hold. Without both this is a load test that its
# thresholds judge alone; with both it is proven or refuted that nothing was oversold.
# truth:
#   issued:
#     sql:
#       url: \"mysql://reader:${DB_PASSWORD}@127.0.0.1:3306/shop\"
#       query: SELECT user_id, id, created_at FROM user_coupons WHERE coupon_id = 1
# invariants: [stock, one_per_user, acknowledged]
";

fn truth(out: &mut String) {
    out.push_str(TRUTH);
}

fn thresholds(options: &Options, out: &mut String) {
    if options.thresholds.is_empty() {
        return;
    }
    out.push('\n');
    if options
        .thresholds
        .iter()
        .any(|(key, _)| key.starts_with("http_req_failed"))
    {
        line!(
            out,
            "# In k6 every 4xx counts as failed. Here a refusal that an outcome names does not."
        );
    }
    line!(out, "thresholds:");
    for (name, lines) in &options.thresholds {
        line!(out, "  {}: [{}]", key(name), lines.join(", "));
    }
}

fn notes(notes: &BTreeSet<Note>, out: &mut String) {
    if notes.is_empty() {
        return;
    }
    line!(out, "\n# What the script says and this file does not:");
    for note in notes {
        line!(out, "# - {note}");
    }
}
