//! `load`: loads by name, each with exactly one executor.

use std::str::FromStr;

use super::super::model::{Executor, Load, Stage};
use super::super::node::Entry;
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::super::value::{Count, Rate, Span, ValueError};

pub(in super::super) const EXECUTORS: [&str; 7] = [
    "constant_vus",
    "ramping_vus",
    "per_vu_iterations",
    "shared_iterations",
    "constant_arrival_rate",
    "ramping_arrival_rate",
    "stampede",
];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Vec<Load> {
    let Some(entries) = reader::entries(report, &entry.node) else {
        return Vec::new();
    };
    if entries.is_empty() {
        report.error_hint(
            entry.position,
            "there is no load",
            "write one: `opening: { constant_vus: { vus: 10, for: 30s } }`",
        );
    }
    entries
        .iter()
        .filter_map(|entry| load(report, entry))
        .collect()
}

fn load(report: &mut Report<'_>, entry: &Entry) -> Option<Load> {
    let name = reader::key(report, entry)?;
    let mut load = Load {
        name,
        flow: None,
        start_after: None,
        graceful_stop: None,
        executor: None,
    };
    let Some(mut fields) = Fields::behind(report, entry) else {
        return Some(load);
    };
    load.flow = fields
        .get("flow")
        .and_then(|entry| reader::text(report, &entry.node));
    load.start_after = fields
        .get("start_after")
        .and_then(|entry| Some(reader::value(report, &entry.node)?.value));
    load.graceful_stop = fields
        .get("graceful_stop")
        .and_then(|entry| Some(reader::value(report, &entry.node)?.value));
    let one = fields.one_of(report, &EXECUTORS, "the shape of the load");
    fields.finish(report);
    load.executor = one.and_then(|entry| executor(report, entry));
    Some(load)
}

/// The keys of an executor. Every `need` is made before the first `?`, so that all that is
/// missing is reported at once.
fn executor(report: &mut Report<'_>, entry: &Entry) -> Option<Executor> {
    let mut fields = Fields::behind(report, entry)?;
    let executor = match entry.key.as_str() {
        "constant_vus" => {
            let vus = need(report, &mut fields, "vus", "how many users: `vus: 100`");
            let duration = need_duration(report, &mut fields);
            fields.finish(report);
            Executor::ConstantVus {
                vus: at_least_one(report, vus?)?,
                duration: duration?,
            }
        }
        "ramping_vus" => {
            let start = get::<Count>(report, &mut fields, "start");
            let graceful = get::<Span>(report, &mut fields, "graceful_ramp_down");
            let stages = stages(report, &mut fields, "{ for: 30s, to: 100 }");
            fields.finish(report);
            Executor::RampingVus {
                start: start.map_or(0, |start| start.value.0),
                stages: stages?,
                graceful_ramp_down: graceful.map(|span| span.value),
            }
        }
        key @ ("per_vu_iterations" | "shared_iterations") => {
            let vus = need(report, &mut fields, "vus", "how many users: `vus: 100`");
            let hint = "how often they ask: `iterations: 1000`";
            let iterations = need(report, &mut fields, "iterations", hint);
            let within = get::<Span>(report, &mut fields, "within");
            fields.finish(report);
            let within = positive(report, within)?;
            let vus = at_least_one(report, vus?)?;
            let iterations = at_least_one(report, iterations?)?;
            if key == "per_vu_iterations" {
                Executor::PerVuIterations {
                    vus,
                    iterations,
                    within,
                }
            } else {
                Executor::SharedIterations {
                    vus,
                    iterations,
                    within,
                }
            }
        }
        "constant_arrival_rate" => {
            let hint = "how many start: `rate: 100/s`";
            let rate = need::<Rate>(report, &mut fields, "rate", hint);
            let duration = need_duration(report, &mut fields);
            let (vus, max_vus) = open_vus(report, &mut fields);
            fields.finish(report);
            let rate = rate?;
            if rate.value.0 <= 0.0 {
                report.error_hint(rate.position, "the rate is zero", "write it like `100/s`");
                return None;
            }
            Executor::ConstantArrivalRate {
                rate,
                duration: duration?,
                vus: vus?,
                max_vus,
            }
        }
        "ramping_arrival_rate" => {
            let start = get::<Rate>(report, &mut fields, "start");
            let stages = stages(report, &mut fields, "{ for: 30s, to: 100/s }");
            let (vus, max_vus) = open_vus(report, &mut fields);
            fields.finish(report);
            Executor::RampingArrivalRate {
                start: start.map_or(0.0, |start| start.value.0),
                stages: stages?,
                vus: vus?,
                max_vus,
            }
        }
        _ => {
            let hint = "how many ask at once: `users: 1000`";
            let users = need(report, &mut fields, "users", hint);
            let connect_within = get::<Span>(report, &mut fields, "connect_within");
            let within = get::<Span>(report, &mut fields, "within");
            fields.finish(report);
            Executor::Stampede {
                users: at_least_one(report, users?)?,
                connect_within: positive(report, connect_within)?,
                within: positive(report, within)?,
            }
        }
    };
    Some(executor)
}

