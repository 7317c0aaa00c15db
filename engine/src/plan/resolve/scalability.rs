//! Thresholds on scalability: the plan must have steps, and they are judged when the load has ended.

use crate::measure::scalability::steps;
use crate::measure::{Aggregate, Metric, Tag, Threshold};
use crate::plan::Plan;
use crate::scenario::{Report, Threshold as Written};

/// Neither windows nor an early end fit what is known only afterwards.
pub(super) fn check_threshold(
    threshold: &Threshold,
    written: &Written,
    (plan, phases_known): (&Plan, bool),
    report: &mut Report<'_>,
) {
    if threshold.metric != Metric::Scalability {
        return;
    }
    if let Some(windows) = &written.windows {
        report.error_hint(
            windows.over.position,
            "`scalability` is of the steps of a load, and cannot be judged over windows",
            "leave `over` out",
        );
    }
    if threshold.abort.is_some() {
        report.error_hint(
            written.assertion.position,
            "`scalability` is known when the load has ended, and cannot end it",
            "leave `abort` out",
        );
    }
    if phases_known && !report.has_errors() {
        warn_of_too_few(threshold, written, plan, report);
    }
}

/// With fewer steps than are needed there will be no data, which fails: said before the run.
fn warn_of_too_few(threshold: &Threshold, written: &Written, plan: &Plan, report: &mut Report<'_>) {
    let needed = match threshold.aggregate {
        Aggregate::Efficiency => 2,
        _ => 3,
    };
    let mut tags = threshold.tags.iter();
    let load = tags.find(|(tag, _)| *tag == Tag::Load);
    let steps = steps(plan, load.map(|(_, name)| name.as_str()));
    let mut vus: Vec<_> = steps.iter().map(|step| step.vus).collect();
    vus.dedup();
    if vus.len() < needed {
        report.warning(
            written.key.position,
            format!(
                "`{}` can have no data: the load holds {} number{} of VUs, and {needed} are needed",
                written.key.shown(),
                vus.len(),
                if vus.len() == 1 { "" } else { "s" },
            ),
            "let stages of `ramping_vus` end as they begin, or write several `constant_vus`, one \
             behind the other",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Overrides, load};

    fn said(loads: &str, threshold: &str) -> String {
        let text = format!(
            "
name: steps
target: {{ url: \"http://127.0.0.1:3000\" }}
load: {{ {loads} }}
flows: {{ issue: [{{ post: /issue, outcomes: {{ issued: 201 }} }}] }}
thresholds: {{ {threshold} }}
"
        );
        match load("steps.yaml", &text, &Overrides::default(), &|_| None) {
            Ok(plan) => plan.warnings.join("; "),
            Err(errors) => errors.to_string(),
        }
    }

    const ONE: &str = "ten: { flow: issue, constant_vus: { vus: 10, for: 5s } }";
    const TWO: &str = "ten: { flow: issue, constant_vus: { vus: 10, for: 5s } }, \
        more: { flow: issue, start_after: 5s, constant_vus: { vus: 20, for: 5s } }";

    #[test]
    #[rustfmt::skip] // A row a line.
    fn what_cannot_be_judged_of_steps_is_refused_and_what_will_have_no_data_is_told() {
        for (loads, threshold, words) in [
            (TWO, "\"scalability{load:tne}\": \"efficiency>80%\"", "there is no load `tne`"),
            (TWO, "\"scalability{phase:ten}\": \"efficiency>80%\"", "`scalability` is not measured by phase"),
            (TWO, "scalability: \"rate<1%\"", "`scalability` is a scaling and has no `rate`"),
            (TWO, "http_reqs: \"efficiency>1%\"", "`http_reqs` is a counter and has no `efficiency`"),
            (TWO, "scalability: \"efficency>1%\"", "did you mean `efficiency`?"),
            (TWO, "scalability: { threshold: \"efficiency>80%\", over: 5s }", "cannot be judged over windows"),
            (TWO, "scalability: { threshold: \"efficiency>80%\", abort: true }", "cannot end it"),
            (ONE, "scalability: \"efficiency>80%\"", "the load holds 1 number of VUs, and 2 are needed"),
            (TWO, "scalability: \"peak>100\"", "the load holds 2 numbers of VUs, and 3 are needed"),
            (TWO, "\"scalability{load:ten}\": \"efficiency>80%\"", "the load holds 1 number of VUs"),
        ] {
            let said = said(loads, threshold);
            assert!(said.contains(words), "{threshold}: {said}");
        }
        assert_eq!(said(TWO, "scalability: \"efficiency>80%\""), "");
    }
}
