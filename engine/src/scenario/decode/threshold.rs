//! `thresholds`: assertions by metric, in k6's short and long form.

use super::super::model::{Threshold, Windowed};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::super::value::{Count, Span};

pub(super) fn read(report: &mut Report<'_>, node: &Node) -> Vec<Threshold> {
    let entries = reader::entries(report, node).unwrap_or_default();
    let mut thresholds = Vec::new();
    for entry in entries {
        for item in reader::one_or_many(&entry.node) {
            thresholds.extend(threshold(report, entry, item));
        }
    }
    thresholds
}

fn threshold(report: &mut Report<'_>, entry: &Entry, item: &Node) -> Option<Threshold> {
    let key = At {
        value: entry.key.clone(),
        position: entry.position,
        hidden: false,
    };
    if !matches!(item.value, Value::Map(_)) {
        return Some(Threshold {
            key,
            assertion: reader::text(report, item)?,
            abort: None,
            allow_empty: false,
            windows: None,
        });
    }
    let mut fields = Fields::of(report, item, item.position)?;
    let hint = "write `threshold: \"p(95)<500\"`";
    let assertion = fields.need(report, "threshold", hint);
    let assertion = assertion.and_then(|entry| reader::text(report, &entry.node));
    let abort = either(report, &mut fields, "abort", "abortOnFail");
    let abort = abort.and_then(|entry| reader::flag(report, &entry.node));
    let delay = either(report, &mut fields, "delay", "delayAbortEval");
    let delay_at = delay.map(|entry| entry.position);
    let delay = delay.and_then(|entry| reader::value::<Span>(report, &entry.node));
    let allow_empty = fields.get("allow_empty");
    let allow_empty = allow_empty.and_then(|entry| reader::flag(report, &entry.node));
    let windows = windows(report, &mut fields);
    fields.finish(report);
    if let Some(position) = delay_at
        && !abort.unwrap_or(false)
    {
        report.error_hint(
            position,
            "a delay without an abort has no effect",
            "write `abort: true` beside it, or remove it",
        );
    }
    Some(Threshold {
        key,
        assertion: assertion?,
        abort: abort
            .unwrap_or(false)
            .then(|| delay.map_or(Span(std::time::Duration::ZERO), |delay| delay.value)),
        allow_empty: allow_empty.unwrap_or(false),
        windows: match windows {
            Given::Absent => None,
            Given::Broken => return None,
            Given::Value(windows) => Some(windows),
        },
    })
}

/// `over` and `for`.
fn windows(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Given<Windowed> {
    let (over, in_a_row) = (fields.get("over"), fields.get("for"));
    let Some(over) = over else {
        if let Some(lonely) = in_a_row {
            report.error_hint(
                lonely.position,
                "`for` counts windows, but there are none",
                "write `over: 10s` beside it, or remove it",
            );
            return Given::Broken;
        }
        return Given::Absent;
    };
    let over = reader::value::<Span>(report, &over.node);
    let in_a_row = match in_a_row {
        Some(entry) => reader::value::<Count>(report, &entry.node).map(|count| {
            if count.value.0 == 0 {
                report.error_hint(
                    count.position,
                    "a threshold that fails after no window always fails",
                    "write 1, or leave it out",
                );
            }
            count.value.0
        }),
        None => Some(1),
    };
    let in_a_row = in_a_row.filter(|count| *count > 0);
    let (Some(over), Some(in_a_row)) = (whole_seconds(report, over), in_a_row) else {
        return Given::Broken;
    };
    Given::Value(Windowed { over, in_a_row })
}

/// Measurements are kept by the second.
fn whole_seconds(report: &mut Report<'_>, over: Option<At<Span>>) -> Option<At<Span>> {
    let over = over?;
    if over.value.0.is_zero() || over.value.0.subsec_nanos() != 0 {
        report.error_hint(
            over.position,
            "a window lasts whole seconds, at least one",
            "measurements are kept by the second: write it like `over: 10s`",
        );
        return None;
    }
    Some(over)
}

/// Our name of a key, or k6's.
fn either<'n>(
    report: &mut Report<'_>,
    fields: &mut Fields<'n>,
    ours: &'static str,
    k6: &'static str,
) -> Option<&'n Entry> {
    let (one, other) = (fields.get(ours), fields.get(k6));
    if let (Some(_), Some(other)) = (one, other) {
        report.error_hint(
            other.position,
            format!("`{k6}` cannot stand beside `{ours}`"),
            "they are two names for the same thing: keep one of them",
        );
    }
    one.or(other)
}