fn need<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    hint: &str,
) -> Option<At<T>> {
    let entry = fields.need(report, key, hint)?;
    reader::value(report, &entry.node)
}

fn get<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<At<T>> {
    let entry = fields.get(key)?;
    reader::value(report, &entry.node)
}

fn need_duration(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<At<Span>> {
    let duration = need(report, fields, "for", "how long: `for: 30s`")?;
    positive(report, Some(duration))?
}

/// VUs of the open model: how many there are, and how many there may be.
fn open_vus(
    report: &mut Report<'_>,
    fields: &mut Fields<'_>,
) -> (Option<At<Count>>, Option<At<Count>>) {
    let hint =
        "users that can be busy at once: about the rate times the longest answer, `vus: 200`";
    let vus = need(report, fields, "vus", hint).and_then(|vus| at_least_one(report, vus));
    let max_vus = get::<Count>(report, fields, "max_vus");
    if let (Some(vus), Some(max)) = (&vus, &max_vus)
        && max.value < vus.value
    {
        report.error_hint(
            max.position,
            format!("`max_vus` is below `vus` ({})", vus.value.0),
            "raise it, or leave it out: without it, `vus` is the most",
        );
        return (None, None);
    }
    (vus, max_vus)
}

fn stages<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    fields: &mut Fields<'_>,
    example: &str,
) -> Option<Vec<Stage<T>>> {
    let entry = fields.need(report, "stages", &format!("write `stages: [ {example} ]`"))?;
    let items = reader::items(report, &entry.node)?;
    if items.is_empty() {
        report.error_hint(
            entry.position,
            "there is no stage",
            format!("write `stages: [ {example} ]`"),
        );
        return None;
    }
    let stages: Vec<Option<Stage<T>>> = items
        .iter()
        .map(|item| {
            let mut fields = Fields::of(report, item, item.position)?;
            let name = get(report, &mut fields, "name");
            let duration = need::<Span>(report, &mut fields, "for", "how long: `for: 30s`");
            let hint = format!("what it leads to: `{example}`");
            let to = need(report, &mut fields, "to", &hint);
            fields.finish(report);
            Some(Stage {
                position: item.position,
                name,
                duration: duration?.value,
                to: to?,
            })
        })
        .collect();
    let stages: Vec<Stage<T>> = stages.into_iter().collect::<Option<_>>()?;
    if stages.iter().all(|stage| stage.duration.0.is_zero()) {
        report.error_hint(
            entry.position,
            "no stage lasts any time",
            "give one of them a length: `for: 30s`",
        );
        return None;
    }
    Some(stages)
}

fn at_least_one(report: &mut Report<'_>, count: At<Count>) -> Option<At<Count>> {
    if count.value.0 > 0 {
        return Some(count);
    }
    report.error(count.position, "expected at least 1, found 0");
    None
}

/// `None` only when a span is there and zero.
#[allow(clippy::option_option)] // Absent is right here, zero is wrong.
fn positive(report: &mut Report<'_>, span: Option<At<Span>>) -> Option<Option<At<Span>>> {
    match span {
        Some(span) if span.value.0.is_zero() => {
            report.error(span.position, "expected a length of time above zero");
            None
        }
        span => Some(span),
    }
}
