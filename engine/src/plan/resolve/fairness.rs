//! Thresholds on fairness: judged by the issued rows, when the load has ended.

use crate::measure::{Metric, Threshold};
use crate::plan::Plan;
use crate::scenario::{Given, Report, Threshold as Written, Truth};

/// Rows are needed, and neither windows nor an early end fit what is known only afterwards.
pub(super) fn check_threshold(
    threshold: &Threshold,
    written: &Written,
    (plan, truth): (&Plan, &Given<Truth>),
    report: &mut Report<'_>,
) {
    if threshold.metric != Metric::Fairness {
        return;
    }
    if !has_rows(plan, truth) {
        report.error_hint(
            written.key.position,
            "`fairness` compares the issued rows with the attempts, and `truth.issued` is missing",
            "say where the issued rows are read, with the time of creation or a number as id",
        );
    }
    if let Some(windows) = &written.windows {
        report.error_hint(
            windows.over.position,
            "`fairness` is of the whole run, and cannot be judged over windows",
            "leave `over` out",
        );
    }
    if threshold.abort.is_some() {
        report.error_hint(
            written.assertion.position,
            "`fairness` is known when the rows were read, and cannot end the load",
            "leave `abort` out",
        );
    }
}

/// Whether it was said where the issued rows are; what is wrong about it was reported.
fn has_rows(plan: &Plan, truth: &Given<Truth>) -> bool {
    let planned = plan.truth.as_ref();
    let written = match truth {
        Given::Value(truth) => !truth.issued.is_absent(),
        other => other.is_broken(),
    };
    written || planned.is_some_and(|truth| truth.issued.is_some())
}
